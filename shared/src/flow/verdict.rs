//! Verdicts about a passed limit, given only after everything that has arrived was read.

use std::time::Duration;

use crate::time::Micros;

/// How long to keep reading once a limit has passed, before the verdict counts.
///
/// A thread that was held up (process stopped, machine asleep, core taken away) finds the limit passed and packets
/// waiting in its sockets. The drivers of both ends, which read those packets, run within milliseconds. With the 4 s of
/// silence, this leaves half a second of the 5 s within which a client must say that its server vanished.
pub const READING_TIME: Duration = Duration::from_millis(500);

/// Decides whether a limit has passed for good.
#[derive(Clone, Copy, Debug, Default)]
pub struct Verdict {
    /// When the limit was first found to have passed.
    found: Option<Micros>,
}

impl Verdict {
    /// Whether this limit has passed, and [`READING_TIME`] since that was found. A later limit resets the verdict.
    pub fn is_final(&mut self, limit: Micros, now: Micros) -> bool {
        if now < limit {
            self.found = None;
            return false;
        }
        now >= *self.found.get_or_insert(now) + READING_TIME
    }

    /// When to ask again about this limit.
    pub fn next(&self, limit: Micros) -> Micros {
        self.found.map_or(limit, |found| limit.max(found + READING_TIME))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Micros = Micros(1_000_000);

    #[test]
    fn packets_that_a_held_up_thread_left_are_read_before_the_limit_counts() {
        let mut verdict = Verdict::default();
        assert!(!verdict.is_final(LIMIT, Micros(999_999)));
        assert_eq!(verdict.next(LIMIT), LIMIT);
        // The thread was held up for four seconds.
        assert!(!verdict.is_final(LIMIT, Micros(5_000_000)));
        assert_eq!(verdict.next(LIMIT), Micros(5_500_000));
        assert!(!verdict.is_final(LIMIT, Micros(5_499_999)));
        assert!(verdict.is_final(LIMIT, Micros(5_500_000)));
    }

    #[test]
    fn a_later_limit_resets_the_verdict() {
        let mut verdict = Verdict::default();
        assert!(!verdict.is_final(LIMIT, Micros(1_000_000)));
        assert!(!verdict.is_final(Micros(2_000_000), Micros(1_400_000)));
        assert_eq!(verdict.next(Micros(2_000_000)), Micros(2_000_000));
        assert!(!verdict.is_final(Micros(2_000_000), Micros(2_100_000)));
        assert!(verdict.is_final(Micros(2_000_000), Micros(2_600_000)));
    }
}
