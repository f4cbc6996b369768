//! Sums of products of the model's derivatives over each sector: all that the fit needs to know about the pixels.

use super::columns::{CENTRE, COLUMNS, DISC, LEVEL, MOTION, RADIUS, RESIDUAL, STILL_COLUMNS, VARIANCE};
use super::model::Step;
use crate::pipeline::hough::fit::pixels::annulus::LANES;

/// Variance of rounding to whole gray levels: no residual is known to be smaller.
pub(crate) const ROUNDING_VARIANCE: f64 = 1.0 / 12.0;

/// Fewest pixels of a sector that can be judged.
const MIN_SECTOR_PX: f64 = 4.0;

/// The disc of a sector is judged when this many pixels' worth of it are seen.
pub(crate) const MIN_DISC_PX: f64 = 1.0;

/// Ground counts as seen when this many pixels' worth of it are: below, a level fitted to it would be chance.
const MIN_GROUND_PX: f64 = 1.0;

/// Products of all columns, filled up to whole vectors.
const SLOTS: usize = (COLUMNS * (COLUMNS + 1) / 2).next_multiple_of(LANES);

/// The same of a still disc's.
pub(crate) const STILL_SLOTS: usize = (STILL_COLUMNS * (STILL_COLUMNS + 1) / 2).next_multiple_of(LANES);

/// Where the product of two columns is kept: those of the first columns first.
#[inline(always)]
pub(crate) const fn slot(i: usize, j: usize) -> usize {
    let (low, high) = if i < j { (i, j) } else { (j, i) };
    high * (high + 1) / 2 + low
}

/// The columns whose product is kept in a slot.
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
    /// Products of the columns, in the places that [`slot`] says.
    pub(crate) products: [f64; SLOTS],
    pub(crate) pixels: f64,
    /// Sum of the pixels' weights.
    pub(crate) weight: f64,
    /// Squared derivatives by the radius, and squared shares of the disc, unweighted: what could be seen.
    pub(crate) edge: f64,
    pub(crate) side: f64,
}

impl SectorSums {
    pub(crate) const ZERO: Self = Self { products: [0.0; SLOTS], pixels: 0.0, weight: 0.0, edge: 0.0, side: 0.0 };

    /// A product of two columns.
    #[inline(always)]
    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.products[slot(i, j)]
    }

    /// A product of two columns once the sector's own ground level is fitted (the Schur complement).
    pub(crate) fn alone(&self, i: usize, j: usize) -> f64 {
        let level = self.at(LEVEL, LEVEL);
        if level < MIN_GROUND_PX {
            return self.at(i, j);
        }
        self.at(i, j) - self.at(LEVEL, i) * self.at(LEVEL, j) / level
    }

    /// The products of the first `C` columns, upper half: with the residuals taken from a ground level that is
    /// `lower` by this many gray levels, or, for `None`, once the sector's own level is fitted.
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

    /// The same for the columns of a still disc, by slot.
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

    /// The ground level's step when nothing else moves.
    pub(crate) fn level_step(&self) -> f64 {
        let level = self.at(LEVEL, LEVEL);
        if level < MIN_GROUND_PX { 0.0 } else { self.at(LEVEL, RESIDUAL) / level }
    }

    /// The ground level's step once the shared parameters take theirs; `(nx, ny)` is the sector's direction.
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

    /// Whether ground enough is seen to fit a level to it.
    pub(crate) fn sees_ground(&self) -> bool {
        self.at(LEVEL, LEVEL) >= MIN_GROUND_PX
    }

    /// Whether there are pixels enough to be judged.
    pub(crate) fn is_seen(&self) -> bool {
        self.pixels >= MIN_SECTOR_PX && self.sees_ground()
    }

    /// Pixels' worth of ground.
    pub(crate) fn ground_px(&self) -> f64 {
        self.at(LEVEL, LEVEL)
    }

    /// How much further out the edge would be for this sector alone, in pixels.
    pub(crate) fn shift(&self) -> f64 {
        self.alone(RADIUS, RESIDUAL) / self.information()
    }

    /// What this sector alone knows about its edge: the inverse variance of `shift` at noise 1.
    pub(crate) fn information(&self) -> f64 {
        self.alone(RADIUS, RADIUS).max(1e-9)
    }

    /// Variance of the residuals once ground and edge are where the sector would have them.
    pub(crate) fn variance(&self) -> f64 {
        let left = self.alone(RESIDUAL, RESIDUAL) - self.alone(RADIUS, RESIDUAL).powi(2) / self.information();
        left.max(0.0) / (self.weight - 2.0).max(1.0)
    }

    /// The step of the disc's level once the sector's own ground is fitted, and what it knows of it, in pixels.
    pub(crate) fn own_disc(&self) -> (f64, f64) {
        let information = self.alone(DISC, DISC).max(1e-9);
        (self.alone(DISC, RESIDUAL) / information, information)
    }

    /// Variance of the residuals once ground, disc and edge are where the sector would have them, and its degrees of
    /// freedom; infinite, and none, where too little is seen.
    pub(crate) fn shape_misfit(&self) -> (f64, f64) {
        if !self.is_seen() {
            return (f64::INFINITY, 0.0);
        }
        // Disc and residuals once ground and edge are fitted.
        let alone = |i, j| self.alone(i, j) - self.alone(i, RADIUS) * self.alone(RADIUS, j) / self.information();
        let disc = alone(DISC, DISC);
        let explained = if disc > MIN_DISC_PX { alone(DISC, RESIDUAL).powi(2) / disc } else { 0.0 };
        let freedom = (self.weight - 3.0).max(1.0);
        ((alone(RESIDUAL, RESIDUAL) - explained).max(0.0) / freedom, freedom)
    }

    /// Part of the pixels, of what the edge could say, and of the disc's side that fits.
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
