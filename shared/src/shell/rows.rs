//! Rows on stdout that never hold up a frame.
//!
//! Rows wait in a queue for a reader that is slow; at the end all of them are written as long as somebody reads. A reader
//! that leaves, as `head` does, has all it wants: the run ends, and nothing is said of it. What could not be written is
//! an error at the end.

use std::io::{self, Write};
use std::time::Duration;

use thiserror::Error;

use super::queue::{Beside, Patience, Queue};
use super::standard::reader_left;
use super::stop::Stopper;

pub use super::standard::Target;

/// Bytes of rows that wait for a slow reader: half an hour at 60 rows a second.
const ROOM: usize = 8 << 20;

/// The same for summaries, which come when rows have taken their room.
const SUMMARY_ROOM: usize = ROOM + (1 << 20);

/// After writing, rows gather for this long: each waking of the thread takes some 20 us from the frames (measured at 60
/// rows a second; two wakings a row were a tenth of the server's processor time), and nobody reads faster.
const GATHERING: Duration = Duration::from_millis(50);

/// How long a run that came to its end waits for a reader that reads nothing; for one that reads, as long as it takes.
const END_PATIENCE: Patience = Patience { standstill: Duration::from_secs(10), total: Duration::MAX };

/// How long a run that was told to stop waits: within the second in which a stop must be done.
const STOP_PATIENCE: Patience = Patience { standstill: Duration::from_millis(300), total: Duration::from_millis(600) };

/// Hands rows to the writing thread; cheap to clone.
#[derive(Clone, Debug)]
pub struct Rows {
    queue: Queue,
    target: Target,
}

/// Rows that could not be written.
#[derive(Debug, Error)]
pub enum RowsLost {
    /// The output failed.
    #[error("cannot write to {place}: {error}; rows missing there: {rows}")]
    Failed {
        /// Which.
        place: &'static str,
        /// Why.
        error: io::Error,
        /// How many, summaries included.
        rows: u64,
    },
    /// The output was read too slowly, or not at all.
    #[error("{place} is read too slowly, or not at all; rows missing there: {rows}")]
    Slow {
        /// Which.
        place: &'static str,
        /// How many, summaries included.
        rows: u64,
    },
}

impl Rows {
    /// Starts writing to `target`; tells `stopper` when the reader of stdout has left.
    pub fn start(target: Target, stopper: Stopper) -> Self {
        let stopper = Some(stopper).filter(|_| target == Target::Stdout);
        Self { queue: Queue::start("rows", target.open(), Gathering { stopper }), target }
    }

    /// Starts writing to `output`.
    pub fn to(output: impl Write + Send + 'static) -> Self {
        Self { queue: Queue::start("rows", output, Gathering { stopper: None }), target: Target::Stdout }
    }

    /// Where they go.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Writes a row when its turn comes; a `\n` is added.
    pub fn row(&self, text: String) {
        self.queue.put(text + "\n", ROOM);
    }

    /// Writes a row that people wait for, a summary: there is room for it beside the rows.
    pub fn summary(&self, text: String) {
        self.queue.put(text + "\n", SUMMARY_ROOM);
    }

    /// Waits until every row is written: while the output takes any, or only a moment once `is_stopped`.
    ///
    /// # Errors
    /// How many rows could not be written and why, unless the reader has left: that is as it should be.
    pub fn finish(&self, is_stopped: impl Fn() -> bool) -> Result<(), RowsLost> {
        let waiting = self.queue.finish(|| if is_stopped() { STOP_PATIENCE } else { END_PATIENCE });
        let place = self.target.name();
        match (self.queue.failure(), self.queue.lost() + waiting) {
            (Some(error), _) if reader_left(&error) => Ok(()),
            (Some(error), rows) => Err(RowsLost::Failed { place, error, rows }),
            (None, 0) => Ok(()),
            (None, rows) => Err(RowsLost::Slow { place, rows }),
        }
    }
}

/// Rows go out some at a time.
struct Gathering {
    stopper: Option<Stopper>,
}

impl Beside for Gathering {
    fn nap(&self) -> Duration {
        GATHERING
    }

    fn failed(&mut self, error: &io::Error) {
        if let Some(stopper) = self.stopper.take().filter(|_| reader_left(error)) {
            stopper.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::sync::{Arc, Mutex};
    use std::thread;

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

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Stuck;

    impl Write for Stuck {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            loop {
                thread::park();
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rows_are_written_in_order_and_the_end_waits_for_them() {
        let kept = Kept::default();
        let rows = Rows::to(kept.clone());
        for number in 0..20_000 {
            rows.row(number.to_string());
        }
        rows.summary("sum".into());
        rows.finish(|| false).unwrap();
        let expected = (0..20_000).map(|number| format!("{number}\n")).chain(["sum\n".into()]).collect::<String>();
        assert!(*kept.0.lock().unwrap() == expected.into_bytes(), "rows lost or out of order");
    }

    #[test]
    fn an_output_that_fails_loses_rows_and_the_end_says_why_and_how_many() {
        let rows = Rows::to(Broken(ErrorKind::StorageFull));
        (0..3).for_each(|_| rows.row("x".into()));
        let lost = rows.finish(|| false).unwrap_err().to_string();
        assert_eq!(lost, "cannot write to stdout: no storage space; rows missing there: 3");
    }

    #[test]
    fn a_reader_that_leaves_is_no_failure_and_ends_the_run() {
        let (stopper, _stop) = super::super::stop::stop_pair();
        let beside = Gathering { stopper: Some(stopper.clone()) };
        let queue = Queue::start("rows", Broken(ErrorKind::BrokenPipe), beside);
        let rows = Rows { queue, target: Target::Stdout };
        rows.row("x".into());
        rows.finish(|| false).unwrap();
        assert!(stopper.is_stopped());
    }

    #[test]
    fn a_stuck_output_holds_nobody_up() {
        let rows = Rows::to(Stuck);
        for _ in 0..100_000 {
            rows.row("x".repeat(100));
        }
        rows.summary("sum".into());
        let lost = rows.finish(|| true).unwrap_err();
        assert!(matches!(lost, RowsLost::Slow { rows: 100_001, .. }), "what waits is lost too: {lost}");
    }
}
