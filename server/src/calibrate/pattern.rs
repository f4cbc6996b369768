//! Whether the residuals show a pattern over the image.
//! A missing lens term hardly changes the sum of all squared residuals: the noise of 1,200 numbers hides it.
//! Polynomials of low degree over the image reveal it. Their part of the residuals follows a χ² distribution, with as
//! many degrees of freedom as are left of the polynomials when those that the model can represent are removed: g (D −
//! CᵀA⁻¹C)⁻¹ g for g = Bᵀr, D = BᵀB, C = JᵀB and A = JᵀJ, with the values B of the polynomials (a score test; C. R.
//! Rao, 1948).

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use shared::lens::Point;

use super::problem::{Problem, Used};
use super::residuals::area;
use super::told::Told;

/// Highest degree of the polynomials: that of k₂.
const DEGREE: usize = 5;

/// Polynomials of both axes.
const COUNT: usize = (DEGREE + 1) * (DEGREE + 2);

/// A direction is removed if the model can represent at least this share of it.
const OWN: f64 = 1e-4;

/// The sum of squares that the polynomials explain, in units of the residuals' variance, with its degrees of freedom.
/// `None` if there are too few frames, or none of the polynomials is left.
pub(super) fn pattern(problem: &Problem<'_>, values: &[f64], used: &Used, told: &Told) -> Option<(f64, f64)> {
    if used.iter().filter(|used| **used).count() < 2 * COUNT {
        return None;
    }
    let places: Vec<_> = problem.all().map(|(_, one)| (one.answer, [0.0; 2])).collect();
    let area = area(None, &places);
    let (mut square, mut part) = (DMatrix::<f64>::zeros(COUNT, COUNT), DVector::<f64>::zeros(COUNT));
    let mut cross = DMatrix::<f64>::zeros(problem.parameters(), COUNT);
    problem.each_row(values, used, |row| {
        let basis = polynomials(scaled(area, row.answer));
        // Both axes of each polynomial, weighted as the residual is.
        let mut weighted = [[0.0; 2]; COUNT];
        for (at, value) in basis.iter().enumerate() {
            weighted[2 * at] = row.white([*value, 0.0]);
            weighted[2 * at + 1] = row.white([0.0, *value]);
        }
        for (i, a) in weighted.iter().enumerate() {
            part[i] += a[0] * row.residual[0] + a[1] * row.residual[1];
            for (j, b) in weighted.iter().enumerate() {
                square[(i, j)] += a[0] * b[0] + a[1] * b[1];
            }
            for (column, by) in row.columns.iter().zip(row.by) {
                cross[(*column, i)] += by[0] * a[0] + by[1] * a[1];
            }
        }
    })?;
    let rest = &square - cross.transpose() * &told.covariance * &cross;
    let scale = square.diagonal().map(|value| if value > 0.0 { value.sqrt().recip() } else { 0.0 });
    let rest = DMatrix::from_fn(COUNT, COUNT, |i, j| rest[(i, j)] * scale[i] * scale[j]);
    let part = part.component_mul(&scale);
    let eigen = SymmetricEigen::new(rest);
    let largest = eigen.eigenvalues.max();
    let left = (0..COUNT).filter(|at| eigen.eigenvalues[*at] > OWN * largest);
    let (mut statistic, mut freedom) = (0.0, 0.0);
    for at in left {
        statistic += eigen.eigenvectors.column(at).dot(&part).powi(2) / eigen.eigenvalues[at];
        freedom += 1.0;
    }
    (freedom > 0.0).then_some((statistic, freedom))
}

/// A place as -1 to 1 along both sides.
fn scaled(area: [f64; 4], place: Point) -> Point {
    [0, 1].map(|axis| {
        let (low, high) = (area[axis], area[axis + 2]);
        if high > low { (2.0 * place[axis] - low - high) / (high - low) } else { 0.0 }
    })
}

/// Products of Legendre polynomials up to the degree.
fn polynomials([x, y]: Point) -> [f64; COUNT / 2] {
    let along = |x: f64| {
        let mut values = [1.0; DEGREE + 1];
        values[1] = x;
        for n in 1..DEGREE {
            let k = n as f64;
            values[n + 1] = ((2.0 * k + 1.0) * x * values[n] - k * values[n - 1]) / (k + 1.0);
        }
        values
    };
    let (across, down) = (along(x), along(y));
    let (mut products, mut at) = ([0.0; COUNT / 2], 0);
    for (i, a) in across.iter().enumerate() {
        for b in &down[..=DEGREE - i] {
            products[at] = a * b;
            at += 1;
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_polynomial_for_each_product_up_to_the_degree() {
        let products = polynomials([1.0, 1.0]);
        assert!(products.iter().all(|value| (value - 1.0).abs() < 1e-12), "each is 1 in the corner: {products:?}");
        let products = polynomials([0.5, 0.0]);
        assert!((products[DEGREE + 1] - 0.5).abs() < 1e-12, "x itself comes after the powers of y: {products:?}");
    }
}
