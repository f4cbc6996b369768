//! Runs a trial in this process: each frame of its source goes to its pipeline in turn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use client::pipeline::{Frame, Pipeline};
use shared::image::Image;
use shared::protocol::message::{Meta, Payload};
use shared::shell::stop::Stopper;
use shared::time::{Micros, MonotonicClock};

use super::TrialError;
use super::pipelines::Pipelines;
use crate::evaluate::{Evaluation, Looked, RenderedFrame};
use crate::output::Output;
use crate::output::folder::FolderOutput;
use crate::output::report::SessionReport;
use crate::run::RunSpec;
use crate::score::record::FrameRecord;
use crate::session::End;
use crate::source::{self, SourceFrame};
use crate::sweep::plan::{OF_THE_LINK, Plan, Trial};

/// What a trial needs.
#[derive(Clone, Copy)]
pub(in crate::sweep) struct Given<'a> {
    pub(in crate::sweep) plan: &'a Plan,
    pub(in crate::sweep) trial: &'a Trial,
    pub(in crate::sweep) stopper: &'a Stopper,
}

/// A finished trial.
pub(in crate::sweep) struct Evaluated {
    /// The run, as it was settled by its source.
    pub(in crate::sweep) spec: RunSpec,
    /// Its report, as JSON in one line.
    pub(in crate::sweep) report: String,
    /// Whether the folder of a run is already written.
    pub(in crate::sweep) is_kept: bool,
}

/// Plays the frames of a trial to its pipeline. `keeping` is the folder for its frames, if they are kept.
///
/// # Errors
/// [`TrialError`] if the source or the pipeline failed, or if somebody stopped the sweep.
pub(in crate::sweep) fn evaluated(
    given: &Given<'_>,
    pipelines: &mut Pipelines,
    keeping: Option<&Path>,
) -> Result<Evaluated, TrialError> {
    let evaluated = played(given, pipelines, keeping);
    // The stop ends a program in the middle of a frame, or before its first one: that is no result.
    if given.stopper.is_stopped() { Err(TrialError::Stopped) } else { evaluated }
}

fn played(given: &Given<'_>, pipelines: &mut Pipelines, keeping: Option<&Path>) -> Result<Evaluated, TrialError> {
    let (mut spec, supply) = source::settled(given.trial.spec.clone()).map_err(TrialError::failed)?;
    spec.unused.extend(OF_THE_LINK.map(str::to_owned));
    let task = spec.sent.task.unwrap_or_default();
    let meta = spec.meta();
    let mut taken = pipelines.take(given, task.name(), meta.as_ref(), spec.delivered.deadline)?;
    let mut source = supply.open().map_err(TrialError::failed)?;
    let mut evaluation = Evaluation::new(spec.clone());
    let mut kept = keeping.map(|folder| Kept::begin(folder, &evaluation)).transpose()?;
    let judged = given.plan.latency_counts().is_some();
    let mut player = Player::new(judged, spec.delivered.deadline);
    while evaluation.wants_more(player.clock.now()) {
        if given.stopper.is_stopped() {
            return Err(TrialError::Stopped);
        }
        let Some(frame) = source.next().map_err(TrialError::failed)? else { break };
        if let Some(record) = player.one(&mut evaluation, frame, &mut *taken.pipeline)
            && let Some(kept) = &mut kept
        {
            kept.output.frame(1, &record).map_err(TrialError::failed)?;
        }
    }
    let name = taken.name.clone();
    check(&evaluation.session(&name, End::Finished), player.panicked)?;
    pipelines.give_back(taken);
    let session = evaluation.session(&name, End::Finished);
    let is_kept = kept.is_some();
    kept.map(|kept| kept.finish(&session)).transpose()?;
    let report = shared::json::to_string(&evaluation.report(&name, End::Finished)).map_err(TrialError::failed)?;
    Ok(Evaluated { spec, report, is_kept })
}

/// Refuses a trial in which the pipeline answered no frame.
fn check(session: &SessionReport, panicked: Option<String>) -> Result<(), TrialError> {
    let counts = session.figures.frames.counts;
    if counts.sent == 0 && session.figures.frames.warmup == 0 {
        return Err(TrialError::failed("the source has no frame"));
    }
    if counts.sent > 0 && counts.dropped == counts.sent {
        let why = panicked.unwrap_or_else(|| "the log says why".into());
        return Err(TrialError::Failed(format!("the pipeline answered none of {} frames: {why}", counts.sent)));
    }
    Ok(())
}

/// Plays frames.
struct Player {
    clock: MonotonicClock,
    /// The longest latency that is recorded; `None` where latency counts. It is below the deadline, because otherwise a
    /// busy machine would change which frames are lost.
    most: Option<Micros>,
    memory: Arc<Image>,
    /// The message of the first panic.
    panicked: Option<String>,
}

impl Player {
    fn new(judged: bool, deadline: std::time::Duration) -> Self {
        let deadline = u64::try_from(deadline.as_micros()).unwrap_or(u64::MAX);
        let most = (!judged).then(|| Micros(deadline.saturating_sub(1)));
        let memory = Arc::new(Image::zeros(shared::geometry::Size { width: 1, height: 1 }, Default::default()));
        Self { clock: MonotonicClock::start(), most, memory, panicked: None }
    }

    fn one(
        &mut self,
        evaluation: &mut Evaluation,
        frame: SourceFrame<'_>,
        pipeline: &mut dyn Pipeline,
    ) -> Option<FrameRecord> {
        let image = self.copied(frame.image);
        let captured = self.clock.now();
        evaluation.captured(RenderedFrame { index: frame.index, image: image.clone(), truth: frame.truth }, captured);
        let started = self.within(captured, self.clock.now());
        let answer = self.answer(frame.index, captured, frame.meta.as_ref(), &image, pipeline);
        let finished = self.within(captured, self.clock.now());
        let (looked, now) = (Looked { started, finished }, self.within(captured, self.clock.now()));
        let scored =
            answer.and_then(|payload| evaluation.answered(&payload, looked, now).map_err(|wrong| wrong.to_string()));
        match scored {
            Ok(record) => record,
            Err(wrong) => {
                self.panicked.get_or_insert(wrong);
                evaluation.failed(looked, now)
            }
        }
    }

    fn answer(
        &self,
        id: u64,
        captured: Micros,
        meta: Option<&Meta>,
        image: &Image,
        pipeline: &mut dyn Pipeline,
    ) -> Result<Payload<'static>, String> {
        let frame = Frame { id, captured, meta, image: image.view() };
        catch_unwind(AssertUnwindSafe(|| pipeline.answer(&frame))).map_err(|_| "it panicked".to_owned())
    }

    /// Copies the pixels, because the source draws the next frame into its own memory. The memory of the last copy is
    /// used again.
    fn copied(&mut self, image: &Image) -> Arc<Image> {
        match Arc::get_mut(&mut self.memory) {
            Some(memory) if memory.size() == image.size() && memory.format() == image.format() => copy(image, memory),
            _ => self.memory = Arc::new(image.clone()),
        }
        self.memory.clone()
    }

    fn within(&self, captured: Micros, now: Micros) -> Micros {
        self.most.map_or(now, |most| Micros(now.0.min(captured.0.saturating_add(most.0))))
    }
}

fn copy(from: &Image, to: &mut Image) {
    match (from, to) {
        (Image::Gray8(from), Image::Gray8(to)) => to.assign(from),
        (Image::Bgr8(from), Image::Bgr8(to)) => to.assign(from),
        (Image::Gray16(from), Image::Gray16(to)) => to.assign(from),
        (from, to) => *to = from.clone(),
    }
}

/// The folder of the trial's frames.
struct Kept {
    folder: PathBuf,
    output: FolderOutput,
}

impl Kept {
    fn begin(folder: &Path, evaluation: &Evaluation) -> Result<Self, TrialError> {
        let output = FolderOutput::open(folder, &evaluation.run(), evaluation.task(), false);
        let mut output = output.map_err(TrialError::failed)?;
        output.begin().and_then(|()| output.started(evaluation.start())).map_err(TrialError::failed)?;
        Ok(Self { folder: folder.to_owned(), output })
    }

    fn finish(mut self, session: &SessionReport) -> Result<(), TrialError> {
        self.output.ended(session).and_then(|()| self.output.finish()).map_err(TrialError::failed)?;
        if self.output.is_complete() {
            Ok(())
        } else {
            Err(TrialError::at(&self.folder)(std::io::Error::other("not all frames were written; the log says why")))
        }
    }
}
