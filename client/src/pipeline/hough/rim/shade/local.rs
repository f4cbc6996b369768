//! Eliminates the levels that belong to a single sector from the equations (the Schur complement).

use super::columns::{COLUMNS, LEVELS, RESIDUAL};
use super::normal::{MOST, Normal};
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
        let half = self.half(RESIDUAL);
        self.sums[RESIDUAL][RESIDUAL] - self.dot(&half, &half)
    }

    /// Adds the products of the shared columns to the normal equations, after the levels are fitted.
    pub(crate) fn add_to(&self, normal: &mut Normal, shared: impl Iterator<Item = usize>) {
        let residual = self.half(RESIDUAL);
        normal.squares += self.sums[RESIDUAL][RESIDUAL] - self.dot(&residual, &residual);
        let mut halves = [(0, [0.0; LEVELS]); MOST];
        for (j, column) in shared.enumerate() {
            let half = self.half(column);
            normal.right[j] += self.sums[RESIDUAL][column] - self.dot(&residual, &half);
            halves[j] = (column, half);
            for (i, (other, other_half)) in halves[..=j].iter().enumerate() {
                normal.matrix[i][j] += self.sums[*other][column] - self.dot(other_half, &half);
            }
        }
    }

    /// Steps of the levels, given those of the shared parameters, in the order of the columns. `shared` has the column
    /// of each shared parameter and its step.
    pub(crate) fn after(&self, shared: impl Iterator<Item = (usize, f64)> + Clone) -> [f64; LEVELS] {
        self.solve(|own| {
            let taken: f64 = shared.clone().map(|(column, step)| step * self.sums[own][column]).sum();
            self.sums[own][RESIDUAL] - taken
        })
    }

    fn half(&self, column: usize) -> [f64; LEVELS] {
        let mut right = [0.0; LEVELS];
        right.iter_mut().zip(self.columns).for_each(|(value, &own)| *value = self.sums[own][column]);
        self.factor.half(&right, self.columns.len())
    }

    fn dot(&self, one: &[f64; LEVELS], other: &[f64; LEVELS]) -> f64 {
        one.iter().zip(other).take(self.columns.len()).map(|(one, other)| one * other).sum()
    }

    fn solve(&self, right: impl Fn(usize) -> f64) -> [f64; LEVELS] {
        let mut rights = [0.0; LEVELS];
        rights.iter_mut().zip(self.columns).for_each(|(value, &own)| *value = right(own));
        self.factor.solve(&rights, self.columns.len())
    }
}
