//! The offset between two monotonic clocks, from ping and pong.
//!
//! The four-timestamp method of NTP (RFC 5905, section 8): with the ping sent at t0 and its pong received at t3 on our
//! clock, received at t1 and answered at t2 on the peer's, the offset is ((t1 − t0) + (t2 − t3)) / 2, off by at most
//! half the time on the wire, ((t3 − t0) − (t2 − t1)) / 2. Queueing only ever adds to that, so of the last 32 samples the
//! most certain is believed, where a sample grows less certain with age, as clocks drift apart.

use std::collections::VecDeque;

use serde::Serialize;

use crate::time::Micros;

/// Samples kept: 8 s of pings.
const SAMPLES: usize = 32;

/// How far two quartz clocks part at most, in µs a second: each is good for 50 ppm or better, so 100 between them.
const DRIFT_US_PER_S: u64 = 100;

/// Where the peer's clock stands against ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClockOffset {
    /// Peer's reading minus ours, in µs.
    pub offset_us: i64,
    /// The offset is off by at most this, in µs.
    pub uncertainty_us: u64,
}

impl ClockOffset {
    /// The peer's `time` on our clock, in µs; negative before our origin.
    pub fn to_ours(self, time: Micros) -> i64 {
        signed(time) - self.offset_us
    }
}

/// Collects samples.
#[derive(Clone, Debug, Default)]
pub struct OffsetEstimator {
    /// When each pong arrived, and what it told.
    samples: VecDeque<(Micros, ClockOffset)>,
}

impl OffsetEstimator {
    /// Adds a ping sent at `sent` whose pong arrived at `returned` on our clock; the peer received it at `received`
    /// and answered at `answered` on its own. Impossible times are ignored.
    pub fn add(&mut self, sent: Micros, received: Micros, answered: Micros, returned: Micros) {
        let (away, held) = (returned.since(sent), answered.since(received));
        if returned < sent || answered < received || held > away {
            return;
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        let there = signed(received) - signed(sent);
        let back = signed(answered) - signed(returned);
        let offset = ClockOffset { offset_us: (there + back) / 2, uncertainty_us: (away - held).div_ceil(2) };
        self.samples.push_back((returned, offset));
    }

    /// The most certain sample, with the uncertainty it has `now`; `None` before the first.
    pub fn best(&self, now: Micros) -> Option<ClockOffset> {
        let aged = |&(taken, offset): &(Micros, ClockOffset)| ClockOffset {
            uncertainty_us: offset.uncertainty_us + now.since(taken) * DRIFT_US_PER_S / 1_000_000,
            ..offset
        };
        self.samples.iter().map(aged).min_by_key(|sample| sample.uncertainty_us)
    }

    /// The least time that a ping and its pong were on the wire, there and back, of the samples kept, in µs; `None`
    /// before the first.
    pub fn round_trip_us(&self) -> Option<u64> {
        // A sample is off by at most half of its round trip.
        self.samples.iter().map(|(_, sample)| 2 * sample.uncertainty_us).min()
    }
}

fn signed(time: Micros) -> i64 {
    // Times on the wire are below 2^53, ours are microseconds of uptime.
    time.0 as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_symmetric_path_gives_the_offset_exactly() {
        let mut estimator = OffsetEstimator::default();
        estimator.add(Micros(1_000), Micros(51_200), Micros(51_300), Micros(1_500));
        assert_eq!(estimator.best(Micros(1_500)), Some(ClockOffset { offset_us: 50_000, uncertainty_us: 200 }));
    }

    #[test]
    fn the_quickest_exchange_is_believed() {
        let mut estimator = OffsetEstimator::default();
        estimator.add(Micros(0), Micros(9_000), Micros(9_000), Micros(10_000));
        estimator.add(Micros(20_000), Micros(20_100), Micros(20_100), Micros(20_200));
        assert_eq!(estimator.best(Micros(20_200)), Some(ClockOffset { offset_us: 0, uncertainty_us: 100 }));
    }

    #[test]
    fn the_round_trip_is_the_quickest_exchanges_without_what_the_peer_held() {
        let mut estimator = OffsetEstimator::default();
        assert_eq!(estimator.round_trip_us(), None);
        estimator.add(Micros(0), Micros(9_000), Micros(9_000), Micros(10_000));
        estimator.add(Micros(20_000), Micros(20_100), Micros(20_400), Micros(20_500));
        assert_eq!(estimator.round_trip_us(), Some(200));
    }

    #[test]
    fn an_old_sample_is_believed_less_each_second() {
        let mut estimator = OffsetEstimator::default();
        estimator.add(Micros(0), Micros(100), Micros(100), Micros(200));
        let at = |seconds: u64| estimator.best(Micros(200 + seconds * 1_000_000)).unwrap().uncertainty_us;
        assert_eq!((at(0), at(1), at(10)), (100, 200, 1_100));
    }

    #[test]
    fn impossible_times_are_ignored() {
        let mut estimator = OffsetEstimator::default();
        estimator.add(Micros(10), Micros(0), Micros(0), Micros(5));
        estimator.add(Micros(0), Micros(9), Micros(8), Micros(5));
        estimator.add(Micros(0), Micros(0), Micros(100), Micros(5));
        assert_eq!(estimator.best(Micros(100)), None);
    }

    proptest! {
        #[test]
        fn the_true_offset_lies_within_the_uncertainty(
            offset in -1_000_000_000i64..1_000_000_000,
            there in 0..100_000u64, held in 0..100_000u64, back in 0..100_000u64,
        ) {
            let sent = 2_000_000_000u64;
            let peer = |ours: u64| Micros((ours as i64 + offset) as u64);
            let mut estimator = OffsetEstimator::default();
            let returned = Micros(sent + there + held + back);
            estimator.add(Micros(sent), peer(sent + there), peer(sent + there + held), returned);
            let best = estimator.best(returned).unwrap();
            prop_assert!(best.offset_us.abs_diff(offset) <= best.uncertainty_us);
        }
    }
}
