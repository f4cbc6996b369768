//! Says so where a file takes its time: a pipe into which nobody writes blocks whoever opens it.

use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// A file that is one is read by then, on the slowest disk; a person has not begun to wonder.
const PATIENCE: Duration = Duration::from_millis(500);

/// Reads a file, and says what is waited for if that takes its time. The log has not begun yet.
pub(super) fn patiently<T>(path: &Path, read: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (done, told) = channel::<()>();
        let telling = move || {
            if told.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                // stderr may be gone.
                let _ = writeln!(io::stderr(), "server: waiting for somebody to write {}", path.display());
            }
        };
        // Without the thread nobody is told.
        let _ = thread::Builder::new().spawn_scoped(scope, telling);
        let result = read();
        drop(done);
        result
    })
}
