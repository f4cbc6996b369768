//! The task `circle`: find the ball. The score is the distance between the two centres, compared with the limit: the
//! least error that the frame allows.
//!
//! [`error`] gathers residuals, [`efficiency`] compares them with the limit, `summary` writes the lines for people.

pub mod efficiency;
pub mod error;
mod summary;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use shared::canvas::figure::{error_pixels, pixels};
use shared::geometry::{Circle, CircleEstimate, Covariance};
use shared::protocol::message::{Ellipse, FoundCircle, Payload, PayloadError};
use smallvec::smallvec;

use super::figures::{Figure, TaskFigures, Tone};
use super::schema1::{CircleCounts, LimitKind};
use super::seam::{Chart, ChartValue, Scored, Scorer, Task};
use crate::doctor::{Examined, Found};
use crate::scene::Radii;
use crate::score::cells::{Cell, Cells, Column, Columns};
use crate::score::record::{FrameRecord, Outcome};
use crate::truth::{Limit, Projected, Truth};

use error::{ErrorStats, PixelError};

/// The task `circle`.
#[derive(Debug)]
pub struct CircleTask;

/// The `truth` of a frame that shows a ball.
const BALL: &str = "ball";

/// The `truth` of a frame that shows none.
const NO_BALL: &str = "no ball";

/// The `truth` of a frame whose truth is not known.
const UNKNOWN: &str = "unknown";

const TRUTH: &[Column] = &[
    Column::word("truth", &[BALL, NO_BALL, UNKNOWN]),
    Column::real("truth_x").shown("actual x", 10, 3).narrow("actual x", 8),
    Column::real("truth_y").shown("actual y", 10, 3).narrow("actual y", 8),
    Column::real("truth_radius"),
    Column::real("limit_l1"),
    Column::real("centre_x"),
    Column::real("centre_y"),
    Column::real("centroid_x"),
    Column::real("centroid_y"),
    Column::real("plane_x"),
    Column::real("plane_y"),
    Column::real("plane_radius"),
    Column::integer("pose"),
];

const ANSWER: &[Column] = &[
    Column::word("kind", &["circle", "none"]),
    Column::real("x").shown("estimate x", 10, 3).narrow("estim. x", 8),
    Column::real("y").shown("estimate y", 10, 3).narrow("estim. y", 8),
    Column::real("radius"),
    Column::real("cov_xx"),
    Column::real("cov_xy"),
    Column::real("cov_yy"),
    Column::real("axis_a"),
    Column::real("axis_b"),
    Column::real("angle"),
];

/// Index of `axis_a` in the answer columns.
const ELLIPSE: usize = 7;

const RESIDUAL: &[Column] = &[
    Column::real("dx"),
    Column::real("dy"),
    Column::real("l1").shown("error px", 9, 4).narrow("error px", 8),
    Column::real("cumulative_l1").shown("cumulative px", 13, 3).narrow("total px", 9),
    Column::integer("missed"),
];

/// Index of `l1` in the residual columns.
const L1: usize = 2;

impl Task for CircleTask {
    fn name(&self) -> &'static str {
        shared::protocol::message::CIRCLE_TASK
    }

    fn columns(&self) -> Columns {
        Columns { truth: TRUTH, answer: ANSWER, residual: RESIDUAL }
    }

    fn chart(&self) -> Chart {
        Chart { heading: "FRAME ERROR", unit: "px", gap: "not scored", value: ChartValue::Residual(L1) }
    }

    fn frame_figures(&self, record: &FrameRecord) -> Vec<Figure> {
        let place = |circle: Option<CircleEstimate>| [circle.map(|c| pixels(c.x)), circle.map(|c| pixels(c.y))];
        let estimate = record.answer.as_ref().and_then(|answer| self.estimate(answer));
        let error = record.residual.get(L1).and_then(|l1| l1.number());
        vec![
            Figure::two("Actual", place(record.truth.ball().map(|(ball, _)| ball))).toned(Tone::Truth),
            Figure::two("Estimated", place(estimate)).toned(Tone::Estimate),
            Figure::one("Frame error px", error.map(error_pixels)),
        ]
    }

    fn has_places(&self) -> bool {
        true
    }

    fn estimate(&self, answer: &[Cell]) -> Option<CircleEstimate> {
        found(answer).map(|found| found.circle)
    }

    fn truth(&self, cells: &[Cell], limit: LimitKind) -> Truth {
        truth(cells, limit)
    }

    fn scorer(&self) -> Box<dyn Scorer> {
        Box::new(CircleScorer::default())
    }

    fn schema(&self, generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<CircleFigures>()
    }
}

/// The report's object `circle`.
#[derive(Debug, Serialize, JsonSchema)]
struct CircleFigures {
    #[serde(flatten)]
    counts: CircleCounts,
}

/// Gathers the errors and counts of a session.
#[derive(Debug, Default)]
struct CircleScorer {
    counts: CircleCounts,
    errors: ErrorStats,
    examined: Examined,
    /// Frames whose truth was known.
    with_truth: u64,
    /// Frames whose truth was not known.
    without_truth: u64,
    /// Radii of the balls that were missed, in px.
    missed_px: Option<Radii>,
}

impl Scorer for CircleScorer {
    fn read(&self, payload: &Payload<'_>) -> Result<Cells, PayloadError> {
        match FoundCircle::read(payload)? {
            Some(found) => Ok(cells(found, Ellipse::read(payload)?)),
            None => Ok(smallvec![Cell::Word("none")]),
        }
    }

    fn score(&mut self, truth: Truth, _: Outcome, answer: Option<&[Cell]>) -> Scored {
        let found = answer.and_then(found);
        let ball = truth.ball();
        let missed = answer.map(|_| ball.is_some() && found.is_none());
        self.count(truth, answer.is_some(), found.is_some());
        if let (Some(true), Some((ball, _))) = (missed, ball) {
            self.miss(ball.radius);
        }
        let error = match (ball, found) {
            (Some((ball, limit)), Some(FoundCircle { circle: estimate, covariance })) => {
                let error = PixelError::of(estimate, ball);
                self.errors.add(error, limit, covariance);
                Some(error)
            }
            _ => None,
        };
        self.examined.add(ball, found.map(|found| examined(found, error)));
        let [dx, dy, l1] = [error.map(|e| e.dx), error.map(|e| e.dy), error.map(PixelError::l1)].map(Cell::from);
        // Whether a ball was missed is known only if truth and answer are.
        let missed = missed.filter(|_| truth != Truth::Unknown);
        let missed = missed.map_or(Cell::Empty, |missed| Cell::Integer(i64::from(missed)));
        let residual = smallvec![dx, dy, l1, self.cumulative_px().into(), missed];
        Scored { truth: truth_cells(truth), residual }
    }

    fn session_figures(&self) -> [Vec<Figure>; 2] {
        let (efficiency, bias) = (self.errors.efficiency(), self.errors.bias());
        let limit = efficiency.map_or("the limit", |(_, kind)| kind.describe());
        let sums = vec![
            Figure::one("Cumulative error px", self.cumulative_px().map(pixels)),
            Figure::one("Mean error px", self.errors.mean_l1_px().map(error_pixels)),
            Figure::two("Bias x, y px", [bias.x, bias.y].map(|mean| mean.map(error_pixels))),
            Figure::one(format!("x {limit}"), efficiency.map(|(ratio, _)| format!("{ratio:.2}"))),
        ];
        let answered = vec![
            Figure::one("Circle", Some(self.counts.circle.to_string())),
            Figure::one("No circle", Some(self.counts.no_circle.to_string())),
            Figure::bad_count("Missed", self.counts.missed),
        ];
        [sums, answered]
    }

    fn figures(&self) -> TaskFigures {
        let error_px = (!self.is_blind()).then(|| self.errors.figures());
        TaskFigures {
            name: CircleTask.name(),
            // Counts always have a JSON form.
            object: serde_json::to_value(CircleFigures { counts: self.counts }).unwrap_or_default(),
            answered: answered(self.counts),
            lines: summary::lines(self.counts, error_px.as_ref(), self.missed_px),
            circles: Some(self.counts),
            warnings: self.examined.warnings(),
            bounds: error_px.as_ref().map(|_| self.errors.bounds()).unwrap_or_default(),
            error_px,
        }
    }
}

impl CircleScorer {
    /// Sum of the errors so far; `None` if the source knows no truth.
    fn cumulative_px(&self) -> Option<f64> {
        (!self.is_blind()).then(|| self.errors.sum_l1_px())
    }

    /// Whether the source seems to know no truth: there were frames, and none had a truth.
    fn is_blind(&self) -> bool {
        self.without_truth > 0 && self.with_truth == 0
    }

    fn miss(&mut self, radius: Option<f64>) {
        self.counts.missed += 1;
        let Some(radius) = radius else { return };
        let known = self.missed_px.unwrap_or(Radii::one(radius));
        self.missed_px = Some(Radii { min: known.min.min(radius), max: known.max.max(radius) });
    }

    fn count(&mut self, truth: Truth, answered: bool, found: bool) {
        self.counts.circle += u64::from(found);
        self.counts.no_circle += u64::from(answered && !found);
        if truth == Truth::Empty {
            self.counts.empty += 1;
            self.counts.false_positive += u64::from(found);
        }
        let is_known = truth != Truth::Unknown;
        self.with_truth += u64::from(is_known);
        self.without_truth += u64::from(!is_known);
    }
}

/// What the doctor examines of an answer.
fn examined(FoundCircle { circle, covariance }: FoundCircle, error: Option<PixelError>) -> Found {
    Found {
        at: circle,
        normalised: error.zip(covariance).and_then(|(error, covariance)| error.normalised_squared(covariance)),
    }
}

/// What was answered, and how much of it wrongly.
fn answered(CircleCounts { circle, no_circle, missed, .. }: CircleCounts) -> String {
    match missed {
        0 => format!("{circle} circle, {no_circle} none"),
        missed => format!("{circle} circle, {no_circle} none ({missed} missed)"),
    }
}

fn truth_cells(truth: Truth) -> Cells {
    match truth {
        Truth::Ball { circle: Circle { x, y, radius }, limit } => {
            smallvec![Cell::Word(BALL), Cell::Real(x), Cell::Real(y), Cell::Real(radius), limit.px().into()]
        }
        Truth::Projected { circle, limit, projected: Projected { centre, centroid, plane, pose } } => {
            let mut cells = truth_cells(Truth::Ball { circle, limit });
            let points = [centre.0, centre.1, centroid.0, centroid.1, plane.x, plane.y, plane.radius];
            cells.extend(points.map(Cell::Real));
            cells.push(Cell::Integer(pose.into()));
            cells
        }
        Truth::Centre { x, y } => smallvec![Cell::Word(BALL), Cell::Real(x), Cell::Real(y)],
        Truth::Empty => smallvec![Cell::Word(NO_BALL)],
        // Several balls are the truth of the task `count` alone.
        Truth::Balls(_) | Truth::Unknown => smallvec![Cell::Word(UNKNOWN)],
    }
}

/// Reads a truth from its columns: the inverse of [`truth_cells`].
fn truth(cells: &[Cell], limit: LimitKind) -> Truth {
    match *cells {
        [Cell::Word(BALL), Cell::Real(x), Cell::Real(y), Cell::Real(radius), px, ref more @ ..] => {
            let limit = px.number().map_or(Limit::Unknown, |px| limit.of(px));
            let circle = Circle { x, y, radius };
            match projected(more) {
                Some(projected) => Truth::Projected { circle, limit, projected },
                None => Truth::Ball { circle, limit },
            }
        }
        [Cell::Word(BALL), Cell::Real(x), Cell::Real(y), ..] => Truth::Centre { x, y },
        [Cell::Word(NO_BALL), ..] => Truth::Empty,
        _ => Truth::Unknown,
    }
}

/// Reads what is seen through a lens from the columns after the limit.
fn projected(cells: &[Cell]) -> Option<Projected> {
    let &[
        Cell::Real(centre_x),
        Cell::Real(centre_y),
        Cell::Real(centroid_x),
        Cell::Real(centroid_y),
        Cell::Real(x),
        Cell::Real(y),
        Cell::Real(radius),
        Cell::Integer(pose),
        ..,
    ] = cells
    else {
        return None;
    };
    let (centre, centroid) = ((centre_x, centre_y), (centroid_x, centroid_y));
    Some(Projected { centre, centroid, plane: Circle { x, y, radius }, pose: u32::try_from(pose).ok()? })
}

/// Writes a found circle into the answer columns; its ellipse is only for files.
fn cells(FoundCircle { circle, covariance }: FoundCircle, ellipse: Option<Ellipse>) -> Cells {
    let CircleEstimate { x, y, radius } = circle;
    let mut cells = smallvec![Cell::Word("circle"), Cell::Real(x), Cell::Real(y), radius.into()];
    if let Some(Covariance { xx, xy, yy }) = covariance {
        cells.extend([xx, xy, yy].map(Cell::Real));
    }
    if let Some(Ellipse { axes: [a, b], angle }) = ellipse {
        cells.resize(ELLIPSE, Cell::Empty);
        cells.extend([a, b, angle].map(Cell::Real));
    }
    cells
}

/// Reads a found circle from the answer columns: the inverse of [`cells`].
fn found(answer: &[Cell]) -> Option<FoundCircle> {
    let [_, Cell::Real(x), Cell::Real(y), radius, ref more @ ..] = *answer else { return None };
    let covariance = match *more {
        [Cell::Real(xx), Cell::Real(xy), Cell::Real(yy), ..] => Some(Covariance { xx, xy, yy }),
        _ => None,
    };
    Some(FoundCircle { circle: CircleEstimate { x, y, radius: radius.number() }, covariance })
}

#[cfg(test)]
mod tests;
