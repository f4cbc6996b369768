//! The incomplete beta function, behind the binomial, beta and t distributions.

/// Convergence of the continued fraction, relative.
const PRECISION: f64 = 1e-15;

/// Replaces a denominator of zero (Lentz's method).
const TINY: f64 = 1e-300;

/// From this sum of the parameters on, logarithms of gamma functions cancel too many digits: at 10^8 they are 2·10^9,
/// with an error of 2·10^-7.
pub(crate) const LARGE: f64 = 1e8;

/// From this smaller parameter on, the expansion for large parameters has an error below 3·10^-8 (compared with the
/// continued fraction).
const UNIFORM: f64 = 1e3;

/// From this number on, Stirling's series with four terms is exact to the last digit (C. Loader, "Fast and accurate
/// computation of binomial probabilities", 2000).
const STIRLING: f64 = 15.0;

/// Standard errors from the mean below which the first term of a series replaces a difference that cancels. The error
/// is below 10^-6.
const NEAR: f64 = 0.01;

/// The regularised incomplete beta function I_x(a, b), for a, b > 0 and x from 0 to 1.
///
/// Lentz's method for the continued fraction of DLMF 8.17.22, which converges within some √max(a, b) terms (Press et
/// al., "Numerical Recipes", 6.4). Libraries that stop after a fixed number of terms are wrong for ten million frames.
/// From [`LARGE`] on, the number of steps does not depend on the parameters.
pub(crate) fn regularised(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    if a + b >= LARGE {
        return regularised_large(a, b, x).clamp(0.0, 1.0);
    }
    let log = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The fraction converges fast on this side of the mean; the other side follows by symmetry.
    let value = if x < (a + 1.0) / (a + b + 2.0) {
        log.exp() * fraction(a, b, x) / a
    } else {
        1.0 - log.exp() * fraction(b, a, 1.0 - x) / b
    };
    value.clamp(0.0, 1.0)
}

/// The x at which I_x(a, b) equals `share`, to the last digits, by bisection.
pub(crate) fn quantile(a: f64, b: f64, share: f64) -> f64 {
    let (mut below, mut above) = (0.0, 1.0);
    loop {
        let middle = (below + above) / 2.0;
        if middle <= below || middle >= above {
            return middle;
        }
        if regularised(a, b, middle) < share { below = middle } else { above = middle }
    }
}

/// The function where the sum of the parameters is large.
fn regularised_large(a: f64, b: f64, x: f64) -> f64 {
    // The share of the smaller parameter keeps its digits only on its own side.
    if a > b {
        return 1.0 - regularised_large(b, a, 1.0 - x);
    }
    if a >= UNIFORM {
        return uniform(a, b, x);
    }
    let log = log_term(a, b, x);
    if x > a / (a + b) && log < PRECISION.ln() {
        return 1.0;
    }
    log.exp() * b / (a + b) * series(a, b, x)
}

/// The series of DLMF 8.17.8, whose terms are all positive. They shrink from (a + b) x − a on, which is at most some
/// standard errors here.
fn series(a: f64, b: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut place) = (1.0, 1.0, 0.0);
    while term > PRECISION * sum {
        term *= (a + b + place) * x / (a + 1.0 + place);
        sum += term;
        place += 1.0;
    }
    sum
}

/// The uniform expansion for large parameters, with its first correction (DLMF 8.18.9; N. M. Temme, SIAM J. Math. Anal.
/// 18, 1987).
fn uniform(a: f64, b: f64, x: f64) -> f64 {
    let sum = a + b;
    let mean = sum * x;
    let half_square = deviance(a, mean) + deviance(b, sum - mean);
    let errors = (2.0 * half_square).sqrt().copysign(mean - a);
    let share = a / sum;
    let spread = (share * (1.0 - share)).sqrt();
    let correction = if errors.abs() < NEAR {
        (1.0 - 2.0 * share) / (3.0 * spread)
    } else {
        sum.sqrt() / errors - spread * sum / (mean - a)
    };
    below(errors) + (-half_square).exp() / (std::f64::consts::TAU * sum).sqrt() * correction
}

/// Probability that a normally distributed number is below this many standard deviations.
pub(crate) fn below(deviations: f64) -> f64 {
    0.5 * libm::erfc(-deviations * std::f64::consts::FRAC_1_SQRT_2)
}

/// Logarithm of Γ(a + b + 1) / (Γ(a + 1) Γ(b + 1)) x^a (1 − x)^b, for a, b ≥ 0 and x between 0 and 1. For whole numbers
/// it is the probability of `a` hits in `a + b` trials.
///
/// Saddle point form (Loader, as for [`STIRLING`]): no difference of large numbers is taken.
pub(crate) fn log_term(a: f64, b: f64, x: f64) -> f64 {
    if a == 0.0 {
        return b * (-x).ln_1p();
    }
    if b == 0.0 {
        return a * x.ln();
    }
    let (sum, mean) = (a + b, (a + b) * x);
    let deviance = deviance(a, mean) + deviance(b, sum - mean);
    stirling(sum) - stirling(a) - stirling(b) - deviance + 0.5 * (sum / (std::f64::consts::TAU * a * b)).ln()
}

/// The error of Stirling's formula: ln Γ(n + 1) − (n + ½) ln n + n − ½ ln 2π, for n > 0.
fn stirling(n: f64) -> f64 {
    if n < STIRLING {
        return libm::lgamma(n + 1.0) - (n + 0.5) * n.ln() + n - 0.5 * std::f64::consts::TAU.ln();
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - 1.0 / (1680.0 * square)) / square) / square) / n
}

/// x ln(x / mean) + mean − x, for positive numbers, without cancellation where they are nearly equal.
fn deviance(x: f64, mean: f64) -> f64 {
    let share = (x - mean) / mean;
    if share.abs() > 0.1 {
        return x * (x / mean).ln() + mean - x;
    }
    // (1 + s) ln(1 + s) − s = s²/2 − s³/6 + s⁴/12 − …; 16 terms are enough for s up to 0.1.
    let series = (2..18).rev().fold(0.0, |sum, k| f64::from(k * (k - 1)).recip() - share * sum);
    mean * share * share * series
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let terms = 200 + 10 * a.max(b).sqrt() as u64;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut product) = (1.0, d);
    for term in 1..terms {
        let m = term as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            change = d * c;
            product *= change;
        }
        if (change - 1.0).abs() < PRECISION {
            break;
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_equal_those_of_scipy_also_for_ten_million_samples() {
        // scipy.special.betainc, 1.17.
        for (a, b, x, expected) in [
            (2.0, 3.0, 0.4, 0.5248),
            (0.5, 15.5, 0.05, 0.789_031_124_810_926_1),
            (15.5, 0.5, 0.9, 0.072_993_418_122_915_77),
            (151.0, 150.0, 0.5, 0.476_986_242_790_483_2),
            (297.0, 4.0, 0.99, 0.647_233_774_642_539_3),
            (5e6, 5_000_001.0, 0.49995, 0.376_034_823_614_808_6),
            (9.9e6, 1e5, 0.98995, 0.056_196_560_714_036),
            (3.0, 4e8, 1e-8, 0.761_896_703_627_856_1),
        ] {
            let found = regularised(a, b, x);
            // Logarithms of 10^10 keep six digits behind the point.
            assert!((found - expected).abs() < 1e-6, "I_{x}({a}, {b}) = {found}, not {expected}");
        }
    }

    #[test]
    fn the_quantile_is_the_inverse() {
        for (a, b, share) in [(3.0, 18.0, 0.05), (0.5, 0.5, 0.95), (1e6, 2e6, 1e-4)] {
            assert!((regularised(a, b, quantile(a, b, share)) - share).abs() < 1e-9, "{a} {b} {share}");
        }
    }

    #[test]
    fn large_parameters_take_few_steps_and_keep_their_digits() {
        // The continued fraction, and the incomplete gamma function to which the beta function tends (mpmath).
        for (a, b, x, expected) in [
            (3.0, 1e9, 3e-9, 0.576_809_920_553),
            (1e9, 1e9, 0.49998, 0.036_819_135_021),
            (1e8, 3e8, 0.25003, 0.917_068_965_622),
            (2e3, 1e12, 2.05e-9, 0.867_850_759_935),
            (0.5, 2e8, 1e-9, 0.472_910_742_980),
        ] {
            for (found, side) in [(regularised(a, b, x), "a"), (1.0 - regularised(b, a, 1.0 - x), "b")] {
                // 1 − x keeps fewer digits of a small x.
                assert!((found - expected).abs() < 1e-6, "I_{x}({a}, {b}) = {found}, not {expected} ({side})");
            }
        }
        // 1.644854 · ½ / √(9·10^15) from the half, and the bounds of a Poisson number with 3 events: 0.817691 and 7.753657.
        let of = |hits: f64, all: f64| (quantile(hits, all - hits + 1.0, 0.05), quantile(hits + 1.0, all - hits, 0.95));
        let (low, high) = of(4.5e15, 9e15);
        assert!((low - 0.5 + 8.669_1e-9).abs() < 1e-12 && (high - 0.5 - 8.669_1e-9).abs() < 1e-12, "{low} {high}");
        let (low, high) = of(3.0, 9e15);
        assert!((low * 9e15 - 0.817_691).abs() < 1e-5 && (high * 9e15 - 7.753_657).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn a_binomial_probability_keeps_its_digits_for_any_numbers() {
        // 10! / 3! 7! · 0.2³ · 0.8⁷, and e⁻³ 3³ / 3!.
        assert!((log_term(3.0, 7.0, 0.2).exp() - 0.201_326_592).abs() < 1e-12);
        assert!((log_term(3.0, 1e15, 3e-15).exp() - 0.224_041_807_655).abs() < 1e-11);
        assert!((log_term(0.0, 7.0, 0.2).exp() - 0.8_f64.powi(7)).abs() < 1e-15);
        assert!((log_term(3.0, 0.0, 0.2).exp() - 0.2_f64.powi(3)).abs() < 1e-15);
    }
}
