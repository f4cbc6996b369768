//! The error that a correction leaves in a second run.

use std::path::Path;

use shared::geometry::Size;
use shared::lens::Correction;

use super::error::CalibrateError;
use super::input;
use super::reference::nees;
use super::residuals::summed;
use super::result::Verified;

/// Corrects the answers of a run, and compares them with its truth.
pub(super) fn verified(path: &Path, correction: &Correction, size: Option<Size>) -> Result<Verified, CalibrateError> {
    let set = input::read(path)?;
    if let Some(found) = set.size.or(size) {
        correction.check(found).map_err(|wrong| CalibrateError::Usage(format!("--verify: {wrong}")))?;
    }
    let (mut before, mut after, mut squares) = (Vec::new(), Vec::new(), Vec::new());
    for one in &set.observations {
        let Some(place) = correction.apply(one.answer, one.radius) else { continue };
        let rest = [place.centre[0] - one.truth[0], place.centre[1] - one.truth[1]];
        before.push([one.answer[0] - one.truth[0], one.answer[1] - one.truth[1]]);
        squares.extend(one.covariance.map(|covariance| nees(rest, place.covariance(covariance))));
        after.push(rest);
    }
    if after.is_empty() {
        let name = shared::text::Escaped(path.display());
        return Err(CalibrateError::Usage(format!(
            "--verify: {name} has no answer that can be corrected: name another run"
        )));
    }
    let nees = (!squares.is_empty()).then(|| squares.iter().sum::<f64>() / squares.len() as f64);
    let [before_sum, after_sum] = [&before, &after].map(|all| summed(all.iter().copied()));
    Ok(Verified { name: set.name, frames: after.len(), before: before_sum, after: after_sum, nees })
}
