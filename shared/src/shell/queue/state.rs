//! State shared by both sides of a queue.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// State shared by both sides of a queue.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) waiting: AtomicU64,
    pub(super) waiting_bytes: AtomicUsize,
    /// Texts lost, because they found no room or the output failed.
    pub(super) lost: AtomicU64,
    /// Lost texts that were not passed to [`Beside::due`](super::Beside::due) yet.
    pub(super) untold: AtomicU64,
    /// Bytes that the output accepted.
    pub(super) written: AtomicU64,
    /// The thread is writing to the output, which may hold it up.
    pub(super) is_writing: AtomicBool,
    /// The end is being waited for: the thread no longer rests.
    pub(super) is_ending: AtomicBool,
    failure: Mutex<Option<io::Error>>,
}

impl State {
    /// Counts a text of this many bytes as queued.
    pub(super) fn expect(&self, bytes: usize) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts this many texts as lost.
    pub(super) fn lose(&self, texts: u64) {
        self.lost.fetch_add(texts, Ordering::Relaxed);
        self.untold.fetch_add(texts, Ordering::Relaxed);
    }

    /// Notes that the output failed.
    pub(super) fn fail(&self, error: io::Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Why the output failed. Returned once.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
