//! The covariance of the parameters, and which of them the data determine.
//!
//! The information matrix is scaled to a diagonal of 1, so that units do not matter. Along a direction without
//! information the parameters can change without changing the residuals. A parameter with a part in such a direction
//! gets no value. Weak directions are tested on the model itself: up to two standard deviations the cost must rise as
//! its second derivative predicts. Where it does not, an interval would be wrong.

use nalgebra::{DMatrix, DVector, SymmetricEigen};

use super::problem::{Normal, Problem, Used};
use super::solve::scales;

/// Information below this is rounding, for a matrix whose diagonal is 1.
const ROUNDING: f64 = 1e-13;

/// Directions with less information than this are tested on the model.
const WEAK: f64 = 1e-4;

/// How far the test goes, in standard deviations.
const TESTED: f64 = 2.0;

/// Largest ratio between the observed and the expected rise of the cost, either way.
const CURVED: f64 = 3.0;

/// The data do not determine a parameter if a direction without information adds this share to its variance.
const SHARE: f64 = 0.01;

/// A parameter belongs to a direction if its part in it is at least this.
const PART: f64 = 0.1;

/// What the data determine.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The covariance for residuals of unit variance, without the undetermined directions.
    pub(super) covariance: DMatrix<f64>,
    /// Whether the data determine each parameter.
    pub(super) is_told: Vec<bool>,
    /// For each undetermined direction, the places of its parameters, with their parts.
    pub(super) directions: Vec<Vec<(usize, f64)>>,
    /// Number of parameters minus the number of undetermined directions.
    pub(super) rank: usize,
}

/// What the data determine at a minimum. `variance` is that of a residual of unit weight.
pub(super) fn told(problem: &Problem<'_>, normal: &Normal, values: &[f64], used: &Used, variance: f64) -> Told {
    let scale = scales(normal);
    let count = scale.len();
    let scaled =
        DMatrix::from_fn(count, count, |row, column| normal.matrix[(row, column)] * scale[row] * scale[column]);
    let eigen = SymmetricEigen::new(scaled);
    let direction = |at: usize| DVector::from(eigen.eigenvectors.column(at));
    let is_lost = |at: usize| {
        let information = eigen.eigenvalues[at];
        information < ROUNDING
            || information < WEAK
                && !rises(
                    problem,
                    values,
                    used,
                    normal.cost,
                    &direction(at).component_mul(&scale),
                    information,
                    variance,
                )
    };
    let lost: Vec<usize> = (0..count).filter(|at| is_lost(*at)).collect();
    let mut inside = DMatrix::zeros(count, count);
    for at in (0..count).filter(|at| !lost.contains(at)) {
        inside += direction(at) * direction(at).transpose() / eigen.eigenvalues[at];
    }
    let adds = |place: usize, at: usize| {
        let part = eigen.eigenvectors[(place, at)];
        part * part / eigen.eigenvalues[at].max(1e-14) > SHARE * inside[(place, place)]
    };
    let is_told = (0..count).map(|place| !lost.iter().any(|at| adds(place, *at))).collect();
    let parts = |at: &usize| {
        let all = (0..count).map(|place| (place, eigen.eigenvectors[(place, *at)]));
        all.filter(|(_, part)| part.abs() >= PART).collect()
    };
    let directions = lost.iter().map(parts).collect();
    let covariance = DMatrix::from_fn(count, count, |row, column| inside[(row, column)] * scale[row] * scale[column]);
    Told { covariance, is_told, directions, rank: count - lost.len() }
}

/// Whether the cost rises along a direction, to both sides, as its information predicts.
fn rises(
    problem: &Problem<'_>,
    values: &[f64],
    used: &Used,
    least: f64,
    direction: &DVector<f64>,
    information: f64,
    variance: f64,
) -> bool {
    // Without residuals there is no scale for a step.
    if variance <= f64::MIN_POSITIVE {
        return true;
    }
    let reach = TESTED * (variance / information).sqrt();
    let expected = TESTED * TESTED * variance;
    [-reach, reach].into_iter().all(|by| {
        let moved: Vec<_> = values.iter().zip(direction).map(|(value, part)| value + by * part).collect();
        let risen = problem.cost(&moved, used) - least;
        // A rise that is lost in the rounding of the cost shows nothing.
        let is_seen = expected > 1e-9 * least;
        !is_seen || (expected / CURVED..=expected * CURVED).contains(&risen)
    })
}
