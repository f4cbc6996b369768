//! Measures the width of the edge from its mean profile along the rays.

use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::ring::{Point, Ring};

/// Distance from a circle at which an edge point stops agreeing with it, in pixels.
pub(crate) const AGREE_PX: f32 = 1.6;

/// Half the length of the mean profile, in pixels: 2.25 sigma of the widest blur foreseen, 4 px.
const PROFILE_REACH: usize = 9;

/// Step between the edge points whose profile is read: every third, which is 16 for a disc seen whole.
const PROFILE_EVERY: usize = 3;

/// Variance that sampling between pixels, a pixel apart, adds to an edge, in px².
const READING_VARIANCE: f32 = 0.45;

/// Smallest edge sigma to start the fit from, in pixels.
const MIN_SIGMA_PX: f32 = 0.35;

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

/// Sigma of a Gaussian edge: contrast / (sqrt(2 pi) * steepest slope).
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
    if n < 5 {
        return None;
    }
    let contrast = (means[0] + means[1] - means[n - 1] - means[n - 2]) / 2.0;
    let steepest = means.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f32::max);
    let sigma = contrast / (2.507 * steepest);
    let variance = sigma * sigma - READING_VARIANCE;
    (contrast > 0.0 && steepest > 0.0).then(|| variance.max(MIN_SIGMA_PX * MIN_SIGMA_PX).sqrt().min(6.0))
}
