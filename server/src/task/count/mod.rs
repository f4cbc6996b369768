//! The task `count`: say how many balls the frame shows. The score is the share of frames answered with exactly the
//! right number, and the mean error in balls.

mod confusion;
mod wilson;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use shared::protocol::message::{BallCount, Payload, PayloadError};
use smallvec::smallvec;

use super::figures::{Figure, TaskFigures, Tone};
use super::schema1::LimitKind;
use super::seam::{Chart, ChartValue, Scored, Scorer, Task};
use crate::score::batches::Batches;
use crate::score::bounds::{Bound, Bounds};
use crate::score::cells::{Cell, Cells, Column, Columns};
use crate::score::record::{FrameRecord, Outcome};
use crate::truth::Truth;

use confusion::Confusion;

/// Kinds of wrong answers listed in a summary: as many as fit on one line of a terminal.
const LISTED: usize = 5;

const TRUTH: &[Column] = &[Column::integer("truth_count").shown("balls", 10, 0).narrow("balls", 8)];
const ANSWER: &[Column] = &[Column::integer("count").shown("counted", 10, 0)];
const RESIDUAL: &[Column] = &[Column::integer("residual").shown("error", 9, 0)];

/// The task `count`.
#[derive(Debug)]
pub(super) struct CountTask;

impl Task for CountTask {
    fn name(&self) -> &'static str {
        "count"
    }

    fn columns(&self) -> Columns {
        Columns { truth: TRUTH, answer: ANSWER, residual: RESIDUAL }
    }

    fn chart(&self) -> Chart {
        Chart { heading: "FRAME ERROR", unit: "balls", gap: "not scored", value: ChartValue::Magnitude(0) }
    }

    fn frame_figures(&self, record: &FrameRecord) -> Vec<Figure> {
        let shown = |cells: &[Cell]| cells.first().filter(|cell| **cell != Cell::Empty).map(|cell| cell.rounded(0));
        vec![
            Figure::one("Actual", shown(&record.truth_cells)).toned(Tone::Truth),
            Figure::one("Counted", record.answer.as_deref().and_then(shown)).toned(Tone::Estimate),
            Figure::one("Error", shown(&record.residual)),
        ]
    }

    fn truth(&self, cells: &[Cell], _: LimitKind) -> Truth {
        counted(cells).map_or(Truth::Unknown, Truth::Balls)
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        Box::new(CountScorer::default())
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<CountFigures>()
    }
}

/// The report's object `count`.
#[derive(Debug, Serialize, JsonSchema)]
struct CountFigures {
    /// Answered frames whose number of balls is known. All other figures are over these frames.
    scored: u64,
    /// Scored frames answered with exactly the right number.
    exact: u64,
    /// exact / scored.
    exact_share: Option<f64>,
    /// Lower end of the 95 % interval of `exact_share` (Wilson score interval).
    exact_share_low: Option<f64>,
    /// Upper end of the 95 % interval of `exact_share` (Wilson score interval).
    exact_share_high: Option<f64>,
    /// Mean of answer minus truth, with its sign, in balls.
    mean_error: Option<f64>,
    /// Mean of the magnitude of answer minus truth, in balls.
    mean_absolute_error: Option<f64>,
    /// Scored frames by truth (12 rows) and answer (12 columns): 0 to 10, then more than 10.
    confusion: [[u64; confusion::SIDE]; confusion::SIDE],
}

/// Gathers the errors of a session. All sums are whole numbers, so they are exact.
#[derive(Debug, Default)]
struct CountScorer {
    answered: u64,
    scored: u64,
    exact: u64,
    error: i64,
    absolute_error: u64,
    /// Errors and their magnitudes.
    batches: Batches<2>,
    confusion: Confusion,
}

impl Scorer for CountScorer {
    fn read(&self, payload: &Payload<'_>) -> Result<Cells, PayloadError> {
        let BallCount(count) = BallCount::read(payload)?;
        Ok(smallvec![Cell::Integer(count.into())])
    }

    fn score(&mut self, truth: Truth, _: Outcome, answer: Option<&[Cell]>) -> Scored {
        let answer = answer.and_then(counted);
        self.answered += u64::from(answer.is_some());
        let truth = balls(truth);
        let error = truth.zip(answer).map(|(truth, answer)| self.add(truth, answer));
        let cell = |number: Option<i64>| smallvec![number.map_or(Cell::Empty, Cell::Integer)];
        Scored { truth: cell(truth.map(i64::from)), residual: cell(error) }
    }

    fn session_figures(&self) -> [Vec<Figure>; 2] {
        let CountFigures { exact_share, mean_error, mean_absolute_error, .. } = self.own();
        let sums = vec![
            Figure::one("Exactly right %", exact_share.map(percent)),
            Figure::one("Mean error", mean_error.map(signed)),
            Figure::one("Mean absolute error", mean_absolute_error.map(|mean| format!("{mean:.3}"))),
        ];
        let wrong = Figure::bad_count("Wrong number", self.scored - self.exact);
        [sums, vec![Figure::one("Counted", Some(self.answered.to_string())), wrong]]
    }

    fn figures(&self) -> TaskFigures {
        let own = self.own();
        TaskFigures {
            name: CountTask.name(),
            answered: format!("{} counted", self.answered),
            lines: self.lines(&own),
            // Finite numbers always have a JSON form.
            object: serde_json::to_value(own).unwrap_or_default(),
            circles: None,
            error_px: None,
            bounds: self.bounds(),
            warnings: Vec::new(),
        }
    }
}

impl CountScorer {
    /// Counts a frame, and returns its error: answer minus truth.
    fn add(&mut self, truth: u32, answer: u32) -> i64 {
        let error = i64::from(answer) - i64::from(truth);
        self.scored += 1;
        self.exact += u64::from(error == 0);
        self.error += error;
        self.absolute_error += error.unsigned_abs();
        self.batches.add([error as f64, error.unsigned_abs() as f64]);
        self.confusion.add(truth, answer);
        error
    }

    fn own(&self) -> CountFigures {
        let mean = |sum: f64| (self.scored > 0).then(|| sum / self.scored as f64);
        let [low, high] = wilson::interval(self.exact, self.scored).map_or([None; 2], |ends| ends.map(Some));
        CountFigures {
            scored: self.scored,
            exact: self.exact,
            exact_share: mean(self.exact as f64),
            exact_share_low: low,
            exact_share_high: high,
            mean_error: mean(self.error as f64),
            mean_absolute_error: mean(self.absolute_error as f64),
            confusion: self.confusion.rows(),
        }
    }

    /// The bounds of the report's figures, by path.
    fn bounds(&self) -> Bounds {
        let mean = |sum: f64, at: usize| Bound::of_mean(sum / self.scored as f64, &self.batches, |values| values[at]);
        let bounds = [
            ("exact_share", Bound::of_share(self.exact, self.scored)),
            ("mean_error", mean(self.error as f64, 0)),
            ("mean_absolute_error", mean(self.absolute_error as f64, 1)),
        ];
        bounds.into_iter().filter_map(|(name, bound)| Some((format!("count.{name}"), bound?))).collect()
    }

    /// Lines for the summary. Empty until a frame is scored.
    fn lines(&self, own: &CountFigures) -> Vec<(&'static str, String)> {
        let (Some(share), Some(low), Some(high)) = (own.exact_share, own.exact_share_low, own.exact_share_high) else {
            return Vec::new();
        };
        let (exact, scored) = (self.exact, self.scored);
        let [share, low, high] = [share, low, high].map(percent);
        let mut lines =
            vec![("count", format!("{exact} of {scored} exactly right: {share} % (95 %: {low} to {high})"))];
        if let (Some(mean), Some(absolute)) = (own.mean_error, own.mean_absolute_error) {
            lines.push(("", format!("mean error {} balls, mean absolute error {absolute:.3}", signed(mean))));
        }
        let mut wrong = self.confusion.wrong();
        if wrong.len() > LISTED {
            let more = wrong.split_off(LISTED).len();
            wrong.push(format!("and {more} more kinds"));
        }
        if !wrong.is_empty() {
            lines.push(("", format!("frames counted wrong: {}", wrong.join(", "))));
        }
        lines
    }
}

/// The number of balls that a frame is known to show.
fn balls(truth: Truth) -> Option<u32> {
    match truth {
        Truth::Balls(count) => Some(count),
        Truth::Ball { .. } | Truth::Projected { .. } | Truth::Centre { .. } => Some(1),
        Truth::Empty => Some(0),
        Truth::Unknown => None,
    }
}

/// The number in the columns of the answer, or in those of the truth.
fn counted(answer: &[Cell]) -> Option<u32> {
    match *answer {
        [Cell::Integer(count)] => u32::try_from(count).ok(),
        _ => None,
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

fn signed(mean: f64) -> String {
    format!("{mean:+.3}")
}

#[cfg(test)]
mod tests;
