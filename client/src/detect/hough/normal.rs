//! Normal equations of the shared parameters, and their solution.

use super::annulus::direction_of;
use super::model::{
    CENTRE, COLUMNS, DISC, LEVEL, MOTION, Model, Profile, RADIUS, RESIDUAL, STILL_COLUMNS, Step, VARIANCE,
};
use super::sums::{ROUNDING_VARIANCE, SectorSums};

/// Most shared parameters: centre 2, radius, variance, disc level, motion 2, ground level, ground slope 2.
const MOST: usize = 10;

/// How the ground enters the equations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum GroundTerms {
    /// A level for each sector, eliminated beforehand.
    Levels,
    /// One level under all sectors, this one, from which the residuals are taken.
    Level(f64),
    /// One level and a slope.
    Plane(f64),
}

/// Columns of the parameters' derivatives.
const STILL: [usize; 8] = [RADIUS, RADIUS, RADIUS, VARIANCE, DISC, LEVEL, LEVEL, LEVEL];
const MOVING: [usize; MOST] = [CENTRE, CENTRE + 1, RADIUS, VARIANCE, DISC, MOTION, MOTION + 1, LEVEL, LEVEL, LEVEL];

/// The equations.
#[derive(Clone, Copy)]
pub(super) struct Equations {
    matrix: [[f64; MOST]; MOST],
    right: [f64; MOST],
    /// Squared residuals, and the sum of their weights less the levels fitted to them.
    squares: f64,
    freedom: f64,
    /// Parameters in use, and where the ground's begin.
    used: usize,
    ground_from: usize,
}

/// A solution of the equations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Solution {
    pub(super) step: Step,
    /// Step of the common level, if there is one.
    pub(super) level: f64,
    /// Squares left over when the step is taken.
    pub(super) left: f64,
    /// The same for each degree of freedom, at least that of rounding.
    pub(super) variance: f64,
    /// Covariance of the centre: xx, xy, yy.
    pub(super) centre: [f64; 3],
}

impl Equations {
    /// Sums up the sectors of a mask. `ground_at` is the distance of the ground seen from the centre, in pixels.
    pub(super) fn new(sums: &[SectorSums], active: u64, model: &Model, ground: GroundTerms, ground_at: f64) -> Self {
        let moving = model.profile == Profile::Smear;
        let ground_from = if moving { 7 } else { 5 };
        let terms = match ground {
            GroundTerms::Levels => 0,
            GroundTerms::Level(_) => 1,
            GroundTerms::Plane(_) => 3,
        };
        let mut all = Self {
            matrix: [[0.0; MOST]; MOST],
            right: [0.0; MOST],
            squares: 0.0,
            freedom: 0.0,
            used: ground_from + terms,
            ground_from,
        };
        for (k, sector) in sums.iter().enumerate().filter(|(k, _)| active >> k & 1 == 1) {
            let (nx, ny) = direction_of(k, sums.len());
            let (gx, gy) = (ground_at * nx, ground_at * ny);
            let lower = match ground {
                GroundTerms::Levels => None,
                GroundTerms::Level(common) | GroundTerms::Plane(common) => Some(f64::from(model.ground[k]) - common),
            };
            match moving {
                false => all.add(&sector.with::<STILL_COLUMNS>(lower), STILL, [nx, ny, 1.0, 1.0, 1.0, 1.0, gx, gy]),
                true => {
                    let factors = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, gx, gy];
                    all.add(&sector.with::<COLUMNS>(lower), MOVING, factors);
                }
            }
            all.freedom += sector.weight - f64::from(u8::from(ground == GroundTerms::Levels));
        }
        all
    }

    /// Adds a sector: parameter `i` acts on column `columns[i]` by `factors[i]`.
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

    /// The same with a level ground.
    pub(super) fn without_slope(&self) -> Self {
        Self { used: self.used.min(self.ground_from + 1), ..*self }
    }

    /// Solves them; `None` when they are not positive definite.
    pub(super) fn solve(&self) -> Option<Solution> {
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

/// Relative ridge on the diagonal: parameters the pixels say nothing of stay where they are.
const RIDGE: f64 = 1e-9;

/// Lower Cholesky factor of the leading part of a symmetric matrix, scaled to a unit diagonal.
struct Factor {
    lower: [[f64; MOST]; MOST],
    scale: [f64; MOST],
}

impl Factor {
    /// Of the first `n` rows, upper half read.
    fn new(matrix: &[[f64; MOST]; MOST], n: usize) -> Option<Self> {
        let scale: [f64; MOST] =
            std::array::from_fn(|i| if matrix[i][i] > 0.0 { matrix[i][i].sqrt().recip() } else { 1.0 });
        let mut lower = [[0.0; MOST]; MOST];
        for i in 0..n {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
                let scaled = matrix[j][i] * scale[i] * scale[j];
                if i == j {
                    let square = scaled.max(RIDGE) + RIDGE - known;
                    lower[i][i] = if square > 0.0 {
                        square.sqrt()
                    } else {
                        return None;
                    };
                } else {
                    lower[i][j] = (scaled - known) / lower[j][j];
                }
            }
        }
        lower.iter().flatten().all(|value| value.is_finite()).then_some(Self { lower, scale })
    }

    fn solve(&self, right: &[f64; MOST], n: usize) -> [f64; MOST] {
        let mut x: [f64; MOST] = std::array::from_fn(|i| right[i] * self.scale[i]);
        for i in 0..n {
            let known: f64 = (0..i).map(|k| self.lower[i][k] * x[k]).sum();
            x[i] = (x[i] - known) / self.lower[i][i];
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| self.lower[k][i] * x[k]).sum();
            x[i] = (x[i] - known) / self.lower[i][i];
        }
        std::array::from_fn(|i| x[i] * self.scale[i])
    }
}
