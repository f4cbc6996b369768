//! What is asked for: a figure to minimise, and conditions that must hold. And how a setting stands.

use std::cmp::Ordering;

use super::paired::Difference;
use crate::score::beta;

/// Probability that the true figure is beyond a bound.
const RISK: f64 = 0.05;

/// A condition on a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limit {
    /// The limit: in the unit of the figure, or as a share of 1.
    pub(crate) at: f64,
    /// Whether the figure must be at most the limit.
    pub(crate) is_upper: bool,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Goal {
    /// Whether a larger figure is better.
    pub(crate) is_maximum: bool,
    /// The conditions.
    pub(crate) limits: Vec<Limit>,
}

/// The figure of a condition in one block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Figure {
    /// Hits among all frames.
    Share {
        /// Frames for which it holds.
        hits: u64,
        /// All frames.
        all: u64,
    },
    /// A number.
    Value(f64),
}

/// What one setting gave in one block.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Sample {
    /// The pipeline failed, or a figure has no value.
    Failed,
    /// The figures.
    Measured {
        /// The figure that is asked for.
        objective: f64,
        /// The figure of each condition.
        limits: Vec<Figure>,
        /// Time for a frame, if it is known.
        time_us: Option<f64>,
        /// Frames of the block.
        frames: u64,
    },
}

/// How much is demanded of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It counts as met unless the frames show the contrary.
    Doubt,
    /// The figure as it was measured decides.
    Measured,
    /// The frames must show it, if so few frames can.
    Shown,
}

/// The figures of a setting over several blocks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tally {
    /// The cost of each block: the objective, or its negative if it is maximised.
    pub(crate) costs: Vec<f64>,
    /// The figure of each condition, with its lower and upper bound.
    pub(crate) limits: Vec<[f64; 3]>,
    /// Whether the condition is shown as well as so few frames can show it.
    shown: Vec<bool>,
    /// Mean time for a frame.
    pub(crate) time_us: Option<f64>,
    /// Frames in all.
    pub(crate) frames: u64,
    /// Whether the pipeline failed in a block.
    pub(crate) is_failed: bool,
}

impl Tally {
    /// The tally of these samples.
    pub(crate) fn of(goal: &Goal, samples: &[&Sample]) -> Self {
        let sign = if goal.is_maximum { -1.0 } else { 1.0 };
        let (mut costs, mut times, mut frames) = (Vec::new(), Vec::new(), 0);
        let mut figures = vec![Vec::new(); goal.limits.len()];
        for sample in samples {
            if let Sample::Measured { objective, limits, time_us, frames: some } = sample {
                costs.push(sign * objective);
                times.extend(*time_us);
                frames += some;
                figures.iter_mut().zip(limits).for_each(|(all, figure)| all.push(*figure));
            }
        }
        let is_failed = costs.len() < samples.len() || costs.is_empty();
        let judged: Vec<_> = goal.limits.iter().zip(&figures).map(|(limit, figures)| bounds(limit, figures)).collect();
        let time_us = (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
        Self {
            costs,
            limits: judged.iter().map(|(found, _)| *found).collect(),
            shown: judged.iter().map(|(_, shown)| *shown).collect(),
            time_us,
            frames,
            is_failed,
        }
    }

    /// The mean cost; infinite if the pipeline failed.
    pub(crate) fn cost(&self) -> f64 {
        if self.is_failed { f64::INFINITY } else { self.costs.iter().sum::<f64>() / self.costs.len() as f64 }
    }

    /// The mean cost on the first blocks, which all trials have seen.
    pub(crate) fn cost_on(&self, blocks: u32) -> f64 {
        let first = &self.costs[..self.costs.len().min(blocks as usize)];
        if self.is_failed { f64::INFINITY } else { first.iter().sum::<f64>() / first.len() as f64 }
    }

    /// By how much the conditions are missed, as shares of their limits: 0 if all are met.
    pub(crate) fn excess(&self, goal: &Goal, proof: Proof) -> f64 {
        if self.is_failed {
            return f64::INFINITY;
        }
        let one = |(limit, ([value, low, high], shown)): (&Limit, (&[f64; 3], &bool))| {
            let (kind, harsh) = if limit.is_upper { (low, high) } else { (high, low) };
            let decides = match proof {
                Proof::Doubt => kind,
                Proof::Measured => value,
                Proof::Shown if *shown => return 0.0,
                Proof::Shown => harsh,
            };
            limit.excess(*decides)
        };
        goal.limits.iter().zip(self.limits.iter().zip(&self.shown)).map(one).sum()
    }

    /// Which of two settings is better: that which meets the conditions, or misses them by less; of two that meet them,
    /// that with the lower cost (K. Deb, Comput. Methods Appl. Mech. Eng. 186, 2000).
    pub(crate) fn compared(&self, other: &Self, goal: &Goal, proof: Proof) -> Ordering {
        let (one, two) = (self.excess(goal, proof), other.excess(goal, proof));
        one.total_cmp(&two).then(self.cost().total_cmp(&other.cost()))
    }
}

impl Limit {
    /// By how much a figure misses it, as a share of the limit.
    pub(crate) fn excess(&self, figure: f64) -> f64 {
        let scale = if self.at == 0.0 { 1.0 } else { self.at.abs() };
        let above = if self.is_upper { figure - self.at } else { self.at - figure };
        (above / scale).max(0.0)
    }
}

/// The figure with its one-sided 95 % bounds, and whether it shows that the condition is met.
fn bounds(limit: &Limit, figures: &[Figure]) -> ([f64; 3], bool) {
    let counts =
        figures.iter().map(|figure| if let Figure::Share { hits, all } = figure { (*hits, *all) } else { (0, 0) });
    let (hits, all) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let ([value, low, high], is_best_of_few) = if all > 0 {
        let of = |hits: u64| share(hits, all);
        // So few frames show nothing about so strict a limit. Then no frame may break it.
        let best = if limit.is_upper { 0 } else { all };
        let best_bound = if limit.is_upper { of(0)[2] } else { of(all)[1] };
        (of(hits), hits == best && limit.excess(best_bound) > 0.0)
    } else {
        let values: Vec<f64> =
            figures.iter().filter_map(|one| if let Figure::Value(value) = one { Some(*value) } else { None }).collect();
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        let half = Difference::of(&values).map_or(f64::INFINITY, |found| found.half(RISK));
        ([mean, mean - half, mean + half], false)
    };
    let harsh = if limit.is_upper { high } else { low };
    ([value, low, high], is_best_of_few || limit.excess(harsh) == 0.0)
}

/// A share with its exact one-sided bounds (Clopper and Pearson).
fn share(hits: u64, all: u64) -> [f64; 3] {
    let (hit, missed) = (hits as f64, (all - hits) as f64);
    let low = if hits == 0 { 0.0 } else { beta::quantile(hit, missed + 1.0, RISK) };
    let high = if hits == all { 1.0 } else { beta::quantile(hit + 1.0, missed, 1.0 - RISK) };
    [hit / all as f64, low, high]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(at: f64) -> Goal {
        Goal { is_maximum: false, limits: vec![Limit { at, is_upper: true }] }
    }

    fn sample(objective: f64, hits: u64) -> Sample {
        Sample::Measured { objective, limits: vec![Figure::Share { hits, all: 100 }], time_us: None, frames: 100 }
    }

    fn tally(goal: &Goal, samples: &[Sample]) -> Tally {
        Tally::of(goal, &samples.iter().collect::<Vec<_>>())
    }

    #[test]
    fn a_setting_that_meets_the_conditions_is_better_than_one_with_less_error_that_does_not() {
        let goal = goal(0.05);
        let good = tally(&goal, &[sample(2.0, 4), sample(2.0, 4)]);
        let missing = tally(&goal, &[sample(1.0, 30), sample(1.0, 30)]);
        let failed = tally(&goal, &[sample(0.5, 0), Sample::Failed]);
        for proof in [Proof::Doubt, Proof::Measured, Proof::Shown] {
            assert_eq!(good.compared(&missing, &goal, proof), Ordering::Less);
            assert_eq!(missing.compared(&failed, &goal, proof), Ordering::Less, "a failed setting is the last");
        }
        assert_eq!(tally(&goal, &[]).cost(), f64::INFINITY);
    }

    #[test]
    fn the_same_figure_is_met_in_doubt_and_as_measured_but_not_shown() {
        let goal = goal(0.05);
        let of = |hits: u64| {
            let tally = tally(&goal, &[sample(1.0, hits)]);
            [Proof::Doubt, Proof::Measured, Proof::Shown].map(|proof| tally.excess(&goal, proof) == 0.0)
        };
        assert_eq!(of(0), [true, true, true]);
        assert_eq!(of(4), [true, true, false]);
        assert_eq!(of(7), [true, false, false]);
        assert_eq!(of(30), [false, false, false]);
    }

    #[test]
    fn a_limit_that_so_few_frames_cannot_show_allows_no_hit() {
        let goal = goal(0.001);
        let met = |hits: u64| tally(&goal, &[sample(1.0, hits)]).excess(&goal, Proof::Shown) == 0.0;
        assert!(met(0) && !met(1));
    }

    #[test]
    fn a_figure_to_maximise_has_the_negative_cost_and_a_lower_limit_is_met_above() {
        let goal = Goal { is_maximum: true, limits: vec![Limit { at: 10.0, is_upper: false }] };
        let of = |value: f64| Sample::Measured {
            objective: 3.0,
            limits: vec![Figure::Value(value)],
            time_us: Some(5.0),
            frames: 1,
        };
        let tally = tally(&goal, &[of(11.0), of(12.0), of(13.0)]);
        assert_eq!((tally.cost(), tally.time_us, tally.frames), (-3.0, Some(5.0), 3));
        assert_eq!(tally.excess(&goal, Proof::Measured), 0.0);
        assert!(
            tally.excess(&Goal { limits: vec![Limit { at: 14.0, is_upper: false }], ..goal }, Proof::Measured) > 0.0
        );
    }
}
