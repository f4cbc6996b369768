//! Which cells differ from the others: the test of each, and the correction for the number of tests.
//!
//! A cell's mean is compared with the mean of all other cells by Student's t, with the standard errors that follow from
//! the bounds in the reports. A cell's share is compared with the share of all other cells together by Fisher's exact
//! test. Benjamini and Hochberg's method (J. R. Stat. Soc. B 57, 1995) then marks cells such that at most 5 % of the
//! marked ones are expected to be marked by chance. If nothing has an effect, at most 5 % of the sweeps have a marked
//! cell (`simulation`). Cells with the same seed show the same scenes, which makes them more alike than the test
//! assumes, so it marks too few rather than too many.

use serde::{Deserialize, Serialize};

use crate::score::beta;
use crate::score::bounds::student;

/// Share of the marked cells that may be marked by chance.
pub(super) const RATE: f64 = 0.05;

/// Fewest degrees of freedom of a session's batch means, if it has enough frames (`score::batches`: 32 batches).
const FREEDOM: f64 = 31.0;

/// More frames than any trial has, and few enough for a sum over all trials of a plan: 10⁷ times 2⁴⁰ are below 2⁶⁴.
pub(crate) const MOST_FRAMES: u64 = 1 << 40;

/// A sum ends at a term that is smaller than this share of it.
const NEGLIGIBLE: f64 = 1e-12;

/// A figure of a cell.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(super) enum Measure {
    /// A mean.
    Mean {
        /// Its value.
        value: f64,
        /// Its standard error.
        error: f64,
        /// Degrees of freedom of the standard error.
        freedom: f64,
    },
    /// A share: hits among all frames.
    Share {
        /// Frames for which it holds.
        hits: u64,
        /// All frames.
        all: u64,
    },
}

impl Measure {
    /// A mean with one-sided 95 % bounds, of this many frames. `None` if they are too few.
    pub(super) fn of_bounds(value: f64, low: f64, high: f64, frames: f64) -> Option<Self> {
        // With up to 63 frames, each frame is a batch.
        let freedom = if frames < 64.0 { frames - 1.0 } else { FREEDOM };
        let error = (high - low) / 2.0 / student(freedom.max(1.0), RATE);
        (freedom >= 1.0 && error.is_finite() && error >= 0.0).then_some(Self::Mean { value, error, freedom })
    }

    /// So many hits among so many frames. `None` for counts that no trial has, as in a file that somebody changed.
    pub(super) fn of_counts(hits: u64, all: u64) -> Option<Self> {
        Some(Self::Share { hits, all }).filter(Self::is_possible)
    }

    /// Whether a trial can have it.
    pub(super) fn is_possible(&self) -> bool {
        match *self {
            Self::Mean { value, error, freedom } => {
                value.is_finite() && error.is_finite() && error >= 0.0 && freedom >= 1.0
            }
            Self::Share { hits, all } => hits <= all && all <= MOST_FRAMES,
        }
    }

    /// The measure of a cell from those of its repeats.
    pub(super) fn together(repeats: &[Self]) -> Option<Self> {
        let count = repeats.len() as f64;
        match repeats.first()? {
            Self::Share { .. } => {
                let counts = |one: &Self| if let Self::Share { hits, all } = one { (*hits, *all) } else { (0, 0) };
                let (hits, all) = repeats.iter().map(counts).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                Some(Self::Share { hits, all })
            }
            Self::Mean { .. } => {
                let parts = |one: &Self| {
                    if let Self::Mean { value, error, freedom } = one {
                        (*value, *error, *freedom)
                    } else {
                        (0.0, 0.0, 0.0)
                    }
                };
                let all: Vec<_> = repeats.iter().map(parts).collect();
                let value = all.iter().map(|(value, ..)| value).sum::<f64>() / count;
                let error = all.iter().map(|(_, error, _)| error * error).sum::<f64>().sqrt() / count;
                Some(Self::Mean { value, error, freedom: all.iter().map(|(.., freedom)| freedom).sum() })
            }
        }
    }

    /// Its value.
    pub(super) fn value(&self) -> f64 {
        match *self {
            Self::Mean { value, .. } => value,
            Self::Share { hits, all } => hits as f64 / all.max(1) as f64,
        }
    }
}

/// For each cell, the probability of a difference from the others at least as large as the observed one, if no cell
/// differed. `None` for a cell without a value.
pub(super) fn probabilities(cells: &[Option<Measure>]) -> Vec<Option<f64>> {
    let (mut sum, mut squares, mut freedom, mut known) = (0.0, 0.0, 0.0, 0.0);
    let (mut hits, mut all) = (0, 0);
    for cell in cells.iter().flatten() {
        match cell {
            Measure::Mean { value, error, freedom: of_cell } => {
                (sum, squares, known, freedom) = (sum + value, squares + error * error, known + 1.0, freedom + of_cell);
            }
            Measure::Share { hits: some, all: frames } => (hits, all) = (hits + some, all + frames),
        }
    }
    let one = |cell: &Measure| match *cell {
        Measure::Mean { value, error, freedom: own } => {
            let others = known - 1.0;
            let difference = value - (sum - value) / others;
            let spread = (error * error + (squares - error * error) / (others * others)).sqrt();
            // With many other cells, the uncertainty is almost that of this cell alone.
            let freedom = if others > 3.0 { own } else { own.min(freedom - own) };
            (others >= 1.0).then(|| two_sided(difference, spread, freedom))
        }
        Measure::Share { hits: some, all: frames } => (all > frames).then(|| exact(some, frames, hits, all)),
    };
    cells.iter().map(|cell| cell.as_ref().and_then(one)).collect()
}

fn two_sided(difference: f64, spread: f64, freedom: f64) -> f64 {
    if difference == 0.0 {
        return 1.0;
    }
    let t = difference / spread;
    if t.is_finite() { beta::regularised(freedom / 2.0, 0.5, freedom / (freedom + t * t)) } else { 0.0 }
}

/// Fisher's exact test, two-sided: twice the smaller tail of the hypergeometric distribution.
fn exact(hits: u64, frames: u64, all_hits: u64, all: u64) -> f64 {
    let most = all_hits.min(frames);
    let least = (all_hits + frames).saturating_sub(all);
    let log = |hits: u64| choices(all_hits, hits) + choices(all - all_hits, frames - hits) - choices(all, frames);
    // The sum runs outwards from the observed count: the terms of the smaller tail only get smaller.
    let tail = |range: &mut dyn Iterator<Item = u64>| {
        let mut sum = 0.0;
        for term in range.map(|hits| log(hits).exp()) {
            sum += term;
            if term < NEGLIGIBLE * sum {
                break;
            }
        }
        sum
    };
    let (below, above) = (tail(&mut (least..=hits).rev()), tail(&mut (hits..=most)));
    (2.0 * below.min(above)).min(1.0)
}

/// The logarithm of the number of ways to choose `few` out of `many`.
fn choices(many: u64, few: u64) -> f64 {
    let factorial = |number: u64| libm::lgamma(number as f64 + 1.0);
    factorial(many) - factorial(few) - factorial(many - few)
}

/// Which cells are marked, when all these are tested together.
pub(super) fn marked(probabilities: &[Option<f64>]) -> Vec<bool> {
    let mut sorted: Vec<f64> = probabilities.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let holds = |place: &usize| sorted[*place] <= RATE * (*place as f64 + 1.0) / count;
    let limit = (0..sorted.len()).rev().find(holds).map(|place| sorted[place]);
    probabilities.iter().map(|one| one.zip(limit).is_some_and(|(one, limit)| one <= limit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(value: f64, error: f64) -> Option<Measure> {
        Some(Measure::Mean { value, error, freedom: 31.0 })
    }

    #[test]
    fn the_example_of_benjamini_and_hochberg_marks_4_of_15() {
        // Benjamini and Hochberg's own example (1995, section 4): 4 of 15 at 5 %.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let marked = marked(&p.map(Some));
        assert_eq!(marked.iter().filter(|marked| **marked).count(), 4);
        assert!(marked[..4].iter().all(|marked| *marked));
        assert_eq!(super::marked(&[None, Some(0.5)]), [false, false]);
    }

    #[test]
    fn a_cell_that_differs_is_marked_and_cells_that_are_equal_are_not() {
        let mut cells: Vec<_> = (0..20).map(|place| mean(1.0 + 0.05 * f64::from(place % 3), 0.1)).collect();
        cells[7] = mean(2.0, 0.1);
        cells.push(None);
        let found = marked(&probabilities(&cells));
        assert_eq!(found.iter().position(|marked| *marked), Some(7));
        assert_eq!(found.iter().filter(|marked| **marked).count(), 1);
        let equal = [mean(1.0, 0.1), mean(1.0, 0.1)];
        assert_eq!(probabilities(&equal), [Some(1.0), Some(1.0)]);
        assert_eq!(probabilities(&[mean(1.0, 0.1)]), [None], "one cell has nothing to differ from");
    }

    #[test]
    fn shares_have_the_probability_of_fishers_exact_test() {
        // 8 of 10 in this cell, 10 of 24 in all: P(X ≥ 8) = (C(10, 8) C(14, 2) + C(10, 9) C(14, 1) + 1) / C(24, 10).
        let share = |hits, all| Some(Measure::Share { hits, all });
        let found = probabilities(&[share(8, 10), share(2, 14)]);
        assert!((found[0].unwrap() - 2.0 * 0.002_159_840_428_786).abs() < 1e-9, "{found:?}");
        assert_eq!(probabilities(&[share(0, 10), share(0, 10)]), [Some(1.0), Some(1.0)]);
    }

    #[test]
    fn counts_that_contradict_each_other_are_no_measure() {
        assert_eq!(Measure::of_counts(3, 3), Some(Measure::Share { hits: 3, all: 3 }));
        assert_eq!([Measure::of_counts(4, 3), Measure::of_counts(0, MOST_FRAMES + 1)], [None, None]);
        let mean = |error: f64, freedom: f64| Measure::Mean { value: 1.0, error, freedom }.is_possible();
        assert!(mean(0.0, 1.0) && !mean(-0.1, 1.0) && !mean(0.1, 0.0) && !mean(f64::NAN, 1.0));
    }

    #[test]
    fn bounds_give_back_the_standard_error() {
        let half = student(31.0, 0.05) * 0.2;
        let Some(Measure::Mean { value, error, freedom }) = Measure::of_bounds(1.0, 1.0 - half, 1.0 + half, 100.0)
        else {
            panic!("a measure");
        };
        assert!(value == 1.0 && (error - 0.2).abs() < 1e-12 && freedom == 31.0);
        assert_eq!(Measure::of_bounds(1.0, 0.9, 1.1, 1.0), None);
    }
}
