//! Sums over each sector of products of the model's derivatives. The fit needs nothing else from the pixels.

use super::columns::{CENTRE, COLUMNS, DISC, LEVEL, MOTION, RADIUS, RESIDUAL, STILL_COLUMNS, VARIANCE};
use super::model::Step;
use crate::pipeline::hough::fit::pixels::annulus::LANES;

/// Variance of rounding to whole gray levels. No residual is known more precisely.
pub(crate) const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

/// Fewest pixels with which a sector can be judged: it has a ground, a disc and an edge of its own, and one pixel
/// checks them.
const MIN_SECTOR_PX: f64 = 4.0;

/// Smallest amount of disc, in pixels, with which a sector's disc is judged. A level fitted to less would be chance.
pub(crate) const MIN_DISC_PX: f64 = 1.0;

/// Smallest amount of ground, in pixels, that counts as seen, for the same reason.
const MIN_GROUND_PX: f64 = 1.0;

/// Number of products of all columns, rounded up to whole vectors.
const SLOTS: usize = (COLUMNS * (COLUMNS + 1) / 2).next_multiple_of(LANES);

/// Number of products of a still disc's columns, rounded up to whole vectors.
pub(crate) const STILL_SLOTS: usize = (STILL_COLUMNS * (STILL_COLUMNS + 1) / 2).next_multiple_of(LANES);

/// Index of the product of two columns. Products of the first columns come first.
#[inline(always)]
pub(crate) const fn slot(i: usize, j: usize) -> usize {
    let (low, high) = if i < j { (i, j) } else { (j, i) };
    high * (high + 1) / 2 + low
}

/// The columns whose product is stored in a slot.
#[inline(always)]
pub(crate) const fn pair(slot: usize) -> (usize, usize) {
    let mut high = 0;
    while (high + 1) * (high + 2) / 2 <= slot {
        high += 1;
    }
    (slot - high * (high + 1) / 2, high)
}

/// Sums over the pixels of one sector.
#[derive(Clone, Debug)]
pub(crate) struct SectorSums {
    /// Products of the columns, indexed by [`slot`].
    pub(crate) products: [f64; SLOTS],
    pub(crate) pixels: f64,
    /// Sum of the pixels' weights.
    pub(crate) weight: f64,
    /// Sums of squared derivatives with respect to the radius, and of squared shares of the disc. Both are unweighted:
    /// they count all pixels, whether they fit or not.
    pub(crate) edge: f64,
    pub(crate) side: f64,
}

impl SectorSums {
    pub(crate) const ZERO: Self = Self { products: [0.0; SLOTS], pixels: 0.0, weight: 0.0, edge: 0.0, side: 0.0 };

    /// The product of two columns.
    #[inline(always)]
    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.products[slot(i, j)]
    }

    /// The product of two columns after the sector's own ground level is fitted (the Schur complement).
    pub(crate) fn alone(&self, i: usize, j: usize) -> f64 {
        let level = self.at(LEVEL, LEVEL);
        if level < MIN_GROUND_PX {
            return self.at(i, j);
        }
        self.at(i, j) - self.at(LEVEL, i) * self.at(LEVEL, j) / level
    }

    /// The products of the first `C` columns, upper half. With `Some(lower)`, the residuals are taken from a ground
    /// level that is lower by this many gray levels. With `None`, the sector's own level is fitted first.
    #[inline(always)]
    pub(crate) fn with<const C: usize>(&self, lower: Option<f64>) -> [[f64; C]; C] {
        let mut own: [[f64; C]; C] = std::array::from_fn(|i| std::array::from_fn(|j| self.at(i, j)));
        let level = own[LEVEL];
        if let Some(lower) = lower {
            own[RESIDUAL][RESIDUAL] += lower * (2.0 * level[RESIDUAL] + lower * level[LEVEL]);
            own[LEVEL][RESIDUAL] += lower * level[LEVEL];
            for i in RESIDUAL + 1..C {
                own[RESIDUAL][i] += lower * level[i];
            }
        } else {
            let per_level = if self.sees_ground() { 1.0 / level[LEVEL] } else { 0.0 };
            for i in 0..C {
                for j in i..C {
                    own[i][j] -= level[i] * level[j] * per_level;
                }
            }
        }
        own
    }

    /// The products from [`Self::with`] for the columns of a still disc, by slot.
    #[inline(always)]
    pub(crate) fn still_with(&self, lower: Option<f64>) -> [f64; STILL_SLOTS] {
        let own = self.with::<STILL_COLUMNS>(lower);
        let mut by_slot = [0.0; STILL_SLOTS];
        for j in 0..STILL_COLUMNS {
            for i in 0..=j {
                by_slot[slot(i, j)] = own[i][j];
            }
        }
        by_slot
    }

    /// Step of the ground level if nothing else changes.
    pub(crate) fn level_step(&self) -> f64 {
        let level = self.at(LEVEL, LEVEL);
        if level < MIN_GROUND_PX { 0.0 } else { self.at(LEVEL, RESIDUAL) / level }
    }

    /// Step of the ground level after the shared parameters take theirs. `(nx, ny)` is the sector's direction.
    pub(crate) fn level_step_after(&self, step: &Step, (nx, ny): (f64, f64), moving: bool) -> f64 {
        if !self.sees_ground() {
            return 0.0;
        }
        let by = |column: usize| self.at(LEVEL, column);
        let mut taken = by(RADIUS) * step.radius + by(VARIANCE) * step.variance + by(DISC) * step.disc;
        taken += if moving {
            let (x, y) = (step.x * by(CENTRE), step.y * by(CENTRE + 1));
            x + y + step.motion.0 * by(MOTION) + step.motion.1 * by(MOTION + 1)
        } else {
            (step.x * nx + step.y * ny) * by(RADIUS)
        };
        (by(RESIDUAL) - taken) / by(LEVEL)
    }

    /// Whether enough ground is seen to fit a level to it.
    pub(crate) fn sees_ground(&self) -> bool {
        self.at(LEVEL, LEVEL) >= MIN_GROUND_PX
    }

    /// Whether there are enough pixels to judge the sector.
    pub(crate) fn is_seen(&self) -> bool {
        self.pixels >= MIN_SECTOR_PX && self.sees_ground()
    }

    /// Amount of ground, in pixels.
    pub(crate) fn ground_px(&self) -> f64 {
        self.at(LEVEL, LEVEL)
    }

    /// Distance, in pixels, by which the edge would be further out for this sector alone.
    pub(crate) fn shift(&self) -> f64 {
        self.alone(RADIUS, RESIDUAL) / self.information()
    }

    /// Information of this sector alone about its edge: the inverse variance of `shift` for a noise of 1.
    pub(crate) fn information(&self) -> f64 {
        self.alone(RADIUS, RADIUS).max(1e-9)
    }

    /// Variance of the residuals after the sector's own ground level and edge are fitted.
    pub(crate) fn variance(&self) -> f64 {
        let left = self.alone(RESIDUAL, RESIDUAL) - self.alone(RADIUS, RESIDUAL).powi(2) / self.information();
        left.max(0.0) / (self.weight - 2.0).max(1.0)
    }

    /// Step of the disc's level after the sector's own ground is fitted, and the information about this step, in
    /// pixels.
    pub(crate) fn own_disc(&self) -> (f64, f64) {
        let information = self.alone(DISC, DISC).max(1e-9);
        (self.alone(DISC, RESIDUAL) / information, information)
    }

    /// Variance of the residuals after the sector's own ground, disc and edge are fitted, and its degrees of freedom.
    /// Infinity and 0 if too little is seen.
    pub(crate) fn shape_misfit(&self) -> (f64, f64) {
        if !self.is_seen() {
            return (f64::INFINITY, 0.0);
        }
        // Disc and residuals after ground and edge are fitted.
        let alone = |i, j| self.alone(i, j) - self.alone(i, RADIUS) * self.alone(RADIUS, j) / self.information();
        let disc = alone(DISC, DISC);
        let explained = if disc > MIN_DISC_PX { alone(DISC, RESIDUAL).powi(2) / disc } else { 0.0 };
        let freedom = (self.weight - 3.0).max(1.0);
        ((alone(RESIDUAL, RESIDUAL) - explained).max(0.0) / freedom, freedom)
    }

    /// Fractions of the pixels, of the edge's possible information and of the disc's side that fit.
    pub(crate) fn fitting(&self) -> [f64; 3] {
        [
            self.weight / self.pixels.max(1.0),
            self.at(RADIUS, RADIUS) / self.edge.max(1e-9),
            self.at(DISC, DISC) / self.side.max(1e-9),
        ]
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.products.iter_mut().zip(&other.products).for_each(|(sum, value)| *sum += value);
        self.pixels += other.pixels;
        self.weight += other.weight;
        self.edge += other.edge;
        self.side += other.side;
    }
}
