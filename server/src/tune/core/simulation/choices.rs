//! Choices among settings that differ little or not at all.

use super::*;

/// Mean regret of choosing among 32 settings 1 % apart by the mean of 400 common frames.
fn of_32(searches: u64) -> f64 {
    let mut problem = problem(vec![whole("a", 31)], Method::Grid(32));
    (problem.first, problem.last) = (40, 0);
    let regret = |seed: u64| {
        // The best is at another place in each search.
        let factor = |setting: &Setting| 1.0 + 0.01 * ((number(setting, 0) as u64 + seed) % 32) as f64;
        let (found, ..) = Fake { seed, factor: &factor, ..Fake::default() }.run(&problem);
        factor(&found.best.unwrap().setting) - 1.0
    };
    described((0..searches).map(regret).collect()).1
}

#[test]
fn among_32_settings_1_percent_apart_400_common_frames_find_the_best() {
    let mean = of_32(20);
    println!("32 settings, 400 common frames, 20 searches: mean regret {:.3} %", 100.0 * mean);
    assert!(mean <= 0.002, "{mean}");
}

#[test]
#[ignore = "slow: .ci/long runs it"]
fn simulation_of_500_choices_among_32_settings() {
    let mean = of_32(500);
    println!("32 settings, 400 common frames, 500 searches: mean regret {:.3} %", 100.0 * mean);
    assert!(mean <= 0.002, "{mean}");
}

/// 95th percentile of the regret, and most frames, of halving over 81 settings: 3 values of each of 4 parameters.
fn of_81(searches: u64) -> (f64, u64) {
    let mut problem = problem(["a", "b", "c", "d"].map(|name| whole(name, 2)).to_vec(), Method::Grid(3));
    problem.goal.held_out = 100;
    let all: Vec<_> = (0..searches)
        .map(|seed| {
            let at = |setting: &Setting| (0..4).fold(0, |sum, place| 3 * sum + number(setting, place) as u64);
            // 0 to 80 steps of 0.5 %, at other places in each search.
            let factor = |setting: &Setting| 1.0 + 0.005 * (mixed(&[seed, at(setting)]) % 81) as f64;
            let least = problem.space.grid(3).iter().map(&factor).fold(f64::INFINITY, f64::min);
            let (found, searched, held_out) = Fake { seed, factor: &factor, ..Fake::default() }.run(&problem);
            (factor(&found.best.unwrap().setting) / least - 1.0, searched + held_out)
        })
        .collect();
    let frames = all.iter().map(|(_, frames)| *frames).max().unwrap_or(0);
    (described(all.into_iter().map(|(regret, _)| regret).collect()).0, frames)
}

#[test]
fn halving_over_81_settings_finds_one_of_the_best_with_17000_frames() {
    let (regret, frames) = of_81(20);
    println!(
        "halving over 81 settings, 20 searches: 95th percentile of regret {:.2} %, at most {frames} frames",
        100.0 * regret
    );
    assert!(regret <= 0.005 && frames <= 17_000, "{regret}, {frames}");
}

#[test]
#[ignore = "slow: .ci/long runs it"]
fn simulation_of_500_halvings_over_81_settings() {
    let (regret, frames) = of_81(500);
    println!(
        "halving over 81 settings, 500 searches: 95th percentile of regret {:.2} %, at most {frames} frames",
        100.0 * regret
    );
    assert!(regret <= 0.005 && frames <= 17_000, "{regret}, {frames}");
}

/// Of searches in which all settings are equal: how many name a better one, and in how many the interval of the score
/// holds the truth.
fn of_equal_ones(searches: u64, method: Method) -> (usize, usize) {
    let mut problem = problem(["a", "b", "c"].map(real).to_vec(), method);
    problem.trials = 40;
    let one = |seed: u64| {
        let (found, ..) = Fake { seed, ..Fake::default() }.run(&problem);
        let best = found.best.unwrap();
        let is_better = matches!(best.verdict, Verdict::Better(_));
        let reported = if is_better { &best.tally } else { &found.default };
        (is_better, holds(score(&problem.goal, reported), SIGMA * MEAN))
    };
    let all: Vec<_> = (0..searches).map(one).collect();
    (all.iter().filter(|(better, _)| *better).count(), all.iter().filter(|(_, holds)| *holds).count())
}

#[test]
fn among_equal_settings_few_searches_name_a_better_one() {
    let (better, held) = of_equal_ones(40, Method::Sobol);
    println!("all settings equal, 40 searches: {better} name a better one, the interval holds the truth in {held}");
    // 99 % intervals around 2.5 % and 95 % of 40.
    assert!(better <= 5 && held >= 33, "{better}, {held}");
}

#[test]
#[ignore = "slow: .ci/long runs it"]
fn simulation_of_200_searches_among_equal_settings() {
    for method in [Method::Sobol, Method::Cma] {
        let (better, held) = of_equal_ones(200, method.clone());
        println!(
            "all settings equal, {method:?}, 200 searches: {better} name a better one, the interval holds the truth in {held}"
        );
        assert!(better <= 19 && (181..=197).contains(&held), "{better}, {held}");
    }
}
