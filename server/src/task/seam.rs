//! The traits of a task, for the session that scores with it and for the outputs that show it.

use std::fmt::Debug;

use schemars::{Schema, SchemaGenerator};
use shared::geometry::CircleEstimate;
use shared::image::{Image, ImageView};
use shared::protocol::message::{Payload, PayloadError};

use super::figures::{Figure, TaskFigures};
use super::schema1::LimitKind;
use crate::score::cells::{Cell, Cells, Columns};
use crate::score::record::{FrameRecord, Outcome};
use crate::truth::Truth;

/// What the pipeline has to do.
pub trait Task: Debug + Send + Sync {
    /// Name on the command line, in the hello and in the report.
    fn name(&self) -> &'static str;

    /// Columns for every output.
    fn columns(&self) -> Columns;

    /// Chart in the window.
    fn chart(&self) -> Chart;

    /// Figures that the window shows for one frame.
    fn frame_figures(&self, record: &FrameRecord) -> Vec<Figure>;

    /// Whether truth and answer are places in the picture, so that outputs can mark them.
    fn has_places(&self) -> bool {
        false
    }

    /// The circle that the answer found, for outputs that mark it in the picture.
    fn estimate(&self, _answer: &[Cell]) -> Option<CircleEstimate> {
        None
    }

    /// Whether answers are compared with the frames. The session then keeps each frame that it sent until the frame is
    /// answered or lost, and answers may be as large as frames.
    fn keeps_frames(&self) -> bool {
        false
    }

    /// Reads the truth from its columns: as much of it as [`Scorer::score`] needs to score the same again. A limit in
    /// them is of this kind.
    fn truth(&self, _cells: &[Cell], _limit: LimitKind) -> Truth {
        Truth::Unknown
    }

    /// A new scorer for one session.
    fn scorer(&self) -> Box<dyn Scorer>;

    /// JSON schema of the task's own object in the report.
    fn schema(&self, generator: &mut SchemaGenerator) -> Schema;
}

/// Scores the answers of one session.
pub trait Scorer: Debug + Send {
    /// Reads the payload of an answer into the answer columns. It is never called for `dropped`, which every task
    /// accepts.
    ///
    /// # Errors
    /// [`PayloadError`] if this task has no such payload. The answer then counts as invalid.
    fn read(&self, payload: &Payload<'_>) -> Result<Cells, PayloadError>;

    /// Like [`Self::read`], for the first answer to a frame that was kept because of [`Task::keeps_frames`].
    ///
    /// # Errors
    /// As [`Self::read`].
    fn compare(&mut self, payload: &Payload<'_>, _frame: &Image) -> Result<Cells, PayloadError> {
        self.read(payload)
    }

    /// The picture in the answer that [`Self::compare`] read last, if it was one.
    fn picture(&self) -> Option<ImageView<'_>> {
        None
    }

    /// Scores a frame whose outcome is final, in frame order. `answer` is the result of [`Self::read`] for its answer.
    fn score(&mut self, truth: Truth, outcome: Outcome, answer: Option<&[Cell]>) -> Scored;

    /// Figures that the window shows for the session so far: the task's sums, then the counts of answers.
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

/// The chart in the window: one value per frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Heading above the chart.
    pub heading: &'static str,
    /// Unit of the values.
    pub unit: &'static str,
    /// Meaning of a gap in the chart.
    pub gap: &'static str,
    /// Source of the values.
    pub value: ChartValue,
}

/// Source of a chart's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChartValue {
    /// The residual column at this index.
    Residual(usize),
    /// The magnitude of the residual column at this index.
    Magnitude(usize),
    /// The frame's latency, in ms.
    LatencyMs,
}

impl Chart {
    /// The chart's value for a frame; `None` where the frame has none.
    pub fn value_of(&self, record: &FrameRecord) -> Option<f64> {
        match self.value {
            ChartValue::Residual(place) => record.residual.get(place)?.number(),
            ChartValue::Magnitude(place) => record.residual.get(place)?.number().map(f64::abs),
            ChartValue::LatencyMs => Some(record.latency?.total_us as f64 / 1e3),
        }
    }
}
