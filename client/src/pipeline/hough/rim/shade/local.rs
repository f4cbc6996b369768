//! Eliminates the levels that belong to a single sector from the equations (the Schur complement).

use super::columns::{COLUMNS, GEOMETRY, LEVELS, RESIDUAL, VARIANCE, WIDTH};
use crate::pipeline::hough::fit::equations::cholesky::Factor;

/// The products of the columns of one sector.
pub(crate) type Products = [[f64; COLUMNS]; COLUMNS];

/// The equations of one sector's own levels.
pub(crate) struct Local<'a> {
    factor: Factor<LEVELS>,
    sums: &'a Products,
    columns: &'static [usize],
}

impl<'a> Local<'a> {
    /// The equations for the levels of these columns. `None` if they are not positive definite.
    pub(crate) fn new(sums: &'a Products, columns: &'static [usize]) -> Option<Self> {
        let mut matrix = [[0.0; LEVELS]; LEVELS];
        for (i, &row) in columns.iter().enumerate() {
            for (j, &column) in columns.iter().enumerate().skip(i) {
                matrix[i][j] = sums[row][column];
            }
        }
        Some(Self { factor: Factor::new(&matrix, columns.len())?, sums, columns })
    }

    /// The columns of the levels.
    pub(crate) fn columns(&self) -> &'static [usize] {
        self.columns
    }

    /// The sum of squared residuals after the levels are fitted, with everything else fixed.
    pub(crate) fn squares(&self) -> f64 {
        let steps = self.solve(|own| self.sums[own][RESIDUAL]);
        let explained = self.columns.iter().zip(steps).map(|(&own, step)| step * self.sums[own][RESIDUAL]);
        self.sums[RESIDUAL][RESIDUAL] - explained.sum::<f64>()
    }

    /// The products after the levels are fitted.
    pub(crate) fn eliminated(&self) -> Products {
        let mut left = *self.sums;
        let others = || [RESIDUAL].into_iter().chain(GEOMETRY..=VARIANCE).chain([WIDTH]);
        for column in others() {
            let solved = self.solve(|own| self.sums[own][column]);
            for other in others() {
                let by_level = self.columns.iter().zip(solved).map(|(&own, by)| by * self.sums[own][other]);
                left[column][other] -= by_level.sum::<f64>();
            }
        }
        left
    }

    /// Steps of the levels, given those of the shared parameters, in the order of the columns. `shared` has the column
    /// of each shared parameter and its step.
    pub(crate) fn after(&self, shared: impl Iterator<Item = (usize, f64)> + Clone) -> [f64; LEVELS] {
        self.solve(|own| {
            let taken: f64 = shared.clone().map(|(column, step)| step * self.sums[own][column]).sum();
            self.sums[own][RESIDUAL] - taken
        })
    }

    fn solve(&self, right: impl Fn(usize) -> f64) -> [f64; LEVELS] {
        let mut rights = [0.0; LEVELS];
        rights.iter_mut().zip(self.columns).for_each(|(value, &own)| *value = right(own));
        self.factor.solve(&rights, self.columns.len())
    }
}
