//! A figure with one lowest point, in five parameters of which one has no effect.

use super::*;

/// Where the bowl's bottom is: at another place in each search.
fn bottom(seed: u64) -> [f64; 4] {
    std::array::from_fn(|place| 0.15 + 0.7 * (mixed(&[seed, place as u64, 77]) % 1_000) as f64 / 1_000.0)
}

/// A bowl: errors grow by a third to all of the least one where a parameter is half its range away. The fifth is dead.
fn bowl(seed: u64) -> impl Fn(&Setting) -> f64 {
    let bottom = bottom(seed);
    move |setting| {
        1.0 + (0..4)
            .map(|place| [4.0, 2.0, 4.0, 1.5][place] * (number(setting, place) - bottom[place]).powi(2))
            .sum::<f64>()
    }
}

struct OfBowl {
    near: bool,
    names_the_dead: bool,
    holds: bool,
    trials: usize,
}

fn in_bowls(searches: u64, change: fn(f64) -> f64) -> Vec<OfBowl> {
    let mut problem = problem(["a", "b", "dead", "c", "d"].map(real).to_vec(), Method::Cma);
    (problem.first, problem.last) = (10, 2);
    let live = |setting: &Setting| Setting([0, 1, 3, 4].map(|place| setting.0[place].clone()).to_vec());
    let one = |seed: u64| {
        let bowl = bowl(seed);
        let factor = |setting: &Setting| change(bowl(&live(setting)));
        problem_run(&problem, seed, &factor, &bottom(seed), &live)
    };
    (0..searches).map(one).collect()
}

fn problem_run(
    problem: &Problem,
    seed: u64,
    factor: &dyn Fn(&Setting) -> f64,
    bottom: &[f64; 4],
    live: &dyn Fn(&Setting) -> Setting,
) -> OfBowl {
    let (found, ..) = Fake { seed, factor, ..Fake::default() }.run(problem);
    let best = found.best.unwrap();
    let chosen = live(&best.setting);
    let near = (0..4).all(|place| (number(&chosen, place) - bottom[place]).abs() <= 0.03);
    let names_the_dead =
        found.effects.iter().map(|one| one.is_live).collect::<Vec<_>>() == [true, true, false, true, true];
    let truth = SIGMA * MEAN * factor(&best.setting);
    let trials = found.trials.len();
    OfBowl { near, names_the_dead, holds: holds(score(&problem.goal, &best.tally), truth), trials }
}

fn counted(all: &[OfBowl]) -> [usize; 4] {
    let count = |is: fn(&OfBowl) -> bool| all.iter().filter(|one| is(one)).count();
    [
        count(|one| one.near),
        count(|one| one.names_the_dead),
        count(|one| one.near && one.names_the_dead),
        count(|one| one.holds),
    ]
}

#[test]
fn the_bottom_of_a_bowl_in_five_parameters_is_found_and_the_dead_one_named() {
    let [near, dead, both, _] = counted(&in_bowls(5, |factor| factor));
    println!("bowl, 5 searches: near {near}, dead named {dead}, both {both}");
    assert!(both >= 4, "{near}, {dead}");
}

#[test]
#[ignore = "slow: .ci/long runs it"]
fn simulation_of_100_searches_in_a_bowl() {
    let all = in_bowls(100, |factor| factor);
    let [near, dead, both, holds] = counted(&all);
    println!(
        "bowl in five parameters, 100 searches: near {near}, dead named {dead}, both {both}; interval holds {holds}; at most {} trials",
        all.iter().map(|one| one.trials).max().unwrap_or(0)
    );
    assert!(both >= 90 && holds >= 88, "{near}, {dead}, {both}, {holds}");
}

/// A figure that is not quadratic: its square root.
#[test]
#[ignore = "slow: .ci/long runs it"]
fn simulation_of_100_searches_in_a_bowl_with_steep_walls() {
    let [near, dead, both, holds] = counted(&in_bowls(100, |factor| (1.0 + 4.0 * (factor - 1.0)).sqrt()));
    println!(
        "bowl with steep walls, 100 searches: near {near}, dead named {dead}, both {both}; interval holds {holds}"
    );
    assert!(both >= 80 && holds >= 88, "{near}, {dead}, {both}, {holds}");
}
