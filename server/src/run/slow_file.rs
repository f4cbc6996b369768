//! Reports when reading a file takes long: opening a pipe that nobody writes to blocks.

use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use shared::text::Escaped;

/// Time before the report. Even the slowest disk reads a regular file in less, and a person does not yet notice the
/// pause.
const SLOW: Duration = Duration::from_millis(500);

/// Reads a file, and reports what it waits for if that takes long. Writes to stderr, because the log has not started.
pub(crate) fn say_if_slow<T>(path: &Path, read: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (done, told) = channel::<()>();
        let telling = move || {
            if told.recv_timeout(SLOW) == Err(RecvTimeoutError::Timeout) {
                // stderr may be closed.
                // A file may be large or on a slow disk; anything else is a pipe or a device, which somebody feeds.
                let what = if path.is_file() { "reading" } else { "waiting for somebody to write" };
                let _ = writeln!(io::stderr(), "server: {what} {}", Escaped(path.display()));
            }
        };
        // Without the thread, nothing is reported.
        let _ = thread::Builder::new().spawn_scoped(scope, telling);
        let result = read();
        drop(done);
        result
    })
}
