//! How much each parameter matters.
//!
//! The share of the figure's variance over the whole space that disappears if a parameter is fixed: Sobol's total effect
//! (I. M. Sobol, Math. Comput. Simul. 55, 2001), by the estimator of M. J. W. Jansen (Comput. Phys. Commun. 117, 1999),
//! of the quadratic surface through the trials. It describes; `effects` tests.

use super::draw::sobol;
use super::results::Trial;
use super::space::Space;
use super::surface::{Surface, seen};

/// Points of the estimate. With these, the shares are known to about 0.01.
const POINTS: usize = 1_024;

/// The importance of each parameter, from the first blocks, which all trials have seen. `None` if there are too few
/// trials.
pub(crate) fn importance(space: &Space, trials: &[Trial], first: u32) -> Option<Vec<f64>> {
    let figures = trials.iter().map(|trial| (&trial.setting, trial.tally.cost_on(first), 1.0));
    Some(shares(space.0.len(), &Surface::of(space, &seen(space, figures))?))
}

fn shares(parameters: usize, surface: &Surface) -> Vec<f64> {
    // Two independent points each.
    let points = sobol(2 * parameters, POINTS);
    let one = |point: &[f64], parameter: usize| {
        let mut other = point[..parameters].to_vec();
        other[parameter] = point[parameters + parameter];
        (surface.at(&point[..parameters]) - surface.at(&other)).powi(2) / 2.0
    };
    let values: Vec<f64> = points.iter().map(|point| surface.at(&point[..parameters])).collect();
    let mean = values.iter().sum::<f64>() / POINTS as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / POINTS as f64;
    let share = |parameter: usize| {
        let part = points.iter().map(|point| one(point, parameter)).sum::<f64>() / POINTS as f64;
        if variance > 0.0 { part / variance } else { 0.0 }
    };
    (0..parameters).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::core::goal::{Goal, Sample, Tally};
    use crate::tune::core::space::{Domain, Parameter, Value};

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
}
