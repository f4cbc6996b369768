//! The sharpness of an edge behind optics and pixels: the energy of its slope, which sets how well it can be located.

use std::f64::consts::PI;

/// Mean over directions of `∫ (dg/dt)² dt` for a unit edge g seen through a pixel: `4/π (ln(1 + √2) − (√2 − 1)/3)`.
const SHARP_EDGE: f64 = 0.946_402_008_819;

/// Mean over directions of `∫ (dg/dt)² dt` for a unit edge g blurred by a Gaussian and seen through a pixel.
///
/// By Parseval it is the mean of `∫ sinc²(f cos a) sinc²(f sin a) exp(−4π² σ² f²) df` over the directions a.
pub(super) fn edge_energy(blur: f64) -> f64 {
    if blur == 0.0 {
        return SHARP_EDGE;
    }
    const DIRECTIONS: u32 = 32;
    const STEPS: u32 = 600;
    // The Gaussian alone is under 1e-17 beyond 1 / σ. With little blur the pixel's sinc⁴ and sinc² end at 40 / px.
    let end = (1.0 / blur).min(40.0);
    let step = end / f64::from(STEPS);
    let sinc = |x: f64| if x.abs() < 1e-9 { 1.0 } else { libm::sin(PI * x) / (PI * x) };
    let along = |direction: u32| {
        let (sin, cos) = libm::sincos((f64::from(direction) + 0.5) * PI / 4.0 / f64::from(DIRECTIONS));
        let density = |index: u32| {
            let frequency = (f64::from(index) + 0.5) * step;
            let pixel = sinc(frequency * cos) * sinc(frequency * sin);
            pixel * pixel * libm::exp(-4.0 * PI * PI * blur * blur * frequency * frequency)
        };
        2.0 * step * (0..STEPS).map(density).sum::<f64>()
    };
    (0..DIRECTIONS).map(along).sum::<f64>() / f64::from(DIRECTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_energy_of_a_sharp_edge_matches_its_closed_form() {
        let root = 2.0_f64.sqrt();
        assert!((SHARP_EDGE - 4.0 / PI * ((1.0 + root).ln() - (root - 1.0) / 3.0)).abs() < 1e-12);
        // The integral for blurred edges starts at the same value.
        assert!((edge_energy(0.02) / SHARP_EDGE - 1.0).abs() < 0.01, "{}", edge_energy(0.02));
    }

    #[test]
    fn a_blurred_edge_is_like_a_gaussian_edge_with_the_sum_of_the_variances() {
        for blur in [0.5, 1.0, 2.0, 4.0] {
            let gaussian = 1.0 / (2.0 * (PI * (blur * blur + 1.0 / 12.0)).sqrt());
            let exact = edge_energy(blur);
            // The pixel is a square, not a Gaussian. That matters less for a wider blur.
            assert!((exact / gaussian - 1.0).abs() < 0.01, "σ {blur}: {exact}, {gaussian}");
        }
    }
}
