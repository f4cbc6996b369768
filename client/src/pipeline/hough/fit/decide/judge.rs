//! Decides which sectors take part: those that show disc, edge and ground where the circle has them, and no occluder.

use super::ground::{leave_out_off_plane, settle_ground};
use super::misfit::has_general_misfit;
use super::state::{MODEL_ERROR, State};
use crate::pipeline::hough::chance::{DIRECTION_SIGMAS, SECTOR_SIGMAS, SQUARES_SIGMAS};
use crate::pipeline::hough::fit::equations::sums::{MIN_DISC_PX, ROUNDING_VARIANCE, SectorSums};
use crate::pipeline::hough::sectors::MAX_SECTORS;

/// A sector is left out if its variance exceeds this multiple of the typical variance, plus a small fraction of the
/// contrast.
const FOREIGN: f64 = 4.0;
const FOREIGN_OF_CONTRAST: f64 = 0.04;

/// A sector is left out if its own edge is further from the circle than chance explains plus this many pixels.
const ASTRAY_PX: f64 = 0.03;

/// A sector is left out if its own disc level differs from the others' by more than chance plus this fraction of the
/// contrast.
const OTHER_DISC: f64 = 0.03;

/// Quantile of the sectors' variances that counts as typical. Below the median, because some trusted sectors may show
/// an occluder's edge.
const TYPICAL: f64 = 0.35;

/// Quantile of the variances that counts as "most sectors". Without noise it is higher, because discs drawn in whole
/// pixels fit well along some directions and would make the other sectors look foreign.
const USUAL: f64 = 0.5;
const USUAL_NOISELESS: f64 = 0.7;

/// Under a general misfit: the factor by which sectors may differ more, and the sigma they may have as a fraction of
/// the contrast.
const LENIENCE: f64 = 3.0;
const GENERAL_OF_CONTRAST: f64 = 0.3;

/// Smallest fractions of a sector's pixels, of its edge and of its disc's side that must fit for it to take part.
///
/// An occluder leaves the ground's side, which fits at any level, and pulls the edge towards the disc's centre.
const MIN_FITTING: [f64; 3] = [0.4, 0.5, 0.6];

/// Smallest fraction of the sectors that must promise an edge for the fit to go on: a little less than the share of
/// directions that a sharp arc must have, because the fit is not at its end.
const MIN_PROMISING: f64 = 0.35;

/// A sector promises an edge if it knows the edge's position to this sigma, and has it this close to the circle, in
/// pixels. Where a position is equally likely anywhere in three pixels to each side, its sigma is 1.7 px.
const PROMISING_SIGMA_PX: f64 = 0.7;
const PROMISING_PX: f64 = 0.6;

/// Judges every sector by the sums at the present model. Updates the ground and the set of sectors that take part.
pub(crate) fn judge_sectors(sums: &[SectorSums], state: &mut State) {
    let usual = if state.is_noiseless() { USUAL_NOISELESS } else { USUAL };
    let (Some(mut typical), Some(usual)) = (state.variance_at(sums, TYPICAL), state.variance_at(sums, usual)) else {
        state.active = 0;
        return;
    };
    let contrast = state.typical_contrast(sums);
    state.general_misfit |= state.believes_shifts && has_general_misfit(sums, state, contrast);
    let general = state.general_misfit;
    if general {
        typical = usual;
    }
    let lenience = if general { LENIENCE } else { 1.0 };
    let variance = typical.max(ROUNDING_VARIANCE);
    let others = if general { 0 } else { other_discs(sums, variance, state.allowed_apart(OTHER_DISC) * contrast) };
    let mut active = 0u64;
    for (k, sector) in sums.iter().enumerate().filter(|(_, sector)| sector.is_seen()) {
        // The fewer pixels, the more chance matters.
        let chance = 1.0 + SQUARES_SIGMAS * (2.0 / (sector.weight - 2.0).max(1.0)).sqrt();
        let part = if general { GENERAL_OF_CONTRAST } else { FOREIGN_OF_CONTRAST };
        let allowance = (part * state.sector_contrast(sector, k)).powi(2) + ROUNDING_VARIANCE;
        let most = lenience * FOREIGN.max(chance) * typical + allowance;
        let fits = sector.fitting().iter().zip(MIN_FITTING).all(|(part, least)| *part > least);
        if fits && sector.variance() < most && others >> k & 1 == 0 {
            active |= 1 << k;
        }
    }
    (state.active, state.off_plane) = (active, 0);
    if !general && !state.no_plane {
        leave_out_off_plane(sums, state, variance, contrast);
    }
    let allowance = (if general { GENERAL_OF_CONTRAST } else { MODEL_ERROR } * contrast).powi(2);
    state.typical_sigma = (variance + allowance).sqrt();
    if !general {
        leave_out_astray(sums, state, variance);
    }
    settle_ground(sums, state, state.typical_sigma);
}

/// Returns the sectors whose own disc level differs from the others'. There, an occluder covers both sides of the edge.
fn other_discs(sums: &[SectorSums], variance: f64, allowed_gray: f64) -> u64 {
    let (mut steps, mut allowed) = ([0.0; MAX_SECTORS], [0.0; MAX_SECTORS]);
    let (mut known, mut n, mut first, mut last) = ([0.0; MAX_SECTORS], 0, f64::INFINITY, f64::NEG_INFINITY);
    let mut least = f64::INFINITY;
    for (k, sector) in sums.iter().enumerate() {
        let (step, information) = sector.own_disc();
        allowed[k] = allowed_gray + SECTOR_SIGMAS * (variance / information).sqrt();
        steps[k] = step;
        if sector.is_seen() && information > MIN_DISC_PX {
            (known[n], n) = (step, n + 1);
            (first, last, least) = (first.min(step), last.max(step), least.min(allowed[k]));
        }
    }
    if last - first < least || n == 0 {
        return 0;
    }
    let middle = *known[..n].select_nth_unstable_by(n / 2, f64::total_cmp).1;
    let other = |k: usize| (steps[k] - middle).abs() > allowed[k];
    let mask = (0..sums.len()).filter(|&k| other(k)).fold(0u64, |mask, k| mask | 1 << k);
    // If most sectors differ, there is no common disc level, or the disc is uneven.
    if 2 * (mask.count_ones() as usize) < n { mask } else { 0 }
}

/// Leaves out the sectors whose own edge is not on the circle.
fn leave_out_astray(sums: &[SectorSums], state: &mut State, variance: f64) {
    if !state.believes_shifts {
        return;
    }
    let mut kept = state.active;
    for (k, sector) in sums.iter().enumerate() {
        let sigma = (variance / sector.information()).sqrt();
        if sector.shift().abs() > ASTRAY_PX + SECTOR_SIGMAS * sigma {
            kept &= !(1 << k);
        }
    }
    // If most sectors would be left out, the circle itself is wrong.
    if 2 * kept.count_ones() > state.active.count_ones() {
        state.active = kept;
    }
}

/// Whether the fit is not worth continuing, because too few sectors show an edge where the circle has it.
pub(crate) fn is_hopeless(sums: &[SectorSums], state: &State) -> bool {
    let sigma = state.typical_sigma;
    let (mut all, mut promising) = (0, 0);
    for (k, sector) in sums.iter().enumerate().filter(|(_, sector)| sector.is_seen()) {
        let own = sigma / sector.information().sqrt();
        all += 1;
        let near = own < PROMISING_SIGMA_PX && sector.shift().abs() < PROMISING_PX + DIRECTION_SIGMAS * own;
        promising += u32::from(state.active >> k & 1 == 1 && near);
    }
    f64::from(promising) < MIN_PROMISING * f64::from(all)
}
