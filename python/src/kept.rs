//! The folder of an evaluation.

use std::path::Path;
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use server::evaluate::Evaluation;
use server::output::folder::FolderOutput;
use server::output::{Keeper, Output, OutputError};
use server::score::record::FrameRecord;
use server::session::End;
use shared::image::Image;
use shared::time::Micros;

use crate::leaving;
use crate::options::in_python;

/// Interval between two writes. A crash loses at most this much.
const INTERVAL: Duration = Duration::from_secs(1);

/// A run's folder, written between frames.
pub(crate) struct Kept {
    output: FolderOutput,
    pipeline: String,
    /// Finds the worst frames, if the folder needs their pictures.
    keeper: Option<Keeper>,
    next: Micros,
}

impl Kept {
    /// Takes a folder that is absent or empty.
    pub(crate) fn begin(folder: &Path, evaluation: &Evaluation, pipeline: String) -> PyResult<Self> {
        let refused = |wrong: OutputError| PyValueError::new_err(in_python(&format!("out: {}", wrong.with_advice())));
        let mut output = FolderOutput::open(folder, &evaluation.run(), evaluation.task(), false).map_err(refused)?;
        output.begin().and_then(|()| output.started(evaluation.start())).map_err(refused)?;
        let keeper = output.wants_crops().then(|| evaluation.keeper());
        Ok(Self { output, pipeline, keeper, next: Micros(0) })
    }

    /// Adds a frame with its pixels. Once per second, writes all frames so far.
    pub(crate) fn add(
        &mut self,
        record: &FrameRecord,
        image: &Image,
        evaluation: &Evaluation,
        now: Micros,
    ) -> PyResult<()> {
        let crop = self.keeper.as_mut().and_then(|keeper| keeper.scored(record, image));
        let mut added = crop.map_or(Ok(()), |crop| self.output.crop(&crop)).and_then(|()| self.output.frame(1, record));
        if now >= self.next {
            self.next = now + INTERVAL;
            added = added
                .and_then(|()| self.output.running(&evaluation.session(&self.pipeline, End::Running)))
                .and_then(|()| self.output.flush());
        }
        added.map_err(|wrong| failed(&wrong.to_string()))
    }

    /// Completes the folder.
    pub(crate) fn finish(mut self, py: Python<'_>, evaluation: &Evaluation, end: End) -> PyResult<()> {
        let report = evaluation.session(&self.pipeline, end);
        // Without the GIL, because the thread that writes the report may need it to log.
        let ended = leaving::detached(py, || self.output.ended(&report).and_then(|()| self.output.finish()))?;
        ended.map_err(|wrong| failed(&wrong.to_string()))?;
        match self.output.is_complete() {
            true => Ok(()),
            false => Err(failed("the folder out is incomplete; the log (logging.getLogger(\"plumb\")) says why")),
        }
    }
}

fn failed(wrong: &str) -> PyErr {
    PyRuntimeError::new_err(in_python(wrong))
}
