//! The state of the run while it is running.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::gate::GateVerdict;
use crate::run::RunSpec;
use crate::session::Progress;

/// The limit at which a session of this run ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// After this many frames.
    pub frames: Option<u64>,
    /// After this time.
    pub duration: Option<Duration>,
}

impl Goal {
    /// The goal of a run.
    pub fn of(spec: &RunSpec) -> Self {
        Self { frames: spec.sent.frames.map(std::num::NonZeroU64::get), duration: spec.sent.duration }
    }
}

/// A running session.
#[derive(Clone, Debug)]
pub(super) struct Active {
    pub(super) since: Instant,
    pub(super) progress: Option<Progress>,
}

/// The run so far.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) goal: Goal,
    pub(super) active: BTreeMap<u64, Active>,
    pub(super) ended: u64,
    pub(super) gates: Vec<GateVerdict>,
}

/// The run so far, for the thread that shows it; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<State>>);

impl Shared {
    /// A run that has not begun.
    pub fn new(goal: Goal) -> Self {
        Self(Arc::new(Mutex::new(State { goal, ..State::default() })))
    }

    /// Sets the current verdicts on the gates.
    pub fn judged(&self, gates: Vec<GateVerdict>) {
        self.locked().gates = gates;
    }

    pub(super) fn locked(&self) -> MutexGuard<'_, State> {
        // No change can be left half done by a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
