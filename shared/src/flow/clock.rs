//! The offset between two monotonic clocks, and how fast it changes, from ping and pong.
//!
//! Each ping gives the four times of NTP (RFC 5905, section 8). On our clock, the ping is sent at t0 and its pong
//! arrives at t3. On the peer's clock, the ping arrives at t1 and is answered at t2. The offset is the peer's reading
//! minus ours. These times bound it: it was at most t1 − t0 and at least t2 − t3. Queueing only widens the bounds:
//! queueing on the way there raises the upper bound, queueing on the way back lowers the lower bound.
//!
//! Two clocks drift apart at a steady rate. The direction with less queueing shows that rate: it is the slope of the
//! nearest line below all upper bounds, or of the nearest line above all lower bounds (Moon, Skelly and Towsley,
//! "Estimation and removal of clock skew from network delay measurements", INFOCOM 1999). The bounds of the last 32
//! samples are carried to the present along that slope. The estimate is the middle between the least upper bound and
//! the greatest lower bound. The uncertainty is the largest distance from the estimate to any straight line within the
//! bounds. If no straight line fits within the bounds, the rate has changed, and the oldest samples are dropped.

use std::collections::VecDeque;

use serde::Serialize;

use crate::time::Micros;

/// Samples kept: 8 s of pings.
const SAMPLES: usize = 32;

/// Fastest drift between two clocks, as a fraction of elapsed time. Quartz is good for 50 ppm, a clock that is being
/// set may run 500 ppm off (adjtimex), and 1,000 ppm was seen on virtual machines.
const MOST_DRIFT: f64 = 1_500e-6;

/// Offset of the peer's clock from ours.
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

/// Estimates the offset from samples.
#[derive(Clone, Debug, Default)]
pub struct OffsetEstimator {
    samples: VecDeque<Sample>,
    lines: Option<Lines>,
}

/// Bounds of the offset from one ping and its pong.
#[derive(Clone, Copy, Debug)]
struct Sample {
    /// When the pong arrived, on our clock.
    at: Micros,
    /// Bounds of the offset, in µs.
    least: i64,
    most: i64,
}

/// All straight lines within the bounds of all samples: the range of their heights at the last sample, in µs, and the
/// range of their slopes. Also the likeliest of these lines.
#[derive(Clone, Copy, Debug)]
struct Lines {
    at: Micros,
    least: f64,
    most: f64,
    slopes: (f64, f64),
    likely: f64,
    likely_slope: f64,
}

impl OffsetEstimator {
    /// Adds a ping sent at `sent` whose pong arrived at `returned`, both on our clock. On its own clock, the peer
    /// received the ping at `received` and answered at `answered`. Impossible times are ignored.
    pub fn add(&mut self, sent: Micros, received: Micros, answered: Micros, returned: Micros) {
        let (away, held) = (returned.since(sent), answered.since(received));
        if returned < sent || answered < received || held > away {
            return;
        }
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        let [least, most] = [signed(answered) - signed(returned), signed(received) - signed(sent)];
        self.samples.push_back(Sample { at: returned, least, most });
        self.lines = None;
        while self.lines.is_none() && !self.samples.is_empty() {
            self.lines = Lines::within(&self.samples);
            if self.lines.is_none() {
                self.samples.pop_front();
            }
        }
    }

    /// The offset `now`; `None` before the first sample.
    pub fn best(&self, now: Micros) -> Option<ClockOffset> {
        self.lines.map(|lines| lines.offset(now))
    }

    /// The shortest round trip among the samples kept, without the time the peer held the ping, in µs; `None` before
    /// the first sample.
    pub fn round_trip_us(&self) -> Option<u64> {
        self.samples.iter().map(|sample| sample.most.abs_diff(sample.least)).min()
    }
}

impl Lines {
    /// The lines within the bounds of `samples`; `None` if there are none.
    fn within(samples: &VecDeque<Sample>) -> Option<Self> {
        let last = samples.back()?;
        let slopes = (-MOST_DRIFT, MOST_DRIFT);
        let mut lines = Self { at: last.at, least: f64::MIN, most: f64::MAX, slopes, likely: 0.0, likely_slope: 0.0 };
        for (i, sample) in samples.iter().enumerate() {
            // The steepest lines through this sample's bounds that earlier samples allow, falling and rising.
            let (mut falling, mut rising) = (-MOST_DRIFT, MOST_DRIFT);
            for before in samples.iter().take(i).filter(|before| before.at < sample.at) {
                let time = sample.at.since(before.at) as f64;
                rising = rising.min((sample.most - before.least) as f64 / time);
                falling = falling.max((sample.least - before.most) as f64 / time);
            }
            let time = last.at.since(sample.at) as f64;
            lines.most = lines.most.min(sample.most as f64 + rising * time);
            lines.least = lines.least.max(sample.least as f64 + falling * time);
            lines.slopes = (lines.slopes.0.max(falling), lines.slopes.1.min(rising));
        }
        if lines.least > lines.most || lines.slopes.0 > lines.slopes.1 {
            return None;
        }
        lines.likely_slope = slope(samples).clamp(lines.slopes.0, lines.slopes.1);
        let carried = |bound: i64, at: Micros| bound as f64 + lines.likely_slope * last.at.since(at) as f64;
        let most = samples.iter().map(|sample| carried(sample.most, sample.at)).fold(f64::MAX, f64::min);
        let least = samples.iter().map(|sample| carried(sample.least, sample.at)).fold(f64::MIN, f64::max);
        lines.likely = (0.5 * (least + most)).clamp(lines.least, lines.most);
        Some(lines)
    }

    fn offset(&self, now: Micros) -> ClockOffset {
        let time = now.since(self.at) as f64;
        let (least, most) = (self.least + self.slopes.0 * time, self.most + self.slopes.1 * time);
        let offset_us = (self.likely + self.likely_slope * time).round();
        let uncertainty_us = (most - offset_us).max(offset_us - least).ceil().max(0.0);
        // Bounds are differences of times below 2^53.
        ClockOffset { offset_us: offset_us as i64, uncertainty_us: uncertainty_us as u64 }
    }
}

/// Slope of the offset, from the direction with less queueing.
fn slope(samples: &VecDeque<Sample>) -> f64 {
    let (Some(first), n) = (samples.front(), samples.len() as f64) else { return 0.0 };
    let time = |sample: &Sample| sample.at.since(first.at) as f64;
    let middle = samples.iter().map(time).sum::<f64>() / n;
    let below = |bound: fn(&Sample) -> f64| {
        let points = samples.iter().map(|sample| (time(sample), bound(sample)));
        edge_below(points, middle).map(|(slope, at_middle)| {
            let above = samples.iter().map(bound).sum::<f64>() / n - at_middle;
            (above, slope)
        })
    };
    let there = below(|sample| sample.most as f64);
    let back = below(|sample| -(sample.least as f64)).map(|(above, slope)| (above, -slope));
    // No clock drifts this fast: the delay on that way has stepped up or down.
    let is_drift = |&(_, slope): &(f64, f64)| slope.abs() <= MOST_DRIFT;
    let quieter = there.into_iter().chain(back).filter(is_drift).min_by(|a, b| a.0.total_cmp(&b.0));
    quieter.map_or(0.0, |(_, slope)| slope)
}

/// Slope, and height at `middle`, of the nearest line below all points: the edge of their convex hull there (Andrew's
/// monotone chain). Points are ordered from left to right. Returns `None` for fewer than two.
fn edge_below(points: impl Iterator<Item = (f64, f64)>, middle: f64) -> Option<(f64, f64)> {
    let mut hull: Vec<(f64, f64)> = Vec::with_capacity(SAMPLES);
    for point in points {
        let is_above = |hull: &[(f64, f64)]| {
            let [.., (ax, ay), (bx, by)] = *hull else { return false };
            (bx - ax) * (point.1 - ay) <= (by - ay) * (point.0 - ax)
        };
        while is_above(&hull) {
            hull.pop();
        }
        hull.push(point);
    }
    let edge = hull.windows(2).find(|edge| edge[1].0 >= middle && edge[1].0 > edge[0].0)?;
    let slope = (edge[1].1 - edge[0].1) / (edge[1].0 - edge[0].0);
    Some((slope, edge[0].1 + slope * (middle - edge[0].0)))
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
    fn the_quickest_exchange_is_trusted() {
        let mut estimator = OffsetEstimator::default();
        estimator.add(Micros(0), Micros(9_000), Micros(9_000), Micros(10_000));
        estimator.add(Micros(20_000), Micros(20_100), Micros(20_100), Micros(20_200));
        assert_eq!(estimator.best(Micros(20_200)), Some(ClockOffset { offset_us: 0, uncertainty_us: 100 }));
    }

    #[test]
    fn the_round_trip_is_that_of_the_quickest_exchange_without_the_peers_own_time() {
        let mut estimator = OffsetEstimator::default();
        assert_eq!(estimator.round_trip_us(), None);
        estimator.add(Micros(0), Micros(9_000), Micros(9_000), Micros(10_000));
        estimator.add(Micros(20_000), Micros(20_100), Micros(20_400), Micros(20_500));
        assert_eq!(estimator.round_trip_us(), Some(200));
    }

    #[test]
    fn an_old_sample_is_trusted_less_each_second() {
        let mut estimator = OffsetEstimator::default();
        estimator.add(Micros(0), Micros(100), Micros(100), Micros(200));
        let at = |seconds: u64| estimator.best(Micros(200 + seconds * 1_000_000)).unwrap().uncertainty_us;
        assert_eq!((at(0), at(1), at(10)), (100, 1_600, 15_100));
    }

    #[test]
    fn a_new_delay_is_not_mistaken_for_drift() {
        for (there, back) in [(80_000, 20_000), (20_000, 80_000), (80_000, 0), (0, 20_000)] {
            let mut estimator = OffsetEstimator::default();
            for ping in 0..20_u64 {
                let (there, back) = if ping < 2 { (200, 200) } else { (200 + there, 200 + back) };
                let sent = ping * 250_000;
                let received = sent + there;
                estimator.add(Micros(sent), Micros(received), Micros(received), Micros(received + back));
            }
            let best = estimator.best(Micros(5_000_000)).unwrap();
            assert!(best.offset_us.abs() <= 400, "{there}, {back}: {best:?}");
        }
    }

    #[test]
    fn a_drift_of_a_thousandth_is_followed_whichever_direction_has_jitter() {
        // Smallest delays there and back, and the mean queueing delays on top of them.
        for (drift, there, back) in [
            (1e-3, (200.0, 300.0), (150.0, 3_000.0)),
            (-1e-3, (200.0, 300.0), (150.0, 3_000.0)),
            (1e-3, (150.0, 3_000.0), (200.0, 100.0)),
            (-1e-3, (20_000.0, 2_000.0), (20_200.0, 50.0)),
            (0.0, (200.0, 300.0), (150.0, 3_000.0)),
        ] {
            let mut world = World::new(drift);
            let [mut wrong_there, mut wrong_back] = [Vec::new(), Vec::new()];
            for frame in 0..3_600u64 {
                let sent = frame as f64 * 16_667.0;
                if frame % 15 == 0 {
                    world.ping(sent, there, back);
                }
                let (to, from) = (world.delay(there), world.delay(back));
                let (received, answered) = (sent + to, sent + to + from);
                if frame < 120 {
                    continue;
                }
                let offset = world.estimator.best(Micros(answered as u64)).expect("pings were answered");
                let estimated = offset.to_ours(world.theirs(received)) as f64 - sent;
                wrong_there.push(estimated - to);
                wrong_back.push(answered - sent - estimated - from);
                let true_offset = signed(world.theirs(answered)) - answered as i64;
                assert!(offset.offset_us.abs_diff(true_offset) <= offset.uncertainty_us + 2, "{offset:?}");
            }
            // Half of the difference between the smallest delays (100 µs at most), and the smallest of 32 queueing
            // delays each way.
            let most = 50.0 + 3_000.0 / 32.0 + 50.0;
            for wrong in [&mut wrong_there, &mut wrong_back] {
                wrong.sort_by(f64::total_cmp);
                let p50 = wrong[wrong.len() / 2];
                assert!(p50.abs() < most, "p50 is {p50} µs off at a drift of {drift}, {there:?} {back:?}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_is_followed_again() {
        let mut world = World::new(0.0);
        for second in 0..40 {
            world.ahead = if second < 10 { 5e6 } else { -5e6 };
            world.ping(f64::from(second) * 1e6, (100.0, 0.0), (100.0, 0.0));
        }
        let found = world.estimator.best(Micros(39_000_200)).unwrap();
        assert!(found.offset_us.abs_diff(-5_000_000) <= found.uncertainty_us, "{found:?}");
    }

    /// Two clocks and the way between them.
    struct World {
        estimator: OffsetEstimator,
        drift: f64,
        ahead: f64,
        random: u64,
    }

    impl World {
        fn new(drift: f64) -> Self {
            Self { estimator: OffsetEstimator::default(), drift, ahead: 1e9, random: 7 }
        }

        /// Their clock's reading at a time of ours.
        fn theirs(&self, ours: f64) -> Micros {
            Micros((self.ahead + ours * (1.0 + self.drift)) as u64)
        }

        /// A least delay and an exponential queue.
        fn delay(&mut self, (least, mean): (f64, f64)) -> f64 {
            // Knuth's linear congruential generator.
            self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let uniform = ((self.random >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
            least - mean * uniform.ln()
        }

        fn ping(&mut self, sent: f64, there: (f64, f64), back: (f64, f64)) {
            let received = sent + self.delay(there);
            let returned = received + self.delay(back);
            let theirs = self.theirs(received);
            self.estimator.add(Micros(sent as u64), theirs, theirs, Micros(returned as u64));
        }
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
