//! Rows on stdout that never hold up a frame.
//!
//! A thread writes; when it cannot keep up, or stdout is closed, rows are lost and counted.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

/// Rows waiting to be written: a second and a half at full speed.
const CAPACITY: usize = 4096;

/// Bytes written at once while more rows are waiting.
const BUFFER_BYTES: usize = 8 << 10;

/// How long [`Rows::finish`] waits for a slow stdout: within the second in which a stop must be done.
const FINISH_LIMIT: Duration = Duration::from_millis(300);

/// After writing, rows gather for this long: each waking of the thread takes some 20 us from the frames (measured at 60
/// rows a second; two wakings a row were a tenth of the server's processor time), and nobody reads faster.
const GATHERING: Duration = Duration::from_millis(50);

/// Between two attempts to put something into a full queue.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

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
    counts: Arc<Counts>,
}

/// Rows that never came out, and rows that have not yet.
#[derive(Debug, Default)]
struct Counts {
    lost: AtomicU64,
    waiting: AtomicU64,
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
        let counts = Arc::new(Counts::default());
        let counter = counts.clone();
        // Without the thread every row is lost, and counted as such.
        let _ = thread::Builder::new().name("rows".into()).spawn(move || write(&lines, output, &counter));
        Self { queue, counts }
    }

    /// Writes a row when its turn comes; a `\n` is added.
    pub fn row(&self, text: String) {
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(Line::Row(text)).is_err() {
            self.counts.give_up(1);
        }
    }

    /// Writes a row that people wait for, a summary: a full queue is given a moment.
    pub fn summary(&self, text: String) {
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        if !self.send_soon(Line::Row(text)) {
            self.counts.give_up(1);
        }
    }

    /// Waits until every row is written, but not for ever; returns how many were lost, those still waiting included.
    pub fn finish(&self) -> u64 {
        let (done, written) = mpsc::sync_channel(1);
        if self.send_soon(Line::Flush(done)) {
            let _ = written.recv_timeout(FINISH_LIMIT);
        }
        self.counts.lost.load(Ordering::Relaxed) + self.counts.waiting.load(Ordering::Relaxed)
    }

    fn send_soon(&self, mut line: Line) -> bool {
        let end = Instant::now() + FINISH_LIMIT;
        loop {
            line = match self.queue.try_send(line) {
                Ok(()) => return true,
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(line)) => line,
            };
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(RETRY_PAUSE);
        }
    }
}

impl Counts {
    fn give_up(&self, rows: u64) {
        self.waiting.fetch_sub(rows, Ordering::Relaxed);
        self.lost.fetch_add(rows, Ordering::Relaxed);
    }
}

fn write(lines: &Receiver<Line>, output: impl Write, counts: &Counts) {
    let mut output = Buffered { output, text: Vec::new(), rows: 0, closed: false, counts };
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
            if output.flush() > 0 {
                thread::sleep(GATHERING);
            }
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
    counts: &'a Counts,
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

    /// Writes what there is; how many rows that were.
    fn flush(&mut self) -> u64 {
        self.closed = self.closed || self.output.write_all(&self.text).and_then(|()| self.output.flush()).is_err();
        if self.closed {
            self.counts.give_up(self.rows);
        } else {
            self.counts.waiting.fetch_sub(self.rows, Ordering::Relaxed);
        }
        self.text.clear();
        std::mem::take(&mut self.rows)
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
        // A busy machine may let the thread wait for longer than one call does.
        let all_written = (0..40).any(|_| rows.finish() == 0);
        assert!(all_written, "rows lost or never written");
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
        assert_eq!(rows.finish(), 3 * CAPACITY as u64, "what waits is lost too");
    }
}
