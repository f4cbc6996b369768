//! Rows on stdout that never hold up a frame.
//!
//! A thread writes; when it cannot keep up, or stdout is closed, rows are lost and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

/// Rows waiting to be written: a second and a half at full speed.
const CAPACITY: usize = 4096;

/// Bytes written at once while more rows are waiting.
const BUFFER_BYTES: usize = 8 << 10;

/// How long [`Rows::finish`] waits for a slow stdout: within the second in which a stop must be done.
const FINISH_LIMIT: Duration = Duration::from_millis(300);

/// Where rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Standard error, while stdout carries something else.
    Stderr,
}

/// Hands rows to the writing thread; cheap to clone.
#[derive(Clone, Debug)]
pub struct Rows {
    queue: SyncSender<Line>,
    lost: Arc<AtomicU64>,
}

#[derive(Debug)]
enum Line {
    Row(String),
    /// Everything before is written; tell this one.
    Flush(SyncSender<()>),
}

impl Rows {
    /// Starts writing to `target`.
    pub fn start(target: Target) -> Self {
        match target {
            Target::Stdout => Self::to(io::stdout()),
            Target::Stderr => Self::to(io::stderr()),
        }
    }

    /// Starts writing to `output`.
    pub fn to(output: impl Write + Send + 'static) -> Self {
        let (queue, lines) = mpsc::sync_channel(CAPACITY);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = lost.clone();
        // Without the thread every row is lost, and counted as such.
        let _ = thread::Builder::new().name("rows".into()).spawn(move || write(&lines, output, &counter));
        Self { queue, lost }
    }

    /// Writes a row when its turn comes; a `\n` is added.
    pub fn row(&self, text: String) {
        if self.queue.try_send(Line::Row(text)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until every row is written, but not for ever; returns how many were lost so far.
    pub fn finish(&self) -> u64 {
        let (done, written) = mpsc::sync_channel(1);
        if self.queue.try_send(Line::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FINISH_LIMIT);
        }
        self.lost.load(Ordering::Relaxed)
    }
}

fn write(lines: &Receiver<Line>, output: impl Write, lost: &AtomicU64) {
    let mut output = Buffered { output, text: Vec::new(), rows: 0, closed: false, lost };
    while let Some(line) = next(lines, &mut output) {
        match line {
            Line::Row(row) => output.row(&row),
            Line::Flush(done) => {
                output.flush();
                let _ = done.try_send(());
            }
        }
    }
}

/// The next line; what was written is flushed whenever none is waiting.
fn next(lines: &Receiver<Line>, output: &mut Buffered<'_, impl Write>) -> Option<Line> {
    match lines.recv_timeout(Duration::ZERO) {
        Ok(line) => Some(line),
        Err(RecvTimeoutError::Disconnected) => {
            output.flush();
            None
        }
        Err(RecvTimeoutError::Timeout) => {
            output.flush();
            lines.recv().ok()
        }
    }
}

/// Rows on their way out: an output that fails loses all that it was given at once, and every row after.
struct Buffered<'a, W> {
    output: W,
    text: Vec<u8>,
    rows: u64,
    closed: bool,
    lost: &'a AtomicU64,
}

impl<W: Write> Buffered<'_, W> {
    fn row(&mut self, row: &str) {
        self.text.extend_from_slice(row.as_bytes());
        self.text.push(b'\n');
        self.rows += 1;
        if self.text.len() >= BUFFER_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.closed = self.closed || self.output.write_all(&self.text).and_then(|()| self.output.flush()).is_err();
        if self.closed {
            self.lost.fetch_add(self.rows, Ordering::Relaxed);
        }
        self.text.clear();
        self.rows = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Stuck;

    impl Write for Stuck {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            thread::park();
            Ok(0)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rows_are_written_in_order() {
        let kept = Kept::default();
        let rows = Rows::to(kept.clone());
        rows.row("one".into());
        rows.row("two".into());
        assert_eq!(rows.finish(), 0);
        assert_eq!(*kept.0.lock().unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_closed_output_loses_rows_and_counts_them() {
        let rows = Rows::to(Broken);
        for _ in 0..3 {
            rows.row("x".into());
            rows.finish();
        }
        assert_eq!(rows.finish(), 3);
    }

    #[test]
    fn a_stuck_output_holds_nobody_up() {
        let rows = Rows::to(Stuck);
        for _ in 0..3 * CAPACITY {
            rows.row("x".repeat(100));
        }
        assert!(rows.finish() >= CAPACITY as u64);
    }
}
