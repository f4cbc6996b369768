//! What is known of the run while it goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::gate::GateVerdict;
use crate::run::RunSpec;
use crate::session::Progress;

/// When a session of this run ends by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// After so many frames.
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

/// A session that goes on.
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

    /// Sets the verdicts on the gates as they stand.
    pub fn judged(&self, gates: Vec<GateVerdict>) {
        self.locked().gates = gates;
    }

    pub(super) fn locked(&self) -> MutexGuard<'_, State> {
        // Each change is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
