//! What a pixel near the edge of a disc shows, and how that changes with the disc.
//!
//! `I = g + (f - g) P(u / s)` with the disc's gray level `f`, the ground `g = b + a·(p - o)` (a level for each sector
//! and one slope), and the edge profile `P` of the depth `u = R - |p - c|` under the edge. Two profiles:
//! - *Gaussian*, for edges blurred by optics: the normal distribution;
//! - *pixel*, for sharp edges: the area of a square pixel on the disc's side of a straight edge, which depends on the
//!   edge's direction. Its square may be larger than a pixel, to follow a little blur.
//!
//! Both take the same width `s²`, a variance: 1/12 px² is a pixel without blur. An edge curved with radius `R` is met
//! `s² / 2R` further in; that is put right in the radius afterwards, see [`Model::circle`].
//!
//! Motion during the exposure widens the edge across the motion and shortens it along: width and radius may vary as
//! cos 2θ and sin 2θ. All of this is symmetric about the centre, so that what it does not follow exactly costs some
//! efficiency and no bias.

use shared::geometry::Circle;

use super::annulus::{SECTORS, Sector};

/// Variance of a pixel's own aperture along any direction, in px².
pub(super) const PIXEL_VARIANCE: f32 = 1.0 / 12.0;

/// Smallest variance of an edge: a little under a pixel's own, which noise may undercut.
const MIN_VARIANCE: f32 = 0.5 * PIXEL_VARIANCE;

/// Pixels worked on at once; all columns of a block, 13 kB, stay in the first cache.
pub(super) const BLOCK: usize = 256;

/// Columns of the equations: sector level and residual, then the shared parameters.
pub(super) const COLUMNS: usize = 2 + SHARED_MOVING;
/// Shared parameters of a still disc: x, y, radius, variance, disc level, ground slope x and y.
pub(super) const SHARED_STILL: usize = 7;
/// With motion: variance and radius by cos 2θ and sin 2θ as well.
pub(super) const SHARED_MOVING: usize = 11;

/// Derivatives of the intensity by the parameters, one column each, for a block of pixels.
pub(super) type Columns = [[f32; BLOCK]; COLUMNS];

/// Shape of the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Gaussian,
    Pixel,
}

/// A disc and its ground; lengths in pixels relative to the annulus' origin, levels in gray.
#[derive(Clone, Debug)]
pub(super) struct Model {
    /// x, y, radius, variance, disc level, ground slope x, y, then variance by cos 2θ, sin 2θ and radius by the same.
    pub(super) shared: [f64; SHARED_MOVING],
    /// Ground level of each sector at the origin.
    pub(super) ground: [f32; SECTORS],
    pub(super) profile: Profile,
    /// Whether the last four shared parameters take part.
    pub(super) moving: bool,
}

impl Model {
    /// Shared parameters that take part.
    pub(super) fn len(&self) -> usize {
        if self.moving { SHARED_MOVING } else { SHARED_STILL }
    }

    /// Gray level of the disc.
    pub(super) fn disc(&self) -> f32 {
        self.shared[4] as f32
    }

    /// Mean variance of the edge, in px².
    pub(super) fn variance(&self) -> f32 {
        self.shared[3] as f32
    }

    /// Largest variance of the edge over all directions, in px².
    pub(super) fn widest_variance(&self) -> f32 {
        self.variance() + self.shared[7].hypot(self.shared[8]) as f32
    }

    /// Applies a step of the shared parameters, held to what the linear equations can foresee.
    pub(super) fn advance(&mut self, step: &[f64]) {
        const LARGEST_PX: f64 = 2.0;
        let variance = self.shared[3];
        for (i, (value, step)) in self.shared.iter_mut().zip(step).enumerate() {
            let limit = match i {
                0..=2 => LARGEST_PX,
                3 => 0.8 * variance + 0.1,
                7 | 8 => 0.5 * variance + 0.5,
                9 | 10 => 0.5,
                _ => f64::INFINITY,
            };
            *value += step.clamp(-limit, limit);
        }
        self.shared[3] = self.shared[3].clamp(f64::from(MIN_VARIANCE), 64.0);
        self.shared[2] = self.shared[2].max(0.5);
        self.limit_motion();
    }

    /// Keeps the motion within what a motion can do.
    ///
    /// A stroke L adds L²/12 along itself, so the variance stays positive; it shortens the radius across by
    /// L²/24R, a tie that tells motion from an ellipse.
    fn limit_motion(&mut self) {
        let variance = self.shared[3];
        let swing = self.shared[7].hypot(self.shared[8]);
        let most = variance - f64::from(MIN_VARIANCE);
        if swing > most {
            let shrink = most / swing;
            self.shared[7] *= shrink;
            self.shared[8] *= shrink;
        }
        let radius = self.shared[9].hypot(self.shared[10]);
        let most = 0.3 + 1.5 * swing / self.shared[2];
        if radius > most {
            let shrink = most / radius;
            self.shared[9] *= shrink;
            self.shared[10] *= shrink;
        }
    }

    /// The circle in the frame, given the annulus' origin.
    pub(super) fn circle(&self, origin: (f32, f32)) -> Circle {
        let [x, y, radius, variance, ..] = self.shared;
        Circle { x: f64::from(origin.0) + x, y: f64::from(origin.1) + y, radius: radius + variance / (2.0 * radius) }
    }

    /// Fills the columns for the pixels `from..from + n` of a sector.
    pub(super) fn fill(&self, columns: &mut Columns, sector: &Sector, level: f32, from: usize, n: usize) {
        let pixels = Pixels {
            dx: &sector.dx[from..from + n],
            dy: &sector.dy[from..from + n],
            gray: &sector.gray[from..from + n],
        };
        match (self.profile, self.moving) {
            (Profile::Gaussian, false) => self.fill_with::<false>(columns, pixels, level, gaussian),
            (Profile::Gaussian, true) => self.fill_with::<true>(columns, pixels, level, gaussian),
            (Profile::Pixel, false) => self.fill_with::<false>(columns, pixels, level, pixel),
            (Profile::Pixel, true) => self.fill_with::<true>(columns, pixels, level, pixel),
        }
    }

    #[inline(always)]
    fn fill_with<const MOVING: bool>(
        &self,
        columns: &mut Columns,
        pixels: Pixels<'_>,
        level: f32,
        profile: impl Fn(f32, f32, f32, f32) -> (f32, f32),
    ) {
        let p = self.shared.map(|value| value as f32);
        let n = pixels.dx.len().min(BLOCK);
        let (xs, ys, grays) = (&pixels.dx[..n], &pixels.dy[..n], &pixels.gray[..n]);
        let still_sigma = p[3].sqrt();
        for i in 0..n {
            let (dx, dy) = (xs[i] - p[0], ys[i] - p[1]);
            let distance = (dx * dx + dy * dy).sqrt().max(1e-3);
            let (cos, sin) = (dx / distance, dy / distance);
            let (cos2, sin2) = (cos * cos - sin * sin, 2.0 * cos * sin);
            let (radius, variance, sigma) = if MOVING {
                let variance = (p[3] + p[7] * cos2 + p[8] * sin2).max(MIN_VARIANCE);
                (p[2] + p[9] * cos2 + p[10] * sin2, variance, variance.sqrt())
            } else {
                (p[2], p[3], still_sigma)
            };
            let depth = radius - distance;
            let (inside, slope) = profile(depth, sigma, cos, sin);
            let ground = level + p[5] * xs[i] + p[6] * ys[i];
            let by_depth = (p[4] - ground) * slope;
            let by_variance = -0.5 * by_depth * depth / variance;
            columns[0][i] = 1.0 - inside;
            columns[1][i] = grays[i] - (ground + (p[4] - ground) * inside);
            columns[2][i] = by_depth * cos;
            columns[3][i] = by_depth * sin;
            columns[4][i] = by_depth;
            columns[5][i] = by_variance;
            columns[6][i] = inside;
            columns[7][i] = (1.0 - inside) * xs[i];
            columns[8][i] = (1.0 - inside) * ys[i];
            if MOVING {
                columns[9][i] = by_variance * cos2;
                columns[10][i] = by_variance * sin2;
                columns[11][i] = by_depth * cos2;
                columns[12][i] = by_depth * sin2;
            }
        }
    }
}

struct Pixels<'a> {
    dx: &'a [f32],
    dy: &'a [f32],
    gray: &'a [f32],
}

/// The normal distribution at `depth / sigma` and its slope by depth.
///
/// erf by Abramowitz & Stegun 7.1.28, error 3e-7: a polynomial and powers, no exponential, hence vector code; the
/// slope is the derivative of that very expression.
#[inline(always)]
fn gaussian(depth: f32, sigma: f32, _cos: f32, _sin: f32) -> (f32, f32) {
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
    (inside, 16.0 * tail * by_x * inverse * scale)
}

/// The area of a square pixel beyond a straight edge at `depth`, and its slope by depth.
///
/// Across the edge the square's shadow is a trapezoid with half-widths (a + b)/2 at the foot and (a - b)/2 at the top,
/// a ≥ b the direction's components; the area is its integral. `sigma` scales the square.
#[inline(always)]
fn pixel(depth: f32, sigma: f32, cos: f32, sin: f32) -> (f32, f32) {
    let scale = sigma * 12f32.sqrt();
    let (long, short) = (cos.abs().max(sin.abs()), cos.abs().min(sin.abs()).max(1e-4));
    let t = depth.abs() / scale;
    let to_foot = (0.5 * (long + short) - t).max(0.0);
    let flat = t <= 0.5 * (long - short);
    let outside = if flat { 0.5 - t / long } else { 0.5 * to_foot * to_foot / (long * short) };
    let slope = if flat { 1.0 / long } else { to_foot / (long * short) };
    (if depth < 0.0 { outside } else { 1.0 - outside }, slope / scale)
}
