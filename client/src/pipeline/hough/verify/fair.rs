//! The fair question, for discs that fit badly all around: do all directions show the same contrast, on one circle?

use super::tally::{Tally, contrast_sigma, visible};
use super::verdict::Verdict;
use crate::pipeline::hough::fit::refine::Fit;
use crate::pipeline::hough::sectors::DIRECTIONS;

/// Fewest visible directions: three always lie on a circle, so a fourth has to agree.
const MIN_DIRECTIONS: f64 = 4.0;

/// Fewest pixels beyond the edge with which a direction could show an edge. Fewer than the ground of a visible
/// direction, because in front of clutter a direction of the smallest discs has four pixels in all.
const MIN_BEYOND_PX: f64 = 3.0;

/// Largest distance of a direction's edge from the circle, in pixels. And largest difference of its contrast from the
/// median: a part of it, and standard errors, which chance exceeds in one of 80 directions.
///
/// They were measured on 3,149 wrong candidates: 2,231 in 1,500 empty frames of clutter, 204 in photographs and their
/// tiles, 714 beside discs. If contrasts may differ by any amount, 70, 41 and 41 of them pass; with this limit, none.
/// 2,774 of 2,794 candidates on discs pass this question or the strict one: compressed, moved, drawn in whole pixels,
/// blurred, occluded, cut and faint discs.
const AGREE_PX: f64 = 0.3;
const MAX_UNLIKE: f64 = 0.12;
const UNLIKE_SIGMAS: f64 = 2.5;

/// Smallest share of the directions that are alike, and largest root mean square of their distances from the circle: for
/// most discs, and for those that the border cuts. Without the share, 744 of those wrong candidates pass, and without
/// the distances 46.
const MIN_SHARE: f64 = 0.85;
const MAX_RMS_PX: f64 = 0.2;
const MAX_RMS_OF_FEW_PX: f64 = 0.08;

/// Returns the verdict if the answer is yes.
pub(crate) fn fair(fit: &Fit) -> Option<Verdict> {
    let contrast = median_contrast(fit)?;
    let tally = Tally::of(fit, AGREE_PX, |sector| {
        let unlike = (sector.contrast.abs() - contrast).abs();
        unlike < MAX_UNLIKE * contrast + UNLIKE_SIGMAS * contrast_sigma(sector)
    });
    let rms_px = (tally.square_px / tally.confirmed.max(1.0)).sqrt();
    let most_px = if tally.is_few() { MAX_RMS_OF_FEW_PX } else { MAX_RMS_PX };
    // Directions where nothing fits count too.
    let there = fit.directions.iter().filter(|sector| sector.beyond_px >= MIN_BEYOND_PX).count();
    let share = tally.confirmed / tally.visible.max(there as f64).max(1.0);
    // The evidence is only the share of directions that are alike. It counts little compared to strict evidence.
    (tally.visible >= MIN_DIRECTIONS && rms_px < most_px && share > MIN_SHARE)
        .then_some(Verdict { evidence: share, ample: share > 0.9 })
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
