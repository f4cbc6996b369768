//! Which parameters have an effect around the best setting.
//!
//! Each parameter is moved alone, away from the best setting, to each end of its range or to each other choice: the
//! ablation of C. Fawcett and H. H. Hoos (J. Heuristics 22, 2016). A paired test on the common frames, corrected for the
//! number of moves and of looks, says whether anything changed. A parameter whose moves change nothing is dead: it can be
//! left alone.
//!
//! The few frames of the first rung often show no effect where there is one. So the moves of a parameter without a shown
//! effect go on to the next rung, as far as they have run there anyway or take a small part of the search's frames.

use super::goal::{Goal, Tally};
use super::paired::Difference;
use super::results::{Asked, Pending};
use super::space::{Setting, Space};

/// A dead parameter is called live in at most this share of the searches.
const RISK: f64 = 0.01;

/// The part of the search's blocks that moves may take after the first rung: its denominator. A description should cost
/// little beside what it describes.
const MOST: u64 = 8;

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

/// The effect of each parameter around `best`, which has run on the rungs up to `last`.
///
/// # Errors
/// [`Pending`] if trials are missing.
pub(crate) fn effects(space: &Space, asked: &mut Asked<'_>, best: &Setting, last: u32) -> Result<Vec<Effect>, Pending> {
    let searched: u64 = asked.trials().iter().map(|trial| u64::from(asked.blocks(trial.rung))).sum();
    let moves: Vec<Vec<Setting>> = (0..space.0.len())
        .map(|place| {
            let others = space.others(place, best.0[place].as_ref());
            others.into_iter().map(|value| best.with(place, value)).collect()
        })
        .collect();
    // Each move is looked at once on each rung.
    let looks = moves.iter().map(Vec::len).sum::<usize>() * (last as usize + 1);
    let mut found = vec![Effect { change: 0.0, is_live: false }; moves.len()];
    let (mut left, mut spent): (Vec<usize>, u64) = ((0..moves.len()).collect(), 0);
    for rung in 0..=last {
        let settings: Vec<_> = left.iter().flat_map(|place| moves[*place].clone()).collect();
        if rung > 0 {
            let new = settings.iter().filter(|setting| asked.reached(setting).is_none_or(|reached| reached < rung));
            let more = asked.blocks(rung) - asked.blocks(rung - 1);
            spent += u64::from(more) * new.count() as u64;
            if settings.is_empty() || spent > searched / MOST {
                break;
            }
        }
        let tallies = asked.rung(&settings, rung)?;
        let of_best = asked.rung(std::slice::from_ref(best), rung)?.remove(0);
        let mut tallies = tallies.iter();
        for place in &left {
            let own: Vec<_> = tallies.by_ref().take(moves[*place].len()).collect();
            let change = own.iter().map(|tally| (tally.cost() - of_best.cost()).abs()).fold(0.0, f64::max);
            let risk = RISK / looks.max(1) as f64;
            let is_live = own.iter().any(|tally| differs(asked.goal(), tally, &of_best, risk));
            found[*place] = Effect { change, is_live };
        }
        left.retain(|place| !found[*place].is_live);
    }
    Ok(found)
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
