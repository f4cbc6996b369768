//! What a pixel near the edge of a disc shows, and how that changes with the disc.
//!
//! `I = g + (f - g) P(u)` with the disc's gray level `f`, the ground `g = b + a·(p - o)` (a level for each sector
//! and one slope), and the edge profile `P` of the depth `u = R - |p - c|` under the edge. Three profiles:
//! - *Gaussian*, for edges blurred by optics: the normal distribution;
//! - *pixel*, for sharp edges: the area of a square pixel on the disc's side of a straight edge, which depends on the
//!   edge's direction. Its square may be larger than a pixel, to follow a little blur;
//! - *smear*, for a disc that moved evenly and straight during the exposure: the mean of [`NODES`] parts of the way,
//!   each a box across the edge. Where an edge runs along the motion its curvature shows; the parts follow it.
//!
//! All take the same width `s²`, a variance: 1/12 px² is a pixel without blur. An edge curved with radius `R` is met
//! `s² / 2R` further in; that is put right in the radius afterwards, see [`Model::circle`].

use shared::geometry::Circle;

use super::annulus::{Annulus, MAX_SECTORS};
use super::profile::{PIXEL_VARIANCE, gaussian, pixel, smeared};

/// Smallest variance of an edge: a little under a pixel's own, which noise may undercut.
const MIN_VARIANCE: f64 = 0.5 * PIXEL_VARIANCE as f64;

/// Pixels worked on at once.
pub(super) const BLOCK: usize = 128;

/// Parts of the way a smeared disc is taken as.
const NODES: usize = 4;

/// Columns: derivatives by the ground's level, the residual, derivatives by the disc's level, the edge's variance, the
/// radius; for a smeared disc also by the centre and by the motion. (A still disc's derivatives by the centre are
/// those by the radius times the sector's direction.)
pub(super) const LEVEL: usize = 0;
pub(super) const RESIDUAL: usize = 1;
pub(super) const DISC: usize = 2;
pub(super) const VARIANCE: usize = 3;
pub(super) const RADIUS: usize = 4;
pub(super) const STILL_COLUMNS: usize = 5;
pub(super) const CENTRE: usize = 5;
pub(super) const MOTION: usize = 7;
pub(super) const COLUMNS: usize = 9;

/// Derivatives of the intensity for a block of pixels.
pub(super) type Columns = [[f32; BLOCK]; COLUMNS];

/// Shape of the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Gaussian,
    Pixel,
    Smear,
}

/// A disc and its ground; lengths in pixels relative to the annulus' origin, levels in gray.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) radius: f64,
    /// Variance of the edge, motion excluded, in px².
    pub(super) variance: f64,
    pub(super) disc: f64,
    /// The way moved during the exposure.
    pub(super) motion: (f64, f64),
    /// Slope of the ground, gray levels a pixel.
    pub(super) slope: (f64, f64),
    /// Ground level of each sector at the origin.
    pub(super) ground: [f32; MAX_SECTORS],
    pub(super) profile: Profile,
}

/// A step of the shared parameters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Step {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) radius: f64,
    pub(super) variance: f64,
    pub(super) disc: f64,
    pub(super) motion: (f64, f64),
    pub(super) slope: (f64, f64),
}

impl Model {
    /// Columns in use.
    pub(super) fn columns(&self) -> usize {
        if self.profile == Profile::Smear { COLUMNS } else { STILL_COLUMNS }
    }

    /// Largest distance from the circle at which the edge shows, in pixels, for `sigmas` of its blur.
    pub(super) fn reach(&self, sigmas: f64) -> f64 {
        sigmas * self.variance.sqrt() + 0.5 * self.motion.0.hypot(self.motion.1)
    }

    /// Applies a step of the shared parameters, held to what the linear equations can foresee.
    pub(super) fn advance(&mut self, step: &Step) {
        let held = |step: f64, most: f64| step.clamp(-most, most);
        self.x += held(step.x, 2.0);
        self.y += held(step.y, 2.0);
        self.radius = (self.radius + held(step.radius, 2.0)).max(0.5);
        self.variance = (self.variance + held(step.variance, 0.8 * self.variance + 0.1)).clamp(MIN_VARIANCE, 64.0);
        self.disc += step.disc;
        self.motion.0 += held(step.motion.0, 4.0);
        self.motion.1 += held(step.motion.1, 4.0);
        self.slope.0 += step.slope.0;
        self.slope.1 += step.slope.1;
    }

    /// The circle in the frame, given the annulus' origin.
    pub(super) fn circle(&self, origin: (f32, f32)) -> Circle {
        let radius = self.radius + self.variance / (2.0 * self.radius);
        Circle { x: f64::from(origin.0) + self.x, y: f64::from(origin.1) + self.y, radius }
    }

    /// Fills the columns for the pixels `from..from + n` of the annulus, with the ground at `level`.
    #[inline(always)]
    pub(super) fn fill(&self, columns: &mut Columns, annulus: &Annulus, level: f32, from: usize, n: usize) {
        let n = n.min(BLOCK);
        let pixels = Pixels {
            dx: &annulus.dx[from..from + n],
            dy: &annulus.dy[from..from + n],
            gray: &annulus.gray[from..from + n],
            weight: &annulus.weight[from..from + n],
        };
        match self.profile {
            Profile::Gaussian => self.fill_still(columns, pixels, level, |depth, sigma, _, _| gaussian(depth, sigma)),
            Profile::Pixel => self.fill_still(columns, pixels, level, pixel),
            Profile::Smear => self.fill_smear(columns, pixels, level),
        }
    }

    #[inline(always)]
    fn fill_still(
        &self,
        columns: &mut Columns,
        pixels: Pixels<'_>,
        level: f32,
        profile: impl Fn(f32, f32, f32, f32) -> super::profile::Share,
    ) {
        let n = pixels.dx.len().min(BLOCK);
        let (xs, ys, grays, weights) = (&pixels.dx[..n], &pixels.dy[..n], &pixels.gray[..n], &pixels.weight[..n]);
        let (x, y, radius, disc) = (self.x as f32, self.y as f32, self.radius as f32, self.disc as f32);
        let (slope_x, slope_y) = (self.slope.0 as f32, self.slope.1 as f32);
        let variance = self.variance as f32;
        let (sigma, by_variance) = (variance.sqrt(), -0.5 / variance);
        let [levels, residuals, discs, variances, radii, ..] = columns;
        for i in 0..n {
            let (dx, dy) = (xs[i] - x, ys[i] - y);
            let distance = (dx * dx + dy * dy).sqrt().max(1e-3);
            let depth = radius - distance;
            let share = profile(depth, sigma, dx / distance, dy / distance);
            let ground = level + slope_x * xs[i] + slope_y * ys[i];
            let contrast = disc - ground;
            let by_depth = contrast * share.slope * weights[i];
            levels[i] = (1.0 - share.inside) * weights[i];
            residuals[i] = (grays[i] - (ground + contrast * share.inside)) * weights[i];
            discs[i] = share.inside * weights[i];
            variances[i] = by_depth * depth * by_variance;
            radii[i] = by_depth;
        }
    }

    #[inline(always)]
    fn fill_smear(&self, columns: &mut Columns, pixels: Pixels<'_>, level: f32) {
        let n = pixels.dx.len().min(BLOCK);
        let (xs, ys, grays, weights) = (&pixels.dx[..n], &pixels.dy[..n], &pixels.gray[..n], &pixels.weight[..n]);
        let (x, y, radius, disc) = (self.x as f32, self.y as f32, self.radius as f32, self.disc as f32);
        let (slope_x, slope_y) = (self.slope.0 as f32, self.slope.1 as f32);
        let (mx, my) = (self.motion.0 as f32, self.motion.1 as f32);
        let sigma = (self.variance as f32).sqrt();
        const PART: f32 = 1.0 / NODES as f32;
        for column in columns.iter_mut() {
            column[..n].fill(0.0);
        }
        let [levels, residuals, shares, bends, slopes, by_x, by_y, by_mx, by_my] = columns;
        for node in 0..NODES {
            let t = (node as f32 + 0.5) * PART - 0.5;
            let (node_x, node_y) = (x + t * mx, y + t * my);
            for i in 0..n {
                let (dx, dy) = (xs[i] - node_x, ys[i] - node_y);
                let distance = (dx * dx + dy * dy).sqrt().max(1e-3);
                let (cos, sin) = (dx / distance, dy / distance);
                let across = (mx * cos + my * sin) * PART;
                let share = smeared(radius - distance, sigma, 0.5 * across.abs());
                shares[i] += share.inside;
                bends[i] += share.bend;
                slopes[i] += share.slope;
                // The depth grows with the centre's way to this side; the box widens with the motion across.
                let way = t * share.slope + share.bend * across * (PART / 12.0);
                by_x[i] += share.slope * cos;
                by_y[i] += share.slope * sin;
                by_mx[i] += way * cos;
                by_my[i] += way * sin;
            }
        }
        for i in 0..n {
            let share = shares[i] * PART;
            let ground = level + slope_x * xs[i] + slope_y * ys[i];
            let contrast = disc - ground;
            let scale = contrast * PART * weights[i];
            levels[i] = (1.0 - share) * weights[i];
            residuals[i] = (grays[i] - (ground + contrast * share)) * weights[i];
            shares[i] = share * weights[i];
            bends[i] *= 0.5 * scale;
            slopes[i] *= scale;
            by_x[i] *= scale;
            by_y[i] *= scale;
            by_mx[i] *= scale;
            by_my[i] *= scale;
        }
    }
}

#[derive(Clone, Copy)]
struct Pixels<'a> {
    dx: &'a [f32],
    dy: &'a [f32],
    gray: &'a [f32],
    weight: &'a [f32],
}
