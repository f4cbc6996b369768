//! Delays the refusals of failing proofs, one after the other.

use std::time::{Duration, Instant};

/// Time from one refusal to the next: twenty per second.
const SPACING: Duration = Duration::from_millis(50);

/// Longest wait for a refusal. A person with the wrong file gets the message within this time.
const LONGEST: Duration = Duration::from_secs(2);

/// Most refusals that wait. Further connections are closed without one.
pub const HELD_AT_MOST: usize = (LONGEST.as_millis() / SPACING.as_millis()) as usize;

/// When the next failing proof is refused. Valid proofs never wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slowdown {
    /// When the last refusal that was given a time is due.
    last: Option<Instant>,
}

impl Slowdown {
    /// How long the refusal of a proof that fails now waits; `None` if too many wait already.
    pub fn failed(&mut self, now: Instant) -> Option<Duration> {
        let due = self.last.map_or(now, |last| now.max(last + SPACING));
        let wait = due.saturating_duration_since(now);
        if wait >= LONGEST {
            return None;
        }
        self.last = Some(due);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_refusal_is_sent_at_once_and_further_ones_later() {
        let (mut slowdown, start) = (Slowdown::default(), Instant::now());
        let mut failed = |after| slowdown.failed(start + Duration::from_millis(after));
        assert_eq!(failed(0), Some(Duration::ZERO));
        assert_eq!(failed(0), Some(Duration::from_millis(50)));
        assert_eq!(failed(20), Some(Duration::from_millis(80)));
        assert_eq!(failed(9_000), Some(Duration::ZERO), "the earlier ones are forgotten");
    }

    #[test]
    fn of_two_thousand_failures_at_once_forty_wait_and_none_longer_than_two_seconds() {
        let (mut slowdown, now) = (Slowdown::default(), Instant::now());
        let waits: Vec<_> = (0..2_000).filter_map(|_| slowdown.failed(now)).collect();
        assert_eq!(waits.len(), HELD_AT_MOST);
        assert!(waits.iter().all(|&wait| wait < LONGEST));
    }
}
