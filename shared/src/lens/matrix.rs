//! Arithmetic on 2x2 and 3x3 matrices, as arrays of rows.

use super::{Jacobian, Point};

/// A 3x3 matrix.
pub type Matrix3 = [[f64; 3]; 3];

/// The unit matrix.
pub const UNIT: Matrix3 = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// The product of two 3x3 matrices.
#[must_use]
pub fn product(a: &Matrix3, b: &Matrix3) -> Matrix3 {
    let cell = |row: usize, column: usize| (0..3).map(|at| a[row][at] * b[at][column]).sum();
    [0, 1, 2].map(|row| [0, 1, 2].map(|column| cell(row, column)))
}

/// The product of a 3x3 matrix and a vector.
#[must_use]
pub fn times(a: &Matrix3, b: [f64; 3]) -> [f64; 3] {
    a.map(|row| row[0] * b[0] + row[1] * b[1] + row[2] * b[2])
}

/// The inverse of a 3x3 matrix; `None` if it is singular.
#[must_use]
pub fn inverse(a: &Matrix3) -> Option<Matrix3> {
    let cofactor = |row: usize, column: usize| {
        let at = |r: usize, c: usize| a[(row + r) % 3][(column + c) % 3];
        at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)
    };
    let determinant: f64 = (0..3).map(|column| a[0][column] * cofactor(0, column)).sum();
    let inverse = [0, 1, 2].map(|row| [0, 1, 2].map(|column| cofactor(column, row) / determinant));
    inverse.as_flattened().iter().all(|value| value.is_finite()).then_some(inverse)
}

/// The image of a plane's point under a homography, with its derivatives by the point. `None` on or behind the horizon.
#[must_use]
pub fn homography(h: &Matrix3, point: Point) -> Option<(Point, Jacobian)> {
    let [x, y, w] = times(h, [point[0], point[1], 1.0]);
    let taken = [x / w, y / w];
    let by = |row: usize, column: usize| (h[row][column] - taken[row] * h[2][column]) / w;
    let by_point = [[by(0, 0), by(0, 1)], [by(1, 0), by(1, 1)]];
    (w > 0.0 && taken.iter().all(|value| value.is_finite())).then_some((taken, by_point))
}

/// The product of two Jacobians: the derivatives of `inner` followed by `outer`.
#[must_use]
pub fn chain(outer: &Jacobian, inner: &Jacobian) -> Jacobian {
    outer.map(|[a, b]| [a * inner[0][0] + b * inner[1][0], a * inner[0][1] + b * inner[1][1]])
}

/// The product of a Jacobian and a pair.
#[must_use]
pub fn apply(jacobian: &Jacobian, pair: Point) -> Point {
    jacobian.map(|row| row[0] * pair[0] + row[1] * pair[1])
}

/// The determinant of a Jacobian.
#[must_use]
pub fn determinant(jacobian: &Jacobian) -> f64 {
    jacobian[0][0] * jacobian[1][1] - jacobian[0][1] * jacobian[1][0]
}

/// The inverse of a Jacobian; `None` if it is singular.
#[must_use]
pub fn inverse2(jacobian: &Jacobian) -> Option<Jacobian> {
    let [[a, b], [c, d]] = *jacobian;
    let by = determinant(jacobian);
    let inverse = [[d / by, -b / by], [-c / by, a / by]];
    inverse.as_flattened().iter().all(|value| value.is_finite()).then_some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_the_unit_and_a_singular_one_has_none() {
        let a = [[2.0, 1.0, 0.5], [-1.0, 3.0, 2.0], [0.25, -0.5, 1.5]];
        let unit = product(&a, &inverse(&a).expect("regular"));
        for (found, expected) in unit.as_flattened().iter().zip(UNIT.as_flattened()) {
            assert!((found - expected).abs() < 1e-14, "{unit:?}");
        }
        assert_eq!(inverse(&[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 1.0]]), None);
        assert_eq!(inverse2(&[[1.0, 2.0], [2.0, 4.0]]), None);
        assert_eq!(homography(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]], [1.0, 1.0]), None);
    }
}
