//! One direction of a session: a [`Line`] that several threads share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::impairments::Impairments;
use super::line::Line;

/// Interval at which a thread that waits for datagrams checks whether the relay was dropped.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// One direction of a session.
pub(super) struct Way {
    line: Mutex<Line>,
    news: Condvar,
}

/// Both directions of a session.
#[derive(Clone)]
pub(super) struct Ways {
    /// Server → client.
    pub(super) to_client: Arc<Way>,
    /// Client → server.
    pub(super) to_server: Arc<Way>,
}

impl Way {
    /// A direction with these impairments.
    pub(super) fn new(seed: u64, impairments: Impairments) -> Self {
        Self { line: Mutex::new(Line::new(seed, impairments)), news: Condvar::new() }
    }

    /// Locks the line.
    pub(super) fn line(&self) -> MutexGuard<'_, Line> {
        lock(&self.line)
    }

    /// Takes a datagram that came in.
    pub(super) fn take(&self, datagram: &[u8]) {
        self.line().take(datagram, Instant::now());
        self.news.notify_one();
    }

    /// Waits for the next datagram that is due. Returns `None` after at most [`CHECK_INTERVAL`], so that the caller can
    /// check whether the relay was dropped.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        let mut line = self.line();
        if let Some(datagram) = line.deliver(Instant::now()) {
            return Some(datagram);
        }
        let wait = line
            .next_due()
            .map_or(CHECK_INTERVAL, |due| due.saturating_duration_since(Instant::now()).min(CHECK_INTERVAL));
        line = self.news.wait_timeout(line, wait).unwrap_or_else(PoisonError::into_inner).0;
        line.deliver(Instant::now())
    }
}

/// Locks a mutex and ignores poisoning: a panic in another thread fails the test anyway.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
