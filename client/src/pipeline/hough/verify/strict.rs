//! The strict question: do the pixels fit to the noise where the disc is seen?

use super::tally::{AGREE_PX, Tally};
use super::verdict::Verdict;
use crate::pipeline::hough::fit::refine::Fit;

/// Smallest evidence for a disc.
///
/// Eight directions whose edges are known to 0.03 px reach it. Of 15,000 candidates in 6,000 empty frames of clutter,
/// two had more, 25.4 and 26.3, both on a ground that is not a plane.
const MIN_EVIDENCE: f64 = 24.5;

/// Evidence at which no further candidate is examined.
const AMPLE_EVIDENCE: f64 = 30.0;

/// Smallest share of the visible directions that must confirm, whatever the evidence. Less than half a disc is an arc.
const MIN_SHARE: f64 = 0.43;

/// Smallest evidence and least share of confirming directions for a disc that is cut by the border and lies on plane
/// ground. It needs less evidence if most of its directions confirm.
const MIN_EVIDENCE_OF_FEW: f64 = 13.0;
const MIN_SHARE_OF_FEW: f64 = 0.8;

/// Largest unexplained variance of a direction: a multiple of the noise variance, which is four sigmas of a χ² of 50
/// pixels; gray levels squared, six times the variance of rounding; and a fraction of the contrast squared, for clean
/// frames. Without [`MIN_SHARE`] one of the 3,149 wrong candidates in `fair` passes; without this limit too, two.
const MAX_NOISE_RATIO: f64 = 1.8;
const MAX_ROUNDING: f64 = 0.5;
const MISFIT: f64 = 0.05;

/// Smallest fraction of the edge's information that must fit in a direction. Without it, one more of them passes.
const MIN_FITTING: f64 = 0.75;

/// Returns the verdict if the answer is yes. `noise_variance` is the variance of the frame's pixels.
pub(crate) fn strict(fit: &Fit, noise_variance: f64) -> Option<Verdict> {
    let tally = Tally::of(fit, AGREE_PX, |sector| {
        let explained = MAX_NOISE_RATIO * noise_variance + MAX_ROUNDING + (MISFIT * sector.contrast).powi(2);
        sector.variance < explained && sector.fitting > MIN_FITTING
    });
    let (least, share) = match tally.is_few() && fit.plane {
        true => (MIN_EVIDENCE_OF_FEW, MIN_SHARE_OF_FEW),
        false => (MIN_EVIDENCE, MIN_SHARE),
    };
    let enough = tally.evidence > least && tally.share() > share || tally.is_sharp_arc();
    enough.then_some(Verdict { evidence: tally.evidence, ample: tally.evidence > AMPLE_EVIDENCE })
}
