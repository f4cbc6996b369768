//! What is asked for: a figure to minimise, and conditions that must hold. And how a setting stands.

use std::cmp::Ordering;

use super::paired::Difference;
use crate::score::beta;

/// Probability that the true figure is beyond a bound, or that new frames miss a condition that is shown to be met.
const RISK: f64 = 0.05;

/// Terms of a sum that are smaller than this share of it are left out.
const NEGLIGIBLE: f64 = 1e-12;

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
    /// Blocks of the report, which no trial sees. The conditions must hold on these.
    pub(crate) held_out: u32,
}

impl Goal {
    /// The figure of a setting, in its own sign.
    pub(crate) fn figure(&self, tally: &Tally) -> f64 {
        if self.is_maximum { -tally.cost() } else { tally.cost() }
    }
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
    /// The frames must show that new frames will meet it, too, if so few frames can.
    Shown,
}

/// The figures of a setting over several blocks.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tally {
    /// The cost of each block: the objective, or its negative if it is maximised.
    pub(crate) costs: Vec<f64>,
    /// The figure of each condition, with its lower and upper bound.
    pub(crate) limits: Vec<[f64; 3]>,
    /// By how much the figure that new frames may have misses each condition; 0 if these frames show that it is met, as
    /// well as so few can show it.
    short: Vec<f64>,
    /// Whether these frames are too few to show that a condition is met.
    is_few: bool,
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
        // All conditions together may be missed with the risk of one.
        let risk = RISK / goal.limits.len().max(1) as f64;
        let both = || goal.limits.iter().zip(&figures);
        let short: Vec<_> = both().map(|(limit, figures)| short(limit, figures, goal.held_out, risk)).collect();
        let time_us = (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
        Self {
            costs,
            limits: both().map(|(_, figures)| bounds(figures)).collect(),
            short: short.iter().map(|(short, _)| *short).collect(),
            is_few: short.iter().any(|(_, is_few)| *is_few),
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
        let one = |(limit, ([value, low, high], short)): (&Limit, (&[f64; 3], &f64))| match proof {
            Proof::Doubt => limit.excess(if limit.is_upper { *low } else { *high }),
            Proof::Measured => limit.excess(*value),
            Proof::Shown => *short,
        };
        goal.limits.iter().zip(self.limits.iter().zip(&self.short)).map(one).sum()
    }

    /// Whether its frames show that it meets all conditions.
    pub(crate) fn is_sure(&self, goal: &Goal) -> bool {
        self.excess(goal, Proof::Shown) == 0.0 && !self.is_few
    }

    /// Whether the figure of a condition is farther on its good side than that of another setting.
    pub(crate) fn is_safer(&self, other: &Self, goal: &Goal) -> bool {
        let figures = goal.limits.iter().zip(self.limits.iter().zip(&other.limits));
        figures
            .into_iter()
            .any(|(limit, ([one, ..], [other, ..]))| if limit.is_upper { one < other } else { one > other })
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

/// Hits and all frames, if the figure is a share.
fn counted(figures: &[Figure]) -> Option<(u64, u64)> {
    // invariant: a figure has no more hits than frames. Whoever makes one checks that.
    let counts = figures
        .iter()
        .map(|figure| if let Figure::Share { hits, all } = figure { ((*hits).min(*all), *all) } else { (0, 0) });
    let (hits, all) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    (all > 0).then_some((hits, all))
}

/// The mean, and half of the interval that leaves out `risk` on each side; for a mean of `new` more blocks, if those are
/// given.
fn mean(figures: &[Figure], new: Option<u32>, risk: f64) -> (f64, f64) {
    let values: Vec<f64> =
        figures.iter().filter_map(|one| if let Figure::Value(value) = one { Some(*value) } else { None }).collect();
    let wider = new.map_or(1.0, |new| (1.0 + values.len() as f64 / f64::from(new.max(1))).sqrt());
    let half = Difference::of(&values).map_or(f64::INFINITY, |found| wider * found.half(risk));
    (values.iter().sum::<f64>() / values.len().max(1) as f64, half)
}

/// The figure with its one-sided 95 % bounds.
fn bounds(figures: &[Figure]) -> [f64; 3] {
    if let Some((hits, all)) = counted(figures) {
        return share(hits, all);
    }
    let (mean, half) = mean(figures, None, RISK);
    [mean, mean - half, mean + half]
}

/// By how much the figure of `new` more blocks may miss the condition, as a share of the limit: 0 if it meets it with a
/// probability of at least 1 minus `risk`. And whether it is 0 only because so few frames cannot show more.
///
/// This is a bound of prediction, not of confidence. A setting whose true share is surely below the limit can still be
/// above it in a report that has only a few hits. So the spread of the report counts, too.
fn short(limit: &Limit, figures: &[Figure], new: u32, risk: f64) -> (f64, bool) {
    let Some((hits, all)) = counted(figures) else {
        let (mean, half) = mean(figures, Some(new), risk);
        return (limit.excess(if limit.is_upper { mean + half } else { mean - half }), false);
    };
    // The frames that break the condition, and how many of them the report may have.
    let (bad, at) = if limit.is_upper { (hits, limit.at) } else { (all - hits, 1.0 - limit.at) };
    let new = all / (figures.len() as u64).max(1) * u64::from(new);
    // Without rounding up, 3 of 1,000 would exceed 0.3 %.
    let allowed = (at * new as f64 * (1.0 + 1e-12)).floor();
    let missed = |bad: u64| allowed < 0.0 || more_than(allowed as u64, new, bad, all) > risk;
    // So few frames show nothing about so strict a limit. Then no frame may break it.
    let is_missed = missed(bad);
    if !is_missed || bad == 0 {
        return (0.0, is_missed);
    }
    let [value, low, high] = share(hits, all);
    let harsh = if limit.is_upper { high } else { low };
    (limit.excess(harsh).max(limit.excess(value)).max(f64::EPSILON), false)
}

/// The probability that more than `allowed` of `new` frames are hits, after `hits` of `all` were.
///
/// The true share has the distribution behind Clopper and Pearson's upper bound, Beta(hits + 1, all − hits), so the new
/// hits are beta-binomial (A. R. Thatcher, J. R. Stat. Soc. B 26, 1964).
fn more_than(allowed: u64, new: u64, hits: u64, all: u64) -> f64 {
    if allowed >= new {
        return 0.0;
    }
    if hits >= all {
        return 1.0;
    }
    let (a, b, n) = ((hits + 1) as f64, (all - hits) as f64, new as f64);
    let log_beta = |a: f64, b: f64| libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    let mut y = (allowed + 1) as f64;
    let log = log_beta(y + a, n - y + b) - log_beta(a, b) - log_beta(y + 1.0, n - y + 1.0) - (n + 1.0).ln();
    let (mut term, mut sum) = (log.exp(), 0.0);
    while y <= n {
        sum += term;
        let ratio = (n - y) / (y + 1.0) * (y + a) / (n - y - 1.0 + b);
        // Below the mode the terms still grow, and then the sum is far above any risk.
        if sum > 0.5 || (ratio < 1.0 && term < NEGLIGIBLE * sum.max(f64::MIN_POSITIVE)) {
            break;
        }
        // The first terms of a far tail may be 0 in floating point although later ones are not.
        if term == 0.0 && ratio >= 1.0 {
            return 1.0;
        }
        (term, y) = (term * ratio, y + 1.0);
    }
    sum.min(1.0)
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
        Goal { is_maximum: false, limits: vec![Limit { at, is_upper: true }], held_out: 1 }
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
    fn hits_in_new_frames_have_the_probabilities_of_combinatorics() {
        // By counting: P(Y = y) = C(y + h, y) C(m − y + n − h − 1, m − y) / C(m + n, m), in exact fractions.
        for (allowed, new, hits, all, expected) in [
            (3, 20, 2, 30, 0.164_338_575_393_154_5),
            (0, 10, 0, 29, 0.256_410_256_410_256_4),
            (8, 8_000, 4, 10_800, 0.048_533_717_084_795_97),
            (8, 8_000, 5, 10_800, 0.085_350_241_965_579_48),
            (100, 1_000, 70, 900, 0.045_590_169_931_803_81),
            (5, 10, 9, 10, 0.983_746_130_030_959_8),
        ] {
            let found = more_than(allowed, new, hits, all);
            assert!((found - expected).abs() < 1e-8, "{allowed} of {new} after {hits} of {all}: {found}");
        }
        assert_eq!([more_than(10, 10, 3, 10), more_than(3, 10, 10, 10)], [0.0, 1.0]);
        // Far below the mode, where the first terms are 0 in floating point.
        assert!(more_than(10, 1_000_000, 500_000, 1_000_000) > 0.5);
    }

    #[test]
    fn a_condition_is_shown_if_95_of_100_new_reports_will_meet_it() {
        let goal = Goal { held_out: 80, ..goal(0.001) };
        let shown = |hits: u64| {
            let many: Vec<_> = (0..108).map(|block| sample(1.0, u64::from(block < hits))).collect();
            let tally = tally(&goal, &many);
            (
                tally.excess(&goal, Proof::Shown) == 0.0,
                tally.is_sure(&goal),
                tally.excess(&goal, Proof::Measured) == 0.0,
            )
        };
        // The 95 % bound of 5 in 10,800 is below 0.1 %, but 8.5 % of reports of 8,000 frames would have more than 8.
        assert_eq!([4, 5, 11].map(shown), [(true, true, true), (false, false, true), (false, false, false)]);
    }

    #[test]
    fn a_limit_that_so_few_frames_cannot_show_allows_no_hit() {
        let goal = goal(0.001);
        let met = |hits: u64| tally(&goal, &[sample(1.0, hits)]).excess(&goal, Proof::Shown) == 0.0;
        assert!(met(0) && !met(1));
        assert!(!tally(&goal, &[sample(1.0, 0)]).is_sure(&goal));
    }

    #[test]
    fn a_figure_to_maximise_has_the_negative_cost_and_a_lower_limit_is_met_above() {
        let goal = Goal { is_maximum: true, limits: vec![Limit { at: 10.0, is_upper: false }], held_out: 3 };
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
