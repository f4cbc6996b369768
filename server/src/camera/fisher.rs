//! Fisher information: what all pixels together tell about the ball's place, with all other parameters unknown.

use std::f64::consts::PI;

use super::shape::SHAPE;

/// Parameters: x, y, radius, the ball's level, the background's level, its slope along x and along y; then those of the
/// ball's form.
pub(super) const PARAMETERS: usize = 7 + SHAPE;

/// A Fisher information matrix. The first two parameters are x and y.
#[derive(Clone, Debug)]
pub(super) struct Fisher {
    sums: [[f64; PARAMETERS]; PARAMETERS],
    parameters: usize,
}

impl Fisher {
    /// A matrix without information on the first `parameters` parameters.
    pub(super) fn empty(parameters: usize) -> Self {
        Self { sums: [[0.0; PARAMETERS]; PARAMETERS], parameters }
    }

    /// Adds a measured number, given its derivatives by the parameters and its weight: the inverse of its variance.
    pub(super) fn add(&mut self, derivatives: &[f64; PARAMETERS], weight: f64) {
        let derivatives = &derivatives[..self.parameters];
        for (row, (sums, derivative)) in self.sums.iter_mut().zip(derivatives).enumerate() {
            let scaled = weight * derivative;
            // The matrix is symmetric: the upper triangle is enough.
            for (sum, other) in sums.iter_mut().zip(derivatives).skip(row) {
                *sum += scaled * other;
            }
        }
    }

    /// The covariance of x and y with all other parameters unknown, as (xx, xy, yy); `None` without information.
    pub(super) fn covariance(&self) -> Option<(f64, f64, f64)> {
        let mut left = self.sums;
        // Eliminates the other parameters one by one (Schur complements).
        for last in (2..self.parameters).rev() {
            let pivot = left[last][last];
            // A pivot this small relative to its first value is only rounding.
            if pivot <= 1e-12 * self.sums[last][last] || pivot <= 0.0 {
                continue;
            }
            let shared: [f64; PARAMETERS] = std::array::from_fn(|row| left[row][last]);
            for (row, sums) in left.iter_mut().enumerate().take(last) {
                for (sum, other) in sums.iter_mut().zip(shared).take(last).skip(row) {
                    *sum -= shared[row] / pivot * other;
                }
            }
        }
        let (xx, xy, yy) = (left[0][0], left[0][1], left[1][1]);
        let determinant = xx * yy - xy * xy;
        let sound = xx > 1e-12 * self.sums[0][0] && yy > 1e-12 * self.sums[1][1] && determinant > 1e-12 * xx * yy;
        sound.then(|| (yy / determinant, -xy / determinant, xx / determinant))
    }

    /// The least mean |dx| + |dy| of an efficient estimate, in px.
    pub(super) fn l1_px(&self) -> Option<f64> {
        let (xx, _, yy) = self.covariance()?;
        Some((2.0 / PI).sqrt() * (xx.sqrt() + yy.sqrt())).filter(|l1| l1.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_without_information_does_not_raise_the_covariance() {
        let mut fisher = Fisher::empty(PARAMETERS);
        let first = |seven: [f64; 7]| std::array::from_fn(|i| seven.get(i).copied().unwrap_or_default());
        fisher.add(&first([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 4.0);
        assert_eq!(fisher.covariance(), None);
        fisher.add(&first([0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]), 9.0);
        fisher.add(&first([0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0]), 9.0);
        // One number measures the sum of y and the fifth parameter, another the fifth alone: ½ · 9 is left for y.
        let (xx, xy, yy) = fisher.covariance().expect("information");
        assert!((xx - 0.25).abs() < 1e-12 && xy.abs() < 1e-12 && (yy - 2.0 / 9.0).abs() < 1e-12, "{xx}, {yy}");
    }
}
