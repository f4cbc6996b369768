//! Tests of the scorer of the task `count`.

use shared::protocol::message::Value;

use super::*;

fn read(payload: &Payload<'_>) -> Result<Cells, PayloadError> {
    CountScorer::default().read(payload)
}

fn score(scorer: &mut CountScorer, truth: Truth, answer: u32) -> Scored {
    let answer = read(&BallCount(answer).write()).unwrap();
    scorer.score(truth, Outcome::Answered, Some(&answer))
}

#[test]
fn the_figures_of_known_answers_are_those_worked_out_by_hand() {
    let mut scorer = CountScorer::default();
    for (truth, answer) in [(0, 0), (3, 3), (3, 2), (5, 7), (12, 12), (11, 10), (3, 2), (1, 1)] {
        score(&mut scorer, Truth::Balls(truth), answer);
    }
    scorer.score(Truth::Balls(4), Outcome::Dropped, None);
    let figures = scorer.figures();
    let own = &figures.object;
    assert_eq!((&own["scored"], &own["exact"], &own["exact_share"]), (&8.into(), &4.into(), &0.5.into()));
    // −1 + 2 − 1 − 1 = −1 and 1 + 2 + 1 + 1 = 5, over 8 frames.
    assert_eq!((&own["mean_error"], &own["mean_absolute_error"]), (&(-0.125).into(), &0.625.into()));
    assert_eq!(
        (&own["confusion"][3][2], &own["confusion"][5][7], &own["confusion"][11][10]),
        (&2.into(), &1.into(), &1.into())
    );
    assert_eq!(own["confusion"][11][11], 1, "12 as 12");
    assert_eq!(figures.answered, "8 counted");
    let lines: Vec<String> = figures.lines.into_iter().map(|(label, text)| format!("{label}|{text}")).collect();
    assert_eq!(
        lines,
        [
            "count|4 of 8 exactly right: 50.00 % (95 %: 21.52 to 78.48)",
            "|mean error -0.125 balls, mean absolute error 0.625",
            "|frames counted wrong: 3 as 2: 2, 5 as 7: 1, more than 10 as 10: 1",
        ]
    );
}

#[test]
fn the_columns_hold_truth_answer_and_their_difference() {
    let mut scorer = CountScorer::default();
    let scored = score(&mut scorer, Truth::Balls(5), 3);
    assert_eq!((&scored.truth[..], &scored.residual[..]), (&[Cell::Integer(5)][..], &[Cell::Integer(-2)][..]));
    let lost = scorer.score(Truth::Balls(5), Outcome::Unresolved, None);
    assert_eq!((&lost.truth[..], &lost.residual[..]), (&[Cell::Integer(5)][..], &[Cell::Empty][..]));
}

#[test]
fn without_truth_answers_are_counted_and_no_error_is_made_up() {
    let mut scorer = CountScorer::default();
    let scored = score(&mut scorer, Truth::Unknown, 3);
    assert_eq!((scored.truth[0], scored.residual[0]), (Cell::Empty, Cell::Empty));
    let figures = scorer.figures();
    assert_eq!((figures.answered.as_str(), figures.lines.len()), ("1 counted", 0));
    for figure in ["exact_share", "exact_share_low", "exact_share_high", "mean_error", "mean_absolute_error"] {
        assert!(figures.object[figure].is_null(), "{figure}");
    }
}

#[test]
fn an_answer_of_another_task_and_an_impossible_number_are_refused() {
    let refused = |payload: Payload<'_>| read(&payload).unwrap_err().to_string();
    assert_eq!(refused(Payload::new("none")), "kind \"none\" is not one of count, dropped");
    let negative = Payload::new("count").with("count", Value::Integer(-1));
    assert_eq!(refused(negative), "count is not a whole number from 0 to 1000000");
}

#[test]
fn many_kinds_of_wrong_answers_stay_on_one_line() {
    let mut scorer = CountScorer::default();
    for answer in 1..=9 {
        score(&mut scorer, Truth::Balls(0), answer);
    }
    let lines = scorer.figures().lines;
    assert!(lines[2].1.ends_with("0 as 5: 1, and 4 more kinds"), "{lines:?}");
}
