//! The core of an evaluation: counts, pairs and scores, without a clock.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use shared::flow::clock::ClockOffset;
use shared::protocol::message::{AnswerTimes, Payload, PayloadError};
use shared::time::Micros;

use super::frames::RenderedFrame;
use crate::gate::Judge;
use crate::output::report::{ClientReport, EncodingReport, Report, Run, SessionReport, Whereabouts};
use crate::output::{Keeper, SessionStart};
use crate::run::{RunConfig, RunSpec};
use crate::score::cells::Cells;
use crate::score::pairing::{Pairing, Receipt};
use crate::score::record::FrameRecord;
use crate::session::{ClientInfo, End, Tally};
use crate::task::TaskName;

/// The number of the only session.
const SESSION: u64 = 1;

/// Pipeline and scores share one clock.
const SAME_CLOCK: ClockOffset = ClockOffset { offset_us: 0, uncertainty_us: 0 };

/// Scores the answers of one pipeline, one frame after another.
#[derive(Debug)]
pub struct Evaluation {
    spec: RunSpec,
    task: TaskName,
    pairing: Pairing,
    tally: Tally,
    /// The frame that the pipeline is looking at.
    asked: Option<Asked>,
    first_capture: Option<Micros>,
    first_score: Option<Micros>,
    pipeline_errors: u64,
}

/// A frame that the pipeline got.
#[derive(Debug)]
struct Asked {
    frame: RenderedFrame,
    at: Micros,
}

/// When the pipeline looked at a frame.
#[derive(Clone, Copy, Debug)]
pub struct Looked {
    /// When it was called.
    pub started: Micros,
    /// When it returned.
    pub finished: Micros,
}

impl Evaluation {
    /// An evaluation of this run, whose seed, size and task are settled.
    pub fn new(spec: RunSpec) -> Self {
        let task = spec.sent.task.unwrap_or_default();
        Self {
            pairing: Pairing::new(NonZeroU32::MIN, spec.delivered.deadline, None),
            tally: Tally::after(spec.judged.warmup, task),
            task,
            spec,
            asked: None,
            first_capture: None,
            first_score: None,
            pipeline_errors: 0,
        }
    }

    /// What is asked of the pipeline.
    pub fn task(&self) -> TaskName {
        self.task
    }

    /// Whether the run asks for one more frame.
    pub fn wants_more(&self, now: Micros) -> bool {
        let is_last = |frames: NonZeroU64| self.pairing.next_id() >= frames.get();
        let is_over = |duration: Duration| self.first_capture.is_some_and(|first| now >= first + duration);
        !self.spec.sent.frames.is_some_and(is_last) && !self.spec.sent.duration.is_some_and(is_over)
    }

    /// Notes that the pipeline gets this frame `now`. The frame counts as captured now, because it was rendered ahead.
    pub fn captured(&mut self, frame: RenderedFrame, now: Micros) {
        self.first_capture.get_or_insert(now);
        self.tally.sent(now, frame.image.bytes().len() as u64, 0);
        self.pairing.sent(frame.index, frame.truth, now, now);
        self.asked = Some(Asked { frame, at: now });
    }

    /// Scores the answer to the frame that was captured last. `None` if that frame was answered before.
    ///
    /// # Errors
    /// [`PayloadError`] if the task has no such answer. The frame then waits for another call of this or of
    /// [`Self::failed`].
    pub fn answered(
        &mut self,
        payload: &Payload<'_>,
        looked: Looked,
        now: Micros,
    ) -> Result<Option<FrameRecord>, PayloadError> {
        let Some(asked) = &self.asked else { return Ok(None) };
        let cells = match payload.is_dropped() {
            true => None,
            false if self.task.keeps_frames() => Some(self.tally.compare(payload, &asked.frame.image)?),
            false => Some(self.tally.read(payload)?),
        };
        Ok(self.settled(cells, looked, now))
    }

    /// Counts the frame that was captured last as dropped, because the pipeline failed with it.
    pub fn failed(&mut self, looked: Looked, now: Micros) -> Option<FrameRecord> {
        self.pipeline_errors += 1;
        self.settled(None, looked, now)
    }

    /// Number of frames with which the pipeline failed.
    pub fn pipeline_errors(&self) -> u64 {
        self.pipeline_errors
    }

    /// What is evaluated.
    pub fn run(&self) -> Run {
        let seed = self.spec.sent.seed.unwrap_or_default();
        Run { version: env!("CARGO_PKG_VERSION"), seed, config: RunConfig::new(&self.spec) }
    }

    /// Finds the worst frames of the only session, for an output that wants their pictures.
    pub fn keeper(&self) -> Keeper {
        Keeper::new(SESSION, self.task, self.spec.judged.warmup)
    }

    /// The start of the only session.
    pub fn start(&self) -> SessionStart {
        SessionStart { session: SESSION, task: self.task }
    }

    /// The report of what was evaluated so far, which ended like this. `pipeline` is the pipeline's name.
    pub fn report(&self, pipeline: &str, end: End) -> Report {
        Report::new(self.run(), vec![self.session(pipeline, end)], 0)
    }

    /// The only session of [`Self::report`].
    pub fn session(&self, pipeline: &str, end: End) -> SessionReport {
        let info = ClientInfo { name: pipeline.to_owned(), version: env!("CARGO_PKG_VERSION").into(), pull: false };
        let figures = self.tally.figures();
        let mut session = SessionReport {
            warnings: self.tally.warnings(&figures, Some(SAME_CLOCK.uncertainty_us)),
            session: SESSION,
            client: Some(ClientReport {
                info,
                at: Whereabouts { address: "this process".into(), link: "none", dialled: false, udp_buffers: None },
            }),
            end,
            figures,
            connect_us: None,
            first_score_us: self.first_score.zip(self.first_capture).map(|(score, first)| score.since(first)),
            clock: Some(SAME_CLOCK).into(),
            ignored_messages: 0,
            pipeline_errors: Some(self.pipeline_errors),
            gates: Vec::new(),
            source: None,
            encoding: EncodingReport::default(),
            recording: None,
        };
        Judge::new(&self.run(), self.spec.judged.conditions()).judge(&mut session);
        session
    }

    fn settled(&mut self, cells: Option<Cells>, looked: Looked, now: Micros) -> Option<FrameRecord> {
        let asked = self.asked.take()?;
        let Looked { started, finished } = looked;
        let times = AnswerTimes {
            received: Some(asked.at),
            started: Some(started),
            finished: Some(finished),
            sent: Some(finished),
        };
        let id = self.pairing.next_id().checked_sub(1)?;
        if let Receipt::Late(cause) = self.pairing.answered(id, cells, times, now) {
            self.tally.late(id, cause);
        }
        self.first_score.get_or_insert(now);
        // The only frame in flight has its outcome: it was answered, or lost because the answer came too late.
        Some(self.tally.finish(self.pairing.next_finished()?, Some(SAME_CLOCK)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared::geometry::{Circle, Size};
    use shared::image::{Image, PixelFormat};
    use shared::protocol::message::FoundCircle;

    use super::*;
    use crate::score::record::Outcome;
    use crate::truth::{Limit, Truth};

    const BALL: Circle = Circle { x: 20.0, y: 10.0, radius: 5.0 };

    fn evaluation(frames: u64, deadline: Duration) -> Evaluation {
        let mut spec = RunSpec::default().with_seed();
        spec.sent.frames = NonZeroU64::new(frames);
        spec.delivered.deadline = deadline;
        Evaluation::new(spec)
    }

    fn frame(index: u64) -> RenderedFrame {
        let image = Arc::new(Image::zeros(Size { width: 40, height: 30 }, PixelFormat::Gray8));
        RenderedFrame { index, image, truth: Truth::Ball { circle: BALL, limit: Limit::Bound(0.01) } }
    }

    fn at(us: u64) -> (Looked, Micros) {
        (Looked { started: Micros(us), finished: Micros(us + 300) }, Micros(us + 301))
    }

    fn found(x: f64) -> Payload<'static> {
        FoundCircle::write(Some(FoundCircle { circle: Circle { x, ..BALL }.into(), covariance: None }))
    }

    #[test]
    fn answers_are_scored_and_the_time_of_a_frame_is_that_of_the_call() {
        let mut evaluation = evaluation(2, Duration::from_secs(1));
        for index in 0..2 {
            assert!(evaluation.wants_more(Micros(index)));
            evaluation.captured(frame(index), Micros(index * 1_000));
            let (looked, now) = at(index * 1_000 + 2);
            let record = evaluation.answered(&found(20.5), looked, now).unwrap().unwrap();
            let latency = record.latency.unwrap();
            assert_eq!((latency.total_us, latency.detect_us, latency.queue_us), (303, Some(300), Some(2)));
        }
        assert!(!evaluation.wants_more(Micros(5_000)));
        let report = serde_json::to_value(evaluation.report("mine", End::Finished)).unwrap();
        let session = &report["sessions"][0];
        assert_eq!(session["error_px"]["l1"]["mean"], 0.5);
        assert_eq!((&session["frames"]["circle"], &session["pipeline_errors"]), (&2.into(), &0.into()));
        assert_eq!((&session["client"]["name"], &session["end"]["kind"]), (&"mine".into(), &"finished".into()));
    }

    #[test]
    fn a_pipeline_that_fails_drops_its_frame_and_is_counted() {
        let mut evaluation = evaluation(1, Duration::from_secs(1));
        evaluation.captured(frame(0), Micros(0));
        let (looked, now) = at(2);
        let wrong = evaluation.answered(&Payload::new("count"), looked, now).unwrap_err();
        assert!(wrong.to_string().contains("is not one of circle, none, dropped"), "{wrong}");
        assert_eq!(evaluation.failed(looked, now).unwrap().outcome, Outcome::Dropped);
        let session = &serde_json::to_value(evaluation.report("mine", End::Finished)).unwrap()["sessions"][0];
        assert_eq!((&session["frames"]["dropped"], &session["pipeline_errors"]), (&1.into(), &1.into()));
    }

    #[test]
    fn an_answer_after_the_deadline_is_late_and_its_frame_lost() {
        let mut evaluation = evaluation(1, Duration::from_micros(300));
        evaluation.captured(frame(0), Micros(0));
        let (looked, now) = at(2);
        let record = evaluation.answered(&found(20.0), looked, now).unwrap().unwrap();
        assert!(matches!(record.outcome, Outcome::Lost(_)) && record.latency.is_none());
        let session = &serde_json::to_value(evaluation.report("mine", End::Finished)).unwrap()["sessions"][0];
        assert_eq!((&session["frames"]["lost"], &session["frames"]["late"]), (&1.into(), &1.into()));
    }

    #[test]
    fn a_duration_ends_an_evaluation_as_a_number_of_frames_does() {
        let mut evaluation = evaluation(100, Duration::from_secs(1));
        evaluation.spec.sent.duration = Some(Duration::from_millis(5));
        assert!(evaluation.wants_more(Micros(1_000_000)), "it counts from the first frame");
        evaluation.captured(frame(0), Micros(1_000_000));
        assert!(evaluation.wants_more(Micros(1_004_999)));
        assert!(!evaluation.wants_more(Micros(1_005_000)));
    }
}
