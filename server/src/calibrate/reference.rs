//! How large the errors of a pipeline's answers are, from a run without a lens.

use std::path::Path;

use super::error::CalibrateError;
use super::fit::Sigma;
use super::input;
use super::statistics::median;

/// Frames that a reference needs: 30 determine a variance to a quarter.
const LEAST: usize = 30;

/// A frame is left out if its squared error is this many times the typical one, as in `fit`.
const OUTLIER: f64 = 36.0;

/// The factor for the answers' covariances: their NEES in this run, averaged over the two axes.
pub(super) fn sigma(path: &Path) -> Result<Sigma, CalibrateError> {
    let set = input::read(path)?;
    if set.is_projected {
        let wrong = format!(
            "--reference {} is seen through a lens: name a run without one, which tells how large the answers' errors are",
            shared::text::Escaped(path.display())
        );
        return Err(CalibrateError::Usage(wrong));
    }
    let squares: Vec<f64> = set
        .observations
        .iter()
        .filter_map(|one| {
            let covariance = one.covariance?;
            Some(nees([one.answer[0] - one.truth[0], one.answer[1] - one.truth[1]], covariance))
        })
        .collect();
    if squares.len() < LEAST {
        let wrong = format!(
            "--reference needs {LEAST} frames with an answer and its covariance, and {} has {}",
            shared::text::Escaped(path.display()),
            squares.len()
        );
        return Err(CalibrateError::Usage(wrong));
    }
    // Half of a χ² with two degrees of freedom has the median ln 2.
    let typical = median(squares.clone()).unwrap_or(0.0) / std::f64::consts::LN_2;
    let kept: Vec<f64> = squares.into_iter().filter(|square| *square <= OUTLIER * typical).collect();
    let factor = kept.iter().sum::<f64>() / kept.len() as f64;
    if factor <= 0.0 || !factor.is_finite() {
        let wrong =
            format!("the answers of {} have no errors, so no σ follows from it", shared::text::Escaped(path.display()));
        return Err(CalibrateError::Usage(wrong));
    }
    Ok(Sigma::Reference { factor, frames: kept.len() })
}

/// The squared error in units of the covariance, per axis.
pub(super) fn nees([x, y]: shared::lens::Point, covariance: shared::geometry::Covariance) -> f64 {
    let shared::geometry::Covariance { xx, xy, yy } = covariance;
    (yy * x * x - 2.0 * xy * x * y + xx * y * y) / (2.0 * (xx * yy - xy * xy))
}
