//! The distribution of |dx| + |dy| that a frame's limit predicts.
//!
//! The limit is the mean for Gaussian errors. With the same standard deviation σ along both axes it is 2 √(2/π) σ, and
//! |dx| + |dy| = √2 max(|u|, |v|) along the diagonals u and v, which are independent: P(|dx| + |dy| ≤ t) = erf(t / 2σ)².

use std::f64::consts::FRAC_PI_2;

use crate::output::html::spread::Spread;

/// The 95 % quantile, as a multiple of the limit: erf(1.581 4)² = 0.95.
pub(super) const AT_95: f64 = 1.982_025_8;

/// The share of errors up to `t` that this limit predicts.
pub(super) fn share_below(t: f64, limit: f64) -> f64 {
    let sigma = limit * FRAC_PI_2.sqrt() / 2.0;
    libm::erf(t / (2.0 * sigma)).powi(2)
}

/// The share of errors up to `t` over frames with this distribution of limits.
pub(super) fn predicted(t: f64, limits: &Spread) -> f64 {
    let shares = limits.bins().map(|(low, high, count)| count * share_below(t, (low * high).sqrt()));
    shares.sum::<f64>() / limits.count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_predicted_distribution_has_the_limit_as_its_mean_and_the_stated_quantile() {
        let step = 1e-3;
        let mean: f64 = (0..20_000).map(|place| step * (1.0 - share_below((f64::from(place) + 0.5) * step, 1.0))).sum();
        assert!((mean - 1.0).abs() < 1e-5, "{mean}");
        assert!((share_below(AT_95, 1.0) - 0.95).abs() < 1e-5, "{}", share_below(AT_95, 1.0));
    }
}
