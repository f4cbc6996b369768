//! Figures of a source that reads: what was read, passed over and broken, and how long reading took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::device::DeviceFigures;
use crate::score::latency::{Percentiles, Series};

/// What a source that reads has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFigures {
    /// Frames read.
    pub read: u64,
    /// Frames that a later one replaced before they were asked for.
    pub passed_over: u64,
    /// Frames that could not be read and were skipped.
    pub broken: u64,
    /// How long the reader took for a frame, in µs.
    pub decode_us: Percentiles,
    /// The camera; `None` for a source without one.
    pub device: Option<DeviceFigures>,
}

/// Counts on the reading thread what the session reports. Clones share the counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Counting(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    read: u64,
    broken: u64,
    decode: Series,
}

impl Counting {
    /// Counts a frame whose reading took this long.
    pub(super) fn read(&self, took: Duration) {
        let mut counts = self.lock();
        counts.read += 1;
        counts.decode.add(u64::try_from(took.as_micros()).ok());
    }

    /// Counts a frame that could not be read.
    pub(super) fn broken(&self) {
        self.lock().broken += 1;
    }

    /// The figures so far.
    pub(super) fn figures(&self) -> SourceFigures {
        let counts = self.lock();
        SourceFigures {
            read: counts.read,
            passed_over: 0,
            broken: counts.broken,
            decode_us: counts.decode.percentiles(),
            device: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
