//! The Pareto front of error against time: the trials that no other trial beats in both.

use super::goal::{Goal, Proof};
use super::results::Trial;

/// The places of the trials on the front, the fastest first. Trials that failed or miss a condition are left out.
pub(crate) fn front(goal: &Goal, trials: &[Trial]) -> Vec<usize> {
    let mut known: Vec<(f64, f64, usize)> = trials
        .iter()
        .enumerate()
        .filter(|(_, trial)| trial.tally.excess(goal, Proof::Measured) == 0.0)
        .filter_map(|(place, trial)| Some((trial.tally.time_us?, trial.tally.cost(), place)))
        .collect();
    known.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let mut least = f64::INFINITY;
    known.retain(|(_, cost, _)| {
        let is_better = *cost < least;
        least = least.min(*cost);
        is_better
    });
    known.into_iter().map(|(_, _, place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::core::goal::{Sample, Tally};
    use crate::tune::core::space::{Setting, Value};

    #[test]
    fn a_trial_is_on_the_front_if_none_is_both_faster_and_better() {
        let goal = Goal { is_maximum: false, limits: Vec::new(), held_out: 1 };
        let trial = |objective: f64, time: f64| {
            let sample = Sample::Measured { objective, limits: Vec::new(), time_us: Some(time), frames: 1 };
            let setting = Setting(vec![Some(Value::Real(time))]);
            Trial { setting, rung: 0, tally: Tally::of(&goal, &[&sample]) }
        };
        let trials =
            [trial(1.0, 9.0), trial(2.0, 3.0), trial(2.5, 4.0), trial(3.0, 1.0), trial(1.0, 12.0), trial(2.0, 3.0)];
        assert_eq!(front(&goal, &trials), [3, 1, 0]);
    }
}
