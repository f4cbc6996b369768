//! How an edge looks across: the part of the light that is the disc's, by the depth under the edge.

/// Variance of a pixel's own aperture along any direction, in px².
pub(super) const PIXEL_VARIANCE: f32 = 1.0 / 12.0;

/// Share of the disc, and its first derivative by the depth in pixels.
#[derive(Clone, Copy)]
pub(super) struct Share {
    pub(super) inside: f32,
    pub(super) slope: f32,
}

/// An edge blurred by optics: the normal distribution at `depth / sigma`.
///
/// erf by Abramowitz & Stegun 7.1.28, error 3e-7: a polynomial and powers, no exponential, hence vector code; the
/// slope is the derivative of that very expression.
#[inline(always)]
pub(super) fn gaussian(depth: f32, sigma: f32) -> Share {
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
/// Across the edge the square's shadow is a trapezoid with half-widths (a + b)/2 at the foot and (a - b)/2 at the top,
/// a ≥ b the direction's components; the area is its integral. `sigma` scales the square.
#[inline(always)]
pub(super) fn pixel(depth: f32, sigma: f32, cos: f32, sin: f32) -> Share {
    let scale = sigma * 12f32.sqrt();
    let (long, short) = (cos.abs().max(sin.abs()), cos.abs().min(sin.abs()).max(1e-4));
    let t = depth.abs() / scale;
    let to_foot = (0.5 * (long + short) - t).max(0.0);
    let flat = t <= 0.5 * (long - short);
    let outside = if flat { 0.5 - t / long } else { 0.5 * to_foot * to_foot / (long * short) };
    let slope = if flat { 1.0 / long } else { to_foot / (long * short) };
    Share { inside: if depth < 0.0 { outside } else { 1.0 - outside }, slope: slope / scale }
}

/// Share of the disc, with its first two derivatives by the depth.
#[derive(Clone, Copy)]
pub(super) struct Smear {
    pub(super) inside: f32,
    pub(super) slope: f32,
    pub(super) bend: f32,
}

/// A blurred edge that moved evenly by `2 half` across itself during the exposure: box and normal distribution.
#[inline(always)]
pub(super) fn smeared(depth: f32, sigma: f32, half: f32) -> Smear {
    // Below a twentieth of sigma the box is no more than rounding.
    let half = half.max(0.05 * sigma);
    let (high, low) = (depth + half, depth - half);
    let (above, below) = (gaussian(high, sigma), gaussian(low, sigma));
    // The integral of the distribution: z Φ(z/σ) + σ² φ.
    let integral = |z: f32, share: Share| z * share.inside + sigma * sigma * share.slope;
    let width = 1.0 / (2.0 * half);
    Smear {
        inside: (integral(high, above) - integral(low, below)) * width,
        slope: (above.inside - below.inside) * width,
        bend: (above.slope - below.slope) * width,
    }
}
