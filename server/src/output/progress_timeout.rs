//! How long a run that ends waits for its outputs: a timeout that each step of theirs starts again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use thiserror::Error;

/// Limits of an ended run. A disk that accepts nothing for longer is broken. The run waits for outputs that are only
/// behind until they have caught up.
pub(super) const END_LIMITS: Limits = Limits { standstill: Duration::from_secs(30), total: None };

/// Limits of a stopped run. It is over within a second, if its outputs are not behind. The longest step, the report of
/// 4,096 sessions, takes a second on a busy machine; each picture of the page is a step. In all the run ends within the
/// 10 s after which `docker stop` kills it, less the second in which the sessions end.
pub(super) const STOP_LIMITS: Limits =
    Limits { standstill: Duration::from_secs(2), total: Some(Duration::from_secs(8)) };

/// How often the run looks at the outputs' progress within the standstill that it accepts.
const LOOKS: u32 = 8;

/// Counts what the outputs have done: an event handled, a file written, an output finished. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Steps(Arc<AtomicU64>);

impl Steps {
    /// A step is done.
    pub(super) fn done(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Number of steps done.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// For outputs that do nothing.
    standstill: Duration,
    /// For outputs that do something; absent if without limit.
    total: Option<Duration>,
}

/// Why the outputs are not waited for any longer.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(super) enum Unfinished {
    #[error("an output is stuck: what it did not accept within {} s is lost", .0.as_secs())]
    Stuck(Duration),
    #[error("the outputs are too slow: what they did not write within {} s is lost", .0.as_secs())]
    Slow(Duration),
    #[error("the outputs' thread failed: results are incomplete")]
    Failed,
}

/// The wait of a run that ends.
#[derive(Debug)]
pub(super) struct ProgressTimeout {
    limits: Limits,
    /// Steps seen so far, and when the last of them was seen.
    steps: u64,
    moved: Instant,
    began: Instant,
}

impl ProgressTimeout {
    /// Begins to wait.
    pub(super) fn new(limits: Limits, steps: u64, now: Instant) -> Self {
        Self { limits, steps, moved: now, began: now }
    }

    /// When to look again, if this many steps are done.
    ///
    /// # Errors
    /// [`Unfinished`] if the wait is over.
    pub(super) fn look(&mut self, steps: u64, now: Instant) -> Result<Instant, Unfinished> {
        if steps > self.steps {
            (self.steps, self.moved) = (steps, now);
        }
        let Limits { standstill, total } = self.limits;
        if let Some(total) = total.filter(|total| now >= self.began + *total) {
            return Err(Unfinished::Slow(total));
        }
        if now >= self.moved + standstill {
            return Err(Unfinished::Stuck(standstill));
        }
        let next = (now + standstill / LOOKS).min(self.moved + standstill);
        Ok(total.map_or(next, |total| next.min(self.began + total)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits in virtual time for outputs that need this long for each of so many steps. Returns what came of it, and
    /// after how long.
    fn waited(limits: Limits, step: Duration, steps: u64) -> (Result<(), Unfinished>, Duration) {
        let began = Instant::now();
        let mut timeout = ProgressTimeout::new(limits, 0, began);
        let mut now = began;
        loop {
            let done = ((now - began).as_micros() / step.as_micros()) as u64;
            if done >= steps {
                return (Ok(()), now - began);
            }
            match timeout.look(done, now) {
                Ok(next) => now = next,
                Err(unfinished) => return (Err(unfinished), now - began),
            }
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_stopped_run_waits_for_outputs_that_make_progress_within_a_bound() {
        assert_eq!(waited(STOP_LIMITS, SECOND * 3 / 2, 4).0, Ok(()), "six seconds, and never two without a step");
        assert_eq!(waited(STOP_LIMITS, SECOND * 3 / 2, 99), (Err(Unfinished::Slow(8 * SECOND)), 8 * SECOND));
    }

    #[test]
    fn an_output_that_does_nothing_is_given_up() {
        assert_eq!(waited(STOP_LIMITS, 60 * SECOND, 1), (Err(Unfinished::Stuck(2 * SECOND)), 2 * SECOND));
        assert_eq!(waited(END_LIMITS, 60 * SECOND, 1), (Err(Unfinished::Stuck(30 * SECOND)), 30 * SECOND));
    }

    #[test]
    fn an_ended_run_waits_as_long_as_outputs_make_progress() {
        assert_eq!(waited(END_LIMITS, 20 * SECOND, 50).0, Ok(()));
    }
}
