//! How long a test waits.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that is bound to happen: no measure of speed, only the end of a test that hangs.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Between two questions: far below what a person or a limit of a test notices.
const PAUSE: Duration = Duration::from_millis(5);

/// Asks until there is an answer, for at most [`LIMIT`].
pub fn poll<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + LIMIT;
    loop {
        match ask() {
            None if Instant::now() < deadline => thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}
