//! When a program may be started.

use std::time::{Duration, Instant};

/// Shortest time between two starts of a worker's program.
const SPACING: Duration = Duration::from_secs(1);

/// Time limit from a program's start until it reads its first line. A large library on a slow disk may take that long
/// to load.
const START_LIMIT: Duration = Duration::from_secs(10);

/// The starts of one worker's program.
#[derive(Debug, Default)]
pub(super) struct Restart {
    last: Option<Instant>,
}

impl Restart {
    /// Whether the program may be started now. If so, notes the start.
    pub(super) fn may_start(&mut self, now: Instant) -> bool {
        let may = self.last.is_none_or(|last| now >= last + SPACING);
        if may {
            self.last = Some(now);
        }
        may
    }

    /// Whether the program may still be loading what it needs.
    pub(super) fn is_starting(&self, now: Instant) -> bool {
        self.last.is_some_and(|last| now < last + START_LIMIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_started_at_most_once_a_second() {
        let (start, mut restart) = (Instant::now(), Restart::default());
        let starts: Vec<_> = (0..3_500).filter(|ms| restart.may_start(start + Duration::from_millis(*ms))).collect();
        assert_eq!(starts, [0, 1_000, 2_000, 3_000]);
    }

    #[test]
    fn a_program_has_ten_seconds_to_load() {
        let (start, mut restart) = (Instant::now(), Restart::default());
        assert!(!restart.is_starting(start), "it was never started");
        assert!(restart.may_start(start));
        assert!(restart.is_starting(start + Duration::from_millis(9_999)));
        assert!(!restart.is_starting(start + START_LIMIT));
    }
}
