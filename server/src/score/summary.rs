//! A session's tally, and the report made of it.
//!
//! The report's JSON is schema 1, described in `docs/report.md` and `docs/report.schema.json`: finite numbers only,
//! `null` where there is none.

use schemars::JsonSchema;
use serde::Serialize;
use shared::flow::clock::ClockOffset;
use shared::time::Micros;

pub use crate::score::counts::{FrameCounts, LostBy};
use crate::score::efficiency::LimitKind;
use crate::score::error::{ErrorFigures, ErrorStats, PixelError};
use crate::score::latency::{FrameLatency, LatencyFigures, LatencyStats};
use crate::score::pairing::{Finished, LossCause};
use crate::score::{FrameScore, Outcome, Truth};

/// Gathers a session's scores, in frame order, in bounded memory.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    counts: FrameCounts,
    errors: ErrorStats,
    latency: LatencyStats,
    sent: Span,
    answered: Span,
    bytes: Bytes,
    /// Late answers to frames whose loss nothing else explains.
    explained_by_lateness: u64,
}

impl Tally {
    /// A frame of `raw` bytes left as `wire` bytes.
    pub fn sent(&mut self, captured: Micros, raw: u64, wire: u64) {
        self.counts.sent += 1;
        self.sent.add(captured);
        self.bytes.frames_raw += raw;
        self.bytes.frames_wire += wire;
    }

    /// So many ticks passed without a frame.
    pub fn skipped(&mut self, ticks: u64) {
        self.counts.skipped += ticks;
    }

    /// An answer came for a frame already given up, for this.
    pub fn late(&mut self, cause: LossCause) {
        self.counts.late += 1;
        self.explained_by_lateness += u64::from(cause == LossCause::Unanswered);
    }

    /// A second answer came for a frame.
    pub fn duplicate(&mut self) {
        self.counts.duplicate += 1;
    }

    /// An answer came that is none: unknown frame, not finite, malformed.
    pub fn invalid(&mut self) {
        self.counts.invalid += 1;
    }

    /// A frame's outcome is final; `offset` is the client's clock against ours.
    pub fn finish(&mut self, finished: Finished, offset: Option<ClockOffset>) -> FrameScore {
        let Finished { frame, outcome, loss, answered } = finished;
        self.count(frame.truth, outcome);
        match loss {
            Some(LossCause::NotReady) => self.counts.lost_by.not_ready += 1,
            Some(LossCause::Unsent) => self.counts.lost_by.unsent += 1,
            Some(LossCause::Incomplete) => self.counts.lost_by.incomplete += 1,
            Some(LossCause::Unanswered) => self.counts.lost_by.unanswered += 1,
            None => {}
        }
        let latency = answered.map(|(at, times)| FrameLatency::new(frame.captured, frame.encoded, at, times, offset));
        if let Some((at, _)) = answered {
            self.answered.add(at);
        }
        if let Some(latency) = latency {
            self.latency.add(latency);
        }
        let error = pixel_error(frame.truth, outcome);
        if let (Some(error), Truth::Ball { limit, .. }, Outcome::Circle { covariance, .. }) =
            (error, frame.truth, outcome)
        {
            self.errors.add(error, limit, covariance);
        }
        let cumulative_l1_px = self.errors.sum_l1_px();
        FrameScore { id: frame.id, truth: frame.truth, outcome, error, cumulative_l1_px, latency }
    }

    /// The counts so far.
    pub fn counts(&self) -> FrameCounts {
        let mut counts = self.counts;
        // A late answer may come before its frame's turn to be counted.
        let late = self.explained_by_lateness.min(counts.lost_by.unanswered);
        counts.lost_by.late = late;
        counts.lost_by.unanswered -= late;
        counts
    }

    /// Frames captured a second; `None` before the second.
    pub fn sent_fps(&self) -> Option<f64> {
        self.sent.rate_hz()
    }

    /// Mean L1 error so far, in px.
    pub fn mean_l1_px(&self) -> Option<f64> {
        self.errors.mean_l1_px()
    }

    /// Mean L1 error over the limit so far, and what that limit is worth.
    pub fn efficiency(&self) -> Option<(f64, LimitKind)> {
        self.errors.efficiency()
    }

    /// Median latency so far, in µs.
    pub fn latency_p50_us(&self) -> Option<u64> {
        self.latency.p50_us()
    }

    /// The figures of the report.
    pub fn figures(&self) -> Figures {
        Figures {
            frames: Frames { counts: self.counts(), lost_rate: self.counts.lost_rate() },
            error_px: self.errors.figures(),
            latency_us: self.latency.figures(),
            fps: Fps { sent: self.sent.rate_hz(), answered: self.answered.rate_hz() },
            bytes: self.bytes,
        }
    }

    fn count(&mut self, truth: Truth, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Circle { .. } => &mut self.counts.circle,
            Outcome::NoCircle => &mut self.counts.no_circle,
            Outcome::Dropped => &mut self.counts.dropped,
            Outcome::Lost => &mut self.counts.lost,
            Outcome::Unresolved => &mut self.counts.unresolved,
        };
        *counter += 1;
        if truth == Truth::Empty {
            self.counts.empty += 1;
            self.counts.false_positive += u64::from(matches!(outcome, Outcome::Circle { .. }));
        }
    }
}

/// Estimate minus truth, where there are both.
fn pixel_error(truth: Truth, outcome: Outcome) -> Option<PixelError> {
    match (truth, outcome) {
        (Truth::Ball { circle, .. }, Outcome::Circle { estimate, .. }) => Some(PixelError::of(estimate, circle)),
        _ => None,
    }
}

/// First and last of a series of moments.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    count: u64,
    first: Micros,
    last: Micros,
}

impl Span {
    fn add(&mut self, moment: Micros) {
        if self.count == 0 {
            self.first = moment;
        }
        // Answers are finished in frame order, not in the order they came.
        self.first = self.first.min(moment);
        self.last = self.last.max(moment);
        self.count += 1;
    }

    /// (n − 1) / (last − first).
    fn rate_hz(&self) -> Option<f64> {
        let span_us = self.last.since(self.first);
        (self.count > 1 && span_us > 0).then(|| (self.count - 1) as f64 * 1e6 / span_us as f64)
    }
}

/// `frames` of the report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Frames {
    /// How many.
    #[serde(flatten)]
    pub counts: FrameCounts,
    /// lost / sent.
    pub lost_rate: f64,
}

/// `fps` of the report.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Fps {
    /// Frames captured a second.
    pub sent: Option<f64>,
    /// Answers a second.
    pub answered: Option<f64>,
}

/// `bytes` of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Bytes {
    /// Pixels of all frames sent.
    pub frames_raw: u64,
    /// The same with encoding, message and fragment headers: what the `frames` lane was given.
    pub frames_wire: u64,
}

/// A session's scores.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Figures {
    /// Counts.
    pub frames: Frames,
    /// Errors in px.
    pub error_px: ErrorFigures,
    /// Latency in µs.
    pub latency_us: LatencyFigures,
    /// Rates.
    pub fps: Fps,
    /// Bytes.
    pub bytes: Bytes,
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::protocol::message::AnswerTimes;

    use super::*;
    use crate::camera::Limit;
    use crate::score::pairing::SentFrame;

    fn finished(id: u64, truth: Truth, outcome: Outcome) -> Finished {
        let frame = SentFrame { id, truth, captured: Micros(id * 100), encoded: Micros(id * 100) };
        let answered = match outcome {
            Outcome::Lost | Outcome::Unresolved => None,
            _ => Some((Micros(id * 100 + 50), AnswerTimes::default())),
        };
        let loss = (outcome == Outcome::Lost).then_some(LossCause::Unanswered);
        Finished { frame, outcome, loss, answered }
    }

    fn circle(x: f64) -> Circle {
        Circle { x, y: 0.0, radius: 9.0 }
    }

    fn ball(x: f64) -> Truth {
        Truth::Ball { circle: circle(x), limit: Limit::Unknown }
    }

    #[test]
    fn an_error_is_scored_only_where_there_are_truth_and_estimate() {
        let found = Outcome::Circle { estimate: circle(2.0), covariance: None };
        let mut tally = Tally::default();
        assert!(tally.finish(finished(0, Truth::Empty, found), None).error.is_none());
        assert!(tally.finish(finished(1, Truth::Unknown, found), None).error.is_none());
        assert!(tally.finish(finished(2, ball(1.0), Outcome::NoCircle), None).error.is_none());
        let score = tally.finish(finished(3, ball(1.5), found), None);
        assert_eq!((score.error.unwrap().l1(), score.cumulative_l1_px), (0.5, 0.5));
        let counts = tally.counts();
        assert_eq!((counts.circle, counts.no_circle, counts.empty, counts.false_positive), (3, 1, 1, 1));
    }

    #[test]
    fn lost_frames_have_no_latency() {
        let mut tally = Tally::default();
        assert!(tally.finish(finished(0, Truth::Unknown, Outcome::Lost), None).latency.is_none());
        let latency = tally.finish(finished(1, Truth::Unknown, Outcome::NoCircle), None).latency;
        assert_eq!(latency.unwrap().total_us, 50);
    }

    #[test]
    fn losses_add_up_by_cause_also_when_the_late_answer_comes_before_the_count() {
        let mut tally = Tally::default();
        tally.late(LossCause::Unanswered);
        assert_eq!(tally.counts().lost_by, LostBy::default());
        let causes = [LossCause::Unsent, LossCause::NotReady, LossCause::Incomplete];
        let causes = [LossCause::Unanswered].into_iter().chain(causes).chain([LossCause::Unanswered]);
        for (id, cause) in causes.enumerate() {
            let lost = Finished { loss: Some(cause), ..finished(id as u64, Truth::Unknown, Outcome::Lost) };
            tally.finish(lost, None);
        }
        tally.late(LossCause::Incomplete);
        let counts = tally.counts();
        assert_eq!(counts.lost_by, LostBy { not_ready: 1, unsent: 1, incomplete: 1, late: 1, unanswered: 1 });
        assert_eq!((counts.lost, counts.late), (5, 2));
        assert_eq!(
            counts.lost_by.describe(),
            "1 not encoded in time, 1 not sent in time, 1 incomplete, 1 answered late, 1 unanswered"
        );
    }

    #[test]
    fn a_rate_needs_two_frames() {
        let mut tally = Tally::default();
        tally.sent(Micros(5), 1, 1);
        assert_eq!(tally.sent_fps(), None);
        tally.sent(Micros(5 + 500_000), 1, 1);
        assert_eq!(tally.sent_fps(), Some(2.0));
    }

    #[test]
    fn an_empty_tally_reports_nulls_and_finite_numbers() {
        let json = serde_json::to_value(Tally::default().figures()).unwrap();
        assert_eq!(json["frames"]["lost_rate"], 0.0);
        assert!(json["error_px"]["l1"]["mean"].is_null() && json["latency_us"]["p50"].is_null());
        assert!(json["latency_us"]["stages"]["queue"]["p99"].is_null());
    }
}
