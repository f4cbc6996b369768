//! The figures a task gives for a session or a frame, in one form for all outputs.

use super::schema1::{CircleCounts, ErrorFigures};
use crate::doctor::Warning;
use crate::score::bounds::Bounds;

/// A task's part of the report and of the summary.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskFigures {
    /// The task's name.
    pub name: &'static str,
    /// The report's object of the same name.
    pub object: serde_json::Value,
    /// How frames were answered, for the summary's first line.
    pub answered: String,
    /// Further lines of the summary: a label, empty on a continuation line, and the text.
    pub lines: Vec<(&'static str, String)>,
    /// The counts that schema 1 keeps in `frames`; only for the task `circle`.
    pub circles: Option<CircleCounts>,
    /// `error_px` of schema 1; only for the task `circle`, and only if some truth was known.
    pub error_px: Option<ErrorFigures>,
    /// The bounds of the task's figures, by their paths in the report.
    pub bounds: Bounds,
    /// What the answers show about faults.
    pub warnings: Vec<Warning>,
}

/// A labelled figure in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Name of the figure, with its unit.
    pub label: String,
    /// One or two values side by side; `None` for a value that is not known yet.
    pub values: Vec<Option<String>>,
    /// Colour of the values.
    pub tone: Tone,
}

/// The colour of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// The colour of plain text.
    Plain,
    /// The colour of the truth.
    Truth,
    /// The colour of the estimate.
    Estimate,
    /// The colour of something bad.
    Bad,
}

impl Figure {
    /// A figure with one value.
    pub fn one(label: impl Into<String>, value: Option<String>) -> Self {
        Self { label: label.into(), values: vec![value], tone: Tone::Plain }
    }

    /// A figure with two values.
    pub fn two(label: impl Into<String>, values: [Option<String>; 2]) -> Self {
        Self { label: label.into(), values: values.into(), tone: Tone::Plain }
    }

    /// The same figure in another tone.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// A count of something bad: [`Tone::Bad`] unless it is zero.
    pub fn bad_count(label: impl Into<String>, count: u64) -> Self {
        let tone = if count > 0 { Tone::Bad } else { Tone::Plain };
        Self::one(label, Some(count.to_string())).toned(tone)
    }
}
