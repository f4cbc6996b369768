//! Decides whether a disc fits badly all around, because it was compressed or drawn in whole pixels.

use super::ground::off_plane;
use super::state::{MODEL_ERROR, State};
use crate::pipeline::hough::fit::equations::sums::{ROUNDING_VARIANCE, SectorSums};

/// Number of sigmas by which the typical misfit of the sectors must exceed the frame's noise and the model's own error.
/// It is then a property of the disc (compressed, drawn in whole pixels), and all sectors are judged leniently.
///
/// For 200 discs each drawn in whole pixels, the misfit was at least 2.5 times the variance of a noise of 5, and 1.6
/// times that of a noise of 10. For discs in noise, blurred, moved or behind an occluder, it was at most 1.3 times in
/// 99 of 100. In front of clutter and behind an occluder it reached 2.1. [`MOST_APART`] rejects those cases.
const GENERAL_SIGMAS: f64 = 3.0;

/// Largest fraction of sectors with a ground of their own. Beyond it, the misfit is blamed on clutter.
const MOST_APART: f64 = 0.2;

/// Relative error of the frame's noise variance. The noise's sigma is known to 4 %.
const NOISE_ERROR: f64 = 0.08;

/// Largest misfit, as a fraction of the contrast, that can be the disc's own. It is larger without noise, where nothing
/// else could cause a misfit.
const MOST_MISFIT: f64 = 0.12;
const MOST_MISFIT_NOISELESS: f64 = 0.25;

/// Whether most sectors fit worse than the frame's noise explains, whatever their ground, disc and edge.
///
/// Whole pixels and blocks misfit alike at every quarter turn, but an occluder does not. Of each four sectors a quarter
/// turn apart, the second best counts, because an occluder hides at most two of them.
pub(crate) fn has_general_misfit(sums: &[SectorSums], state: &State, contrast: f64) -> bool {
    let own = (MODEL_ERROR * contrast).powi(2) + ROUNDING_VARIANCE;
    let mean = sums.iter().map(SectorSums::variance).sum::<f64>() / sums.len() as f64;
    if mean < state.noise_variance + own {
        return false;
    }
    // In front of clutter, the misfit has another cause.
    let all = (0..sums.len()).filter(|&k| sums[k].is_seen()).fold(0, |mask, k| mask | 1 << k);
    let apart = off_plane(sums, state, all, state.noise_variance.max(ROUNDING_VARIANCE), contrast);
    if f64::from(apart.count_ones()) > MOST_APART * f64::from(all.count_ones()) {
        return false;
    }
    let quarter = sums.len() / 4;
    let (mut squares, mut freedom) = (0.0, 0.0);
    for k in 0..quarter {
        let mut four = [0, 1, 2, 3].map(|turn| sums[k + turn * quarter].shape_misfit());
        four.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (variance, own) = four[1];
        if variance.is_finite() {
            squares += variance * own;
            freedom += own;
        }
    }
    let misfit = squares / freedom.max(1.0);
    let chance = GENERAL_SIGMAS * (2.0 / freedom.max(1.0) + NOISE_ERROR.powi(2)).sqrt();
    let most = if state.is_noiseless() { MOST_MISFIT_NOISELESS } else { MOST_MISFIT };
    let explained = state.noise_variance * (1.0 + chance) + own;
    (explained..(most * contrast).powi(2)).contains(&misfit)
}
