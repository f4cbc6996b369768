//! Bounds of figures, with 95 % confidence on each side.
//!
//! A session is a sample: with other frames its figures would be a little different. `low` and `high` are the one-sided
//! 95 % bounds of the figure that infinitely many frames would give. Bounds of means are a t interval from batch means
//! (`batches`). Those of percentiles are order statistics (H. A. David and H. N. Nagaraja, "Order Statistics", 7.1),
//! with the number of independent frames estimated from batch means. Those of shares are exact binomial ones (C. J.
//! Clopper and E. S. Pearson, Biometrika 26, 1934). Figures without bounds, such as counts and maxima, are exact for
//! this session.

use std::collections::BTreeMap;

use hdrhistogram::{Counter, Histogram};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::batches::Batches;
use super::beta;

/// Probability that the true value is beyond a bound: 5 %.
const RISK: f64 = 0.05;

/// The 95 % bounds of a figure, one on each side, in the figure's unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Bound {
    /// The figure is at least this, with 95 % confidence; `null` if there are too few samples to tell.
    pub low: Option<f64>,
    /// The figure is at most this, with 95 % confidence; `null` if there are too few samples to tell.
    pub high: Option<f64>,
    /// Number of samples behind the figure.
    pub samples: u64,
}

/// The bounds of a session's figures, by path.
pub type Bounds = BTreeMap<String, Bound>;

impl Bound {
    /// The bounds of the mean of a linear combination of a frame's values, whose mean is `mean`.
    pub(crate) fn of_mean<const N: usize>(
        mean: f64,
        batches: &Batches<N>,
        combined: impl Fn(&[f64; N]) -> f64,
    ) -> Option<Self> {
        let samples = batches.count();
        let half = batches.spread(combined).and_then(|spread| {
            Some(student(spread.freedom, RISK) * spread.standard_error).filter(|half| half.is_finite())
        });
        let bound = Self { low: half.map(|half| mean - half), high: half.map(|half| mean + half), samples };
        (samples > 0).then_some(bound)
    }

    /// The bounds of a share, from `hits` hits in `all` samples. `None` without a sample.
    pub fn of_share(hits: u64, all: u64) -> Option<Self> {
        if all == 0 || hits > all {
            return None;
        }
        let (hit, missed) = (hits as f64, (all - hits) as f64);
        let low = if hits == 0 { Some(0.0) } else { Some(beta::quantile(hit, missed + 1.0, RISK)) };
        let high = if hits == all { Some(1.0) } else { Some(beta::quantile(hit + 1.0, missed, 1.0 - RISK)) };
        Some(Self { low, high, samples: all })
    }

    /// The bounds of the percentile `percent` of the values of a histogram, which are worth `independent` samples.
    pub(crate) fn of_percentile<T: Counter>(
        histogram: &Histogram<T>,
        percent: f64,
        independent: f64,
        value: impl Fn(u64) -> f64,
    ) -> Option<Self> {
        let samples = histogram.len();
        if samples == 0 {
            return None;
        }
        let [low, high] = ranks(samples, independent, percent / 100.0);
        // Subtracting a half makes rounding harmless: the histogram finds the first value whose rank is at least this.
        let at = |rank: u64| value(histogram.value_at_quantile((rank as f64 - 0.5) / samples as f64));
        Some(Self { low: low.map(at), high: high.map(at), samples })
    }

    /// The bounds of a function of the figure that grows with it.
    #[must_use]
    pub(crate) fn map(self, grown: impl Fn(f64) -> f64) -> Self {
        Self { low: self.low.map(&grown), high: self.high.map(&grown), ..self }
    }
}

/// The value that a t-distributed number exceeds with this probability.
pub(crate) fn student(freedom: f64, risk: f64) -> f64 {
    let y = beta::quantile(freedom / 2.0, 0.5, 2.0 * risk);
    (freedom * (1.0 - y) / y).sqrt()
}

/// Ranks, from 1, of the samples that bound a quantile. `None` where no sample does.
///
/// The sample of rank j is at most the quantile p with probability P(B ≥ j) = I_p(j, n − j + 1), and at least the
/// quantile with probability P(B ≤ j − 1), for B binomial with n and p. If the samples are correlated, they count as
/// fewer independent ones, and the ranks are at least as far out as those of that many samples.
fn ranks(samples: u64, independent: f64, p: f64) -> [Option<u64>; 2] {
    let worth = (independent.floor() as u64).clamp(1, samples);
    let scale = samples as f64 / worth as f64;
    let scaled = |rank: f64| (rank as u64).clamp(1, samples);
    let ([low, high], [far_low, far_high]) = (independent_ranks(samples, p), independent_ranks(worth, p));
    let low = low.zip(far_low).map(|(low, far)| low.min(scaled((far as f64 * scale).floor())));
    let high = high.zip(far_high).map(|(high, far)| high.max(scaled((far as f64 * scale).ceil())));
    [low, high]
}

/// The ranks of `n` independent samples.
fn independent_ranks(n: u64, p: f64) -> [Option<u64>; 2] {
    let at_least = |rank: u64| beta::regularised(rank as f64, (n - rank + 1) as f64, p);
    // Both probabilities are monotonic in the rank, so bisection finds the ends.
    let low = last(n, |rank| at_least(rank) >= 1.0 - RISK);
    let high = last(n, |rank| 1.0 - at_least(rank) < 1.0 - RISK) + 1;
    [Some(low).filter(|low| *low > 0), Some(high).filter(|high| *high <= n)]
}

/// The last rank from 1 to `n` for which the condition holds; 0 if there is none. It must hold up to some rank only.
fn last(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut yes, mut no) = (0, n + 1);
    while no - yes > 1 {
        let middle = yes + (no - yes) / 2;
        if holds(middle) { yes = middle } else { no = middle }
    }
    yes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_bounds_of_the_tables() {
        // scipy.stats.binomtest(k, n).proportion_ci(0.90, "exact"), whose ends are one-sided at 95 %.
        for (hits, all, low, high) in
            [(0, 300, 0.0, 0.009936082), (3, 20, 0.04216941, 0.34366380), (20, 20, 0.86089166, 1.0)]
        {
            let bound = Bound::of_share(hits, all).unwrap();
            let off = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs();
            assert!(off(bound.low, low) < 1e-7 && off(bound.high, high) < 1e-7, "{hits} of {all}: {bound:?}");
        }
        assert_eq!(Bound::of_share(0, 0), None);
    }

    #[test]
    fn a_percentile_has_no_bound_beyond_its_samples() {
        // 1 − 0.99^298 < 0.95 ≤ 1 − 0.99^299.
        assert_eq!(ranks(298, 298.0, 0.99)[1], None);
        assert_eq!(ranks(299, 299.0, 0.99)[1], Some(299));
        // Of 20 samples, the 6th and the 15th bound the median at 97.9 % each, the 7th and the 14th at 94.2 % each.
        assert_eq!(ranks(20, 20.0, 0.5), [Some(6), Some(15)]);
        assert_eq!(ranks(1, 1.0, 0.5), [None, None]);
    }

    #[test]
    fn correlated_samples_have_wider_bounds() {
        let [Some(low), Some(high)] = ranks(1_000, 1_000.0, 0.5) else { panic!("bounds") };
        let [Some(wide_low), Some(wide_high)] = ranks(1_000, 100.0, 0.5) else { panic!("bounds") };
        assert!(wide_low < low && wide_high > high, "{wide_low}..{wide_high} around {low}..{high}");
        assert!(ranks(20, 4.0, 0.99)[0] <= ranks(20, 20.0, 0.99)[0], "also where the few say less of the end");
    }

    #[test]
    fn ten_million_samples_have_bounds_at_once() {
        let [Some(low), Some(high)] = ranks(10_000_000, 1e7, 0.99) else { panic!("bounds") };
        // 1.645 √(n p q) = 518.
        assert!(low.abs_diff(9_900_000 - 518) < 10 && high.abs_diff(9_900_000 + 518) < 10, "{low}..{high}");
    }

    #[test]
    fn the_bounds_of_a_mean_are_those_of_the_t_distribution() {
        let mut batches = Batches::<1>::default();
        [1.0, -1.0, 1.0, -1.0].into_iter().for_each(|value| batches.add([value]));
        let bound = Bound::of_mean(0.0, &batches, |[value]| *value).unwrap();
        // t(0.95, 3) = 2.353363; the standard error is √(4/3/4).
        let half = 2.353_363_434_801_823 * (1.0_f64 / 3.0).sqrt();
        assert!((bound.high.unwrap() - half).abs() < 1e-6 && (bound.low.unwrap() + half).abs() < 1e-6, "{bound:?}");
        assert_eq!(Bound::of_mean(0.0, &Batches::<1>::default(), |[value]| *value), None);
    }
}
