//! The task `ack`: the pipeline acknowledges each frame with a code. Only delivery and latency are scored.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use shared::protocol::message::{Payload, PayloadError};
use smallvec::smallvec;

use super::figures::{Figure, TaskFigures, Tone};
use super::seam::{Chart, ChartValue, Scored, Scorer, Task};
use crate::score::bounds::Bounds;
use crate::score::cells::{Cell, Cells, Column, Columns};
use crate::score::record::{FrameRecord, Outcome};
use crate::truth::Truth;

/// Different codes counted separately. All further codes share one count, so no peer can use more memory.
const MAX_CODES: usize = 64;

/// Codes listed in a summary: as many as fit on one line of a terminal.
const LISTED_CODES: usize = 8;

/// The task `ack`.
#[derive(Debug)]
pub(super) struct AckTask;

impl Task for AckTask {
    fn name(&self) -> &'static str {
        "ack"
    }

    fn columns(&self) -> Columns {
        const ANSWER: &[Column] = &[Column::integer("code").shown("code", 10, 0)];
        Columns { truth: &[], answer: ANSWER, residual: &[] }
    }

    fn chart(&self) -> Chart {
        Chart { heading: "LATENCY", unit: "ms", gap: "not answered", value: ChartValue::LatencyMs }
    }

    fn frame_figures(&self, record: &FrameRecord) -> Vec<Figure> {
        let code = record.answer.as_ref().and_then(|answer| answer.first()).map(|code| code.rounded(0));
        vec![Figure::one("Code", code).toned(Tone::Estimate)]
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        Box::new(AckScorer::default())
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<AckFigures>()
    }
}

/// Counts the codes of a session.
#[derive(Debug, Default)]
struct AckScorer {
    codes: BTreeMap<i64, u64>,
    other_codes: u64,
}

/// The report's object `ack`.
#[derive(Debug, Serialize, JsonSchema)]
struct AckFigures {
    /// Frames per code, for the first 64 different codes.
    codes: BTreeMap<String, u64>,
    /// Frames acknowledged with any other code.
    other_codes: u64,
}

impl Scorer for AckScorer {
    fn read(&self, payload: &Payload<'_>) -> Result<Cells, PayloadError> {
        if payload.kind() != "ack" {
            return Err(payload.unexpected("ack, dropped"));
        }
        let wrong = PayloadError::Type { field: "code", expected: "a whole number of at most 64 bits, with sign" };
        let code = i64::try_from(payload.integer("code")?).map_err(|_| wrong)?;
        Ok(smallvec![Cell::Integer(code)])
    }

    fn score(&mut self, _: Truth, _: Outcome, answer: Option<&[Cell]>) -> Scored {
        if let Some(&[Cell::Integer(code)]) = answer {
            let has_room = self.codes.len() < MAX_CODES;
            match self.codes.entry(code) {
                Entry::Occupied(mut count) => *count.get_mut() += 1,
                Entry::Vacant(place) if has_room => {
                    place.insert(1);
                }
                Entry::Vacant(_) => self.other_codes += 1,
            }
        }
        Scored { truth: Cells::new(), residual: Cells::new() }
    }

    fn session_figures(&self) -> [Vec<Figure>; 2] {
        let answered = self.codes.values().sum::<u64>() + self.other_codes;
        [vec![], vec![Figure::one("Acknowledged", Some(answered.to_string()))]]
    }

    fn figures(&self) -> TaskFigures {
        let codes = self.codes.iter().map(|(code, count)| (code.to_string(), *count)).collect();
        let figures = AckFigures { codes, other_codes: self.other_codes };
        let answered = self.codes.values().sum::<u64>() + self.other_codes;
        let mut listed: Vec<_> = self.codes.iter().map(|(code, count)| format!("{code}: {count}")).collect();
        if listed.len() > LISTED_CODES {
            let more = listed.split_off(LISTED_CODES).len();
            let at_least = if self.other_codes > 0 { "at least " } else { "" };
            listed.push(format!("and {at_least}{more} more codes"));
        }
        TaskFigures {
            name: AckTask.name(),
            // Maps and counts always have a JSON form.
            object: serde_json::to_value(figures).unwrap_or_default(),
            answered: format!("{answered} acknowledged"),
            lines: if listed.is_empty() { vec![] } else { vec![("codes", listed.join(", "))] },
            circles: None,
            error_px: None,
            bounds: Bounds::new(),
            warnings: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::protocol::message::Value;

    use super::*;

    fn read(code: i128) -> Result<Cells, PayloadError> {
        AckScorer::default().read(&Payload::new("ack").with("code", Value::Integer(code)))
    }

    fn scored(codes: impl IntoIterator<Item = i64>) -> TaskFigures {
        let mut scorer = AckScorer::default();
        for code in codes {
            let answer = read(code.into()).unwrap();
            scorer.score(Truth::Unknown, Outcome::Answered, Some(&answer));
        }
        scorer.figures()
    }

    #[test]
    fn any_integer_is_a_code_and_is_counted() {
        let figures = scored([0, 0, -7, i64::MAX]);
        let expected = serde_json::json!({"codes": {"0": 2, "-7": 1, "9223372036854775807": 1}, "other_codes": 0});
        assert_eq!(figures.object, expected);
        assert_eq!(figures.answered, "4 acknowledged");
    }

    #[test]
    fn an_answer_without_a_code_is_refused_and_the_error_says_why() {
        assert!(read(i128::from(u64::MAX)).is_err());
        let scorer = AckScorer::default();
        let refused = scorer.read(&Payload::new("ack")).unwrap_err().to_string();
        assert_eq!(refused, "kind \"ack\" without code");
        let refused = scorer.read(&Payload::new("none")).unwrap_err().to_string();
        assert_eq!(refused, "kind \"none\" is not one of ack, dropped");
    }

    #[test]
    fn a_new_code_for_each_frame_does_not_grow_the_memory() {
        let figures = scored(0..1000);
        assert_eq!(figures.object["codes"].as_object().unwrap().len(), MAX_CODES);
        assert_eq!(figures.object["other_codes"], 1000 - MAX_CODES as u64);
    }
}
