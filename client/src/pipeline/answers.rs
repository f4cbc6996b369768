//! Describes how the answers of a pipeline are counted and shown.

use std::fmt::{Debug, Write};

use shared::canvas::face::Section;
use shared::canvas::mark::{Legend, Mark};
use shared::canvas::theme::Tone;
use shared::protocol::message::{Payload, Value};
use shared::text::Escaped;

/// A kind of answer. Every pipeline also has the kind `dropped`, which it does not list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerKind {
    /// Name on the wire and in the summary.
    pub name: &'static str,
    /// Label in the window.
    pub label: &'static str,
    /// Whether the answer is marked as bad in the window and leaves a gap in the chart.
    pub is_bad: bool,
}

/// Describes the answers of a pipeline for people. Only the kinds must be given; the defaults of the rest suit any
/// answer.
pub trait Answers: Debug + Sync {
    /// The kinds, in the order in which they are counted.
    fn kinds(&self) -> &'static [AnswerKind];

    /// Name of the pipeline's work on a frame.
    fn work(&self) -> &'static str {
        "answer"
    }

    /// Heading of the rows, from the second column on.
    fn header(&self) -> &'static str {
        "                  answer  answer ms"
    }

    /// An answer as text for a row, as wide as the columns of the answer.
    fn row(&self, payload: &Payload<'_>) -> String {
        format!("{:>24}", text(payload))
    }

    /// Text in the chart where an answer leaves a gap.
    fn gap(&self) -> &'static str {
        "without answer"
    }

    /// The window's section for one frame. `payload` is `None` before the first frame.
    fn frame_section(&self, heading: String, payload: Option<&Payload<'_>>) -> Section {
        Section::new(heading, "").row("Answer", [payload.map(text)], Tone::Estimate)
    }

    /// Mark of an answer in the picture.
    fn mark(&self, _payload: &Payload<'_>) -> Option<Mark> {
        None
    }

    /// Legend of the marks.
    fn legend(&self) -> Legend {
        Legend::Nothing
    }
}

/// The answers before a pipeline is chosen: no kinds.
#[derive(Debug)]
pub struct NoAnswers;

impl Answers for NoAnswers {
    fn kinds(&self) -> &'static [AnswerKind] {
        &[]
    }
}

/// Writes the kind of an answer, and each number with its name.
fn text(payload: &Payload<'_>) -> String {
    payload.fields().fold(payload.kind().to_owned(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = match value {
            Value::Integer(value) => write!(text, " {name} {value}"),
            Value::Real(value) => write!(text, " {name} {value:.3}"),
            Value::Text(word) => write!(text, " {name} {}", Escaped(word)),
            Value::Bytes(bytes) => write!(text, " {name} {} bytes", bytes.len()),
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
