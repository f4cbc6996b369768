//! Conditions that the best setting has to meet, and settings with which the pipeline fails.

use super::*;

/// Searches whose best setting meets the condition on the held-out frames, those that find one, and the mean regret
/// among these.
fn under_a_condition(searches: u64, at: f64, misses_own: bool) -> (usize, usize, f64) {
    let mut problem = problem(["a", "b"].map(real).to_vec(), Method::Cma);
    problem.goal.limits = vec![Limit { at, is_upper: true }];
    // Enough frames to show so strict a limit: three times its inverse, at least.
    let strict = at < 0.01;
    (problem.trials, problem.first, problem.last, problem.goal.held_out) =
        if strict { (60, 40, 3, 800) } else { (60, 10, 2, 100) };
    // Without the condition the best is at a = 1, where twice as many frames are missed as allowed.
    let factor = |setting: &Setting| 2.0 - number(setting, 0) + (number(setting, 1) - 0.4).powi(2);
    let missed = |setting: &Setting| 2.0 * at * number(setting, 0).powi(2);
    let one = |seed: u64| {
        let fake = Fake { seed, factor: &factor, missed: &missed, misses_own, ..Fake::default() };
        let (found, ..) = fake.run(&problem);
        let best = found.best?;
        // On the condition, a = √½.
        Some((!matches!(best.verdict, Verdict::Missed), factor(&best.setting) / (2.0 - 0.5_f64.sqrt()) - 1.0))
    };
    let all: Vec<_> = (0..searches).filter_map(one).collect();
    let regret = all.iter().map(|(_, regret)| regret).sum::<f64>() / all.len() as f64;
    (all.iter().filter(|(met, _)| *met).count(), all.len(), regret)
}

#[test]
fn the_best_setting_under_a_condition_meets_it_on_new_frames() {
    let (met, found, regret) = under_a_condition(10, 0.1, false);
    println!(
        "missed <= 10 %, 10 searches: {found} find a setting, {met} meet it on new frames, mean regret {:.1} %",
        100.0 * regret
    );
    assert!(found >= 9 && met + 1 >= found, "{met} of {found}");
}

#[test]
#[ignore = "slow: .ci/long runs it"]
fn simulation_of_200_searches_under_a_condition() {
    for (at, misses_own) in [(0.1, false), (0.02, false), (0.02, true)] {
        let (met, found, regret) = said_under_a_condition(at, misses_own);
        assert!(found >= 180 && met * 100 >= found * 95, "{met} of {found} at {at}, regret {regret}");
    }
}

/// So strict a condition asks for thousands of frames of each setting, so a quarter of the searches finds no setting.
#[test]
#[ignore = "slow: .ci/long runs it"]
fn simulation_of_200_searches_under_a_strict_condition() {
    for misses_own in [false, true] {
        let (met, found, _) = said_under_a_condition(0.001, misses_own);
        assert!(found >= 130 && met * 100 >= found * 95, "{met} of {found}");
    }
}

fn said_under_a_condition(at: f64, misses_own: bool) -> (usize, usize, f64) {
    let (met, found, regret) = under_a_condition(200, at, misses_own);
    let whose = if misses_own { ", each setting its own frames" } else { "" };
    println!(
        "missed <= {} %{whose}, 200 searches: {found} find a setting, {met} meet it on new frames, mean regret {:.1} %",
        100.0 * at,
        100.0 * regret
    );
    (met, found, regret)
}

/// The best two of six settings are 4 % apart. On all 54 frames of the last rung the better one has the lower mean in 98.8 %
/// of searches, by the normal distribution; on the 18 frames of the rung before in 90 %.
#[test]
fn few_settings_under_a_condition_are_judged_on_the_frames_of_the_last_rung() {
    let mut problem = problem(vec![whole("a", 5)], Method::Grid(6));
    problem.goal.limits = vec![Limit { at: 0.1, is_upper: true }];
    (problem.first, problem.last) = (3, 2);
    let factor = |setting: &Setting| [1.04, 1.0, 1.3, 1.3, 1.3, 1.3][number(setting, 0) as usize];
    let worse = |seed: &u64| {
        let (found, ..) = Fake { seed: *seed, frames: 2, factor: &factor, ..Fake::default() }.run(&problem);
        factor(&found.best.expect("one that meets it").setting) > 1.0
    };
    let worse = (0..300).filter(worse).count();
    println!("two settings 4 % apart, 300 searches: {worse} find the worse one");
    // 3.6 are expected, and 99 % of samples have at most 9.
    assert!(worse <= 9, "{worse}");
}

#[test]
fn an_effect_that_two_blocks_cannot_show_is_shown_on_more() {
    let problem = Problem { trials: 20, first: 2, ..problem(vec![real("a")], Method::Sobol) };
    // At the ends the error is half as large again. With one degree of freedom that is not shown.
    let fake = Fake { factor: &|setting| 1.0 + 2.0 * (number(setting, 0) - 0.5).powi(2), ..Fake::default() };
    let (found, ..) = fake.run(&problem);
    assert!(found.effects[0].is_live, "{:?}", found.effects);
    let moves: Vec<_> = found.trials.iter().filter(|trial| [0.0, 1.0].contains(&number(&trial.setting, 0))).collect();
    assert_eq!(moves.iter().map(|trial| trial.rung).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_setting_with_which_the_pipeline_fails_is_counted_and_never_chosen() {
    let problem = problem(vec![real("a")], Method::Sobol);
    // The lowest point of the figure fails.
    let fails = |setting: &Setting| number(setting, 0) > 0.6;
    let fake = Fake { factor: &|setting| 2.0 - number(setting, 0), fails: &fails, ..Fake::default() };
    let (found, ..) = fake.run(&Problem { trials: 20, ..problem });
    assert!(number(&found.best.unwrap().setting, 0) <= 0.6);
    assert!(found.trials.iter().filter(|trial| trial.tally.is_failed).count() >= 5);
}

#[test]
fn a_condition_that_nothing_meets_has_no_best_and_names_the_nearest() {
    let mut problem = problem(vec![real("a")], Method::Cma);
    problem.goal.limits = vec![Limit { at: 0.05, is_upper: true }];
    problem.trials = 24;
    let fake = Fake { missed: &|setting| 0.9 - 0.5 * number(setting, 0), ..Fake::default() };
    let (found, ..) = fake.run(&problem);
    assert!(found.best.is_none());
    assert!(number(&found.nearest(&problem.goal).unwrap().setting, 0) > 0.8);
}
