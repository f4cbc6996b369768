//! Differences of means: over the same frames in both runs, and over rounds.
//!
//! Errors of neighbouring frames are correlated, so the standard error comes from batch means (`score::batches`), like
//! that of a gate. A frame that is hard in one run is hard in the other too. So the difference over the same frames is
//! known much better than either mean.

use super::estimate::{Estimate, Ratio};
use crate::score::batches::{Batches, Spread};
use crate::score::beta;
use crate::score::bounds::student;

/// Risk of each one-sided bound, as in the report.
pub(super) const RISK: f64 = 0.05;

/// Iterations that compute a bound of a ratio. Each makes the error about ten times smaller.
const STEPS: usize = 30;

/// The difference of the means of pairs (A, B), in frame order. `None` without a pair.
pub(super) fn paired(pairs: &[(f64, f64)]) -> Option<Estimate> {
    let mut batches = Batches::<2>::default();
    pairs.iter().for_each(|&(a, b)| batches.add([a, b]));
    let samples = pairs.len() as u64;
    if pairs.is_empty() {
        return None;
    }
    if pairs.iter().all(|(a, b)| a == b) {
        return Some(Estimate::of_equals(samples));
    }
    let [a, b] = batches.means();
    let difference = b - a;
    let Some(spread) = batches.spread(|[a, b]| b - a) else { return Some(Estimate::unsure(difference, samples)) };
    Some(Estimate { ratio: ratio(&batches), ..of_spread(difference, spread, samples) })
}

/// A difference with this standard error.
pub(super) fn of_spread(difference: f64, spread: Spread, samples: u64) -> Estimate {
    let half = student(spread.freedom, RISK) * spread.standard_error;
    let t = difference / spread.standard_error;
    let p_larger = above(t, spread.freedom);
    Estimate {
        difference,
        low: Some(difference - half),
        high: Some(difference + half),
        p_larger,
        p_smaller: 1.0 - p_larger,
        ratio: None,
        samples,
        can_show: true,
    }
}

/// Probability that a t-distributed number is above this.
fn above(t: f64, freedom: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    if t.is_nan() {
        return 0.5;
    }
    let tail = beta::regularised(freedom / 2.0, 0.5, freedom / (freedom + t * t)) / 2.0;
    if t > 0.0 { tail } else { 1.0 - tail }
}

/// The ratio r of two positive means. Its bounds are the values of r at which the mean of B − r A just stops differing
/// significantly from 0 (E. C. Fieller, J. R. Stat. Soc. B 16, 1954).
fn ratio(batches: &Batches<2>) -> Option<Ratio> {
    let [a, b] = batches.means();
    if !(a > 0.0 && b >= 0.0) {
        return None;
    }
    let end = |sign: f64| {
        let mut end = b / a;
        for _ in 0..STEPS {
            let spread = batches.spread(|[a, b]| b - end * a)?;
            end = (b + sign * student(spread.freedom, RISK) * spread.standard_error) / a;
        }
        end.is_finite().then_some(end)
    };
    Some(Ratio { value: b / a, low: end(-1.0), high: end(1.0) })
}

/// The mean of independent differences, one per round.
pub(super) fn of_rounds(differences: &[f64]) -> Option<Estimate> {
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    match differences.len() {
        0 => None,
        _ if differences.iter().all(|difference| *difference == 0.0) => {
            Some(Estimate::of_equals(differences.len() as u64))
        }
        1 => Some(Estimate::unsure(mean, 1)),
        samples => {
            let squares: f64 = differences.iter().map(|difference| (difference - mean).powi(2)).sum();
            let standard_error = (squares / (count - 1.0) / count).sqrt();
            Some(of_spread(mean, Spread { standard_error, freedom: count - 1.0 }, samples as u64))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_probabilities_are_those_of_the_t_distribution() {
        // Student's density, integrated by Simpson's rule.
        for (t, freedom, expected) in
            [(2.0, 11.0, 0.035_401_978), (-2.0, 11.0, 0.964_598_022), (0.0, 5.0, 0.5), (3.0, 40.0, 0.002_315_070)]
        {
            assert!((above(t, freedom) - expected).abs() < 1e-8, "{t}, {freedom}: {}", above(t, freedom));
        }
    }

    #[test]
    fn equal_runs_differ_by_exactly_nothing() {
        let pairs: Vec<_> = (0..300).map(|frame| f64::from(frame % 7)).map(|value| (value, value)).collect();
        let estimate = paired(&pairs).unwrap();
        assert_eq!((estimate.difference, estimate.low, estimate.high), (0.0, Some(0.0), Some(0.0)));
        assert!(!estimate.can_show);
        assert_eq!(paired(&[]), None);
        assert_eq!(paired(&[(1.0, 2.0)]).unwrap().low, None, "one frame has no bounds");
    }

    #[test]
    fn rounds_have_the_bounds_of_the_textbook() {
        let estimate = of_rounds(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        // t(0.95, 3) = 2.353363; the standard error is √(5/3/4).
        let half = 2.353_363 * (5.0_f64 / 12.0).sqrt();
        assert!((estimate.low.unwrap() - (2.5 - half)).abs() < 1e-5, "{estimate:?}");
        assert_eq!((of_rounds(&[]), of_rounds(&[3.0]).unwrap().high), (None, None));
    }

    proptest! {
        #[test]
        fn swapping_the_runs_swaps_larger_and_smaller(
            pairs in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 2..200),
        ) {
            let turned: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
            let (one, other) = (paired(&pairs).unwrap(), paired(&turned).unwrap());
            prop_assert!((one.difference + other.difference).abs() < 1e-12);
            prop_assert!((one.p_larger - other.p_smaller).abs() < 1e-9);
            let inside = |estimate: &Estimate| {
                estimate.low.is_none_or(|low| low <= estimate.difference)
                    && estimate.high.is_none_or(|high| high >= estimate.difference)
            };
            prop_assert!(inside(&one) && inside(&other));
            if let Some(Ratio { value, low: Some(low), high: Some(high) }) = one.ratio {
                prop_assert!(low <= value && value <= high, "{low} {value} {high}");
            }
        }

        #[test]
        fn the_unit_does_not_change_a_verdict(
            pairs in prop::collection::vec((0.1..1.0_f64, 0.1..1.0_f64), 2..100), exponent in -20..20,
        ) {
            // A power of two, so that no rounding differs.
            let unit = 2_f64.powi(exponent);
            let scaled: Vec<_> = pairs.iter().map(|&(a, b)| (unit * a, unit * b)).collect();
            let (one, other) = (paired(&pairs).unwrap(), paired(&scaled).unwrap());
            prop_assert!((one.p_larger - other.p_larger).abs() < 1e-9);
            prop_assert!((one.difference * unit - other.difference).abs() <= 1e-12 * unit);
        }
    }
}
