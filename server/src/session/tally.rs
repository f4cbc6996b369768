//! A session's tally: delivery and latency, which all tasks share, and the scores of its task.

use std::time::Duration;

use shared::flow::clock::ClockOffset;
use shared::flow::pacer::Ticks;
use shared::image::{Image, ImageView};
use shared::protocol::message::{Payload, PayloadError};
use shared::time::Micros;

use super::figures::{Bytes, Figures, Fps, Frames};
use crate::doctor::{self, Drift, Warning};
use crate::score::bounds::{Bound, Bounds};
use crate::score::cells::Cells;
use crate::score::counts::FrameCounts;
use crate::score::latency::{FrameLatency, LatencyStats};
use crate::score::pairing::Finished;
use crate::score::record::{FrameRecord, LossCause};
use crate::score::skipped::SkippedTicks;
use crate::task::{Figure, Scored, Scorer, TaskFigures, TaskName};

/// Gathers a session's scores, in frame order, in bounded memory.
#[derive(Debug)]
pub struct Tally {
    task: TaskName,
    scorer: Box<dyn Scorer>,
    /// Frames that come before those that count.
    warmup: u64,
    /// Scores the frames of the warm-up, only for their rows; `None` without a warm-up.
    warming: Option<Box<dyn Scorer>>,
    /// Frames captured so far, including those of the warm-up: the next frame's id.
    captured: u64,
    counts: FrameCounts,
    latency: LatencyStats,
    skipped: SkippedTicks,
    drift: Drift,
    sent: Span,
    answered: Span,
    bytes: Bytes,
    /// Number of late answers to frames whose loss has no other known cause.
    explained_by_lateness: u64,
}

impl Tally {
    /// An empty tally for a session with this task.
    pub fn new(task: TaskName) -> Self {
        Self::after(0, task)
    }

    /// An empty tally for a session with this task. No figure includes its first `warmup` frames.
    pub fn after(warmup: u64, task: TaskName) -> Self {
        Self {
            task,
            scorer: task.scorer(),
            warmup,
            warming: (warmup > 0).then(|| task.scorer()),
            captured: 0,
            counts: FrameCounts::default(),
            latency: LatencyStats::default(),
            skipped: SkippedTicks::default(),
            drift: Drift::default(),
            sent: Span::default(),
            answered: Span::default(),
            bytes: Bytes::default(),
            explained_by_lateness: 0,
        }
    }

    /// Reads an answer's payload as the task does.
    pub fn read(&self, payload: &Payload<'_>) -> Result<Cells, PayloadError> {
        self.scorer.read(payload)
    }

    /// Reads an answer's payload as the task does, and compares it with its frame.
    pub fn compare(&mut self, payload: &Payload<'_>, frame: &Image) -> Result<Cells, PayloadError> {
        self.scorer.compare(payload, frame)
    }

    /// The picture in the answer that was compared last, if it was one.
    pub fn picture(&self) -> Option<ImageView<'_>> {
        self.scorer.picture()
    }

    /// Counts a frame of `raw` bytes that was sent as `wire` bytes.
    pub fn sent(&mut self, captured: Micros, raw: u64, wire: u64) {
        let id = self.captured;
        self.captured += 1;
        if self.is_warmup(id) {
            return;
        }
        self.skipped.captured(id, captured);
        self.counts.sent += 1;
        self.sent.add(captured);
        self.bytes.frames_raw += raw;
        self.bytes.frames_wire += wire;
    }

    /// Counts ticks that passed without a frame; `None` for a stream without ticks.
    pub fn skipped(&mut self, ticks: Option<Ticks>) {
        if let Some(ticks) = ticks.filter(|_| !self.is_warmup(self.captured)) {
            self.counts.skipped += ticks.count;
            self.skipped.add(ticks, self.captured);
        }
    }

    /// Counts an answer to this frame, which was already given up for this cause.
    pub fn late(&mut self, frame: u64, cause: LossCause) {
        if !self.is_warmup(frame) {
            self.counts.late += 1;
            self.explained_by_lateness += u64::from(cause == LossCause::Unanswered);
        }
    }

    /// Counts a second answer to this frame.
    pub fn duplicate(&mut self, frame: u64) {
        self.counts.duplicate += u64::from(!self.is_warmup(frame));
    }

    /// Counts a message that is not a valid answer: its frame is unknown, or it is malformed or not of the task.
    pub fn invalid(&mut self) {
        self.counts.invalid += 1;
    }

    /// Scores a frame whose outcome is final; `offset` is that of the client's clock from ours.
    pub fn finish(&mut self, finished: Finished, offset: Option<ClockOffset>) -> FrameRecord {
        let Finished { frame, outcome, answer } = finished;
        let warmup = self.is_warmup(frame.id);
        let latency = answer
            .as_ref()
            .map(|answer| FrameLatency::new(frame.captured, frame.encoded, answer.at, answer.times, offset));
        if !warmup {
            self.drift.add(frame.captured, offset);
            self.counts.finish(outcome);
            if let (Some(answer), Some(latency)) = (&answer, latency) {
                self.answered.add(answer.at);
                self.latency.add(latency);
                self.skipped.answered(frame.id, answer.at).for_each(|us| self.latency.add_skipped(us));
            }
        }
        let answer = answer.and_then(|answer| answer.cells);
        let scorer = match &mut self.warming {
            Some(warming) if warmup => warming,
            _ => &mut self.scorer,
        };
        let Scored { truth, residual } = scorer.score(frame.truth, outcome, answer.as_deref());
        FrameRecord {
            id: frame.id,
            source_index: frame.source_index,
            captured: frame.captured,
            truth: frame.truth,
            outcome,
            warmup,
            latency,
            truth_cells: truth,
            answer,
            residual,
        }
    }

    /// Whether the frame with this id belongs to the warm-up, which no figure includes.
    fn is_warmup(&self, id: u64) -> bool {
        id < self.warmup
    }

    /// Adds a frame whose record was kept, as [`Self::sent`] and [`Self::finish`] did during the session. Figures that
    /// a record does not have (bytes, skipped ticks, late answers, the drift of the clocks) stay at zero.
    pub fn restore(&mut self, record: &FrameRecord) {
        self.captured += 1;
        if record.warmup {
            return;
        }
        self.counts.sent += 1;
        self.sent.add(record.captured);
        self.counts.finish(record.outcome);
        if let Some(latency) = record.latency {
            self.answered.add(record.captured + Duration::from_micros(latency.total_us));
            self.latency.add(latency);
        }
        self.scorer.score(record.truth, record.outcome, record.answer.as_deref());
    }

    /// The counts so far.
    pub fn counts(&self) -> FrameCounts {
        let mut counts = self.counts;
        // A late answer may come before its frame is counted, because frames are counted in order.
        let late = self.explained_by_lateness.min(counts.lost_by.unanswered);
        counts.lost_by.late = late;
        counts.lost_by.unanswered -= late;
        counts
    }

    /// What the window shows of the session so far.
    pub fn progress(&self) -> Progress {
        let [sums, answered] = self.scorer.session_figures();
        Progress {
            captured: self.captured,
            counts: self.counts(),
            sums,
            answered,
            latency_p50_us: self.latency.p50_us(),
            sent_fps: self.sent.rate_hz(),
        }
    }

    /// The session's figures for the report.
    pub fn figures(&self) -> Figures {
        let task = self.scorer.figures();
        Figures {
            bounds: self.bounds(&task),
            frames: Frames::new(self.counts(), self.captured.min(self.warmup), task.circles),
            error_px: task.error_px.clone(),
            latency_us: self.latency.figures(self.skipped.longest_us()),
            fps: Fps { sent: self.sent.rate_hz(), answered: self.answered.rate_hz() },
            bytes: self.bytes,
            task: self.task,
            own: task,
        }
    }

    /// The doctor's warnings about a session with these figures. `uncertainty_us` is that of the clocks' offset.
    pub fn warnings(&self, figures: &Figures, uncertainty_us: Option<u64>) -> Vec<Warning> {
        let tested = figures.own.warnings.iter().cloned().chain(self.drift.warning());
        tested.chain(doctor::measured(figures, uncertainty_us)).collect()
    }

    /// The bounds of the session's figures, by path.
    fn bounds(&self, task: &TaskFigures) -> Bounds {
        let lost = Bound::of_share(self.counts.lost, self.counts.sent);
        let mut bounds = self.latency.bounds(self.skipped.longest_us().is_some());
        bounds.extend(lost.map(|bound| ("frames.lost_rate".to_owned(), bound)));
        bounds.extend(task.bounds.clone());
        bounds
    }
}

/// What the window shows of a session so far.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Frames sent so far, with those of the warm-up.
    pub captured: u64,
    /// Frames by outcome.
    pub counts: FrameCounts,
    /// The task's summary figures.
    pub sums: Vec<Figure>,
    /// Counts of answers by kind, in the task's words.
    pub answered: Vec<Figure>,
    /// Median latency, in µs.
    pub latency_p50_us: Option<u64>,
    /// Frames captured per second; `None` before the second frame.
    pub sent_fps: Option<f64>,
}

impl Progress {
    /// The progress of a session before its first frame.
    pub fn of_nothing(task: TaskName) -> Self {
        Tally::new(task).progress()
    }
}

/// First and last of a series of moments, and their number.
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
        // Answers are finished in frame order, not in order of arrival.
        self.first = self.first.min(moment);
        self.last = self.last.max(moment);
        self.count += 1;
    }

    /// Mean rate: (n − 1) / (last − first).
    fn rate_hz(&self) -> Option<f64> {
        let span_us = self.last.since(self.first);
        (self.count > 1 && span_us > 0).then(|| (self.count - 1) as f64 * 1e6 / span_us as f64)
    }
}

#[cfg(test)]
mod tests {
    use shared::protocol::message::{AnswerTimes, FoundCircle};

    use super::*;
    use crate::score::counts::LostBy;
    use crate::score::pairing::{PairedAnswer, SentFrame};
    use crate::score::record::Outcome;
    use crate::truth::Truth;

    fn finished(id: u64, outcome: Outcome) -> Finished {
        let (captured, encoded) = (Micros(id * 100), Micros(id * 100));
        let frame = SentFrame { id, source_index: id, truth: Truth::Unknown, captured, encoded };
        let none = || Tally::new(TaskName::default()).read(&FoundCircle::write(None)).unwrap();
        let answer = (outcome == Outcome::Answered).then(|| PairedAnswer {
            cells: Some(none()),
            at: Micros(id * 100 + 50),
            times: AnswerTimes::default(),
        });
        Finished { frame, outcome, answer }
    }

    fn tally() -> Tally {
        Tally::new(TaskName::default())
    }

    #[test]
    fn lost_frames_have_no_latency() {
        let mut tally = tally();
        assert!(tally.finish(finished(0, Outcome::Lost(LossCause::Unanswered)), None).latency.is_none());
        let latency = tally.finish(finished(1, Outcome::Answered), None).latency;
        assert_eq!(latency.unwrap().total_us, 50);
    }

    #[test]
    fn losses_add_up_by_cause_even_if_the_late_answer_comes_before_the_count() {
        let mut tally = tally();
        tally.late(0, LossCause::Unanswered);
        assert_eq!(tally.counts().lost_by, LostBy::default());
        let causes = [LossCause::Unsent, LossCause::NotReady, LossCause::Incomplete];
        let causes = [LossCause::Unanswered].into_iter().chain(causes).chain([LossCause::Unanswered]);
        for (id, cause) in causes.enumerate() {
            tally.finish(finished(id as u64, Outcome::Lost(cause)), None);
        }
        tally.late(3, LossCause::Incomplete);
        let counts = tally.counts();
        assert_eq!(counts.lost_by, LostBy { not_ready: 1, unsent: 1, incomplete: 1, late: 1, unanswered: 1 });
        assert_eq!((counts.lost, counts.late), (5, 2));
        assert_eq!(
            counts.lost_by.describe(),
            "1 not encoded in time, 1 not sent in time, 1 incomplete, 1 answered late, 1 unanswered"
        );
    }

    #[test]
    fn the_frames_of_the_warm_up_have_rows_and_are_in_no_figure() {
        let run = |warmup, ids: std::ops::Range<u64>| {
            let mut tally = Tally::after(warmup, TaskName::default());
            let records: Vec<_> = ids
                .map(|id| {
                    tally.sent(Micros(id * 100), 10, 12);
                    tally.finish(finished(id, Outcome::Answered), None)
                })
                .collect();
            tally.duplicate(1);
            tally.late(1, LossCause::Incomplete);
            (tally.figures(), records)
        };
        let (figures, records) = run(3, 0..8);
        assert!(records.iter().all(|record| record.warmup == (record.id < 3) && record.latency.is_some()));
        assert_eq!(figures.frames.warmup, 3);
        let counts = figures.frames.counts;
        assert_eq!((counts.sent, counts.answered, counts.duplicate, counts.late), (5, 5, 0, 0));
        assert_eq!((counts.finished(), figures.bytes.frames_raw, figures.bytes.frames_wire), (5, 50, 60));
        let (all, _) = run(0, 0..8);
        assert_eq!((all.frames.counts.sent, all.frames.warmup, all.frames.counts.duplicate), (8, 0, 1));
        let (none, _) = run(9, 0..8);
        assert_eq!((none.frames.counts.sent, none.frames.warmup, none.latency_us.total.max), (0, 8, None));
    }

    #[test]
    fn a_rate_needs_two_frames() {
        let mut tally = tally();
        tally.sent(Micros(5), 1, 1);
        assert_eq!(tally.progress().sent_fps, None);
        tally.sent(Micros(5 + 500_000), 1, 1);
        assert_eq!(tally.progress().sent_fps, Some(2.0));
    }

    #[test]
    fn an_empty_tally_reports_nulls_and_finite_numbers() {
        let json = serde_json::to_value(tally().figures()).unwrap();
        assert_eq!(json["frames"]["lost_rate"], 0.0);
        assert!(json["error_px"]["l1"]["sum"].is_number() && json["error_px"]["l1"]["mean"].is_null());
        assert!(json["latency_us"]["p50"].is_null() && json["latency_us"]["stages"]["queue"]["p99"].is_null());
    }

    #[test]
    fn figures_of_circles_are_null_in_another_task() {
        let mut tally = Tally::new("ack".parse().unwrap());
        tally.sent(Micros(0), 1, 1);
        let json = serde_json::to_value(tally.figures()).unwrap();
        for field in ["circle", "no_circle", "missed", "empty", "false_positive"] {
            assert!(json["frames"].as_object().unwrap().contains_key(field), "{field} is there");
            assert!(json["frames"][field].is_null(), "{field} is null");
        }
        assert!(json["error_px"].is_null() && json["ack"]["codes"].is_object() && json.get("circle").is_none());
    }
}
