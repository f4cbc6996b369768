//! Evaluates a Python function in this process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use server::evaluate::{Evaluation, Frames, Looked, Next, RenderedFrame};
use server::gate;
use server::run::RunSpec;
use server::session::End;
use server::source::{self, SourceError, Supply};
use shared::time::MonotonicClock;

use crate::answer::payload;
use crate::fault::Fault;
use crate::kept::Kept;
use crate::leaving;
use crate::options;
use crate::pixels;
use crate::table::Table;
use crate::waiting::{self, STEP};

/// Defaults that differ from the server's, which has no limit and takes the task from the source.
const DEFAULTS: [(&str, &str); 2] = [("frames", "600"), ("task", "circle")];

/// Options that have no effect without a link.
const OF_THE_LINK: [&str; 8] = ["link", "window", "delivery", "encoding", "sctp_mtu", "loopback", "once", "wait"];

/// Calls the pipeline with each frame and scores what it returns. Gives the JSON report and the columns of the table.
#[pyfunction]
#[pyo3(signature = (pipeline, options, strict, out=None))]
pub(crate) fn evaluate<'py>(
    py: Python<'py>,
    pipeline: &Bound<'py, PyAny>,
    options: &Bound<'py, PyDict>,
    strict: bool,
    out: Option<PathBuf>,
) -> PyResult<(String, Bound<'py, PyList>)> {
    if !pipeline.is_callable() {
        let kind = pipeline.get_type().name()?;
        return Err(PyTypeError::new_err(format!("pipeline is of type {kind}: give a function that takes a frame")));
    }
    let (spec, supply) = settled(options)?;
    let has_limit = spec.sent.frames.is_some() || spec.sent.duration.is_some();
    if !has_limit && is_endless(&spec, &*supply)? {
        return Err(PyValueError::new_err("without frames and duration it would never end: give one of them"));
    }
    let _inside = leaving::enter_from_python()?;
    let frames = Frames::start(&*supply).map_err(|wrong| source_failed(&wrong))?;
    let table = Table::new(spec.sent.task.unwrap_or_default());
    let evaluation = Evaluation::new(spec);
    let kept = out.map(|folder| Kept::begin(&folder, &evaluation, name(pipeline))).transpose()?;
    let mut run = Run { pipeline, strict, table, evaluation, kept };
    let done = run.all(py, &frames);
    let kept = run.finish(py, if done.is_ok() { End::Finished } else { End::Stopped });
    // The reason for an early end comes before a failed write.
    done.and(kept)?;
    let report = run.evaluation.report(&name(pipeline), End::Finished).to_json();
    let report = report.map_err(|wrong| PyRuntimeError::new_err(wrong.to_string()))?;
    Ok((report, run.table.to_python(py)?))
}

/// Whether the source is endless.
fn is_endless(spec: &RunSpec, supply: &dyn Supply) -> PyResult<bool> {
    let is_computed = supply.numbered().map_err(|wrong| source_failed(&wrong))?.is_some();
    Ok(is_computed || spec.sent.repeat)
}

/// Reads the options of a run without a link, and sets the values that follow from them.
pub(crate) fn settled(options: &Bound<'_, PyDict>) -> PyResult<(RunSpec, Arc<dyn Supply>)> {
    let (spec, origins) = options::read::<RunSpec>(options, &DEFAULTS)?;
    let impossible = |wrong: SourceError| {
        let explained = origins.explained(&wrong.to_string(), &wrong.options());
        PyValueError::new_err(options::in_python(&explained))
    };
    let (mut spec, supply) = source::settled(spec).map_err(impossible)?;
    gate::check(&spec.judged.conditions(), spec.sent.task.unwrap_or_default())
        .map_err(|wrong| PyValueError::new_err(origins.explained(&format!("gate: {wrong}"), &["gate".into()])))?;
    spec.unused.extend(OF_THE_LINK.map(str::to_owned));
    Ok((spec, supply))
}

/// The exception for a source that failed.
pub(crate) fn source_failed(wrong: &SourceError) -> PyErr {
    PyRuntimeError::new_err(options::in_python(&format!("the source failed: {wrong}")))
}

/// The pipeline's name, for the report.
fn name(pipeline: &Bound<'_, PyAny>) -> String {
    let named = pipeline.getattr("__qualname__").or_else(|_| pipeline.get_type().getattr("__qualname__"));
    named.and_then(|name| name.extract()).unwrap_or_else(|_| "pipeline".into())
}

/// An evaluation in progress.
struct Run<'a, 'py> {
    pipeline: &'a Bound<'py, PyAny>,
    strict: bool,
    table: Table,
    evaluation: Evaluation,
    kept: Option<Kept>,
}

impl<'py> Run<'_, 'py> {
    fn all(&mut self, py: Python<'py>, frames: &Frames) -> PyResult<()> {
        let clock = MonotonicClock::start();
        while self.evaluation.wants_more(clock.now()) {
            py.check_signals()?;
            leaving::check()?;
            let Some(frame) = next(py, frames)? else { return Ok(()) };
            self.one(py, frame, clock)?;
        }
        Ok(())
    }

    /// Calls the pipeline with a frame, and scores the answer.
    fn one(&mut self, py: Python<'py>, frame: RenderedFrame, clock: MonotonicClock) -> PyResult<()> {
        let (index, image) = (frame.index, frame.image.clone());
        let array = pixels::view(py, image.clone())?;
        self.evaluation.captured(frame, clock.now());
        let started = clock.now();
        let returned = self.pipeline.call1((array,));
        let looked = Looked { started, finished: clock.now() };
        let answered = returned.map_err(|error| Fault::raised(py, error)).and_then(|returned| {
            let answer = payload(self.evaluation.task().name(), &returned)?;
            Ok(self.evaluation.answered(&answer, looked, clock.now())?)
        });
        let record = match answered {
            Ok(record) => record,
            Err(fault) if fault.is_of_the_frame() && !self.strict => {
                if self.evaluation.pipeline_errors() == 0 {
                    fault.show(py, index);
                }
                self.evaluation.failed(looked, clock.now())
            }
            Err(fault) => return Err(fault.into_error()),
        };
        if let Some(record) = record {
            self.table.add(1, &record);
            if let Some(kept) = &mut self.kept {
                kept.add(&record, &image, &self.evaluation, clock.now())?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, py: Python<'py>, end: End) -> PyResult<()> {
        self.kept.take().map_or(Ok(()), |kept| kept.finish(py, &self.evaluation, end))
    }
}

/// The next frame; `None` at the source's end.
fn next(py: Python<'_>, frames: &Frames) -> PyResult<Option<RenderedFrame>> {
    let read = |limit| match frames.next(limit) {
        Ok(Next::Frame(frame)) => Some(Ok(Some(frame))),
        Ok(Next::End) => Some(Ok(None)),
        Ok(Next::NotYet) => None,
        Err(wrong) => Some(Err(source_failed(&wrong))),
    };
    // A frame that is ready is taken without releasing the GIL, because that would cost some microseconds.
    match read(Duration::ZERO) {
        Some(found) => found,
        None => waiting::until(py, || read(STEP))?,
    }
}
