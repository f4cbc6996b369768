//! Which parameters have an effect around the best setting.
//!
//! Each parameter is moved alone, away from the best setting, to each end of its range or to each other choice: the
//! ablation of C. Fawcett and H. H. Hoos (J. Heuristics 22, 2016). A paired test on the common frames, corrected for the
//! number of moves, says whether anything changed. A parameter whose moves change nothing is dead: it can be left alone.

use super::goal::{Goal, Tally};
use super::paired::Difference;
use super::results::{Asked, Pending};
use super::space::{Setting, Space};

/// A dead parameter is called live in at most this share of the searches.
const RISK: f64 = 0.01;

/// What the moves of a parameter showed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Effect {
    /// The largest change of the mean cost; infinite if the pipeline failed.
    pub(crate) change: f64,
    /// Whether a move changed the figure or a condition.
    pub(crate) is_live: bool,
}

/// Number of moves.
pub(crate) fn probes(space: &Space) -> usize {
    (0..space.0.len()).map(|place| space.others(place, None).len()).sum()
}

/// The effect of each parameter around `best`.
///
/// # Errors
/// [`Pending`] if trials are missing.
pub(crate) fn effects(space: &Space, asked: &mut Asked<'_>, best: &Setting) -> Result<Vec<Effect>, Pending> {
    let moves: Vec<(usize, Setting)> = (0..space.0.len())
        .flat_map(|place| {
            let moved = move |value| (place, best.with(place, value));
            space.others(place, best.0[place].as_ref()).into_iter().map(moved)
        })
        .collect();
    let settings: Vec<_> =
        std::iter::once(best.clone()).chain(moves.iter().map(|(_, setting)| setting.clone())).collect();
    let tallies = asked.rung(&settings, 0)?;
    let (best, moved) = (&tallies[0], &tallies[1..]);
    let risk = RISK / moved.len().max(1) as f64;
    let one = |place: usize| {
        let own = || moves.iter().zip(moved).filter(move |((of, _), _)| *of == place).map(|(_, tally)| tally);
        let change = own().map(|tally| (tally.cost() - best.cost()).abs()).fold(0.0, f64::max);
        Effect { change, is_live: own().any(|tally| differs(asked.goal(), tally, best, risk)) }
    };
    Ok((0..space.0.len()).map(one).collect())
}

fn differs(goal: &Goal, one: &Tally, other: &Tally, risk: f64) -> bool {
    if one.is_failed || other.is_failed {
        return one.is_failed != other.is_failed;
    }
    let apart =
        |place: usize| one.limits[place][1] > other.limits[place][2] || other.limits[place][1] > one.limits[place][2];
    // Both ways: if nothing changes at all, the probability of a change at least as large is 1.
    let above =
        |one: &Tally, other: &Tally| Difference::between(&one.costs, &other.costs).map_or(1.0, |cost| cost.above());
    above(one, other).min(above(other, one)) < risk / 2.0 || (0..goal.limits.len()).any(apart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::core::goal::Sample;

    #[test]
    fn a_move_that_changes_nothing_at_all_is_no_effect_and_one_that_changes_every_block_is_one() {
        let goal = Goal { is_maximum: false, limits: Vec::new(), held_out: 1 };
        let tally = |costs: [f64; 4]| {
            let sample = |objective| Sample::Measured { objective, limits: Vec::new(), time_us: None, frames: 1 };
            let samples = costs.map(sample);
            Tally::of(&goal, &samples.iter().collect::<Vec<_>>())
        };
        let best = tally([1.0, 2.0, 1.5, 3.0]);
        assert!(!differs(&goal, &best, &best, RISK));
        assert!(differs(&goal, &tally([2.0, 3.0, 2.5, 4.0]), &best, RISK));
        assert!(differs(&goal, &tally([0.5, 1.5, 1.0, 2.5]), &best, RISK));
        assert!(!differs(&goal, &tally([1.3, 1.8, 1.6, 2.9]), &best, RISK));
    }
}
