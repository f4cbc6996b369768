//! Figures of a sample, and what they allow to say beyond it.

/// One-sided confidence of every bound.
const CONFIDENCE: f64 = 0.95;

/// Mean; `None` of nothing.
pub(crate) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Standard deviation of the mean; `None` of fewer than two values.
pub(crate) fn standard_error(values: &[f64]) -> Option<f64> {
    let (mean, count) = (mean(values)?, values.len() as f64);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (count - 1.0) / count).sqrt())
}

/// The value that a share of the values, 0–1, does not exceed; `None` of nothing.
pub(crate) fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.clamp(1, sorted.len().max(1)) - 1).copied()
}

/// The rate that such a sample excludes anything above, with 95 % confidence (Clopper and Pearson, Biometrika 26, 1934).
///
/// Of none in `n` it is the "rule of three", 3 / n. 1 for an empty sample.
pub(crate) fn upper_bound(hits: u64, n: u64) -> f64 {
    if hits >= n {
        return 1.0;
    }
    // The chance of so few falls as the rate grows: halve down to the last bit of the answer.
    let (mut low, mut high) = (hits as f64 / n as f64, 1.0);
    while high - low > 1e-12 * high {
        let middle = (low + high) / 2.0;
        if chance_of_at_most(hits, n, middle) > 1.0 - CONFIDENCE { low = middle } else { high = middle }
    }
    high
}

/// Binomial: the chance of at most `hits` of `n`, each with chance `rate` in (0, 1).
///
/// Terms are added from the largest down, each from the one before, so that none is lost to underflow.
fn chance_of_at_most(hits: u64, n: u64, rate: f64) -> f64 {
    let odds = rate / (1.0 - rate);
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in (1..=hits).rev() {
        term *= k as f64 / (n - k + 1) as f64 / odds;
        sum += term;
    }
    (ln_chance(hits, n, rate) + f64::ln(sum)).exp()
}

/// Logarithm of the chance of exactly `hits` of `n`.
fn ln_chance(hits: u64, n: u64, rate: f64) -> f64 {
    let ln_choices: f64 = (1..=hits).map(|k| ((n - hits + k) as f64 / k as f64).ln()).sum();
    ln_choices + hits as f64 * rate.ln() + (n - hits) as f64 * (-rate).ln_1p()
}
