//! The equations of each sector, and what a sector says by itself.

use super::{
    annulus::{Annulus, SECTORS},
    model::{BLOCK, COLUMNS, Columns, Model},
    normal::{FIRST_SHARED, Gram, LEVEL, RESIDUAL},
};

/// Columns of the radius, of the edge's variance and of the disc's level.
pub(super) const RADIUS: usize = FIRST_SHARED + 2;
pub(super) const VARIANCE: usize = FIRST_SHARED + 3;
const DISC: usize = FIRST_SHARED + 4;

/// Residuals beyond this many sigmas have no say before clutter (Tukey's biweight).
const TUKEY_SIGMAS: f32 = 6.0;

/// Variance of rounding to whole gray levels: no residual is known to be smaller.
pub(super) const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

/// Sums over the pixels of every sector at one state of the model.
pub(super) struct Sums {
    columns: Box<Columns>,
    sectors: Box<[Sector; SECTORS]>,
    /// Columns in use.
    used: usize,
}

#[derive(Clone)]
struct Sector {
    gram: Gram,
    /// The same with the sector's own ground level fitted.
    alone: Gram,
    /// Pixels, and the sum of their weights.
    pixels: f64,
    weight: f64,
    /// Squared derivatives by the radius, and squared shares of the disc, unweighted: what could be seen.
    edge: f64,
    disc: f64,
}

impl Default for Sums {
    fn default() -> Self {
        let sector = Sector { gram: Gram::ZERO, alone: Gram::ZERO, pixels: 0.0, weight: 0.0, edge: 0.0, disc: 0.0 };
        Self {
            columns: Box::new([[0.0; BLOCK]; COLUMNS]),
            sectors: Box::new(std::array::from_fn(|_| sector.clone())),
            used: 0,
        }
    }
}

impl Sums {
    /// Sums up the annulus. `sigma`, in gray levels, scales the weights of the residuals; infinite weighs all alike.
    pub(super) fn take(&mut self, annulus: &Annulus, model: &Model, sigma: f32) {
        self.used = FIRST_SHARED + model.len();
        for (k, (pixels, sums)) in annulus.sectors.iter().zip(self.sectors.iter_mut()).enumerate() {
            sums.gram.clear(self.used);
            (sums.weight, sums.edge, sums.disc) = (0.0, 0.0, 0.0);
            sums.pixels = pixels.gray.len() as f64;
            for from in (0..pixels.gray.len()).step_by(BLOCK) {
                let n = BLOCK.min(pixels.gray.len() - from);
                model.fill(&mut self.columns, pixels, model.ground[k], from, n);
                let padded = pad(&mut self.columns, self.used, n);
                if sigma.is_finite() {
                    sums.edge += square(&self.columns[RADIUS], padded);
                    sums.disc += square(&self.columns[DISC], padded);
                    sums.weight += weigh(&mut self.columns, self.used, n, sigma);
                } else {
                    sums.weight += n as f64;
                }
                sums.gram.add_block(&self.columns, self.used, padded);
            }
            if sigma.is_infinite() {
                (sums.edge, sums.disc) = (sums.gram.0[RADIUS][RADIUS], sums.gram.0[DISC][DISC]);
            }
            sums.gram.without_level(&mut sums.alone, self.used);
        }
    }

    /// Sums of the active sectors, each with a ground level of its own fitted.
    pub(super) fn with_levels(&self, active: u16) -> Gram {
        let mut total = Gram::ZERO;
        sectors(active).for_each(|k| total.add(&self.sectors[k].alone, self.used));
        total
    }

    /// Sums of the active sectors, each with its ground taken from one common level.
    pub(super) fn with_plane(&self, active: u16, ground: &[f32; SECTORS], common: f64) -> Gram {
        let mut total = Gram::ZERO;
        for k in sectors(active) {
            total.add_rebased(&self.sectors[k].gram, f64::from(ground[k]) - common, self.used);
        }
        total
    }

    /// The sums of a sector with its own ground level fitted.
    pub(super) fn alone(&self, k: usize) -> &Gram {
        &self.sectors[k].alone
    }

    /// Step of a sector's ground level when the shared parameters take `step`.
    pub(super) fn level_step(&self, k: usize, step: &[f64]) -> f64 {
        self.sectors[k].gram.level_step(step)
    }

    /// Pixels in a sector.
    pub(super) fn pixels(&self, k: usize) -> f64 {
        self.sectors[k].pixels
    }

    /// Sum of the weights of the active sectors' pixels.
    pub(super) fn weight(&self, active: u16) -> f64 {
        sectors(active).map(|k| self.sectors[k].weight).sum()
    }

    /// Pixels' worth of ground in a sector.
    pub(super) fn ground_px(&self, k: usize) -> f64 {
        self.sectors[k].gram.0[LEVEL][LEVEL]
    }

    /// Variance of a sector's residuals about its own best ground level.
    pub(super) fn variance(&self, k: usize) -> f64 {
        let sector = &self.sectors[k];
        sector.alone.0[RESIDUAL][RESIDUAL] / (sector.weight - 1.0).max(1.0)
    }

    /// How much further out a sector by itself would have the edge, in pixels, and its sigma.
    pub(super) fn shift(&self, k: usize) -> (f64, f64) {
        let alone = &self.sectors[k].alone.0;
        let information = alone[RADIUS][RADIUS].max(1e-9);
        let variance = self.variance(k).max(ROUNDING_VARIANCE);
        (alone[RESIDUAL][RADIUS] / information, (variance / information).sqrt())
    }

    /// Part of a sector's pixels that fit.
    pub(super) fn fitting_pixels(&self, k: usize) -> f64 {
        self.sectors[k].weight / self.sectors[k].pixels.max(1.0)
    }

    /// Part of what a sector's edge could say that fits.
    pub(super) fn fitting_edge(&self, k: usize) -> f64 {
        self.sectors[k].gram.0[RADIUS][RADIUS] / self.sectors[k].edge.max(1e-9)
    }

    /// Part of the disc's side of a sector that fits.
    pub(super) fn fitting_disc(&self, k: usize) -> f64 {
        self.sectors[k].gram.0[DISC][DISC] / self.sectors[k].disc.max(1e-9)
    }
}

/// The sectors of a mask.
pub(super) fn sectors(mask: u16) -> impl Iterator<Item = usize> {
    (0..SECTORS).filter(move |k| mask >> k & 1 == 1)
}

/// Fills up with zeros to whole lanes; returns the length with these.
fn pad(columns: &mut Columns, used: usize, n: usize) -> usize {
    let padded = n.next_multiple_of(8).min(BLOCK);
    columns[..used].iter_mut().for_each(|column| column[n..padded].fill(0.0));
    padded
}

fn square(column: &[f32; BLOCK], n: usize) -> f64 {
    f64::from(super::normal::dot(column, column, n))
}

/// Multiplies the columns with the square roots of the pixels' weights; returns the sum of the weights.
fn weigh(columns: &mut Columns, used: usize, n: usize, sigma: f32) -> f64 {
    let scale = 1.0 / (TUKEY_SIGMAS * sigma);
    let mut roots = [0.0; BLOCK];
    for (root, residual) in roots.iter_mut().zip(&columns[RESIDUAL][..n]) {
        let ratio = residual * scale;
        *root = (1.0 - ratio * ratio).max(0.0);
    }
    for column in &mut columns[..used] {
        column[..n].iter_mut().zip(&roots).for_each(|(value, root)| *value *= root);
    }
    f64::from(super::normal::dot(&roots, &roots, n.next_multiple_of(8)))
}
