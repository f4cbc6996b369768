//! How much each parameter matters.
//!
//! The share of the figure's variance over the whole space that is left, on average, if all other parameters are fixed:
//! Sobol's total effect (I. M. Sobol, Math. Comput. Simul. 55, 2001) of the quadratic surface through the trials. It
//! describes; `effects` tests.

use super::draw::sobol;
use super::results::Trial;
use super::space::{Domain, Space};
use super::surface::{Surface, seen};

/// Points of the estimate. With these, the shares are known to about 0.01.
const POINTS: usize = 1_024;

/// Places of a range and their weights: the mean over them is exact for polynomials up to the fifth degree (Gauss and
/// Legendre), and the square of the surface has the fourth.
const NODES: [(f64, f64); 3] =
    [(0.112_701_665_379_258_3, 5.0 / 18.0), (0.5, 8.0 / 18.0), (0.887_298_334_620_741_7, 5.0 / 18.0)];

/// The importance of each parameter, from the first blocks, which all trials have seen. `None` if there are too few
/// trials.
pub(crate) fn importance(space: &Space, trials: &[Trial], first: u32) -> Option<Vec<f64>> {
    let figures = trials.iter().map(|trial| (&trial.setting, trial.tally.cost_on(first), 1.0));
    Some(shares(space, &Surface::of(space, &seen(space, figures))?))
}

fn shares(space: &Space, surface: &Surface) -> Vec<f64> {
    let points = sobol(space.0.len(), POINTS);
    let total = variance(points.iter().map(|point| (surface.at(point), 1.0 / POINTS as f64)));
    let of = |place: usize| {
        let nodes = nodes(&space.0[place].domain);
        let alone = |point: &Vec<f64>| {
            let mut moved = point.clone();
            variance(nodes.iter().map(|(node, weight)| {
                moved[place] = *node;
                (surface.at(&moved), *weight)
            }))
        };
        points.iter().map(alone).sum::<f64>() / POINTS as f64
    };
    (0..space.0.len()).map(|place| if total > 0.0 { of(place) / total } else { 0.0 }).collect()
}

/// The places over which a parameter is averaged, with their weights.
fn nodes(domain: &Domain) -> Vec<(f64, f64)> {
    match domain {
        Domain::Choice(values) => {
            let count = values.len() as f64;
            (0..values.len()).map(|at| ((at as f64 + 0.5) / count, 1.0 / count)).collect()
        }
        Domain::Real { .. } | Domain::Whole { .. } => NODES.to_vec(),
    }
}

/// The variance of values with weights, whose sum is 1.
fn variance(values: impl Iterator<Item = (f64, f64)>) -> f64 {
    let values: Vec<_> = values.collect();
    let mean: f64 = values.iter().map(|(value, weight)| value * weight).sum();
    values.iter().map(|(value, weight)| (value - mean).powi(2) * weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::core::draw::DIMENSIONS;
    use crate::tune::core::goal::{Goal, Sample, Tally};
    use crate::tune::core::space::{Parameter, Value};

    #[test]
    fn shares_are_those_of_the_variances_of_a_sum() {
        let real = |name: &str| Parameter {
            name: name.into(),
            domain: Domain::Real { from: 0.0, to: 1.0, is_log: false },
            default: None,
        };
        let space = Space(["a", "b", "dead"].map(real).to_vec());
        let goal = Goal { is_maximum: false, limits: Vec::new(), held_out: 1 };
        let trial = |point: &Vec<f64>| {
            let setting = space.at(point);
            let numbers: Vec<f64> =
                setting.0.iter().map(|value| if let Some(Value::Real(one)) = value { *one } else { 0.0 }).collect();
            let objective = 3.0 * numbers[0] + numbers[1];
            let sample = Sample::Measured { objective, limits: Vec::new(), time_us: None, frames: 1 };
            Trial { setting, rung: 0, tally: Tally::of(&goal, &[&sample]) }
        };
        let trials: Vec<_> = sobol(3, 60).iter().map(trial).collect();
        let shares = importance(&space, &trials, 1).unwrap();
        // Variances 9/12 and 1/12.
        for (share, expected) in shares.iter().zip([0.9, 0.1, 0.0]) {
            assert!((share - expected).abs() < 0.01, "{shares:?}");
        }
        assert!(importance(&space, &trials[..5], 1).is_none());
    }

    #[test]
    fn a_choice_counts_by_its_variance_and_as_many_parameters_as_a_search_has_are_described() {
        let real = |name: usize| Parameter {
            name: format!("p{name}"),
            domain: Domain::Real { from: 0.0, to: 1.0, is_log: false },
            default: None,
        };
        let choice = Domain::Choice([0, 1, 2].map(Value::Whole).to_vec());
        let mut all: Vec<_> = (1..DIMENSIONS).map(real).collect();
        all.push(Parameter { name: "kind".into(), domain: choice, default: None });
        let space = Space(all);
        let goal = Goal { is_maximum: false, limits: Vec::new(), held_out: 1 };
        let trial = |point: &Vec<f64>| {
            let setting = space.at(point);
            let number = |place: usize| setting.0[place].as_ref().and_then(Value::number).unwrap_or_default();
            // Variances 1/12, and 2/3 of 1/16.
            let objective = number(0) + 0.25 * number(DIMENSIONS - 1);
            let sample = Sample::Measured { objective, limits: Vec::new(), time_us: None, frames: 1 };
            Trial { setting, rung: 0, tally: Tally::of(&goal, &[&sample]) }
        };
        let trials: Vec<_> = sobol(DIMENSIONS, 200).iter().map(trial).collect();
        let shares = importance(&space, &trials, 1).unwrap();
        for (place, share) in shares.iter().enumerate() {
            let expected = if place == 0 {
                2.0 / 3.0
            } else if place == DIMENSIONS - 1 {
                1.0 / 3.0
            } else {
                0.0
            };
            assert!((share - expected).abs() < 0.01, "{place}: {shares:?}");
        }
    }
}
