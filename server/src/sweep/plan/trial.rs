//! A trial: one run of a plan, and its name.
//!
//! The name is the start of the SHA-256 of its specification, as text: `plumb trial 1`, a line for each option that the
//! plan gives (in the order of their names, with the values as `--print-run` writes them), and a line for each property
//! of the pipeline. Options that the plan does not give are not part of it, so that a later version of Plumb with more
//! options gives a trial the same name. `docs/sweep.md` promises this text.

use ring::digest::{SHA256, digest as sha};

use super::axis::AxisValue;
use crate::run::RunSpec;

/// Hexadecimal digits of a name: 80 bits. The probability that two of a million trials have the same name is 10⁻¹².
const DIGITS: usize = 20;

/// One run of a plan.
#[derive(Clone, Debug)]
pub(in crate::sweep) struct Trial {
    /// Its number, from 1.
    pub(in crate::sweep) number: u64,
    /// Which of the repeats it is, from 0.
    pub(in crate::sweep) repeat: u64,
    /// Its values on the axes, in their order.
    pub(in crate::sweep) values: Vec<(String, AxisValue)>,
    /// The run, with its seed. Options that depend on its source are not settled yet.
    pub(in crate::sweep) spec: RunSpec,
    /// Name of the pipeline.
    pub(in crate::sweep) pipeline: String,
    /// Its specification as text.
    pub(in crate::sweep) text: String,
}

impl Trial {
    /// Its name: that of its folder.
    pub(in crate::sweep) fn id(&self) -> String {
        hash(&self.text)
    }

    /// Its seed.
    pub(in crate::sweep) fn seed(&self) -> u64 {
        self.spec.sent.seed.unwrap_or_default()
    }

    /// Its values, for people.
    pub(in crate::sweep) fn described(&self) -> String {
        let values = self.values.iter().map(|(name, value)| format!("{name} {}", value.text));
        values.chain([format!("seed {}", self.seed())]).collect::<Vec<_>>().join(", ")
    }
}

/// The name of a text.
pub(in crate::sweep) fn hash(text: &str) -> String {
    let bytes = digest(text.as_bytes());
    bytes.iter().take(DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 of these bytes.
pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    // invariant: this digest has 32 bytes.
    sha(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}
