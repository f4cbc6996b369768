//! What the pixels of the annulus say of the model, pixel by pixel: residuals, and derivatives by its parameters.

use super::model::{Model, Profile};
use super::profile::{Share, gaussian, pixel, smeared};
use crate::pipeline::hough::fit::pixels::annulus::Annulus;

/// Pixels worked on at once.
pub(crate) const BLOCK: usize = 128;

/// Longest part of the way that a smeared disc is taken as, in pixels, up to four parts. (With parts of 5 px of a way of
/// 10, a clean disc is off by 0.0045 px, with parts of 2.5 by 0.0014.)
const PART_PX: f64 = 2.75;

/// Columns: derivatives by the ground's level, the residual, derivatives by the disc's level, the edge's variance, the
/// radius; for a smeared disc also by the centre and by the motion. (A still disc's derivatives by the centre are
/// those by the radius times the sector's direction.)
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
    /// Columns in use.
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
                // The depth grows with the centre's way to this side; the box widens with the motion across.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::hough::fit::pixels::annulus::Reach;
    use crate::pipeline::hough::frame::Frame;
    use crate::pipeline::hough::ring::Ring;
    use crate::pipeline::hough::sectors::MAX_SECTORS;

    const SIZE: usize = 96;
    const GROUND: f32 = 52.0;

    fn annulus() -> Annulus {
        let pixels: Vec<u8> = (0..SIZE * SIZE).map(|i| (i * 37 % 256) as u8).collect();
        let mut annulus = Annulus::default();
        let ring = Ring { x: 47.3, y: 46.8, radius: 21.0 };
        annulus.gather(
            Frame { pixels: &pixels, width: SIZE, height: SIZE },
            ring,
            Reach { even: 12.0, way: (0.0, 0.0) },
            32,
        );
        annulus
    }

    fn model(profile: Profile, variance: f64) -> Model {
        let motion = if profile == Profile::Smear { (5.0, -3.0) } else { (0.0, 0.0) };
        Model {
            x: 0.31,
            y: -0.23,
            radius: 20.7,
            variance,
            disc: 177.0,
            motion,
            slope: (0.3, -0.2),
            disc_slope: (-0.1, 0.2),
            ground: [GROUND; MAX_SECTORS],
            profile,
        }
    }

    /// All columns of all pixels.
    fn columns(model: &Model, annulus: &Annulus, level: f32) -> [Vec<f64>; COLUMNS] {
        let mut all: [Vec<f64>; COLUMNS] = Default::default();
        let mut columns: Columns = [[0.0; BLOCK]; COLUMNS];
        for span in (0..annulus.sectors).map(|k| annulus.span(k)) {
            for from in span.clone().step_by(BLOCK) {
                let n = BLOCK.min(span.end - from);
                model.fill(&mut columns, annulus, level, from, n);
                for (all, column) in all.iter_mut().zip(&columns) {
                    all.extend(column[..n].iter().map(|&value| f64::from(value)));
                }
            }
        }
        all
    }

    /// Derivative of the modelled intensities, which are the negative residuals but for a constant.
    fn numeric(model: &Model, annulus: &Annulus, change: impl Fn(&mut Model, &mut f32, f64)) -> Vec<f64> {
        let step = 0.004;
        let at = |by: f64| {
            let (mut changed, mut level) = (model.clone(), GROUND);
            change(&mut changed, &mut level, by);
            let [_, residuals, ..] = columns(&changed, annulus, level);
            residuals
        };
        at(-step).iter().zip(at(step)).map(|(before, after)| (before - after) / (2.0 * step)).collect()
    }

    /// Root mean square difference, as a part of the second.
    fn off(found: &[f64], expected: &[f64]) -> f64 {
        let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
        let differences = squares(&mut found.iter().zip(expected).map(|(a, b)| a - b));
        (differences / squares(&mut expected.iter().copied())).sqrt()
    }

    type Change = fn(&mut Model, &mut f32, f64);

    const COMMON: [(usize, Change); 4] = [
        (LEVEL, |_, level, by| *level += by as f32),
        (DISC, |model, _, by| model.disc += by),
        (VARIANCE, |model, _, by| model.variance += by),
        (RADIUS, |model, _, by| model.radius += by),
    ];

    #[test]
    fn the_columns_of_a_still_disc_are_derivatives() {
        let annulus = annulus();
        for (profile, variance) in [(Profile::Gaussian, 0.3), (Profile::Gaussian, 4.0), (Profile::Pixel, 0.09)] {
            let model = model(profile, variance);
            let columns = columns(&model, &annulus, GROUND);
            for (column, change) in COMMON {
                let off = off(&columns[column], &numeric(&model, &annulus, change));
                // Single precision over a step of 0.004; the pixel's slope has kinks.
                assert!(off < 0.01, "column {column} of {profile:?}, {variance} px²: off by {off}");
            }
        }
    }

    #[test]
    fn a_still_disc_moves_by_its_radius_column_times_the_direction() {
        let annulus = annulus();
        let model = model(Profile::Gaussian, 0.3);
        let radii = &columns(&model, &annulus, GROUND)[RADIUS];
        let towards = |i: usize| {
            let (dx, dy) = (f64::from(annulus.dx[i]) - model.x, f64::from(annulus.dy[i]) - model.y);
            (dx / dx.hypot(dy), dy / dx.hypot(dy))
        };
        let by_x: Vec<_> = radii.iter().enumerate().map(|(i, radius)| radius * towards(i).0).collect();
        let by_y: Vec<_> = radii.iter().enumerate().map(|(i, radius)| radius * towards(i).1).collect();
        assert!(off(&by_x, &numeric(&model, &annulus, |model, _, by| model.x += by)) < 0.01);
        assert!(off(&by_y, &numeric(&model, &annulus, |model, _, by| model.y += by)) < 0.01);
    }

    #[test]
    fn the_columns_of_a_smeared_disc_are_derivatives() {
        let annulus = annulus();
        // The change of the box's width with the edge's direction is left out.
        let columns_of: [(usize, f64, Change); 4] = [
            (CENTRE, 0.005, |model, _, by| model.x += by),
            (CENTRE + 1, 0.005, |model, _, by| model.y += by),
            (MOTION, 0.02, |model, _, by| model.motion.0 += by),
            (MOTION + 1, 0.02, |model, _, by| model.motion.1 += by),
        ];
        for variance in [0.3, 2.0] {
            let model = model(Profile::Smear, variance);
            let columns = columns(&model, &annulus, GROUND);
            let common = COMMON.map(|(column, change)| (column, 0.01, change));
            for (column, most, change) in common.into_iter().chain(columns_of) {
                let off = off(&columns[column], &numeric(&model, &annulus, change));
                assert!(off < most, "column {column}, {variance} px²: off by {off}");
            }
        }
    }

    #[test]
    fn a_short_smear_is_a_blur() {
        let annulus = annulus();
        let mut smeared = model(Profile::Smear, 1.0);
        smeared.motion = (0.2, 0.1);
        let mut still = model(Profile::Gaussian, 1.0);
        still.motion = (0.0, 0.0);
        let (smeared, still) = (columns(&smeared, &annulus, GROUND), columns(&still, &annulus, GROUND));
        for column in [LEVEL, RESIDUAL, DISC, RADIUS] {
            // A way L adds L²/12 to a variance of 1 px².
            assert!(off(&smeared[column], &still[column]) < 0.01, "column {column}");
        }
    }

    #[test]
    fn fillers_say_nothing() {
        let annulus = annulus();
        for profile in [Profile::Gaussian, Profile::Pixel, Profile::Smear] {
            let columns = columns(&model(profile, 0.3), &annulus, GROUND);
            for (i, _) in annulus.weight.iter().enumerate().filter(|(_, weight)| **weight == 0.0) {
                let used = if profile == Profile::Smear { COLUMNS } else { STILL_COLUMNS };
                assert!(columns[..used].iter().all(|column| column[i] == 0.0), "{profile:?}, pixel {i}");
            }
        }
    }
}
