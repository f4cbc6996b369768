//! The figures that are compared, by task: how each is computed from the frames, and whether smaller is better.
//!
//! A figure has the same path as in the report; a share of frames has the path of its count. Figures that are not in
//! [`of_task`] are listed with their values, but not judged.

use super::frames::{Column, Fate, Frame};

/// Share of the 5 % risk for the main figures of a task together; the other figures share the rest. With this value,
/// 300 frames show errors that are 5 % larger (`simulation`).
const MAIN_WEIGHT: f64 = 0.8;

/// A figure that is compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figure {
    /// Its path.
    pub(super) path: &'static str,
    /// How it is computed from the frames.
    pub(super) kind: Kind,
    /// Whether a smaller one is better.
    pub(super) smaller_is_better: bool,
    /// Whether it is a main figure of the task.
    is_main: bool,
}

/// How a figure is computed from the frames.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// The mean of a value.
    Mean(Value),
    /// The root of the mean of a square.
    Root(Value),
    /// The magnitude of the mean of a signed value.
    Magnitude(Value),
    /// A percentile of a value. The percentile is a share from 0 to 1.
    Percentile(f64, Value),
    /// The share of frames for which a condition holds. If only reports are known, it is the ratio of these two counts.
    Share(Holds, [&'static str; 2]),
}

/// A value of a frame, if it has one.
pub(super) type Value = fn(&Frame) -> Option<f64>;

/// Whether a condition holds for a frame; `None` if it does not apply to the frame.
pub(super) type Holds = fn(&Frame) -> Option<bool>;

impl Figure {
    const fn smaller(path: &'static str, kind: Kind) -> Self {
        Self { path, kind, smaller_is_better: true, is_main: false }
    }

    const fn larger(path: &'static str, kind: Kind) -> Self {
        Self { path, kind, smaller_is_better: false, is_main: false }
    }

    const fn main(self) -> Self {
        Self { is_main: true, ..self }
    }
}

const LOST: Figure = Figure::smaller("frames.lost", Kind::Share(lost, ["frames.lost", "frames.sent"]));
const DROPPED: Figure = Figure::smaller("frames.dropped", Kind::Share(dropped, ["frames.dropped", "frames.sent"]));

const CIRCLE: &[Figure] = &[
    Figure::smaller("error_px.l1.mean", Kind::Mean(l1)).main(),
    Figure::smaller("error_px.l2.rms", Kind::Root(l2_squared)).main(),
    Figure::smaller("error_px.l1.p50", Kind::Percentile(0.50, l1)),
    Figure::smaller("error_px.l1.p95", Kind::Percentile(0.95, l1)),
    Figure::smaller("error_px.bias.x", Kind::Magnitude(dx)),
    Figure::smaller("error_px.bias.y", Kind::Magnitude(dy)),
    Figure::smaller("frames.missed", Kind::Share(missed, ["frames.missed", "frames.answered"])),
    Figure::smaller("frames.false_positive", Kind::Share(false_positive, ["frames.false_positive", "frames.empty"])),
    LOST,
    DROPPED,
];

const COUNT: &[Figure] = &[
    Figure::larger("count.exact", Kind::Share(exact, ["count.exact", "count.scored"])).main(),
    Figure::smaller("count.mean_absolute_error", Kind::Mean(absolute)).main(),
    LOST,
    DROPPED,
];

const IMAGE: &[Figure] = &[
    Figure::larger("image.psnr_db.mean", Kind::Mean(psnr)).main(),
    Figure::larger("image.identical", Kind::Share(identical, ["image.identical", "image.images"])),
    LOST,
    DROPPED,
];

const ACK: &[Figure] = &[LOST.main(), DROPPED];

/// The figures of a task that are compared. `None` if the task is unknown.
pub(super) fn of_task(task: &str) -> Option<&'static [Figure]> {
    match task {
        "circle" => Some(CIRCLE),
        "count" => Some(COUNT),
        "image" => Some(IMAGE),
        "ack" => Some(ACK),
        _ => None,
    }
}

/// All figures of all tasks.
pub(super) fn all() -> impl Iterator<Item = &'static Figure> {
    [CIRCLE, COUNT, IMAGE, ACK].into_iter().flatten()
}

/// The weight of a figure in Holm's correction, if all of `among` are tested.
pub(super) fn weight(figure: &Figure, among: &[Figure]) -> f64 {
    let alike = among.iter().filter(|other| other.is_main == figure.is_main).count() as f64;
    let all_alike = among.iter().all(|other| other.is_main == figure.is_main);
    let share = if figure.is_main { MAIN_WEIGHT } else { 1.0 - MAIN_WEIGHT };
    if all_alike { 1.0 / alike } else { share / alike }
}

fn l1(frame: &Frame) -> Option<f64> {
    frame.get(Column::L1)
}

fn dx(frame: &Frame) -> Option<f64> {
    frame.get(Column::Dx)
}

fn dy(frame: &Frame) -> Option<f64> {
    frame.get(Column::Dy)
}

fn l2_squared(frame: &Frame) -> Option<f64> {
    Some(dx(frame)?.powi(2) + dy(frame)?.powi(2))
}

fn absolute(frame: &Frame) -> Option<f64> {
    frame.get(Column::Residual).map(f64::abs)
}

fn exact(frame: &Frame) -> Option<bool> {
    frame.get(Column::Residual).map(|residual| residual == 0.0)
}

fn psnr(frame: &Frame) -> Option<f64> {
    frame.get(Column::Psnr)
}

fn identical(frame: &Frame) -> Option<bool> {
    frame.get(Column::Identical).map(|is| is > 0.0)
}

/// Whether the ball was missed. Applies to answered frames with a ball.
fn missed(frame: &Frame) -> Option<bool> {
    let found = frame.get(Column::Circle)? > 0.0;
    (frame.get(Column::Ball)? > 0.0).then_some(!found)
}

/// Whether a circle was found. Applies to answered frames without a ball.
fn false_positive(frame: &Frame) -> Option<bool> {
    let found = frame.get(Column::Circle)? > 0.0;
    (frame.get(Column::Ball)? == 0.0).then_some(found)
}

/// Whether the frame was lost. Applies to frames whose outcome is known.
fn lost(frame: &Frame) -> Option<bool> {
    (frame.fate != Fate::Unresolved).then_some(frame.fate == Fate::Lost)
}

fn dropped(frame: &Frame) -> Option<bool> {
    (frame.fate != Fate::Unresolved).then_some(frame.fate == Fate::Dropped)
}

#[cfg(test)]
mod tests {
    use super::super::frames::tests::frame;
    use super::*;
    use crate::task::TaskName;

    #[test]
    fn every_task_has_figures_whose_weights_add_up_to_one() {
        for task in TaskName::all() {
            let figures = of_task(task.name()).expect("figures");
            let weights: f64 = figures.iter().map(|figure| weight(figure, figures)).sum();
            assert!((weights - 1.0).abs() < 1e-12, "{task}: {weights}");
        }
        assert!(of_task("sorting").is_none());
    }

    #[test]
    fn a_ball_can_be_missed_only_where_there_is_one_and_an_answer() {
        let of = |ball: f64, circle: f64| frame(0, &[(Column::Ball, ball), (Column::Circle, circle)]);
        let both = |frame: &Frame| (missed(frame), false_positive(frame));
        assert_eq!(both(&of(1.0, 0.0)), (Some(true), None));
        assert_eq!(both(&of(1.0, 1.0)), (Some(false), None));
        assert_eq!(both(&of(0.0, 1.0)), (None, Some(true)));
        assert_eq!(both(&frame(0, &[(Column::Ball, 1.0)])), (None, None), "no answer");
        let lost_frame = Frame { fate: Fate::Lost, ..frame(0, &[]) };
        assert_eq!((lost(&lost_frame), dropped(&lost_frame)), (Some(true), Some(false)));
        assert_eq!(lost(&Frame { fate: Fate::Unresolved, ..lost_frame }), None);
    }
}
