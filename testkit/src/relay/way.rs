//! One direction of a session: a line that several threads share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::line::Line;
use super::weather::Weather;

/// How often a thread that waits for datagrams looks whether the relay is gone.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// A direction.
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
    /// A direction in this weather.
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        Self { line: Mutex::new(Line::new(seed, weather)), news: Condvar::new() }
    }

    /// Its line.
    pub(super) fn line(&self) -> MutexGuard<'_, Line> {
        lock(&self.line)
    }

    /// A datagram came in.
    pub(super) fn take(&self, datagram: &[u8]) {
        self.line().take(datagram, Instant::now());
        self.news.notify_one();
    }

    /// The next datagram when it is due; `None` now and then, to look whether all is over.
    pub(super) fn next(&self) -> Option<Vec<u8>> {
        let mut line = self.line();
        if let Some(datagram) = line.deliver(Instant::now()) {
            return Some(datagram);
        }
        let wait = line.next_due().map_or(LOOK, |due| due.saturating_duration_since(Instant::now()).min(LOOK));
        line = self.news.wait_timeout(line, wait).unwrap_or_else(PoisonError::into_inner).0;
        line.deliver(Instant::now())
    }
}

/// Locks; a thread that panicked meanwhile fails its test by itself.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
