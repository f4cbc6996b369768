//! Where a plane stands in front of a camera: a rotation vector, as OpenCV's `rvec`, and a translation.

use super::matrix::{Matrix3, UNIT, product};

/// Below this angle, in radians, the rotation comes from its series.
const SMALL: f64 = 1e-9;

/// The matrix of a rotation vector (Rodrigues).
#[must_use]
pub fn rotation(v: [f64; 3]) -> Matrix3 {
    let angle = (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
    if angle < SMALL {
        return sum(&UNIT, &cross(v));
    }
    let axis = v.map(|value| value / angle);
    let turn = cross(axis);
    let (sin, cos) = angle.sin_cos();
    let once = turn.map(|row| row.map(|value| sin * value));
    let twice = product(&turn, &turn).map(|row| row.map(|value| (1.0 - cos) * value));
    sum(&sum(&UNIT, &once), &twice)
}

/// The derivatives of the matrix by each component of the vector.
///
/// `∂R/∂vᵢ = (vᵢ[v]ₓ + [v × (I − R)eᵢ]ₓ) R / |v|²` (Gallego and Yezzi, J. Math. Imaging Vis. 51, 2015).
#[must_use]
pub fn by_vector(v: [f64; 3], matrix: &Matrix3) -> [Matrix3; 3] {
    let squared = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
    [0, 1, 2].map(|at| {
        let mut unit = [0.0; 3];
        unit[at] = 1.0;
        if squared < SMALL * SMALL {
            return cross(unit);
        }
        let moved = [0, 1, 2].map(|row| unit[row] - matrix[row][at]);
        let across =
            [v[1] * moved[2] - v[2] * moved[1], v[2] * moved[0] - v[0] * moved[2], v[0] * moved[1] - v[1] * moved[0]];
        let spun = sum(&cross(v.map(|value| value * v[at])), &cross(across));
        product(&spun.map(|row| row.map(|value| value / squared)), matrix)
    })
}

/// The rotation vector of a rotation matrix with an angle below π.
#[must_use]
pub fn vector(r: &Matrix3) -> [f64; 3] {
    let axis = [r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]];
    let sine = axis.iter().map(|value| value * value).sum::<f64>().sqrt() / 2.0;
    let angle = sine.atan2((r[0][0] + r[1][1] + r[2][2] - 1.0) / 2.0);
    if sine < SMALL {
        return axis.map(|value| value / 2.0);
    }
    axis.map(|value| value * angle / (2.0 * sine))
}

fn cross(v: [f64; 3]) -> Matrix3 {
    [[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]]
}

fn sum(a: &Matrix3, b: &Matrix3) -> Matrix3 {
    [0, 1, 2].map(|row| [0, 1, 2].map(|column| a[row][column] + b[row][column]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VECTORS: [[f64; 3]; 4] = [[0.3, -0.5, 0.2], [0.0, 0.0, 0.0], [1e-4, 2e-4, -1e-4], [1.0, 2.0, -0.5]];

    #[test]
    fn the_vector_of_a_vectors_matrix_is_the_same_vector() {
        for v in VECTORS {
            let back = vector(&rotation(v));
            assert!((0..3).all(|at| (back[at] - v[at]).abs() < 1e-12), "{back:?}, not {v:?}");
        }
    }

    #[test]
    fn derivatives_equal_finite_differences() {
        for v in VECTORS {
            let derivatives = by_vector(v, &rotation(v));
            for (at, derivative) in derivatives.iter().enumerate() {
                let moved = |by: f64| {
                    let mut v = v;
                    v[at] += by;
                    rotation(v)
                };
                let (above, below) = (moved(1e-6), moved(-1e-6));
                for (row, column) in (0..3).flat_map(|row| (0..3).map(move |column| (row, column))) {
                    let expected = (above[row][column] - below[row][column]) / 2e-6;
                    assert!((derivative[row][column] - expected).abs() < 1e-9, "{v:?}");
                }
            }
        }
    }
}
