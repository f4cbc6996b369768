//! Rows on stdout that never hold up a frame.
//!
//! Rows wait in a queue for a slow reader. At the end all of them are written, as long as the reader reads. If the
//! reader leaves, as `head` does, it has all it wants: the run ends without a message. Rows that could not be written
//! are an error at the end.

use std::io::{self, Write};
use std::time::Duration;

use thiserror::Error;

use super::queue::{Beside, DrainLimits, Queue};
use super::standard::reader_left;
use super::stop::Stopper;

pub use super::standard::Target;

/// Maximum number of bytes of rows that wait for a slow reader: half an hour at 60 rows per second.
const ROOM: usize = 8 << 20;

/// Like [`ROOM`], for summaries, which arrive when rows may have filled their own room.
const SUMMARY_ROOM: usize = ROOM + (1 << 20);

/// How long rows gather after each write. Each wake-up of the thread takes some 20 µs from the frames (measured at 60
/// rows per second; two wake-ups per row took a tenth of the server's processor time), and nobody reads faster.
const GATHERING: Duration = Duration::from_millis(50);

/// How long a finished run waits for a reader that reads nothing. There is no limit for a reader that makes progress.
const END_LIMITS: DrainLimits = DrainLimits { standstill: Duration::from_secs(10), total: Duration::MAX };

/// How long a stopped run waits: within the second in which a stop must complete.
const STOP_LIMITS: DrainLimits =
    DrainLimits { standstill: Duration::from_millis(300), total: Duration::from_millis(600) };

/// Passes rows to the writing thread; cheap to clone.
#[derive(Clone, Debug)]
pub struct Rows {
    queue: Queue,
    target: Target,
}

/// Rows were lost.
#[derive(Debug, Error)]
pub enum RowsLost {
    /// The output failed.
    #[error("cannot write to {place}: {error}; rows missing there: {rows}")]
    Failed {
        /// Name of the output.
        place: &'static str,
        /// The error.
        error: io::Error,
        /// Number of rows lost, summaries included.
        rows: u64,
    },
    /// The reader was too slow, or did not read at all.
    #[error("{place} is read too slowly, or not at all; rows missing there: {rows}")]
    Slow {
        /// Name of the output.
        place: &'static str,
        /// Number of rows lost, summaries included.
        rows: u64,
    },
}

impl Rows {
    /// Starts writing to `target`. Tells `stopper` if the reader of stdout leaves.
    pub fn start(target: Target, stopper: Stopper) -> Self {
        let stopper = Some(stopper).filter(|_| target == Target::Stdout);
        Self { queue: Queue::start("rows", target.open(), Gathering { stopper }), target }
    }

    /// Starts writing to `output`.
    pub fn to(output: impl Write + Send + 'static) -> Self {
        Self { queue: Queue::start("rows", output, Gathering { stopper: None }), target: Target::Stdout }
    }

    /// Where the rows go.
    pub fn target(&self) -> Target {
        self.target
    }

    /// Queues a row. A `\n` is added.
    pub fn row(&self, text: String) {
        self.queue.put(text + "\n", ROOM);
    }

    /// Queues a row that people wait for, a summary. Room is kept for it.
    pub fn summary(&self, text: String) {
        self.queue.put(text + "\n", SUMMARY_ROOM);
    }

    /// Waits until every row is written: as long as the output accepts any, or only a moment once `is_stopped`.
    ///
    /// # Errors
    /// How many rows could not be written, and why. A reader that has left is not an error.
    pub fn finish(&self, is_stopped: impl Fn() -> bool) -> Result<(), RowsLost> {
        let waiting = self.queue.finish(|| if is_stopped() { STOP_LIMITS } else { END_LIMITS });
        let place = self.target.name();
        match (self.queue.failure(), self.queue.lost() + waiting) {
            (Some(error), _) if reader_left(&error) => Ok(()),
            (Some(error), rows) => Err(RowsLost::Failed { place, error, rows }),
            (None, 0) => Ok(()),
            (None, rows) => Err(RowsLost::Slow { place, rows }),
        }
    }
}

/// Lets rows gather, and notices when the reader has left.
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
    use std::thread;

    use super::super::kept::Kept;
    use super::*;

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
        assert!(kept.bytes() == expected.into_bytes(), "rows lost or out of order");
    }

    #[test]
    fn an_output_that_fails_loses_rows_and_the_end_says_why_and_how_many() {
        let rows = Rows::to(Broken(ErrorKind::StorageFull));
        (0..3).for_each(|_| rows.row("x".into()));
        let lost = rows.finish(|| false).unwrap_err().to_string();
        assert_eq!(lost, "cannot write to stdout: no storage space; rows missing there: 3");
    }

    #[test]
    fn a_reader_that_leaves_is_not_a_failure_and_ends_the_run() {
        let (stopper, _stop) = super::super::stop::stop_pair();
        let beside = Gathering { stopper: Some(stopper.clone()) };
        let queue = Queue::start("rows", Broken(ErrorKind::BrokenPipe), beside);
        let rows = Rows { queue, target: Target::Stdout };
        rows.row("x".into());
        rows.finish(|| false).unwrap();
        assert!(stopper.is_stopped());
    }

    #[test]
    fn a_stuck_output_delays_nobody() {
        let rows = Rows::to(Stuck);
        for _ in 0..100_000 {
            rows.row("x".repeat(100));
        }
        rows.summary("sum".into());
        let lost = rows.finish(|| true).unwrap_err();
        assert!(matches!(lost, RowsLost::Slow { rows: 100_001, .. }), "what waits is lost too: {lost}");
    }
}
