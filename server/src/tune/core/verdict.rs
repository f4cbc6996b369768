//! What is reported: figures of frames that no trial saw, with their intervals.
//!
//! The best of many settings looks better on the frames of the search than it is, by about σ √(2 ln K) for K settings.
//! On new frames it does not, so these alone are reported, and these alone say whether it is better than the default.

use super::goal::{Goal, Proof, Tally};
use super::paired::Difference;

/// Half of 5 %: the risk on each side of an interval.
const RISK: f64 = 0.025;

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Score {
    /// The figure.
    pub(crate) value: f64,
    /// The lower end.
    pub(crate) low: f64,
    /// The upper end.
    pub(crate) high: f64,
}

/// How the best setting compares with the default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// It is better: by this difference of the figures, best minus default.
    Better(Score),
    /// It meets the conditions, and the default does not.
    OnlyOneThatMeets,
    /// No setting is shown to be better. The difference of the figures, if there is another setting.
    NotShown(Option<Score>),
    /// On the new frames it misses a condition.
    Missed,
    /// The pipeline failed with it on the new frames.
    Failed,
}

/// The figure of a setting, in its own sign.
pub(crate) fn score(goal: &Goal, tally: &Tally) -> Option<Score> {
    of(goal, &Difference::of(&tally.costs)?)
}

/// The verdict on a setting.
pub(crate) fn verdict(goal: &Goal, best: &Tally, default: &Tally) -> Verdict {
    let meets = |tally: &Tally| tally.excess(goal, Proof::Measured) == 0.0;
    match (best.is_failed, meets(best), meets(default)) {
        (true, ..) => Verdict::Failed,
        (_, false, _) => Verdict::Missed,
        (_, _, false) => Verdict::OnlyOneThatMeets,
        _ => {
            let difference = Difference::between(&best.costs, &default.costs);
            let score = difference.and_then(|difference| of(goal, &difference));
            match (difference, score) {
                (Some(difference), Some(score)) if difference.mean + difference.half(RISK) < 0.0 => {
                    Verdict::Better(score)
                }
                (_, score) => Verdict::NotShown(score),
            }
        }
    }
}

fn of(goal: &Goal, difference: &Difference) -> Option<Score> {
    let (value, half) = (if goal.is_maximum { -difference.mean } else { difference.mean }, difference.half(RISK));
    half.is_finite().then_some(Score { value, low: value - half, high: value + half })
}
