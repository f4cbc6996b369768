//! Statistics of a sample, and confidence bounds on the rate behind it.

/// One-sided confidence of every bound.
const CONFIDENCE: f64 = 0.95;

/// Mean; `None` for an empty sample.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard error of the mean; `None` for fewer than two values.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    let (mean, count) = (mean(values)?, values.len() as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt())
}

/// Quantile: the smallest value of the sample for which at least `share` (0 to 1) of the values are no larger. `None` for
/// an empty sample.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// Upper bound of a rate after `hits` in `n` trials, with 95 % confidence (Clopper and Pearson, Biometrika 26, 1934).
///
/// Without hits the bound is close to 3 / n, the "rule of three". It is 1 for an empty sample, and if every trial is a
/// hit.
pub fn upper_bound(hits: u64, n: u64) -> f64 {
    if hits >= n {
        return 1.0;
    }
    // The probability of at most `hits` falls as the rate grows: bisect.
    let (mut low, mut high) = (hits as f64 / n as f64, 1.0);
    while high - low > 1e-12 * high {
        let middle = (low + high) / 2.0;
        if probability_of_at_most(hits, n, middle) > 1.0 - CONFIDENCE { low = middle } else { high = middle }
    }
    high
}

/// Binomial probability of at most `hits` in `n` trials with the probability `rate`, in (0, 1).
///
/// Terms are added from the largest to the smallest, each computed from the one before, so that none underflows.
fn probability_of_at_most(hits: u64, n: u64, rate: f64) -> f64 {
    let odds = rate / (1.0 - rate);
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in (1..=hits).rev() {
        term *= k as f64 / (n - k + 1) as f64 / odds;
        sum += term;
    }
    (ln_probability(hits, n, rate) + f64::ln(sum)).exp()
}

/// Logarithm of the probability of exactly `hits` in `n` trials.
fn ln_probability(hits: u64, n: u64, rate: f64) -> f64 {
    let ln_choices: f64 = (1..=hits).map(|k| ((n - hits + k) as f64 / k as f64).ln()).sum();
    ln_choices + hits as f64 * rate.ln() + (n - hits) as f64 * (-rate).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_sample_has_no_statistics() {
        assert_eq!((mean(&[]), quantile(&[], 0.5), standard_error(&[1.0])), (None, None, None));
    }

    #[test]
    fn the_mean_and_its_standard_error_are_exact() {
        assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
        // The three values have the variance 7.
        assert!((standard_error(&[1.0, 2.0, 6.0]).expect("three values") - (7.0_f64 / 3.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn quantiles_are_values_of_the_sample() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(&values, 0.5), Some(50.0));
        assert_eq!(quantile(&values, 0.99), Some(99.0));
        assert_eq!(quantile(&values, 1.0), Some(100.0));
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
    }

    #[test]
    fn the_bound_without_hits_is_the_rule_of_three() {
        for n in [10, 1000, 50_000] {
            // (1 − p)ⁿ = 0.05, solved.
            let exact = 1.0 - 0.05_f64.powf(1.0 / n as f64);
            assert!((upper_bound(0, n) / exact - 1.0).abs() < 1e-9);
        }
        assert!((upper_bound(0, 10_000) * 10_000.0 - 3.0).abs() < 0.01);
    }

    #[test]
    fn bounds_match_the_published_tables() {
        // One-sided 95 % for Poisson counts of 1, 5 and 100: 4.744, 10.513, 118.079; binomial of 1 in 20: 0.2161.
        for (hits, count) in [(1, 4.744), (5, 10.513), (100, 118.079)] {
            let n = 10_000_000;
            assert!((upper_bound(hits, n) * n as f64 - count).abs() < 0.001, "{hits}");
        }
        assert!((upper_bound(1, 20) - 0.216_11).abs() < 1e-5);
    }

    #[test]
    fn the_bound_is_one_for_an_empty_sample_and_for_only_hits() {
        assert_eq!((upper_bound(0, 0), upper_bound(9, 9)), (1.0, 1.0));
        assert!((0.5..1.0).contains(&upper_bound(5000, 10_000)));
    }
}
