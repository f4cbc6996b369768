//! How far a link has come on its way to be opened: what to say where it goes no further.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::error::OpenError;

/// What has been reached last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum Stage {
    /// Neither end has heard the other.
    Apart,
    /// ICE found a way.
    Ice,
    /// DTLS is up.
    Dtls,
}

/// The stage, told by the crate's callbacks; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

impl Progress {
    /// This stage is reached.
    pub(super) fn reached(&self, stage: Stage) {
        self.0.fetch_max(stage as u8, Ordering::Relaxed);
    }

    fn stage(&self) -> Stage {
        match self.0.load(Ordering::Relaxed) {
            0 => Stage::Apart,
            1 => Stage::Ice,
            _ => Stage::Dtls,
        }
    }

    /// Why it did not open in time.
    pub(super) fn too_late(&self) -> OpenError {
        match self.stage() {
            Stage::Apart => OpenError::Timeout,
            Stage::Ice => OpenError::Dtls,
            Stage::Dtls => OpenError::SctpTimeout,
        }
    }
}

impl Progress {
    /// Why it failed, where the crate says only that it gave up.
    pub(super) fn failed(&self, error: OpenError) -> OpenError {
        match error {
            OpenError::GaveUp if self.stage() == Stage::Ice => OpenError::Dtls,
            error => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_what_was_missing() {
        let progress = Progress::default();
        let said = |progress: &Progress| progress.too_late().to_string();
        assert!(said(&progress).contains("is UDP blocked"));
        progress.reached(Stage::Ice);
        assert!(said(&progress).contains("fingerprint") && !said(&progress).contains("blocked"));
        progress.reached(Stage::Dtls);
        assert!(said(&progress).contains("SCTP"));
        progress.reached(Stage::Ice);
        assert!(said(&progress).contains("SCTP"), "no way back");
    }
}
