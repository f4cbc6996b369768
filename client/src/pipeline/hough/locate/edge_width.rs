//! Measures the width of the edge from its mean profile along the rays.

use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::{Point, Ring};

/// Distance from a circle at which an edge point stops agreeing with it, in pixels.
pub(crate) const AGREE_PX: f32 = 1.6;

/// Half the length of the mean profile, in pixels: 2.25 sigma of the widest blur foreseen, 4 px.
const PROFILE_REACH: usize = 9;

/// Step between the edge points whose profile is read: every third, which is 16 for a disc seen whole.
const PROFILE_EVERY: usize = 3;

/// Variance that sampling between pixels, a pixel apart, adds to an edge, in px². A test measures it: 0.55 for an edge of
/// 0.5 px, 0.52 for one of 1 px, 0.45 for one of 2 px, and 0.35 for one of 3 px.
const READING_VARIANCE: f32 = 0.45;

/// Smallest and largest edge sigma to start the fit from, in pixels. The smallest is a sharp edge's in a pixel, 0.29,
/// and its error. Of the largest, the mean profile shows 1.5 sigmas to each side, which is 87 % of the contrast.
const MIN_SIGMA_PX: f32 = 0.35;
const MAX_SIGMA_PX: f32 = PROFILE_REACH as f32 / 1.5;

/// Fewest samples of a profile: two for the level at each end, and one between them.
const MIN_SAMPLES: usize = 5;

/// Steepest slope of a Gaussian edge of one sigma, as a divisor of its contrast: √(2π).
const SIGMAS_PER_SLOPE: f32 = 2.507;

/// Sigma of the mean radial profile over the points that agree with a circle, derived from the steepest step.
pub(crate) fn edge_sigma(frame: Frame<'_>, ring: Ring, points: &[Point]) -> Option<f32> {
    let mut sums = [(0.0f32, 0.0f32); 2 * PROFILE_REACH + 1];
    for &point in points.iter().step_by(PROFILE_EVERY).filter(|&&point| ring.distance(point).abs() < AGREE_PX) {
        add_profile(frame, ring, point, &mut sums);
    }
    sigma_of_profile(&sums)
}

/// Adds the intensities along the radius through an edge point, a pixel apart, from the inside outwards.
fn add_profile(frame: Frame<'_>, ring: Ring, point: Point, sums: &mut [(f32, f32)]) {
    let (dx, dy) = (point.x - ring.x, point.y - ring.y);
    let length = (dx * dx + dy * dy).sqrt().max(1e-3);
    let (ux, uy) = (dx / length, dy / length);
    let first = ring.radius - PROFILE_REACH as f32;
    let at = |distance: f32| (ring.x + ux * distance, ring.y + uy * distance);
    let mut line = [0.0; 2 * PROFILE_REACH + 1];
    if first >= 0.0 && frame.add_line(at(first), (ux, uy), &mut line) {
        sums.iter_mut().zip(line).for_each(|((sum, count), value)| {
            (*sum, *count) = (*sum + point.sign * value, *count + 1.0);
        });
        return;
    }
    for (i, (sum, count)) in sums.iter_mut().enumerate() {
        let distance = first + i as f32;
        let (x, y) = at(distance);
        if let Some(value) = (distance >= 0.0).then(|| frame.sample(x, y)).flatten() {
            (*sum, *count) = (*sum + point.sign * value, *count + 1.0);
        }
    }
}

/// Sigma of a Gaussian edge, from its contrast and its steepest slope.
fn sigma_of_profile(sums: &[(f32, f32)]) -> Option<f32> {
    let mut means = [0.0; 2 * PROFILE_REACH + 1];
    let mut n = 0;
    for &(sum, count) in sums {
        if count > 0.0 {
            means[n] = sum / count;
            n += 1;
        }
    }
    let means = &means[..n];
    if n < MIN_SAMPLES {
        return None;
    }
    let contrast = (means[0] + means[1] - means[n - 1] - means[n - 2]) / 2.0;
    let steepest = means.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f32::max);
    let sigma = contrast / (SIGMAS_PER_SLOPE * steepest);
    let variance = sigma * sigma - READING_VARIANCE;
    (contrast > 0.0 && steepest > 0.0).then(|| variance.max(MIN_SIGMA_PX * MIN_SIGMA_PX).sqrt().min(MAX_SIGMA_PX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::testing::Random;

    /// Excess of the variance of the mean profile over that of the edge, as a mean over discs with a blurred edge.
    fn excess(blur_px: f32) -> f32 {
        let (side, mut random) = (128, Random::new(7));
        let sigma = (blur_px * blur_px + 1.0 / 12.0).sqrt();
        let mut sum = 0.0;
        for _ in 0..40 {
            let mut within = |low: f64, high: f64| random.uniform(low, high) as f32;
            let ring = Ring { x: within(60.0, 67.0), y: within(60.0, 67.0), radius: within(14.0, 40.0) };
            let gray = |at: usize| {
                let (dx, dy) = ((at % side) as f32 - ring.x, (at / side) as f32 - ring.y);
                let depth = (ring.radius - dx.hypot(dy)) / sigma;
                // The normal distribution to 0.0002, and its slope at the edge to 0.2 % (Page, Applied Statistics 26, 1977).
                (20.0 + 200.0 / (1.0 + (-(1.5976 + 0.070565 * depth * depth) * depth).exp())) as u8
            };
            let pixels: Vec<_> = (0..side * side).map(gray).collect();
            let points = (0..48).map(|i| {
                let (sin, cos) = (i as f32 / 48.0 * std::f32::consts::TAU).sin_cos();
                Point { x: ring.x + ring.radius * cos, y: ring.y + ring.radius * sin, sign: 1.0 }
            });
            let frame = Frame { pixels: &pixels, width: side, height: side };
            let mut sums = [(0.0f32, 0.0f32); 2 * PROFILE_REACH + 1];
            points.for_each(|point| add_profile(frame, ring, point, &mut sums));
            let found = sigma_of_profile(&sums).expect("an edge");
            sum += found * found + READING_VARIANCE - sigma * sigma;
        }
        sum / 40.0
    }

    #[test]
    fn sampling_widens_an_edge_by_about_the_variance_that_is_subtracted() {
        for blur_px in [0.5, 1.0, 2.0, 3.0] {
            let excess = excess(blur_px);
            assert!((excess - READING_VARIANCE).abs() < 0.15, "{excess} px² at a blur of {blur_px} px");
        }
    }
}
