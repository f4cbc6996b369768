//! The profile of an edge: the disc's share of the light, as a function of the depth under the edge.

/// Variance of a pixel's own aperture along any direction, in px².
pub(crate) const PIXEL_VARIANCE: f32 = 1.0 / 12.0;

/// Smallest variance of an edge in a fit: a little less than a pixel's own, because noise may reduce the estimate below
/// that.
pub(crate) const MIN_VARIANCE: f64 = 0.5 * PIXEL_VARIANCE as f64;

/// Largest step of an edge's variance in one iteration: it at most nearly doubles or shrinks to a fifth, and a sharp
/// edge may become one of a pixel.
pub(crate) fn most_variance_step(variance: f64) -> f64 {
    0.8 * variance + 0.1
}

/// How far an edge reaches to each side, in sigmas. Of the information about its position, erfc(2.2) = 0.2 % lies
/// beyond.
pub(crate) const EDGE_REACH_SIGMAS: f64 = 2.2;

/// Variance in px² below which an edge shows the shape of the pixel.
pub(crate) const SHARP_VARIANCE: f64 = 0.16;

/// The disc's share, and its first derivative with respect to the depth in pixels.
#[derive(Clone, Copy)]
pub(crate) struct Share {
    pub(crate) inside: f32,
    pub(crate) slope: f32,
}

/// An edge blurred by optics: the normal distribution at `depth / sigma`.
///
/// erf by Abramowitz & Stegun 7.1.28, with an error of 3e-7: a polynomial and powers without an exponential, which
/// compiles to vector code. The slope is the derivative of that very expression.
#[inline(always)]
pub(crate) fn gaussian(depth: f32, sigma: f32) -> Share {
    const A: [f32; 6] = [0.070_523_08, 0.042_282_01, 0.009_270_527, 0.000_152_014_3, 0.000_276_567_2, 0.000_043_063_8];
    let scale = std::f32::consts::FRAC_1_SQRT_2 / sigma;
    let x = (depth.abs() * scale).min(4.0);
    let sum = 1.0 + x * (A[0] + x * (A[1] + x * (A[2] + x * (A[3] + x * (A[4] + x * A[5])))));
    let by_x = A[0] + x * (2.0 * A[1] + x * (3.0 * A[2] + x * (4.0 * A[3] + x * (5.0 * A[4] + x * 6.0 * A[5]))));
    let inverse = 1.0 / sum;
    let p2 = inverse * inverse;
    let p4 = p2 * p2;
    let p8 = p4 * p4;
    let tail = 0.5 * p8 * p8;
    let inside = if depth < 0.0 { tail } else { 1.0 - tail };
    Share { inside, slope: 16.0 * tail * by_x * inverse * scale }
}

/// A sharp edge: the area of a square pixel beyond a straight edge whose normal is `(cos, sin)`.
///
/// Projected across the edge, the square is a trapezoid with half-widths (a + b)/2 at the foot and (a - b)/2 at the
/// top, where a ≥ b are the components of the direction. The area is the trapezoid's integral. `sigma` scales the
/// square.
#[inline(always)]
pub(crate) fn pixel(depth: f32, sigma: f32, cos: f32, sin: f32) -> Share {
    let scale = 1.0 / (sigma * 12f32.sqrt());
    let (long, short) = (cos.abs().max(sin.abs()), cos.abs().min(sin.abs()).max(1e-4));
    let t = depth.abs() * scale;
    let to_foot = (0.5 * (long + short) - t).max(0.0);
    // Divisions take longest, so both use one.
    let by_both = 1.0 / (long * short);
    let (by_long, to_foot_by_both) = (short * by_both, to_foot * by_both);
    let flat = t <= 0.5 * (long - short);
    let outside = if flat { 0.5 - t * by_long } else { 0.5 * to_foot * to_foot_by_both };
    let slope = if flat { by_long } else { to_foot_by_both };
    Share { inside: if depth < 0.0 { outside } else { 1.0 - outside }, slope: slope * scale }
}

/// The square root of the depth (0 outside), averaged over a pixel, and its first derivative with respect to the depth.
///
/// The projection of the pixel's square across the edge is the convolution of two boxes, whose widths are the
/// components of the direction. The root's second integral is 4/15 depth^(5/2). `sigma` scales the square, and so
/// stands for the blur of any edge.
#[inline(always)]
pub(crate) fn root(depth: f32, sigma: f32, cos: f32, sin: f32) -> Share {
    let scale = sigma * 12f32.sqrt();
    // A box of a twentieth of a pixel has no visible effect, and its reciprocal is still precise.
    let (one, other) = (scale * cos.abs().max(0.05), scale * sin.abs().max(0.05));
    let corners = [(one + other, 1.0), (one - other, -1.0), (other - one, -1.0), (-one - other, 1.0)];
    let (mut sum, mut slope) = (0.0, 0.0);
    for (twice, sign) in corners {
        let at = (depth + 0.5 * twice).max(0.0);
        let power = sign * at * at.sqrt();
        sum += 4.0 / 15.0 * power * at;
        slope += 2.0 / 3.0 * power;
    }
    let per = 1.0 / (one * other);
    Share { inside: sum * per, slope: slope * per }
}

/// The disc's share, its first two derivatives with respect to the depth, and its derivative with respect to half the
/// motion across the edge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Smear {
    pub(crate) inside: f32,
    pub(crate) slope: f32,
    pub(crate) bend: f32,
    pub(crate) widening: f32,
}

/// A blurred edge that moved evenly by `2 half` across itself during the exposure: a box convolved with a normal
/// distribution.
#[inline(always)]
pub(crate) fn smeared(depth: f32, sigma: f32, half: f32) -> Smear {
    // Below a twentieth of sigma, the box is only rounding.
    let half = half.max(0.05 * sigma);
    let (high, low) = (depth + half, depth - half);
    let (above, below) = (gaussian(high, sigma), gaussian(low, sigma));
    // The integral of the distribution: z Φ(z/σ) + σ² φ.
    let integral = |z: f32, share: Share| z * share.inside + sigma * sigma * share.slope;
    let width = 1.0 / (2.0 * half);
    let inside = (integral(high, above) - integral(low, below)) * width;
    let bend = (above.slope - below.slope) * width;
    // The mean of both ends minus the mean over the whole motion. Rounding would spoil this difference for short
    // motions, so it is then derived from the bend.
    let ends = (above.inside + below.inside - 2.0 * inside) * width;
    let widening = if half < 0.3 * sigma { bend * half * (1.0 / 3.0) } else { ends };
    Smear { inside, slope: (above.inside - below.inside) * width, bend, widening }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGMAS: [f32; 4] = [0.289, 0.5, 1.2, 4.0];
    /// Directions of an edge, in radians. Along an axis, the pixel's share has a kink where the others bend.
    const ANGLES: [f32; 4] = [0.2, 0.5, std::f32::consts::FRAC_PI_4, 1.9];

    /// Depths up to four sigmas on both sides.
    fn depths(sigma: f32) -> impl Iterator<Item = f32> {
        (-80..=80).map(move |i| (i as f32 + 0.37) * 0.05 * sigma)
    }

    #[test]
    fn the_root_is_its_mean_over_the_pixel() {
        for angle in ANGLES {
            let (cos, sin) = (f64::from(angle.cos()), f64::from(angle.sin()));
            for depth in [-0.6, -0.2, 0.1, 0.7, 3.0] {
                let at = |i: i32| (f64::from(i) + 0.5) / 400.0 - 0.5;
                let value = |i: i32| (depth + at(i % 400) * cos + at(i / 400) * sin).max(0.0).sqrt();
                let mean = (0..160_000).map(value).sum::<f64>() / 160_000.0;
                let seen = root(depth as f32, PIXEL_VARIANCE.sqrt(), angle.cos(), angle.sin());
                assert!((f64::from(seen.inside) - mean).abs() < 1e-3, "{angle} {depth}: {} {mean}", seen.inside);
                let by_steps = quotient(depth as f32, 0.5, |depth| root(depth, 0.289, angle.cos(), angle.sin()).inside);
                let own = root(depth as f32, 0.289, angle.cos(), angle.sin()).slope;
                assert!((own - by_steps).abs() < 0.02, "{angle} {depth}: {own} {by_steps}");
            }
        }
    }

    /// The profiles of an edge that does not move.
    fn still(depth: f32, sigma: f32) -> [Share; 5] {
        let along = |i: usize| pixel(depth, sigma, ANGLES[i].cos(), ANGLES[i].sin());
        [gaussian(depth, sigma), along(0), along(1), along(2), along(3)]
    }

    /// Difference quotient of `value` over a hundredth of a sigma.
    fn quotient(depth: f32, sigma: f32, value: impl Fn(f32) -> f32) -> f32 {
        let step = 0.005 * sigma;
        (value(depth + step) - value(depth - step)) / (2.0 * step)
    }

    #[test]
    fn slopes_are_the_derivatives_of_the_shares() {
        for sigma in SIGMAS {
            for depth in depths(sigma) {
                for i in 0..5 {
                    let (slope, by_steps) =
                        (still(depth, sigma)[i].slope, quotient(depth, sigma, |depth| still(depth, sigma)[i].inside));
                    // The step rounds off kinks of the pixel's slope, to a hundredth of their height.
                    assert!((slope - by_steps).abs() < 0.006 / sigma, "{i}: {slope} {by_steps} at {depth}, {sigma}");
                }
            }
        }
    }

    #[test]
    fn shares_rise_from_0_to_1_symmetrically() {
        for sigma in SIGMAS {
            let mut before = [0.0; 5];
            for depth in depths(sigma) {
                let (here, there) = (still(depth, sigma), still(-depth, sigma));
                for i in 0..5 {
                    assert!((here[i].inside + there[i].inside - 1.0).abs() < 1e-6, "{i} at {depth}, sigma {sigma}");
                    assert!((here[i].slope - there[i].slope).abs() < 1e-6 / sigma, "{i} at {depth}, sigma {sigma}");
                    assert!(here[i].inside >= before[i], "{i} falls at {depth}, sigma {sigma}");
                    before[i] = here[i].inside;
                }
            }
            let (none, all) = (still(-9.0 * sigma, sigma), still(9.0 * sigma, sigma));
            // The error of the tables is 3e-7.
            assert!(none.iter().all(|share| share.inside.abs() < 1e-6), "sigma {sigma}");
            assert!(all.iter().all(|share| (share.inside - 1.0).abs() < 1e-6), "sigma {sigma}");
        }
    }

    #[test]
    fn the_gaussian_is_the_integral_of_the_bell() {
        let step = 1e-4;
        let mut integral = 0.5;
        for i in 0..50_000 {
            let middle = (f64::from(i) + 0.5) * step;
            integral += step * (-0.5 * middle * middle).exp() / std::f64::consts::TAU.sqrt();
            let share = f64::from(gaussian(((f64::from(i) + 1.0) * step) as f32, 1.0).inside);
            // Half of erf's error of 3e-7, plus half the rounding of a sixteenth power.
            assert!((share - integral).abs() < 1e-6, "{share} {integral} at {middle}");
        }
    }

    #[test]
    fn the_pixels_share_is_its_area_beyond_the_edge() {
        let n = 400;
        for angle in ANGLES {
            let (sin, cos) = angle.sin_cos();
            for depth in [-0.6, -0.3, 0.0, 0.1, 0.45] {
                let at = |i: i32| (i as f32 + 0.5) / n as f32 - 0.5;
                let inside = |i: i32| at(i % n) * cos + at(i / n) * sin < depth;
                let area = (0..n * n).filter(|&i| inside(i)).count() as f32 / (n * n) as f32;
                let share = pixel(depth, PIXEL_VARIANCE.sqrt(), cos, sin).inside;
                // The outermost rows and columns counted are half of 1/400 away from the pixel's sides.
                assert!((share - area).abs() < 0.003, "{share} {area} at {depth}, {angle}");
            }
        }
    }

    #[test]
    fn a_smeared_edge_is_the_mean_of_the_edge_along_its_path() {
        let n = 2000;
        for (sigma, half) in [(0.5, 0.1), (0.5, 3.0), (1.2, 0.4), (4.0, 1.0), (4.0, 9.0)] {
            for depth in depths(sigma).step_by(8) {
                let at = |i: i32| depth + half * ((2 * i + 1) as f32 / n as f32 - 1.0);
                let mean = |value: &dyn Fn(f32) -> f32| {
                    ((0..n).map(|i| f64::from(value(at(i)))).sum::<f64>() / f64::from(n)) as f32
                };
                let found = smeared(depth, sigma, half);
                let inside = mean(&|depth| gaussian(depth, sigma).inside);
                let slope = mean(&|depth| gaussian(depth, sigma).slope);
                // Differences of f32, divided by the motion.
                assert!((found.inside - inside).abs() < 2e-5, "{found:?} {inside} at {depth}, {sigma}, {half}");
                assert!((found.slope - slope).abs() < 2e-5 / sigma, "{found:?} {slope} at {depth}, {sigma}, {half}");
                let bend = quotient(depth, sigma, |depth| smeared(depth, sigma, half).slope);
                assert!((found.bend - bend).abs() < 2e-3 / (sigma * sigma), "{found:?} {bend} at {depth}, {sigma}");
                let step = 0.02 * sigma;
                let wider = |by: f32| smeared(depth, sigma, half.max(0.05 * sigma) + by).inside;
                let widening = (wider(step) - wider(0.0)) / step;
                let again = smeared(depth, sigma, half.max(0.05 * sigma) + 0.5 * step).widening;
                assert!((again - widening).abs() < 4e-3 / sigma, "{again} {widening} at {depth}, {sigma}, {half}");
            }
        }
    }
}
