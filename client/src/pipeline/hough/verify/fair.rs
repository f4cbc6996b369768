//! The fair question, for discs that misfit all around: do the pixels fit fairly, and alike in all directions?

use super::tally::{MAX_NOISE_RATIO, MIN_SECTOR_SIGMAS, Tally, contrast_sigma, visible};
use super::verdict::Verdict;
use crate::pipeline::hough::fit::refine::Fit;
use crate::pipeline::hough::sectors::DIRECTIONS;

/// Faintest disc believed where a misfit is general, in gray levels.
const MIN_CONTRAST_GRAY: f64 = 3.0;

/// A direction could show an edge when it has this many pixels beyond it. It is less than the ground that a visible one
/// shows, because before clutter a direction of the smallest discs has four in all.
const MIN_BEYOND_PX: f64 = 3.0;

/// What a direction must have: unexplained variance as a part of the contrast, part of the edge that fits, and distance
/// from the circle. It is less than the strict question asks, for sharp sides of a moving disc, integer-drawn and
/// compressed discs.
const FAIR_MISFIT: f64 = 0.14;
const MIN_FAIR_FITTING: f64 = 0.4;
const FAIR_AGREE_PX: f64 = 0.3;

/// The directions must be alike in contrast, nearly all confirm, and lie on one circle.
const MAX_UNLIKE: f64 = 0.12;
const MIN_SHARE_OF_FAIR: f64 = 0.85;
const MAX_FAIR_RMS_PX: f64 = 0.2;
const MAX_FAIR_RMS_OF_FEW_PX: f64 = 0.08;

/// Least contrast before a ground that is no plane, in sigmas of the residuals.
const MIN_CLUTTER_CONTRAST: f64 = 6.0;

/// The verdict when the answer is yes; `noise_variance` is that of the frame's pixels.
pub(crate) fn fair(fit: &Fit, noise_variance: f64) -> Option<Verdict> {
    let contrast = median_contrast(fit)?;
    if contrast < MIN_CONTRAST_GRAY || !fit.plane && contrast < MIN_CLUTTER_CONTRAST * residual_sigma(fit) {
        return None;
    }
    let tally = Tally::of(fit, FAIR_AGREE_PX, |sector| {
        let own = sector.contrast.abs();
        let least = MIN_SECTOR_SIGMAS * contrast_sigma(sector);
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
    // That it is alike all around is all there is to know here: compared to strict evidence it counts little.
    (tally.stands_out() && rms_px < most_px && share > MIN_SHARE_OF_FAIR)
        .then_some(Verdict { evidence: share, ample: share > 0.9 })
}

/// Root mean variance of the residuals over the sectors that take part, in gray levels.
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
