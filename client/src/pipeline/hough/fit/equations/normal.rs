//! Normal equations of the shared parameters, and their solution.

use super::cholesky::Factor;
use super::columns::{CENTRE, COLUMNS, DISC, LEVEL, MOTION, RADIUS, RESIDUAL, VARIANCE};
use super::model::{Model, Profile, Step};
use super::sums::{ROUNDING_VARIANCE, STILL_SLOTS, SectorSums, slot};
use super::waves::{WAVE_OF, Waves, add_waves};
use crate::pipeline::hough::sectors::direction_of;

#[cfg(test)]
mod tests;

/// Largest number of shared parameters: centre 2, radius, variance, disc level, motion 2, ground level, ground slope 2,
/// disc slope 2.
const MOST: usize = 12;

/// How the ground enters the equations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum GroundTerms {
    /// A level for each sector, eliminated beforehand.
    Levels,
    /// One level under all sectors. The residuals are taken from this level.
    Level(f64),
    /// One level and a slope of the ground.
    Plane(f64),
    /// One level, a slope of the ground and a slope of the disc: light falls unevenly.
    Lit(f64),
}

/// For each parameter, the column of its derivatives.
const MOVING: [usize; 10] = [CENTRE, CENTRE + 1, RADIUS, VARIANCE, DISC, MOTION, MOTION + 1, LEVEL, LEVEL, LEVEL];

/// The columns when the disc has a slope too.
const STILL_LIT: [usize; 10] = [RADIUS, RADIUS, RADIUS, VARIANCE, DISC, LEVEL, LEVEL, LEVEL, DISC, DISC];
const MOVING_LIT: [usize; MOST] =
    [CENTRE, CENTRE + 1, RADIUS, VARIANCE, DISC, MOTION, MOTION + 1, LEVEL, LEVEL, LEVEL, DISC, DISC];

/// The equations.
#[derive(Clone, Copy)]
pub(crate) struct Equations {
    matrix: [[f64; MOST]; MOST],
    right: [f64; MOST],
    /// Sum of the squared residuals, and sum of the weights minus the number of levels fitted to them.
    squares: f64,
    freedom: f64,
    /// Number of parameters in use, and index of the ground's first parameter.
    used: usize,
    ground_from: usize,
}

/// A solution of the equations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Solution {
    pub(crate) step: Step,
    /// Step of the common level, if there is one, else 0.
    pub(crate) level: f64,
    /// Sum of squared residuals after the step.
    pub(crate) left: f64,
    /// `left` per degree of freedom, at least the variance of rounding.
    pub(crate) variance: f64,
    /// Covariance of the centre: xx, xy, yy.
    pub(crate) centre: [f64; 3],
}

impl Equations {
    /// Sums up the sectors of a mask. `ground_at` is the distance, in pixels, from the centre at which the ground is
    /// seen.
    pub(crate) fn new(sums: &[SectorSums], active: u64, model: &Model, ground: GroundTerms, ground_at: f64) -> Self {
        let moving = model.profile == Profile::Smear;
        let ground_from = if moving { 7 } else { 5 };
        let terms = match ground {
            GroundTerms::Levels => 0,
            GroundTerms::Level(_) => 1,
            GroundTerms::Plane(_) => 3,
            GroundTerms::Lit(_) => 5,
        };
        let mut all = Self {
            matrix: [[0.0; MOST]; MOST],
            right: [0.0; MOST],
            squares: 0.0,
            freedom: 0.0,
            used: ground_from + terms,
            ground_from,
        };
        let mut waves = [[0.0; STILL_SLOTS]; 6];
        for (k, sector) in sums.iter().enumerate().filter(|(k, _)| active >> k & 1 == 1) {
            let (nx, ny) = direction_of(k, sums.len());
            let (gx, gy) = (ground_at * nx, ground_at * ny);
            let lower = match ground {
                GroundTerms::Levels => None,
                GroundTerms::Level(common) | GroundTerms::Plane(common) | GroundTerms::Lit(common) => {
                    Some(f64::from(model.ground[k]) - common)
                }
            };
            // The disc is seen about as far inside the edge as the ground outside.
            let (dx, dy) = ((2.0 * model.radius - ground_at) * nx, (2.0 * model.radius - ground_at) * ny);
            match (moving, ground) {
                (false, _) => add_waves(&sector.still_with(lower), (nx, ny), &mut waves),
                (true, GroundTerms::Lit(_)) => {
                    let factors = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, gx, gy, dx, dy];
                    all.add(&sector.with::<COLUMNS>(lower), MOVING_LIT, factors);
                }
                (true, _) => {
                    let factors = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, gx, gy];
                    all.add(&sector.with::<COLUMNS>(lower), MOVING, factors);
                }
            }
            all.freedom += sector.weight - f64::from(u8::from(ground == GroundTerms::Levels));
        }
        if !moving {
            all.add_still(&waves, ground_at, 2.0 * model.radius - ground_at);
        }
        all
    }

    /// Adds the sums over the sectors of a still disc, whose ground and disc are seen at these distances from the
    /// centre.
    fn add_still(&mut self, waves: &Waves, ground_at: f64, disc_at: f64) {
        // How each parameter varies with the direction: as 1, x or y, and with which factor.
        let (even, x, y) = (|by| (0, by), |by| (1, by), |by| (2, by));
        let one = even(1.0);
        let factors = [x(1.0), y(1.0), one, one, one, one, x(ground_at), y(ground_at), x(disc_at), y(disc_at)];
        self.squares = waves[0][slot(RESIDUAL, RESIDUAL)];
        for (i, (&column, (wave, factor))) in STILL_LIT.iter().zip(factors).enumerate() {
            self.right[i] = factor * waves[wave][slot(column, RESIDUAL)];
            for (j, (&other, (other_wave, other_factor))) in STILL_LIT.iter().zip(factors).enumerate().skip(i) {
                let product = WAVE_OF[wave][other_wave];
                self.matrix[i][j] = factor * other_factor * waves[product][slot(column, other)];
            }
        }
    }

    /// Adds a sector. Parameter `i` acts on column `columns[i]` with the factor `factors[i]`.
    #[inline(always)]
    fn add<const C: usize, const N: usize>(&mut self, own: &[[f64; C]; C], columns: [usize; N], factors: [f64; N]) {
        self.squares += own[RESIDUAL][RESIDUAL];
        for i in 0..N {
            let product = |column: usize| own[columns[i].min(column)][columns[i].max(column)];
            self.right[i] += factors[i] * product(RESIDUAL);
            for j in i..N {
                self.matrix[i][j] += factors[i] * factors[j] * product(columns[j]);
            }
        }
    }

    /// The equations without any slope of the ground or disc.
    pub(crate) fn without_slope(&self) -> Self {
        Self { used: self.used.min(self.ground_from + 1), ..*self }
    }

    /// Solves the equations. `None` if they are not positive definite.
    pub(crate) fn solve(&self) -> Option<Solution> {
        let n = self.used;
        let factor = Factor::new(&self.matrix, n)?;
        let found = factor.solve(&self.right, n);
        let explained: f64 = found[..n].iter().zip(&self.right).map(|(step, right)| step * right).sum();
        let left = (self.squares - explained).max(0.0);
        let variance = (left / (self.freedom - n as f64).max(1.0)).max(ROUNDING_VARIANCE);
        let unit = |i: usize| {
            let mut unit = [0.0; MOST];
            unit[i] = variance;
            unit
        };
        let (x, y) = (factor.solve(&unit(0), n), factor.solve(&unit(1), n));
        let at = |i: usize| if i < n { found[i] } else { 0.0 };
        let from = self.ground_from;
        let moving = from == 7;
        let step = Step {
            x: found[0],
            y: found[1],
            radius: found[2],
            variance: found[3],
            disc: found[4],
            motion: if moving { (found[5], found[6]) } else { (0.0, 0.0) },
            slope: (at(from + 1), at(from + 2)),
            disc_slope: (at(from + 3), at(from + 4)),
        };
        found[..n].iter().all(|value| value.is_finite()).then_some(Solution {
            step,
            level: at(from),
            left,
            variance,
            centre: [x[0], x[1], y[1]],
        })
    }
}
