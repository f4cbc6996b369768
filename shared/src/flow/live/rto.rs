//! The retransmission timeout (RTO): how long to wait for an acknowledgement before sending a probe.
//!
//! Follows RFC 6298: a smoothed mean and mean deviation of acknowledgement times, no samples from retransmitted frames
//! (Karn's rule), and back-off while there are no other samples. The time measured is from a frame's capture to its
//! answer, detection included.

use std::time::Duration;

/// Number of ambiguous acknowledgements in a row after which the timeout doubles. At 20 % loss every second frame is
/// retransmitted, so four in a row occur by chance in 6 % of cases.
const ROW: u32 = 4;

/// Maximum number of doublings, so that the factor fits its integer. A lifetime is far below 2^16 times any timeout.
const MAX_DOUBLINGS: u32 = 16;

/// Smallest distance of the timeout above the mean, as a share of a lifetime (2 ms at 60 frames per second): as long as
/// the receiver waits before it requests. It takes the place of the clock granularity in RFC 6298.
const MARGIN_SHARE: u32 = 16;

/// Longest timeout, as a share of a lifetime: five eighths (21 ms). The next frame is due a little earlier and shows
/// which pieces of this one are lost.
const LONGEST_SHARE: (u32, u32) = (5, 8);

/// Estimates when an acknowledgement is late.
#[derive(Debug)]
pub(super) struct Rto {
    margin: Duration,
    longest: Duration,
    estimate: Option<Estimate>,
    /// Ambiguous acknowledgements since the last sample.
    ambiguous: u32,
}

/// Smoothed acknowledgement time, in µs (RFC 6298, section 2).
#[derive(Clone, Copy, Debug)]
struct Estimate {
    mean_us: f64,
    deviation_us: f64,
}

impl Rto {
    /// An estimator for frames with this `lifetime`.
    pub(super) fn new(lifetime: Duration) -> Self {
        let (share, of) = LONGEST_SHARE;
        Self { margin: lifetime / MARGIN_SHARE, longest: lifetime * share / of, estimate: None, ambiguous: 0 }
    }

    /// Adds the acknowledgement time of a frame that was sent once.
    pub(super) fn sample(&mut self, elapsed_us: u64) {
        self.ambiguous = 0;
        let elapsed_us = elapsed_us as f64;
        self.estimate = Some(self.estimate.map_or_else(|| Estimate::first(elapsed_us), |known| known.with(elapsed_us)));
    }

    /// Counts the acknowledgement of a retransmitted frame. It may belong to either transmission, so it does not count
    /// as a sample (Karn's rule, RFC 6298, section 3). If every acknowledgement takes longer than the timeout, all are
    /// ambiguous; so the timeout backs off (section 5.5) until there is a sample.
    pub(super) fn ambiguous(&mut self) {
        self.ambiguous = self.ambiguous.saturating_add(1);
    }

    /// The current timeout; the longest one before the first sample.
    pub(super) fn timeout(&self) -> Duration {
        let factor = 1 << (self.ambiguous / ROW).min(MAX_DOUBLINGS);
        self.estimate.map_or(self.longest, |known| (known.limit(self.margin) * factor).min(self.longest))
    }

    /// Whether the timeout is at its longest, as it is before the first sample.
    pub(super) fn is_longest(&self) -> bool {
        self.timeout() == self.longest
    }
}

impl Estimate {
    fn first(elapsed_us: f64) -> Self {
        Self { mean_us: elapsed_us, deviation_us: elapsed_us / 2.0 }
    }

    /// Updates the estimate with the RFC's gains, 1/8 and 1/4.
    fn with(self, elapsed_us: f64) -> Self {
        let Self { mean_us, deviation_us } = self;
        Self {
            mean_us: mean_us + (elapsed_us - mean_us) / 8.0,
            deviation_us: deviation_us + ((elapsed_us - mean_us).abs() - deviation_us) / 4.0,
        }
    }

    /// The mean plus four deviations, or plus the margin if that is more.
    fn limit(self, margin: Duration) -> Duration {
        let micros = |us: f64| Duration::from_micros(us as u64);
        micros(self.mean_us) + micros(4.0 * self.deviation_us).max(margin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The margin is 1 ms, the longest timeout 10 ms.
    fn rto() -> Rto {
        Rto::new(Duration::from_millis(16))
    }

    fn timeout_us(rto: &Rto) -> u128 {
        rto.timeout().as_micros()
    }

    #[test]
    fn the_timeout_is_a_mean_and_four_deviations() {
        let mut rto = rto();
        rto.sample(800);
        assert_eq!(timeout_us(&rto), 2_400);
        // Mean 800 + 800 / 8, deviation 400 + (800 - 400) / 4.
        rto.sample(1_600);
        assert_eq!(timeout_us(&rto), 2_900);
    }

    #[test]
    fn before_the_first_sample_the_timeout_is_the_longest() {
        let mut rto = rto();
        assert_eq!(timeout_us(&rto), 10_000);
        (0..100).for_each(|_| rto.ambiguous());
        assert_eq!(timeout_us(&rto), 10_000);
        rto.sample(20_000);
        assert!(rto.is_longest(), "nor is it longer after long ones");
    }

    #[test]
    fn while_acknowledgements_are_ambiguous_the_timeout_backs_off() {
        let mut rto = rto();
        rto.sample(800);
        (0..3).for_each(|_| rto.ambiguous());
        assert_eq!(timeout_us(&rto), 2_400);
        rto.ambiguous();
        assert_eq!(timeout_us(&rto), 4_800);
        (0..4).for_each(|_| rto.ambiguous());
        assert_eq!(timeout_us(&rto), 9_600);
        (0..100).for_each(|_| rto.ambiguous());
        assert!(rto.is_longest());
        rto.sample(800);
        assert_eq!(timeout_us(&rto), 2_000);
    }

    #[test]
    fn acknowledgements_that_take_equally_long_have_a_margin() {
        let mut rto = rto();
        (0..100).for_each(|_| rto.sample(5_000));
        assert_eq!(timeout_us(&rto), 6_000);
    }
}
