//! How long to wait for an answer before it is taken for late.

use std::time::Duration;

/// After so many answers in a row of which none tells how long it took, twice as long is waited. At 20 % loss every second
/// frame is shown again: 6 % of such rows are chance.
const ROW: u32 = 4;

/// What is known of how long answers take: the mean and the mean deviation of RFC 6298 (section 2), in µs. Waited for is
/// the mean with four deviations, or with a margin where that is more.
#[derive(Debug, Default)]
pub struct Patience {
    known_us: Option<(f64, f64)>,
    /// Answers since the last that told how long it took.
    ambiguous: u32,
}

impl Patience {
    /// The answer to a frame that was sent again came, which may be to either (Karn's rule, section 3). Where all answers
    /// take longer than is waited for, there are only such: so more is waited for (section 5.5), until one tells.
    pub fn answered_to_either(&mut self) {
        self.ambiguous += 1;
    }

    /// The answer to a frame sent once took so long.
    pub fn answered_after(&mut self, took_us: u64) {
        self.ambiguous = 0;
        let took = took_us as f64;
        self.known_us = Some(match self.known_us {
            None => (took, took / 2.0),
            Some((mean, deviation)) => {
                (mean + (took - mean) / 8.0, deviation + ((took - mean).abs() - deviation) / 4.0)
            }
        });
    }

    /// The longest that an answer should take; `None` before the first.
    pub fn limit(&self, margin: Duration) -> Option<Duration> {
        let micros = |us: f64| Duration::from_micros(us as u64);
        // A frame's lifetime is far below 2^16 times any of these.
        let times = 1 << (self.ambiguous / ROW).min(16);
        self.known_us.map(|(mean, deviation)| (micros(mean) + micros(4.0 * deviation).max(margin)) * times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGIN: Duration = Duration::from_micros(1_000);

    #[test]
    fn patience_is_a_mean_and_four_deviations() {
        let mut patience = Patience::default();
        assert_eq!(patience.limit(MARGIN), None);
        patience.answered_after(800);
        assert_eq!(patience.limit(MARGIN), Some(Duration::from_micros(2_400)));
        // Mean 800 + 800 / 8, deviation 400 + (800 - 400) / 4.
        patience.answered_after(1_600);
        assert_eq!(patience.limit(MARGIN), Some(Duration::from_micros(2_900)));
    }

    #[test]
    fn where_no_answer_tells_how_long_it_took_patience_grows() {
        let mut patience = Patience::default();
        patience.answered_after(800);
        (0..3).for_each(|_| patience.answered_to_either());
        assert_eq!(patience.limit(MARGIN), Some(Duration::from_micros(2_400)));
        patience.answered_to_either();
        assert_eq!(patience.limit(MARGIN), Some(Duration::from_micros(4_800)));
        (0..100).for_each(|_| patience.answered_to_either());
        assert!(patience.limit(MARGIN) > Some(Duration::from_secs(60)));
        patience.answered_after(800);
        assert_eq!(patience.limit(MARGIN), Some(Duration::from_micros(2_000)));
    }

    #[test]
    fn answers_that_take_equally_long_are_waited_for_with_a_margin() {
        let mut patience = Patience::default();
        (0..100).for_each(|_| patience.answered_after(5_000));
        assert_eq!(patience.limit(MARGIN), Some(Duration::from_micros(6_000)));
    }
}
