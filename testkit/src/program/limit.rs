//! Time limits of tests.

use std::thread;
use std::time::{Duration, Instant};

/// Longest time to wait for something that is bound to happen. It is not a measure of speed; it only ends a test that
/// hangs.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Pause between two polls. It is too short for a person or a limit of a test to notice.
const PAUSE: Duration = Duration::from_millis(5);

/// Calls `ask` until it answers, for at most [`LIMIT`].
pub fn poll<T>(ask: impl FnMut() -> Option<T>) -> Option<T> {
    poll_within(LIMIT, ask)
}

/// Calls `ask` until it answers, for at most `limit`.
pub(crate) fn poll_within<T>(limit: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        match ask() {
            None if Instant::now() < deadline => thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}
