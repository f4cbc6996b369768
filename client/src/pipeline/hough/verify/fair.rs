//! The fair question, for discs that fit badly all around: do the pixels fit fairly well, and equally well in all
//! directions?

use super::tally::{MAX_NOISE_RATIO, Tally, contrast_sigma, visible};
use super::verdict::Verdict;
use crate::pipeline::hough::chance::DIRECTION_SIGMAS;
use crate::pipeline::hough::fit::refine::Fit;
use crate::pipeline::hough::sectors::DIRECTIONS;

/// Faintest disc that is accepted when the misfit is general, in gray levels.
const MIN_CONTRAST_GRAY: f64 = 3.0;

/// Fewest pixels beyond the edge with which a direction could show an edge. Fewer than the ground of a visible
/// direction, because in front of clutter a direction of the smallest discs has four pixels in all.
const MIN_BEYOND_PX: f64 = 3.0;

/// Requirements for a direction: unexplained variance as a fraction of the contrast, fraction of the edge that fits,
/// and distance from the circle. They are weaker than those of the strict question, to allow for sharp sides of a
/// moving disc, integer-drawn and compressed discs.
///
/// Each condition was measured by leaving it out. There were 3,149 wrong candidates (2,231 in 1,500 empty frames of
/// clutter, 204 in photographs and their tiles, 714 beside discs), and 2,794 candidates on discs, of which this
/// question and the strict one accept 2,774. Without [`FAIR_AGREE_PX`] or [`MAX_UNLIKE`], 41 to 70 of the wrong ones
/// pass; without [`MIN_SHARE_OF_FAIR`], 744; without the root mean square, 46. Eleven more conditions of both
/// questions, among them the first two here, reject no further candidate. But without all eleven, a circle was found in
/// an empty frame of clutter, so they stay.
const FAIR_MISFIT: f64 = 0.14;
const MIN_FAIR_FITTING: f64 = 0.4;
const FAIR_AGREE_PX: f64 = 0.3;

/// Requirements for all directions: they are alike in contrast, nearly all confirm, and they lie on one circle.
const MAX_UNLIKE: f64 = 0.12;
const MIN_SHARE_OF_FAIR: f64 = 0.85;
const MAX_FAIR_RMS_PX: f64 = 0.2;
const MAX_FAIR_RMS_OF_FEW_PX: f64 = 0.08;

/// Share of the directions at which no further candidate is examined.
const AMPLE_SHARE: f64 = 0.9;

/// Smallest contrast in front of a ground that is not a plane, in sigmas of the residuals.
const MIN_CLUTTER_CONTRAST: f64 = 6.0;

/// Returns the verdict if the answer is yes. `noise_variance` is the variance of the frame's pixels.
pub(crate) fn fair(fit: &Fit, noise_variance: f64) -> Option<Verdict> {
    let contrast = median_contrast(fit)?;
    if contrast < MIN_CONTRAST_GRAY || !fit.plane && contrast < MIN_CLUTTER_CONTRAST * residual_sigma(fit) {
        return None;
    }
    let tally = Tally::of(fit, FAIR_AGREE_PX, |sector| {
        let own = sector.contrast.abs();
        let least = DIRECTION_SIGMAS * contrast_sigma(sector);
        own > least
            && (own - contrast).abs() < MAX_UNLIKE * contrast + least
            && sector.variance < (FAIR_MISFIT * contrast).powi(2) + MAX_NOISE_RATIO * noise_variance
            && sector.fitting > MIN_FAIR_FITTING
    });
    let rms_px = (tally.square_px / tally.confirmed.max(1.0)).sqrt();
    let most_px = if tally.is_few() { MAX_FAIR_RMS_OF_FEW_PX } else { MAX_FAIR_RMS_PX };
    // Directions where nothing fits count too.
    let there = fit.directions.iter().filter(|sector| sector.beyond_px >= MIN_BEYOND_PX).count();
    let share = tally.confirmed / tally.visible.max(there as f64).max(1.0);
    // The evidence is only the share of directions that are alike. It counts little compared to strict evidence.
    (tally.stands_out() && rms_px < most_px && share > MIN_SHARE_OF_FAIR)
        .then_some(Verdict { evidence: share, ample: share > AMPLE_SHARE })
}

/// Root mean square of the residuals over the directions that take part, in gray levels.
fn residual_sigma(fit: &Fit) -> f64 {
    let active = fit.directions.iter().filter(|sector| sector.active);
    let (sum, count) = active.fold((0.0, 0.0), |(sum, count), sector| (sum + sector.variance, count + 1.0));
    (sum / f64::max(count, 1.0)).sqrt()
}

fn median_contrast(fit: &Fit) -> Option<f64> {
    let mut contrasts = [0.0; DIRECTIONS];
    let mut n = 0;
    for sector in visible(fit).filter(|sector| sector.active) {
        contrasts[n] = sector.contrast.abs();
        n += 1;
    }
    let (_, median, _) = (n > 0).then(|| contrasts[..n].select_nth_unstable_by(n / 2, f64::total_cmp))?;
    Some(*median)
}
