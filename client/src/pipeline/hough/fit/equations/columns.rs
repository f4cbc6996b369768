//! The columns of each pixel of the annulus: its residual, and the derivatives of the model with respect to the
//! parameters.

use super::model::{Model, Profile};
use super::profile::{Share, gaussian, pixel, smeared};
use crate::pipeline::hough::fit::pixels::annulus::Annulus;

#[cfg(test)]
mod tests;

/// Number of pixels processed at once.
pub(crate) const BLOCK: usize = 128;

/// Longest part of a smeared disc's path, in pixels. There are up to four parts.
///
/// A clean disc that moved 10 px is off by 0.0045 px with parts of 5 px, and by 0.0014 px with parts of 2.5 px.
const PART_PX: f64 = 2.75;

/// Indices of the columns: the derivative with respect to the ground's level, the residual, and the derivatives with
/// respect to the disc's level, the edge's variance and the radius. For a smeared disc, also those with respect to the
/// centre and the motion. (A still disc's derivatives with respect to the centre are those with respect to the radius,
/// times the sector's direction.)
pub(crate) const LEVEL: usize = 0;
pub(crate) const RESIDUAL: usize = 1;
pub(crate) const DISC: usize = 2;
pub(crate) const VARIANCE: usize = 3;
pub(crate) const RADIUS: usize = 4;
pub(crate) const STILL_COLUMNS: usize = 5;
pub(crate) const CENTRE: usize = 5;
pub(crate) const MOTION: usize = 7;
pub(crate) const COLUMNS: usize = 9;

/// Derivatives of the intensity for a block of pixels.
pub(crate) type Columns = [[f32; BLOCK]; COLUMNS];

impl Model {
    /// Number of columns in use.
    pub(crate) fn columns(&self) -> usize {
        if self.profile == Profile::Smear { COLUMNS } else { STILL_COLUMNS }
    }

    /// Fills the columns for the pixels `from..from + n` of the annulus, with the ground at `level`.
    #[inline(always)]
    pub(crate) fn fill(&self, columns: &mut Columns, annulus: &Annulus, level: f32, from: usize, n: usize) {
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
            Profile::Smear => match self.motion.0.hypot(self.motion.1) {
                way if way < 2.0 * PART_PX => self.fill_smear::<2>(columns, pixels, level),
                way if way < 3.0 * PART_PX => self.fill_smear::<3>(columns, pixels, level),
                _ => self.fill_smear::<4>(columns, pixels, level),
            },
        }
    }

    #[inline(always)]
    fn fill_still(
        &self,
        columns: &mut Columns,
        pixels: Pixels<'_>,
        level: f32,
        profile: impl Fn(f32, f32, f32, f32) -> Share,
    ) {
        let n = pixels.dx.len().min(BLOCK);
        let (xs, ys, grays, weights) = (&pixels.dx[..n], &pixels.dy[..n], &pixels.gray[..n], &pixels.weight[..n]);
        let (x, y, radius, disc) = (self.x as f32, self.y as f32, self.radius as f32, self.disc as f32);
        let (slope_x, slope_y) = (self.slope.0 as f32, self.slope.1 as f32);
        let (disc_x, disc_y) = (self.disc_slope.0 as f32, self.disc_slope.1 as f32);
        let variance = self.variance as f32;
        let (sigma, by_variance) = (variance.sqrt(), -0.5 / variance);
        let [levels, residuals, discs, variances, radii, ..] = columns;
        for i in 0..n {
            let (dx, dy) = (xs[i] - x, ys[i] - y);
            let distance = (dx * dx + dy * dy).sqrt().max(1e-3);
            let depth = radius - distance;
            let per_distance = 1.0 / distance;
            let share = profile(depth, sigma, dx * per_distance, dy * per_distance);
            let ground = level + slope_x * xs[i] + slope_y * ys[i];
            let contrast = disc + disc_x * xs[i] + disc_y * ys[i] - ground;
            let by_depth = contrast * share.slope * weights[i];
            levels[i] = (1.0 - share.inside) * weights[i];
            residuals[i] = (grays[i] - (ground + contrast * share.inside)) * weights[i];
            discs[i] = share.inside * weights[i];
            variances[i] = by_depth * depth * by_variance;
            radii[i] = by_depth;
        }
    }

    #[inline(always)]
    fn fill_smear<const PARTS: usize>(&self, columns: &mut Columns, pixels: Pixels<'_>, level: f32) {
        let n = pixels.dx.len().min(BLOCK);
        let (xs, ys, grays, weights) = (&pixels.dx[..n], &pixels.dy[..n], &pixels.gray[..n], &pixels.weight[..n]);
        let (x, y, radius, disc) = (self.x as f32, self.y as f32, self.radius as f32, self.disc as f32);
        let (slope_x, slope_y) = (self.slope.0 as f32, self.slope.1 as f32);
        let (disc_x, disc_y) = (self.disc_slope.0 as f32, self.disc_slope.1 as f32);
        let (mx, my) = (self.motion.0 as f32, self.motion.1 as f32);
        let sigma = (self.variance as f32).sqrt();
        let part = 1.0 / PARTS as f32;
        for column in columns.iter_mut() {
            column[..n].fill(0.0);
        }
        let [levels, residuals, shares, bends, slopes, by_x, by_y, by_mx, by_my] = columns;
        for node in 0..PARTS {
            let t = (node as f32 + 0.5) * part - 0.5;
            let (node_x, node_y) = (x + t * mx, y + t * my);
            for i in 0..n {
                let (dx, dy) = (xs[i] - node_x, ys[i] - node_y);
                let distance = (dx * dx + dy * dy).sqrt().max(1e-3);
                let per_distance = 1.0 / distance;
                let (cos, sin) = (dx * per_distance, dy * per_distance);
                let across = (mx * cos + my * sin) * part;
                let share = smeared(radius - distance, sigma, 0.5 * across.abs());
                shares[i] += share.inside;
                bends[i] += share.bend;
                slopes[i] += share.slope;
                // The depth grows as the centre moves to this side. The box widens with the motion across the edge.
                let way = t * share.slope + (0.5 * part).copysign(across) * share.widening;
                by_x[i] += share.slope * cos;
                by_y[i] += share.slope * sin;
                by_mx[i] += way * cos;
                by_my[i] += way * sin;
            }
        }
        for i in 0..n {
            let share = shares[i] * part;
            let ground = level + slope_x * xs[i] + slope_y * ys[i];
            let contrast = disc + disc_x * xs[i] + disc_y * ys[i] - ground;
            let scale = contrast * part * weights[i];
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

/// A block of the annulus.
#[derive(Clone, Copy)]
struct Pixels<'a> {
    dx: &'a [f32],
    dy: &'a [f32],
    gray: &'a [f32],
    weight: &'a [f32],
}
