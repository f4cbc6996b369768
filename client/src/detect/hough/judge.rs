//! What the residuals say of the model: which sectors take part, how the ground is taken, whether the disc moves.

use super::{
    annulus::{SECTORS, direction_of},
    model::{Profile, SHARED_MOVING, SHARED_STILL},
    normal::{Gram, RESIDUAL, solve},
    refine::{Ground, State},
    sums::{ROUNDING_VARIANCE, Sums, VARIANCE, sectors},
};

/// Fewest pixels of a sector that can be judged.
const MIN_SECTOR_PX: f64 = 6.0;

/// A sector whose variance exceeds the median by this factor is not one plane with the others.
const UNEVEN: f64 = 2.5;

/// A sector whose variance exceeds the median by this factor, beyond a small part of the contrast, is left out.
const FOREIGN: f64 = 8.0;
const FOREIGN_OF_CONTRAST: f64 = 0.04;

/// What an edge may differ from its model, as a part of the contrast: integer-drawn, moving, compressed discs do.
const MISFIT: f64 = 0.1;

/// Sigma added to the residuals' own before pixels are judged, as a part of the contrast.
///
/// Without it a clean frame, whose residuals are mere rounding, would reject its own edge.
const MODEL_ERROR: f64 = 0.02;

/// A sector takes part when these parts of its pixels, of its edge and of its disc's side fit.
///
/// An occluder leaves the ground's side, which fits at any level, and pulls the edge towards the disc's centre.
const MIN_FITTING_PIXELS: f64 = 0.4;
const MIN_FITTING_EDGE: f64 = 0.5;
const MIN_FITTING_DISC: f64 = 0.6;

/// Fewest sectors before a ground of unlike levels that must promise an edge for the fit to go on, as a part of all.
const MIN_PROMISING: f64 = 0.35;

/// Motion is taken for real when the cos 2θ part of the width is this significant, as a χ² of two.
const MOTION_CHI2: f64 = 60.0;

/// Fewest sectors that tell a motion from clutter.
const MIN_MOTION_SECTORS: u32 = 12;

/// Keeps the sectors whose residuals look like the others'.
pub(super) fn judge_sectors(sums: &Sums, state: &mut State) {
    let Some(median) = median_variance(sums, state.trusted) else {
        state.active = 0;
        return;
    };
    let (mut active, mut uneven) = (0u16, false);
    for k in (0..SECTORS).filter(|&k| is_seen(sums, k)) {
        let contrast = contrast(sums, state, k);
        let allowance = (FOREIGN_OF_CONTRAST * contrast).powi(2) + ROUNDING_VARIANCE;
        let variance = sums.variance(k);
        let tolerated = (MISFIT * contrast).powi(2) + 2.0 * ROUNDING_VARIANCE;
        uneven |= variance > UNEVEN * median + tolerated;
        if fits(sums, k) && variance < FOREIGN * median + allowance {
            active |= 1 << k;
        } else {
            uneven = true;
        }
    }
    state.active = active;
    let allowance = (MODEL_ERROR * typical_contrast(state)).powi(2);
    let sigma = (median.max(ROUNDING_VARIANCE) + allowance).sqrt() as f32;
    state.typical_sigma = sigma;
    state.ground = if uneven { Ground::Levels { sigma } } else { Ground::Plane };
}

/// Whether so few sectors show an edge where the circle has it that the fit is not worth going on with.
pub(super) fn is_hopeless(sums: &Sums, state: &State) -> bool {
    if state.ground == Ground::Plane {
        return false;
    }
    let seen = (0..SECTORS).filter(|&k| is_seen(sums, k));
    let promises = |k: usize| {
        let (shift, sigma) = sums.shift(k);
        state.active >> k & 1 == 1 && sigma < 0.5 && shift.abs() < 1.0 + 2.5 * sigma
    };
    let (all, promising) = seen.fold((0u32, 0u32), |(all, promising), k| (all + 1, promising + u32::from(promises(k))));
    f64::from(promising) < MIN_PROMISING * f64::from(all)
}

/// One plane, when the sectors' own levels explain the pixels hardly better.
pub(super) fn choose_ground(sums: &Sums, state: &mut State) {
    if state.ground != Ground::Plane {
        return;
    }
    let mut plane = Gram::ZERO;
    sums.with_plane(state.active, &state.model.ground, common_level(state)).without_level(&mut plane, COLUMNS_STILL);
    let (Some(levels_left), Some(plane_left)) = (left_over(&sums.with_levels(state.active)), left_over(&plane)) else {
        return;
    };
    let spare = f64::from(state.active.count_ones().max(2) - 1);
    let variance = (levels_left / (sums.weight(state.active) - 24.0).max(1.0)).max(ROUNDING_VARIANCE);
    // Mean and four sigmas of the χ² by which chance alone would prefer the levels.
    if plane_left - levels_left > variance * (spare + 4.0 * (2.0 * spare).sqrt()) {
        state.ground = Ground::Levels { sigma: state.typical_sigma };
    }
}

/// Takes motion into the model when the edge's width varies as a motion makes it.
pub(super) fn look_for_motion(sums: &Sums, state: &mut State) {
    if state.model.moving || state.active.count_ones() < MIN_MOTION_SECTORS {
        return;
    }
    let (mut score, mut information, mut squares) = ([0.0; 2], [0.0; 2], 0.0);
    for k in sectors(state.active) {
        let (x, y) = direction_of(k);
        let alone = &sums.alone(k).0;
        for (i, wave) in [f64::from(x * x - y * y), f64::from(2.0 * x * y)].into_iter().enumerate() {
            score[i] += wave * alone[RESIDUAL][VARIANCE];
            information[i] += wave * wave * alone[VARIANCE][VARIANCE];
        }
        squares += alone[RESIDUAL][RESIDUAL];
    }
    let variance = (squares / (sums.weight(state.active) - 24.0).max(1.0)).max(ROUNDING_VARIANCE);
    let chi2: f64 = (0..2).map(|i| score[i] * score[i] / (information[i].max(1e-9) * variance)).sum();
    if chi2 > MOTION_CHI2 {
        state.model.moving = true;
        state.model.profile = Profile::Gaussian;
        for i in 0..2 {
            state.model.shared[7 + i] = score[i] / information[i].max(1e-9);
        }
        state.model.advance(&[0.0; SHARED_MOVING]);
    }
}

/// Whether a sector has pixels enough to be judged.
pub(super) fn is_seen(sums: &Sums, k: usize) -> bool {
    sums.pixels(k) >= MIN_SECTOR_PX
}

/// Disc minus the sector's own best ground level.
pub(super) fn contrast(sums: &Sums, state: &State, k: usize) -> f64 {
    f64::from(state.model.disc()) - f64::from(state.model.ground[k]) - sums.level_step(k, &[])
}

/// Mean ground level of the sectors that take part.
pub(super) fn common_level(state: &State) -> f64 {
    let sum: f64 = sectors(state.active).map(|k| f64::from(state.model.ground[k])).sum();
    sum / f64::from(state.active.count_ones().max(1))
}

/// Columns of a still disc, level and residual included.
const COLUMNS_STILL: usize = 2 + SHARED_STILL;

fn fits(sums: &Sums, k: usize) -> bool {
    sums.fitting_pixels(k) > MIN_FITTING_PIXELS
        && sums.fitting_edge(k) > MIN_FITTING_EDGE
        && sums.fitting_disc(k) > MIN_FITTING_DISC
}

fn median_variance(sums: &Sums, trusted: u16) -> Option<f64> {
    let mut variances = [0.0; SECTORS];
    let mut n = 0;
    for k in sectors(trusted).filter(|&k| is_seen(sums, k)) {
        variances[n] = sums.variance(k);
        n += 1;
    }
    let (_, median, _) = (n > 0).then(|| variances[..n].select_nth_unstable_by(n / 2, f64::total_cmp))?;
    Some(*median)
}

/// Mean contrast of the sectors that take part, in gray levels.
fn typical_contrast(state: &State) -> f64 {
    let spread: f64 = sectors(state.active).map(|k| f64::from(state.model.disc() - state.model.ground[k]).abs()).sum();
    spread / f64::from(state.active.count_ones().max(1))
}

/// Squares left over after the shared parameters of a still disc are fitted.
fn left_over(total: &Gram) -> Option<f64> {
    let (matrix, right) = total.shared::<SHARED_STILL>();
    let step = solve(&matrix, &right)?;
    let explained: f64 = step.iter().zip(&right).map(|(step, right)| step * right).sum();
    Some(total.0[RESIDUAL][RESIDUAL] - explained)
}
