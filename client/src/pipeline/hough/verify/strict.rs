//! The strict question: do the pixels fit to the noise where the disc is seen?

use super::tally::{AGREE_PX, MAX_NOISE_RATIO, Tally, contrast_sigma};
use super::verdict::Verdict;
use crate::pipeline::hough::chance::DIRECTION_SIGMAS;
use crate::pipeline::hough::fit::refine::Fit;

/// Largest sigma of a direction's edge position, in pixels. A direction that knows its edge less precisely would agree
/// with a quarter of the annulus, and does not count.
const MAX_SHIFT_SIGMA_PX: f64 = 0.3;

/// Smallest evidence for a disc.
///
/// Eight directions whose edges are known to 0.03 px reach it. Of 15,000 candidates in 6,000 empty frames of clutter,
/// two had more, 25.4 and 26.3, both on a ground that is not a plane.
const MIN_EVIDENCE: f64 = 24.5;

/// Evidence at which no further candidate is examined. The most that a wrong candidate had is 26.3; this is forty times
/// less likely.
const AMPLE_EVIDENCE: f64 = 30.0;

/// Smallest share of the visible directions that must confirm, whatever the evidence. Less than half a disc is an arc.
/// Seven of sixteen directions are 0.4375. Of the 3,149 wrong candidates of the fair question, one passes without it.
const MIN_SHARE: f64 = 0.43;

/// Largest disagreement with the circle, as χ² per confirming direction. Of sixteen directions, chance exceeds it once
/// in 400.
const MAX_CHI2: f64 = 2.0;

/// Smallest evidence and smallest share of confirming directions for a disc that is cut by the border and lies on plane
/// ground. It needs less evidence if most of its directions confirm.
const MIN_EVIDENCE_OF_FEW: f64 = 13.0;
const MIN_SHARE_OF_FEW: f64 = 0.8;

/// Largest unexplained variance of a well-seen direction, in addition to [`MAX_NOISE_RATIO`]: in gray levels squared,
/// six times the variance of rounding, and as a fraction of the contrast.
const MAX_ROUNDING: f64 = 0.5;
const STRICT_MISFIT: f64 = 0.05;

/// Smallest fractions of the edge's information and of the disc's side that must fit in a well-seen direction: with
/// less, something else crosses the edge there. Without the first, one more of those wrong candidates passes.
const MIN_FITTING: f64 = 0.75;
const MIN_FITTING_DISC: f64 = 0.8;

/// Returns the verdict if the answer is yes. `noise_variance` is the variance of the frame's pixels.
pub(crate) fn strict(fit: &Fit, noise_variance: f64) -> Option<Verdict> {
    let tally = Tally::of(fit, AGREE_PX, |sector| {
        let own = sector.contrast.abs();
        let explained = MAX_NOISE_RATIO * noise_variance + MAX_ROUNDING + (STRICT_MISFIT * own).powi(2);
        own > DIRECTION_SIGMAS * contrast_sigma(sector)
            && sector.variance < explained
            && sector.fitting > MIN_FITTING
            && sector.disc_fitting > MIN_FITTING_DISC
            && sector.shift_sigma < MAX_SHIFT_SIGMA_PX
    });
    let (least, share) = match tally.is_few() && fit.plane {
        true => (MIN_EVIDENCE_OF_FEW, MIN_SHARE_OF_FEW),
        false => (MIN_EVIDENCE, MIN_SHARE),
    };
    let agrees = tally.chi2 < MAX_CHI2 * tally.confirmed;
    let enough = tally.evidence > least && tally.share() > share || tally.is_sharp_arc();
    (tally.stands_out() && agrees && enough)
        .then_some(Verdict { evidence: tally.evidence, ample: tally.evidence > AMPLE_EVIDENCE })
}
