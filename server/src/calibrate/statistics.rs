//! Tail probabilities of the distributions behind the verdicts.

use crate::score::{beta, bounds::student};

/// Convergence of the series, relative.
const PRECISION: f64 = 1e-14;

/// Most terms of a series: as many as 2.5·10¹¹ degrees of freedom need.
const MOST_TERMS: f64 = 1e7;

/// The probability that a χ² with this many degrees of freedom is larger.
///
/// The regularised incomplete gamma function Q(k/2, x/2): its series below the mean, Lentz's continued fraction above
/// (Press et al., "Numerical Recipes", 6.2).
pub(super) fn chi_squared_tail(freedom: f64, x: f64) -> f64 {
    let (a, x) = (freedom / 2.0, x / 2.0);
    if x <= 0.0 || x.is_nan() {
        return 1.0;
    }
    // Squares of residuals in standard deviations near 0 may have an infinite sum.
    if x.is_infinite() {
        return 0.0;
    }
    let front = (a * x.ln() - x - libm::lgamma(a)).exp();
    let terms = (200.0 + 20.0 * a.max(x).sqrt()).min(MOST_TERMS) as u64;
    if x < a + 1.0 {
        let (mut term, mut sum, mut k) = (1.0 / a, 1.0 / a, a);
        for _ in 0..terms {
            k += 1.0;
            term *= x / k;
            sum += term;
            if term < sum * PRECISION {
                break;
            }
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (1.0 / tiny, 1.0 / b);
    let mut value = d;
    for i in 1..terms {
        let an = -(i as f64) * (i as f64 - a);
        b += 2.0;
        d = 1.0 / (an * d + b).abs().max(tiny).copysign(an * d + b);
        c = (b + an / c).abs().max(tiny).copysign(b + an / c);
        value *= d * c;
        if (d * c - 1.0).abs() < PRECISION {
            break;
        }
    }
    (front * value).clamp(0.0, 1.0)
}

/// The probability that a ratio of two mean squares with these degrees of freedom is larger (F distribution).
pub(super) fn ratio_tail(freedom: f64, below: f64, ratio: f64) -> f64 {
    beta::regularised(below / 2.0, freedom / 2.0, below / (below + freedom * ratio))
}

/// How many standard errors a 95 % interval reaches to each side. Infinite degrees of freedom are a normal distribution.
pub(super) fn reach(freedom: f64) -> f64 {
    if freedom > 1e6 { 1.959_963_984_540_054 } else { student(freedom.max(1.0), 0.025) }
}

/// The median of these values, which must not be NaN. `None` without values.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let middle = values.len() / 2;
    Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_equal_those_of_scipy() {
        // scipy.stats.chi2.sf and scipy.stats.f.sf, 1.17.
        for (freedom, x, expected) in [
            (2.0, 5.991_464_547_107_979, 0.05),
            (1.0, 3.841_458_820_694_124, 0.05),
            (1186.0, 1186.0, 0.494_539_8),
            (1186.0, 1267.234, 0.050_0),
            (2e5, 2e5 + 1040.0, 0.050_16),
            (10.0, 0.0, 1.0),
        ] {
            let found = chi_squared_tail(freedom, x);
            assert!((found - expected).abs() < 2e-4, "{freedom} {x}: {found}, not {expected}");
        }
        // A residual of many standard deviations.
        for x in [1e38, 1e300, f64::MAX, f64::INFINITY] {
            assert_eq!(chi_squared_tail(10.0, x), 0.0, "{x}");
        }
        assert!((ratio_tail(10.0, 20.0, 2.347_877_566_998_553) - 0.05).abs() < 1e-9);
        assert!((reach(f64::INFINITY) - 1.96).abs() < 1e-3 && (reach(10.0) - 2.228_138_9).abs() < 1e-6);
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![])), (Some(2.0), None));
    }
}
