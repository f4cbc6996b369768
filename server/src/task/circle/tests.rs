//! Tests of the scorer of the task `circle`, frame by frame.

use super::*;
use crate::truth::Limit;

/// Index of `cumulative_l1` in the residual columns.
const CUMULATIVE: usize = 3;

/// Index of `radius` in the answer columns.
const RADIUS: usize = 3;

/// Index of `missed` in the residual columns.
const MISSED: usize = 4;

fn circle(x: f64) -> Circle {
    Circle { x, y: 0.0, radius: 9.0 }
}

fn ball(x: f64) -> Truth {
    Truth::Ball { circle: circle(x), limit: Limit::Unknown }
}

fn answer(found: Option<Circle>) -> Cells {
    let payload = FoundCircle::write(found.map(|circle| FoundCircle { circle: circle.into(), covariance: None }));
    CircleScorer::default().read(&payload).unwrap()
}

fn score(scorer: &mut CircleScorer, truth: Truth, found: Option<Circle>) -> Scored {
    scorer.score(truth, Outcome::Answered, Some(&answer(found)))
}

#[test]
fn an_error_is_scored_only_with_both_truth_and_estimate() {
    let mut scorer = CircleScorer::default();
    let has_error = |scored: Scored| scored.residual[L1] != Cell::Empty;
    assert!(!has_error(score(&mut scorer, Truth::Empty, Some(circle(2.0)))));
    assert!(!has_error(score(&mut scorer, Truth::Unknown, Some(circle(2.0)))));
    assert!(!has_error(score(&mut scorer, ball(1.0), None)));
    assert!(!has_error(scorer.score(ball(1.0), Outcome::Dropped, None)));
    let scored = score(&mut scorer, ball(1.5), Some(circle(2.0)));
    assert_eq!((scored.residual[L1], scored.residual[CUMULATIVE]), (Cell::Real(0.5), Cell::Real(0.5)));
    assert_eq!(scorer.counts, CircleCounts { circle: 3, no_circle: 1, missed: 1, empty: 1, false_positive: 1 });
}

#[test]
fn a_ball_answered_with_none_is_missed_and_an_empty_frame_is_not() {
    let mut scorer = CircleScorer::default();
    let mut missed = |truth, found| score(&mut scorer, truth, found).residual[MISSED];
    assert_eq!(missed(ball(1.0), None), Cell::Integer(1));
    assert_eq!(missed(ball(1.0), Some(circle(2.0))), Cell::Integer(0));
    assert_eq!(missed(Truth::Empty, None), Cell::Integer(0));
    assert_eq!(missed(Truth::Unknown, None), Cell::Empty);
    assert_eq!(scorer.score(ball(1.0), Outcome::Dropped, None).residual[MISSED], Cell::Empty);
    assert_eq!(scorer.counts, CircleCounts { circle: 1, no_circle: 3, missed: 1, empty: 1, false_positive: 0 });
    assert_eq!(scorer.figures().answered, "1 circle, 3 none (1 missed)");
    assert!(scorer.figures().lines.iter().all(|(label, _)| *label != "missed"), "one was found");
}

#[test]
fn if_every_ball_was_missed_the_summary_says_what_to_change() {
    let mut scorer = CircleScorer::default();
    score(&mut scorer, ball(1.0), None);
    let lines = scorer.figures().lines;
    assert!(lines.iter().any(|(label, text)| *label == "missed" && text.contains("radius 9.0 px")), "{lines:?}");
    assert!(lines.iter().any(|(_, text)| text.contains("--radius") && text.contains("--min-radius")), "{lines:?}");
}

#[test]
fn a_truth_survives_its_columns() {
    let projected = Projected {
        centre: (1.5, 2.5),
        centroid: (1.25, 2.75),
        plane: Circle { x: 3.0, y: 4.0, radius: 9.5 },
        pose: 3,
    };
    let limit = Limit::Bound(0.01);
    for kept in [
        Truth::Ball { circle: circle(2.0), limit },
        Truth::Projected { circle: circle(2.0), limit, projected },
        Truth::Centre { x: 1.0, y: 2.0 },
        Truth::Empty,
        Truth::Unknown,
    ] {
        let mut cells = truth_cells(kept);
        assert!(cells.len() <= TRUTH.len());
        cells.resize(TRUTH.len(), Cell::Empty);
        assert_eq!(truth(&cells, LimitKind::Bound), kept);
    }
}

#[test]
fn a_found_circle_survives_its_columns() {
    let covariance = Some(Covariance { xx: 1.0, xy: 0.5, yy: 2.0 });
    for covariance in [None, covariance] {
        let found = FoundCircle { circle: circle(3.25).into(), covariance };
        let read = CircleScorer::default().read(&FoundCircle::write(Some(found))).unwrap();
        assert_eq!(super::found(&read), Some(found));
        assert!(read.len() <= ANSWER.len());
    }
    assert_eq!(super::found(&answer(None)), None);
}

#[test]
fn an_ellipse_is_kept_in_columns_of_its_own_and_changes_no_score() {
    let covariance = Some(Covariance { xx: 1.0, xy: 0.5, yy: 2.0 });
    for covariance in [None, covariance] {
        let found = FoundCircle { circle: circle(3.25).into(), covariance };
        let payload = Ellipse { axes: [9.5, 8.5], angle: 1.0 }.add_to(FoundCircle::write(Some(found)));
        let read = CircleScorer::default().read(&payload).unwrap();
        assert_eq!(super::found(&read), Some(found));
        assert_eq!(read.len(), ANSWER.len());
        assert_eq!(ANSWER[ELLIPSE].name, "axis_a");
        assert_eq!(read[ELLIPSE..], [9.5, 8.5, 1.0].map(Cell::Real));
        let [plain, with_ellipse] = [FoundCircle::write(Some(found)), payload].map(|payload| {
            let answer = CircleScorer::default().read(&payload).unwrap();
            CircleScorer::default().score(ball(1.0), Outcome::Answered, Some(&answer))
        });
        assert_eq!(plain, with_ellipse);
    }
}

#[test]
fn a_circle_without_a_radius_has_an_empty_column_and_the_same_score() {
    let covariance = Some(Covariance { xx: 1.0, xy: 0.5, yy: 2.0 });
    let ellipse = Ellipse { axes: [9.5, 8.5], angle: 1.0 };
    let [with, without] = [Some(9.0), None].map(|radius| {
        let found = FoundCircle { circle: CircleEstimate { x: 3.1, y: 0.7, radius }, covariance };
        let mut scorer = CircleScorer::default();
        let answer = scorer.read(&ellipse.add_to(FoundCircle::write(Some(found)))).unwrap();
        assert_eq!(super::found(&answer), Some(found));
        let scored = scorer.score(ball(1.3), Outcome::Answered, Some(&answer));
        (answer, scored, scorer.figures())
    });
    assert_eq!(ANSWER[RADIUS].name, "radius");
    assert_eq!((with.0[RADIUS], without.0[RADIUS]), (Cell::Real(9.0), Cell::Empty));
    assert_eq!(with.0[RADIUS + 1..], without.0[RADIUS + 1..]);
    assert_eq!((with.1, with.2.error_px), (without.1, without.2.error_px));
}

#[test]
fn a_circle_with_an_impossible_ellipse_is_refused() {
    let found = FoundCircle::write(Some(FoundCircle { circle: circle(2.0).into(), covariance: None }));
    let payload = Ellipse { axes: [1.0, 2.0], angle: 1.0 }.add_to(found);
    let refused = CircleScorer::default().read(&payload).unwrap_err().to_string();
    assert_eq!(refused, "axes is not two numbers [a, b] in px with 1000000 >= a >= b > 0");
}

#[test]
fn without_any_truth_there_are_no_error_figures() {
    let mut scorer = CircleScorer::default();
    assert!(scorer.figures().error_px.is_some(), "nothing is known yet");
    score(&mut scorer, Truth::Unknown, Some(circle(2.0)));
    let figures = scorer.figures();
    assert_eq!(figures.error_px, None);
    assert!(figures.lines.is_empty(), "{:?}", figures.lines);
    score(&mut scorer, ball(2.0), Some(circle(2.0)));
    assert!(scorer.figures().error_px.is_some());
}

#[test]
fn an_answer_of_another_task_is_refused() {
    let refused = CircleScorer::default().read(&Payload::new("ack")).unwrap_err().to_string();
    assert_eq!(refused, "kind \"ack\" is not one of circle, none, dropped");
}
