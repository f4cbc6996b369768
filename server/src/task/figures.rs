//! What a task says of a session or a frame, for every output at once.

use super::schema1::{CircleCounts, ErrorFigures};

/// A task's part of the report and of the summary.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskFigures {
    /// The task's name.
    pub name: &'static str,
    /// The object of that name in the report.
    pub object: serde_json::Value,
    /// How frames were answered, for the summary's first line.
    pub answered: String,
    /// Further lines of the summary: a label, absent where the line goes on, and its text.
    pub lines: Vec<(&'static str, String)>,
    /// The counts that schema 1 keeps among `frames`; absent in every task but `circle`.
    pub circles: Option<CircleCounts>,
    /// `error_px` of schema 1; absent in every task but `circle`, and where no truth was known.
    pub error_px: Option<ErrorFigures>,
}

/// A labelled figure of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What it is, with its unit.
    pub label: String,
    /// Up to two values side by side; `None` where one is not known yet.
    pub values: Vec<Option<String>>,
    /// How it is coloured.
    pub tone: Tone,
}

/// How a figure is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As text.
    Plain,
    /// As what belongs to the truth.
    Truth,
    /// As what belongs to the estimate.
    Estimate,
    /// As something bad.
    Bad,
}

impl Figure {
    /// A figure of one value.
    pub fn one(label: impl Into<String>, value: Option<String>) -> Self {
        Self { label: label.into(), values: vec![value], tone: Tone::Plain }
    }

    /// A figure of two values.
    pub fn two(label: impl Into<String>, values: [Option<String>; 2]) -> Self {
        Self { label: label.into(), values: values.into(), tone: Tone::Plain }
    }

    /// The same figure in another tone.
    #[must_use]
    pub fn toned(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// A count of something bad, which stands out unless it is zero.
    pub fn bad_count(label: impl Into<String>, count: u64) -> Self {
        let tone = if count > 0 { Tone::Bad } else { Tone::Plain };
        Self::one(label, Some(count.to_string())).toned(tone)
    }
}
