//! The information that noisy pixels lose when they are clipped at black and white.

use std::f64::consts::PI;

use super::config::WHITE;

/// The share of its information that a pixel keeps when its value is clipped to 0 and 255.
pub(super) fn kept(mean: f64, sigma: f64) -> f64 {
    // Clipping more than four standard deviations away takes under 1e-4.
    let near = |room: f64| room < 4.0 * sigma;
    if sigma == 0.0 || !(near(mean) || near(WHITE - mean)) {
        return 1.0;
    }
    (1.0 - taken(mean / sigma) - taken((WHITE - mean) / sigma)).max(0.0)
}

/// The share of information lost to clipping at `t` standard deviations from the mean.
///
/// A normal number has information 1, of which `P(Z > t) + t φ(t)` belongs to the numbers beyond `t`. Of those only
/// their count is left after clipping, with the information `φ(t)² / P(Z > t)`.
fn taken(t: f64) -> f64 {
    if t > 4.0 {
        return 0.0;
    }
    let beyond = libm::erfc(t / std::f64::consts::SQRT_2) / 2.0;
    let density = libm::exp(-t * t / 2.0) / (2.0 * PI).sqrt();
    (beyond + t * density - density * density / beyond).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clipping_loses_information_like_censoring() {
        assert_eq!(kept(100.0, 10.0), 1.0);
        // With the mean at black half of the numbers are clipped. They had ½ of the information; their count keeps 1/π.
        assert!((kept(0.0, 10.0) - (0.5 + 1.0 / PI)).abs() < 1e-9);
        assert!(kept(-100.0, 10.0) < 1e-3);
        assert_eq!(kept(0.0, 0.0), 1.0);
    }
}
