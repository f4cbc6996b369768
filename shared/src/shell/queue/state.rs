//! What both sides of a queue know.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// What both sides know.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) waiting: AtomicU64,
    pub(super) waiting_bytes: AtomicUsize,
    /// Texts that found no room, or an output that failed.
    pub(super) lost: AtomicU64,
    /// Those of them that [`Beside::due`](super::Beside::due) has not been told of.
    pub(super) untold: AtomicU64,
    /// Bytes that the output took.
    pub(super) written: AtomicU64,
    /// Somebody waits for the end: no more naps.
    pub(super) is_ending: AtomicBool,
    failure: Mutex<Option<io::Error>>,
}

impl State {
    /// A text of so many bytes is on its way.
    pub(super) fn expect(&self, bytes: usize) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many texts will not be written.
    pub(super) fn lose(&self, texts: u64) {
        self.lost.fetch_add(texts, Ordering::Relaxed);
        self.untold.fetch_add(texts, Ordering::Relaxed);
    }

    /// The output failed.
    pub(super) fn fail(&self, error: io::Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    /// Why it failed, once.
    pub(super) fn take_failure(&self) -> Option<io::Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
