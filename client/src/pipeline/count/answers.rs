//! Shows answers of kind `count`.

use shared::canvas::face::Section;
use shared::canvas::theme::Tone;
use shared::protocol::message::Payload;

use crate::pipeline::answers::{AnswerKind, Answers};

/// The answers of a pipeline that counts.
#[derive(Debug)]
pub(super) struct Counts;

impl Answers for Counts {
    fn kinds(&self) -> &'static [AnswerKind] {
        &[AnswerKind { name: "count", label: "Counted", is_bad: false }]
    }

    fn work(&self) -> &'static str {
        "detection"
    }

    fn header(&self) -> &'static str {
        "  balls  detect ms"
    }

    fn row(&self, payload: &Payload<'_>) -> String {
        format!("{:>7}", number(payload).unwrap_or_else(|| payload.kind().to_owned()))
    }

    fn gap(&self) -> &'static str {
        "without count"
    }

    fn frame_section(&self, heading: String, payload: Option<&Payload<'_>>) -> Section {
        Section::new(heading, "").row("Balls", [payload.and_then(number)], Tone::Estimate)
    }
}

/// The number of an answer, as text.
fn number(payload: &Payload<'_>) -> Option<String> {
    payload.integer("count").ok().map(|count| count.to_string())
}

#[cfg(test)]
mod tests {
    use shared::protocol::message::Value;

    use super::*;

    #[test]
    fn rows_are_as_wide_as_their_header() {
        let answer = Payload::new("count").with("count", Value::Integer(12));
        assert_eq!(Counts.row(&answer), "     12");
        assert_eq!(Counts.row(&answer).len() + "  detect ms".len(), Counts.header().len());
        assert_eq!(Counts.row(&Payload::dropped()), "dropped");
    }
}
