//! Latency of a frame, stage by stage, and of a session.
//!
//! Latency is the time from the last pixel rendered to the answer decoded at the server, both on the server's clock.
//! The stages in between add up to it. Stages bounded by the client's clock are placed with the estimated clock
//! offset, and never before the frame left or after its answer came.

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::flow::clock::ClockOffset;
use shared::protocol::message::AnswerTimes;
use shared::time::Micros;

use super::batches::Batches;
use super::bounds::{Bound, Bounds};

/// Significant digits that the histograms keep: 1 ms to the µs, in 50 kB each.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Latency of a frame and its stages, in µs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLatency {
    /// Last pixel rendered → answer decoded.
    pub total_us: u64,
    /// Last pixel rendered → encoded, ready to send.
    pub encode_us: u64,
    /// Encoded → last byte at the client.
    pub to_client_us: Option<u64>,
    /// Last byte at the client → detection starts.
    pub queue_us: Option<u64>,
    /// Detection.
    pub detect_us: Option<u64>,
    /// Detection ends → answer decoded at the server.
    pub back_us: Option<u64>,
}

impl FrameLatency {
    /// The latency of a frame that was captured, encoded and answered at these times on our clock.
    ///
    /// The client's times are used if they are in order and fit between ours. If not, or if they are absent, the stages
    /// that they bound are `None`.
    pub fn new(
        captured: Micros,
        encoded: Micros,
        answered: Micros,
        times: AnswerTimes,
        offset: Option<ClockOffset>,
    ) -> Self {
        let total_us = answered.since(captured);
        let encode_us = encoded.since(captured).min(total_us);
        let mut latency =
            Self { total_us, encode_us, to_client_us: None, queue_us: None, detect_us: None, back_us: None };
        let away_us = total_us - encode_us;
        if times.are_ordered_within(away_us) {
            latency.queue_us = span(times.received, times.started);
            latency.detect_us = span(times.started, times.finished);
            latency.place_trips(away_us, encoded, times, offset);
        }
        latency
    }

    /// Splits the time that the frame spent outside the client into the way there and the way back.
    fn place_trips(&mut self, away_us: u64, encoded: Micros, times: AnswerTimes, offset: Option<ClockOffset>) {
        let (Some(offset), Some(received)) = (offset, times.received) else { return };
        let inside_us = span(times.received, times.finished);
        let trips_us = away_us - inside_us.unwrap_or(0);
        let there_us = (offset.to_ours(received) - encoded.0 as i64).clamp(0, trips_us as i64) as u64;
        self.to_client_us = Some(there_us);
        self.back_us = inside_us.map(|_| trips_us - there_us);
    }

    /// The frame's time to the client and its answer's time back, for a client that reports its own times.
    pub fn flight_us(&self) -> Option<u64> {
        self.to_client_us.zip(self.back_us).map(|(there, back)| there + back)
    }
}

/// Checks of the client's times for [`FrameLatency`].
trait Ordered {
    fn are_ordered_within(self, away_us: u64) -> bool;
}

impl Ordered for AnswerTimes {
    /// Whether the times that are present are in order and span no more time than the frame was away.
    fn are_ordered_within(self, away_us: u64) -> bool {
        let times = [self.received, self.started, self.finished, self.sent];
        let mut known = times.into_iter().flatten();
        let Some(first) = known.next() else { return true };
        let mut last = first;
        known.all(|time| time >= std::mem::replace(&mut last, time)) && last.since(first) <= away_us
    }
}

fn span(from: Option<Micros>, to: Option<Micros>) -> Option<u64> {
    Some(to?.since(from?))
}

/// Gathers the latencies of a session.
#[derive(Clone, Debug, Default)]
pub struct LatencyStats {
    total: Series,
    /// Total latency, including ticks without a frame.
    corrected: Series,
    encode: Series,
    to_client: Series,
    queue: Series,
    detect: Series,
    back: Series,
}

impl LatencyStats {
    /// Adds a frame's latency.
    pub fn add(&mut self, latency: FrameLatency) {
        self.total.add(Some(latency.total_us));
        self.corrected.add(Some(latency.total_us));
        self.encode.add(Some(latency.encode_us));
        self.to_client.add(latency.to_client_us);
        self.queue.add(latency.queue_us);
        self.detect.add(latency.detect_us);
        self.back.add(latency.back_us);
    }

    /// Adds the latency that an unsent frame would have had.
    pub fn add_skipped(&mut self, us: u64) {
        self.corrected.add(Some(us));
    }

    /// Median total latency, in µs.
    pub fn p50_us(&self) -> Option<u64> {
        self.total.percentiles().p50
    }

    /// The report's figures; `standstill` is the longest time without a frame, if ticks say when one is due.
    pub fn figures(&self, standstill: Option<u64>) -> LatencyFigures {
        LatencyFigures {
            total: self.total.percentiles(),
            corrected: if standstill.is_some() { self.corrected.percentiles() } else { Percentiles::default() },
            standstill,
            stages: Stages {
                encode: self.encode.percentiles(),
                to_client: self.to_client.percentiles(),
                queue: self.queue.percentiles(),
                detect: self.detect.percentiles(),
                back: self.back.percentiles(),
            },
        }
    }

    /// The bounds of the report's figures, by path. `is_paced` tells that ticks say when a frame is due.
    pub(crate) fn bounds(&self, is_paced: bool) -> Bounds {
        let series = [
            ("", &self.total),
            ("corrected.", &self.corrected),
            ("stages.encode.", &self.encode),
            ("stages.to_client.", &self.to_client),
            ("stages.queue.", &self.queue),
            ("stages.detect.", &self.detect),
            ("stages.back.", &self.back),
        ];
        let known = series.into_iter().filter(|(start, _)| is_paced || *start != "corrected.");
        let named = known.flat_map(|(start, series)| {
            series.bounds().map(move |(name, bound)| (format!("latency_us.{start}{name}"), bound))
        });
        named.collect()
    }
}

/// A series of times. Percentiles are kept to [`SIGNIFICANT_DIGITS`], the largest exactly.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    histogram: Histogram<u64>,
    max_us: u64,
    /// Times and their squares.
    batches: Batches<2>,
}

impl Default for Series {
    fn default() -> Self {
        // invariant: a constant in 0..=5, the only thing `new` checks.
        Self {
            histogram: Histogram::new(SIGNIFICANT_DIGITS).expect("0 to 5 digits"),
            max_us: 0,
            batches: Batches::default(),
        }
    }
}

impl Series {
    /// Adds a time in µs, if there is one.
    pub(crate) fn add(&mut self, us: Option<u64>) {
        if let Some(us) = us {
            self.max_us = self.max_us.max(us);
            // The histogram grows as needed; no latency reaches 2^63 µs.
            let _ = self.histogram.record(us);
            self.batches.add([us as f64, (us as f64).powi(2)]);
        }
    }

    /// The percentiles so far.
    pub(crate) fn percentiles(&self) -> Percentiles {
        if self.histogram.is_empty() {
            return Percentiles::default();
        }
        // The histogram returns the largest value of a bucket, which must not exceed the true maximum.
        let at = |percent| Some(self.histogram.value_at_percentile(percent).min(self.max_us));
        Percentiles { p50: at(50.0), p95: at(95.0), p99: at(99.0), max: Some(self.max_us) }
    }

    /// The bounds of the percentiles so far, by their names.
    fn bounds(&self) -> impl Iterator<Item = (&'static str, Bound)> {
        let independent = self.batches.independent();
        [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)].into_iter().filter_map(move |(name, percent)| {
            let value = |us: u64| us.min(self.max_us) as f64;
            Some((name, Bound::of_percentile(&self.histogram, percent, independent, value)?))
        })
    }
}

/// `latency_us` of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LatencyFigures {
    /// From the last pixel rendered to the answer decoded.
    #[serde(flatten)]
    pub total: Percentiles,
    /// Total latency with skipped ticks counted: each from when it was due to the first answer to a later frame. All
    /// `null` if the rate is `max`, which has no ticks.
    pub corrected: Percentiles,
    /// Longest time from a skipped tick to the next frame; `null` without ticks, as with `--fps max`.
    pub standstill: Option<u64>,
    /// Latency of each stage.
    pub stages: Stages,
}

/// Percentiles of each stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stages {
    /// Last pixel rendered → encoded.
    pub encode: Percentiles,
    /// Encoded → last byte at the client.
    pub to_client: Percentiles,
    /// Last byte at the client → detection starts.
    pub queue: Percentiles,
    /// Detection.
    pub detect: Percentiles,
    /// Detection ends → answer decoded.
    pub back: Percentiles,
}

/// Percentiles in µs; all `null` without a sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// Median.
    pub p50: Option<u64>,
    /// 95th percentile.
    pub p95: Option<u64>,
    /// 99th percentile.
    pub p99: Option<u64>,
    /// Largest.
    pub max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(received: u64, started: u64, finished: u64) -> AnswerTimes {
        let at = |us| Some(Micros(us));
        AnswerTimes { received: at(received), started: at(started), finished: at(finished), sent: at(finished) }
    }

    const AHEAD: Option<ClockOffset> = Some(ClockOffset { offset_us: 1_000_000, uncertainty_us: 10 });

    #[test]
    fn stages_are_placed_with_the_clock_offset() {
        let latency =
            FrameLatency::new(Micros(100), Micros(150), Micros(1_000), times(1_000_400, 1_000_420, 1_000_700), AHEAD);
        let expected = FrameLatency {
            total_us: 900,
            encode_us: 50,
            to_client_us: Some(250),
            queue_us: Some(20),
            detect_us: Some(280),
            back_us: Some(300),
        };
        assert_eq!(latency, expected);
    }

    #[test]
    fn a_client_that_reports_no_times_leaves_only_the_servers_stages() {
        let latency = FrameLatency::new(Micros(0), Micros(5), Micros(100), AnswerTimes::default(), AHEAD);
        assert_eq!((latency.total_us, latency.encode_us), (100, 5));
        assert_eq!(
            (latency.to_client_us, latency.queue_us, latency.detect_us, latency.back_us),
            (None, None, None, None)
        );
    }

    #[test]
    fn a_client_that_reports_only_its_detection_gets_that_stage() {
        let times = AnswerTimes { started: Some(Micros(7)), finished: Some(Micros(9)), ..Default::default() };
        let latency = FrameLatency::new(Micros(0), Micros(5), Micros(100), times, AHEAD);
        assert_eq!(
            (latency.detect_us, latency.queue_us, latency.to_client_us, latency.back_us),
            (Some(2), None, None, None)
        );
    }

    #[test]
    fn impossible_times_are_ignored() {
        for impossible in [times(10, 5, 20), times(10, 20, 15), times(0, 0, 5_000)] {
            let latency = FrameLatency::new(Micros(0), Micros(5), Micros(100), impossible, AHEAD);
            assert_eq!((latency.total_us, latency.detect_us, latency.back_us), (100, None, None));
        }
    }

    #[test]
    fn slow_frames_are_not_cut_off() {
        let mut stats = LatencyStats::default();
        for seconds in [1, 2, 100] {
            let answered = Micros(seconds * 1_000_000);
            stats.add(FrameLatency::new(Micros(0), Micros(0), answered, AnswerTimes::default(), None));
        }
        let figures = stats.figures(None).total;
        assert!(figures.p50.unwrap().abs_diff(2_000_000) <= 2_000, "{figures:?}");
        assert_eq!((figures.p99, figures.max), (Some(100_000_000), Some(100_000_000)), "{figures:?}");
    }

    #[test]
    fn the_largest_is_exact() {
        let mut stats = LatencyStats::default();
        // The histogram's resolution here is 16 µs.
        let us = 16_777_217;
        stats.add(FrameLatency::new(Micros(0), Micros(3_001), Micros(us), times(3_001, 5_001, us), None));
        let figures = stats.figures(Some(0));
        let maxima = [&figures.total, &figures.corrected, &figures.stages.encode, &figures.stages.detect];
        assert_eq!(maxima.map(|series| series.max), [us, us, 3_001, us - 5_001].map(Some));
        assert!(maxima.iter().all(|series| series.p50 <= series.max && series.p99 <= series.max), "{figures:?}");
    }

    proptest! {
        #[test]
        fn stages_sum_to_the_latency_even_with_a_wrong_offset(
            captured in 0..1_000_000u64, encode in 0..1_000u64, away in 0..100_000u64,
            received in 0..1u64 << 52, queue in 0..60_000u64, detect in 0..60_000u64, offset in -1i64 << 52..1 << 52,
        ) {
            let offset = Some(ClockOffset { offset_us: offset, uncertainty_us: 1 });
            let (encoded, answered) = (captured + encode, captured + encode + away);
            let times = times(received, received + queue, received + queue + detect);
            let latency = FrameLatency::new(Micros(captured), Micros(encoded), Micros(answered), times, offset);
            prop_assert_eq!(latency.to_client_us.is_some(), queue + detect <= away);
            let stages = [latency.to_client_us, latency.queue_us, latency.detect_us, latency.back_us];
            if let [Some(there), Some(queue), Some(detect), Some(back)] = stages {
                prop_assert_eq!(latency.encode_us + there + queue + detect + back, latency.total_us);
            }
        }
    }
}
