//! How a pipeline's answers are counted and shown.

use std::fmt::{Debug, Write};

use shared::canvas::face::Section;
use shared::canvas::mark::{Legend, Mark};
use shared::canvas::theme::Tone;
use shared::protocol::message::{Payload, Value};

/// A kind of answer. `dropped` belongs to every pipeline and is listed by none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerKind {
    /// Its name on the wire and in the summary.
    pub name: &'static str,
    /// Its label in the window.
    pub label: &'static str,
    /// Whether it stands out in the window, and leaves a gap in the chart.
    pub is_bad: bool,
}

/// The answers a pipeline gives, as people read them. Only the kinds must be named: the rest fits any answer.
pub trait Answers: Debug + Sync {
    /// The kinds, in the order in which they are counted.
    fn kinds(&self) -> &'static [AnswerKind];

    /// What the pipeline's work on a frame is called.
    fn work(&self) -> &'static str {
        "answer"
    }

    /// The head of a row, from the second column on.
    fn header(&self) -> &'static str {
        "                  answer  answer ms"
    }

    /// An answer in a row, as wide as its columns.
    fn row(&self, payload: &Payload<'_>) -> String {
        format!("{:>24}", text(payload))
    }

    /// What stands in the chart where an answer leaves a gap.
    fn gap(&self) -> &'static str {
        "without answer"
    }

    /// The window's section of one frame, `None` before the first.
    fn frame_section(&self, heading: String, payload: Option<&Payload<'_>>) -> Section {
        Section::new(heading, "").row("Answer", [payload.map(text)], Tone::Estimate)
    }

    /// What is marked in the picture.
    fn mark(&self, _payload: &Payload<'_>) -> Option<Mark> {
        None
    }

    /// Which marks there may be.
    fn legend(&self) -> Legend {
        Legend::Nothing
    }
}

/// The answers of a pipeline that is not chosen yet: none.
#[derive(Debug)]
pub struct NoAnswers;

impl Answers for NoAnswers {
    fn kinds(&self) -> &'static [AnswerKind] {
        &[]
    }
}

/// The kind, and each number with its name.
fn text(payload: &Payload<'_>) -> String {
    payload.fields().fold(payload.kind().to_owned(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Integer(value) => write!(text, " {name} {value}"),
            Value::Real(value) => write!(text, " {name} {value:.3}"),
            Value::Numbers(_) | Value::Other => Ok(()),
        };
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_answer_has_a_row_as_wide_as_its_header() {
        let answer = Payload::new("count").with("balls", Value::Integer(3)).with("sure", Value::Real(0.5));
        assert_eq!(NoAnswers.row(&answer), format!("{:>24}", "count balls 3 sure 0.500"));
        assert_eq!(NoAnswers.row(&answer).len() + "  answer ms".len(), NoAnswers.header().len());
    }
}
