//! What a task is, to the session that scores by it and to the outputs that show it.

use std::fmt::Debug;

use schemars::{Schema, SchemaGenerator};
use shared::geometry::Circle;
use shared::protocol::message::{Payload, PayloadError};

use super::figures::{Figure, TaskFigures};
use crate::score::cells::{Cell, Cells, Columns};
use crate::score::record::{FrameRecord, Outcome};
use crate::truth::Truth;

/// What is asked of the pipeline.
pub trait Task: Debug + Send + Sync {
    /// Its name on the command line, in the hello and in the report.
    fn name(&self) -> &'static str;

    /// Its columns, for every output.
    fn columns(&self) -> Columns;

    /// The chart of the window.
    fn chart(&self) -> Chart;

    /// What the window says of one frame.
    fn frame_figures(&self, record: &FrameRecord) -> Vec<Figure>;

    /// Where the answer says that the disc is, for whoever marks it in the picture.
    fn estimate(&self, _answer: &[Cell]) -> Option<Circle> {
        None
    }

    /// A scorer for one session.
    fn scorer(&self) -> Box<dyn Scorer>;

    /// The JSON schema of the task's own object in the report.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;
}

/// A session's scores.
pub trait Scorer: Debug + Send {
    /// Reads the payload of an answer into the answer columns. Never called for `dropped`, which every task takes.
    ///
    /// # Errors
    /// [`PayloadError`] where it is no payload of this task; the answer then counts as invalid.
    fn read(&self, payload: &Payload<'_>) -> Result<Cells, PayloadError>;

    /// Scores a frame whose outcome is final, in frame order. `answer` is what [`Self::read`] made of its answer.
    fn score(&mut self, truth: Truth, outcome: Outcome, answer: Option<&[Cell]>) -> Scored;

    /// What the window says of the session so far: the task's sums, then how frames were answered.
    fn session_figures(&self) -> [Vec<Figure>; 2];

    /// The task's part of the report and of the summary.
    fn figures(&self) -> TaskFigures;
}

/// A scored frame, in the task's columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The truth columns.
    pub truth: Cells,
    /// The residual columns.
    pub residual: Cells,
}

/// The window's chart: a value of each frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chart {
    /// What stands above it.
    pub heading: &'static str,
    /// The unit of its values.
    pub unit: &'static str,
    /// What a gap means.
    pub gap: &'static str,
    /// Where the value comes from.
    pub value: ChartValue,
}

/// Where a chart's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartValue {
    /// The residual column of this place.
    Residual(usize),
    /// The frame's latency, in ms.
    LatencyMs,
}

impl Chart {
    /// The value of a frame.
    pub fn value_of(&self, record: &FrameRecord) -> Option<f64> {
        match self.value {
            ChartValue::Residual(place) => record.residual.get(place)?.number(),
            ChartValue::LatencyMs => Some(record.latency?.total_us as f64 / 1e3),
        }
    }
}
