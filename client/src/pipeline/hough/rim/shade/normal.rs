//! Normal equations of the parameters that all sectors share.

use crate::pipeline::hough::rim::oval::PARAMETERS;

/// Maximum number of shared parameters: the outline's, the edge's variance, the stroke's width, and nine waves of
/// levels.
pub(crate) const MOST: usize = PARAMETERS + 2 + 9;

/// Index of the first of the form's three parameters.
pub(crate) const FORM: usize = 2;

/// Normal equations of `n` parameters.
#[derive(Clone)]
pub(crate) struct Normal {
    pub(crate) matrix: [[f64; MOST]; MOST],
    pub(crate) right: [f64; MOST],
    pub(crate) squares: f64,
    pub(crate) n: usize,
}

impl Normal {
    /// Sum of squared residuals after a solution.
    pub(crate) fn left(&self, found: &[f64; MOST]) -> f64 {
        let explained: f64 = found[..self.n].iter().zip(&self.right).map(|(step, right)| step * right).sum();
        self.squares - explained
    }

    /// Fixes a parameter at this value.
    pub(crate) fn hold(&mut self, held: usize, value: f64) {
        for i in 0..self.n {
            self.right[i] -= self.matrix[i][held] * value;
            (self.matrix[i][held], self.matrix[held][i]) = (0.0, 0.0);
        }
        (self.matrix[held][held], self.right[held]) = (1.0, value);
    }

    /// Copies the upper half of the matrix to the lower one.
    pub(crate) fn mirror(&mut self) {
        for i in 0..self.n {
            for j in 0..i {
                self.matrix[i][j] = self.matrix[j][i];
            }
        }
    }

    /// The equations for a circle: the residuals are taken from the circle of the same area, and the radius changes
    /// both diagonal elements of the form alike.
    pub(crate) fn round(&self, oblong: [f64; 3]) -> Self {
        let mut own = self.clone();
        for (i, less) in (FORM..).zip(oblong) {
            own.squares += less * (2.0 * own.right[i] + less * own.matrix[i][i]);
            for j in 0..own.n {
                own.right[j] += less * own.matrix[i][j];
            }
        }
        // Of the form's three parameters, the first takes the third's part too, and the rest moves up by two.
        let of = |i: usize| if i <= FORM { i } else { i + 2 };
        let mut round = Self { n: self.n - 2, ..own.clone() };
        let parts = |i: usize| [Some(of(i)), (i == FORM).then_some(FORM + 2)].into_iter().flatten();
        for i in 0..round.n {
            round.right[i] = parts(i).map(|i| own.right[i]).sum();
            for j in 0..round.n {
                round.matrix[i][j] = parts(i).map(|i| parts(j).map(|j| own.matrix[i][j]).sum::<f64>()).sum();
            }
        }
        round
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equations of eight parameters, from 20 rows of made-up numbers.
    fn normal(change: [f64; 3]) -> Normal {
        let mut all = Normal { matrix: [[0.0; MOST]; MOST], right: [0.0; MOST], squares: 0.0, n: 8 };
        for row in 0..20 {
            let column = |i: usize| ((row * (i + 3) + 7 * i) as f64).sin();
            let residual = (f64::from(row as u8) * 1.3).cos();
            let residual = residual + (0..3).map(|i| change[i] * column(FORM + i)).sum::<f64>();
            for i in 0..8 {
                all.right[i] += residual * column(i);
                (0..8).for_each(|j| all.matrix[i][j] += column(i) * column(j));
            }
            all.squares += residual * residual;
        }
        all
    }

    #[test]
    fn a_circle_starts_from_the_circle_of_the_same_area_and_has_one_number_for_its_form() {
        let oblong = [0.2, -0.3, 0.1];
        let (round, from) = (normal([0.0; 3]).round(oblong), normal(oblong));
        assert!((round.squares - from.squares).abs() < 1e-9, "{} {}", round.squares, from.squares);
        assert!((round.right[FORM] - from.right[FORM] - from.right[FORM + 2]).abs() < 1e-9);
        assert!((round.right[FORM + 1] - from.right[FORM + 3]).abs() < 1e-9);
        let both = from.matrix[2][2] + 2.0 * from.matrix[2][4] + from.matrix[4][4];
        assert!((round.matrix[FORM][FORM] - both).abs() < 1e-9);
    }
}
