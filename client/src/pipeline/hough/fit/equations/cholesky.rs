//! Solves symmetric systems of equations by the Cholesky factor of their matrix.

/// Relative ridge on the diagonal, far below the rounding of the sums in single precision (6e-8). Parameters that the
/// pixels do not determine stay as they are.
const RIDGE: f64 = 1e-9;

/// Lower Cholesky factor of the leading part of a symmetric matrix, scaled to a unit diagonal.
pub(crate) struct Factor<const N: usize> {
    lower: [[f64; N]; N],
    scale: [f64; N],
}

impl<const N: usize> Factor<N> {
    /// Factorises the first `n` rows, of which only the upper half is read. `None` if they are not positive definite.
    pub(crate) fn new(matrix: &[[f64; N]; N], n: usize) -> Option<Self> {
        let scale: [f64; N] =
            std::array::from_fn(|i| if matrix[i][i] > 0.0 { matrix[i][i].sqrt().recip() } else { 1.0 });
        let mut lower = [[0.0; N]; N];
        for i in 0..n {
            for j in 0..=i {
                let known: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
                let scaled = matrix[j][i] * scale[i] * scale[j];
                if i == j {
                    let square = scaled.max(RIDGE) + RIDGE - known;
                    // A number of this row that is not finite makes the square so too.
                    if !(square > 0.0 && square.is_finite()) {
                        return None;
                    }
                    lower[i][i] = square.sqrt();
                } else {
                    lower[i][j] = (scaled - known) / lower[j][j];
                }
            }
        }
        Some(Self { lower, scale })
    }

    /// Half of the solution for the first `n` elements of a right-hand side: the dot product of two halves is that of
    /// one right-hand side with the solution for the other.
    pub(crate) fn half(&self, right: &[f64; N], n: usize) -> [f64; N] {
        let mut x: [f64; N] = std::array::from_fn(|i| right[i] * self.scale[i]);
        for i in 0..n {
            let known: f64 = (0..i).map(|k| self.lower[i][k] * x[k]).sum();
            x[i] = (x[i] - known) / self.lower[i][i];
        }
        x
    }

    /// The solution for the first `n` elements of a right-hand side.
    pub(crate) fn solve(&self, right: &[f64; N], n: usize) -> [f64; N] {
        let mut x = self.half(right, n);
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|k| self.lower[k][i] * x[k]).sum();
            x[i] = (x[i] - known) / self.lower[i][i];
        }
        std::array::from_fn(|i| x[i] * self.scale[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_part_of_a_system_is_solved_and_the_rest_is_ignored() {
        let matrix = [[4.0, 1.0, f64::NAN], [f64::NAN, 3.0, f64::NAN], [f64::NAN, f64::NAN, -1.0]];
        let [x, y, _] = Factor::new(&matrix, 2).expect("positive definite").solve(&[1.0, 2.0, f64::NAN], 2);
        // The ridge is 1e-9 of the diagonal.
        assert!((4.0 * x + y - 1.0).abs() < 1e-8 && (x + 3.0 * y - 2.0).abs() < 1e-8, "{x}, {y}");
    }

    #[test]
    fn the_product_of_two_halves_is_that_of_a_side_with_the_others_solution() {
        let factor =
            Factor::new(&[[4.0, 1.0, 0.5], [f64::NAN, 3.0, -1.0], [f64::NAN, f64::NAN, 2.0]], 3).expect("definite");
        let (one, other) = ([1.0, 2.0, -1.0], [0.5, -3.0, 2.0]);
        let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let halves = dot(factor.half(&one, 3), factor.half(&other, 3));
        assert!((halves - dot(one, factor.solve(&other, 3))).abs() < 1e-12, "{halves}");
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_has_no_factor() {
        assert!(Factor::new(&[[1.0, 2.0], [2.0, 1.0]], 2).is_none());
        assert!(Factor::new(&[[1.0, f64::NAN], [f64::NAN, 1.0]], 2).is_none());
    }
}
