//! Decides how the ground is modelled, as one plane or as a level for each sector, and whether light falls unevenly on
//! the ground or the disc.

use super::state::{Ground, MODEL_ERROR, State};
use crate::pipeline::hough::chance::{SECTOR_SIGMAS, SQUARES_SIGMAS};
use crate::pipeline::hough::fit::equations::columns::{DISC, RADIUS, RESIDUAL};
use crate::pipeline::hough::fit::equations::model::Profile;
use crate::pipeline::hough::fit::equations::normal::{Equations, GroundTerms, Solution};
use crate::pipeline::hough::fit::equations::sums::{ROUNDING_VARIANCE, SectorSums};
use crate::pipeline::hough::sectors::direction_of;

/// A sector is off the plane if its own ground differs from the plane by more than chance plus this fraction of the
/// contrast.
const OFF_PLANE: f64 = 0.05;

/// Factor by which the centre's variance exceeds its estimate when each sector has a level of its own. It
/// agrees with the benchmark's frames with clutter: there the mean error is 1.20 times its limit, of which the levels
/// explain 1.13, and the squares of both are 1.44 and 1.28.
const LEVELS_SPREAD: f64 = 1.35;

/// Error of the levels' model in one pixel, as a fraction of the contrast: a quarter of [`MODEL_ERROR`], because the
/// sum over the pixels of a sector counts.
const LEVELS_ERROR: f64 = 0.25 * MODEL_ERROR;

/// Smallest fraction of the seen sectors that must take part to tell a slope of the ground from an occluder: one of 32
/// may be missing by chance.
const WHOLE: f64 = 0.95;

/// Significance at which the ground's slope is accepted, as a χ² with two degrees of freedom. Chance exceeds it once in
/// 90.
const SLOPE_CHI2: f64 = 9.0;

/// Significance at which the disc's slope is accepted. Chance exceeds it once in 1,000. It is higher than the ground's
/// because the disc's slope costs more.
const DISC_SLOPE_CHI2: f64 = 14.0;

/// χ² of the brightness difference between the disc's sides at which a slope of the disc is tried. Chance exceeds it
/// once in 20.
const LEANING_CHI2: f64 = 6.0;

/// Leaves out the sectors whose own ground is off the plane. Gives up the plane instead if a level for each sector
/// would determine the centre better.
///
/// `variance` is the variance of the residuals, `contrast` the disc's contrast.
pub(crate) fn leave_out_off_plane(sums: &[SectorSums], state: &mut State, variance: f64, contrast: f64) {
    let off_plane = off_plane(sums, state, state.active, variance, contrast);
    if off_plane == 0 {
        return;
    }
    if tells_more_without_plane(sums, state, off_plane) {
        state.no_plane = true;
    } else {
        state.active &= !off_plane;
        state.off_plane = off_plane;
    }
}

/// Switches to a level for each sector if no plane will do, and to a plane if nothing was known yet. `sigma` is the
/// sigma of the residuals.
pub(crate) fn settle_ground(sums: &[SectorSums], state: &mut State, sigma: f64) {
    if state.no_plane {
        enter_levels(sums, state, sigma);
    } else if !matches!(state.ground, Ground::Plane { .. }) {
        state.ground = Ground::Plane { level: state.median_level(sums) };
    }
}

/// Keeps one plane if the sectors' own levels hardly explain the pixels better. Gives the plane a slope only if a slope
/// is significant.
///
/// Returns the solution for the chosen ground. `None` if the ground was not a plane to begin with, or the equations
/// fail.
pub(crate) fn choose_ground(
    sums: &[SectorSums],
    state: &mut State,
    ground_at: f64,
    may_split: bool,
) -> Option<Solution> {
    let Ground::Plane { level } = state.ground else {
        return None;
    };
    let equations = |terms| Equations::new(sums, state.active, &state.model, terms, ground_at);
    let sloped = equations(GroundTerms::Plane(level));
    let flat = sloped.without_slope().solve()?;
    // Beside an occluder, a slope would follow the occluder.
    let whole =
        f64::from(state.active.count_ones()) > WHOLE * sums.iter().filter(|sector| sector.is_seen()).count() as f64;
    let slope = if whole { sloped.solve() } else { None };
    let shows = |slope: &Solution| state.sloped || flat.left - slope.left > SLOPE_CHI2 * slope.variance;
    let slope = slope.filter(shows);
    let mut plane = slope.unwrap_or(flat);
    state.sloped = slope.is_some();
    let lit =
        if whole && (state.lit || disc_leans(sums, state)) { equations(GroundTerms::Lit(level)).solve() } else { None };
    let shows = |lit: &Solution| state.lit || plane.left - lit.left > DISC_SLOPE_CHI2 * lit.variance;
    state.lit = if let Some(lit) = lit.filter(shows) {
        (plane, state.sloped) = (lit, true);
        true
    } else {
        false
    };
    if may_split {
        let levels = equations(GroundTerms::Levels).solve()?;
        if plane.left - levels.left > most_misfit(sums, state, &levels) {
            enter_levels(sums, state, state.typical_sigma);
            return Some(levels);
        }
    }
    if !state.sloped {
        state.model.slope = state.known_slope;
    }
    if !state.lit {
        state.model.disc_slope = (0.0, 0.0);
    }
    Some(plane)
}

/// Largest excess of a plane's sum of squared residuals over that of the levels.
fn most_misfit(sums: &[SectorSums], state: &State, levels: &Solution) -> f64 {
    let spare = f64::from(state.active.count_ones().max(4) - 3);
    let floor = levels.variance + (LEVELS_ERROR * state.typical_contrast(sums)).powi(2);
    // The χ² by which the levels would look better by chance.
    let chance = floor * (spare + SQUARES_SIGMAS * (2.0 * spare).sqrt());
    let misfit = if state.general_misfit { levels.left } else { 0.0 };
    chance.max(misfit)
}

/// Solves the equations for the present model of the ground.
pub(crate) fn solve(sums: &[SectorSums], state: &State, ground_at: f64) -> Option<Solution> {
    let terms = match state.ground {
        Ground::Plane { level } if state.lit => GroundTerms::Lit(level),
        Ground::Plane { level } if state.sloped => GroundTerms::Plane(level),
        Ground::Plane { level } => GroundTerms::Level(level),
        Ground::Levels { .. } | Ground::Unknown => GroundTerms::Levels,
    };
    Equations::new(sums, state.active, &state.model, terms, ground_at).solve()
}

/// Returns those sectors of a mask whose own ground differs from the plane, or from the median of the sectors.
pub(crate) fn off_plane(sums: &[SectorSums], state: &State, among: u64, variance: f64, contrast: f64) -> u64 {
    let level = match state.ground {
        Ground::Plane { level } => level,
        _ => state.median_level(sums),
    };
    let mut mask = 0;
    for (k, sector) in sums.iter().enumerate().filter(|(k, _)| among >> k & 1 == 1) {
        let off = f64::from(state.model.ground[k]) + sector.level_step() - level;
        let allowed =
            state.allowed_apart(OFF_PLANE) * contrast + SECTOR_SIGMAS * (variance / sector.ground_px()).sqrt();
        mask |= u64::from(off.abs() > allowed) << k;
    }
    mask
}

/// Whether a level for each sector determines the centre better than a common level without the off-plane sectors.
fn tells_more_without_plane(sums: &[SectorSums], state: &State, off_plane: u64) -> bool {
    let spread = |active: u64, terms| {
        let solution = Equations::new(sums, active, &state.model, terms, 0.0).solve();
        solution.map_or(f64::INFINITY, |solution| (solution.centre[0] + solution.centre[2]) / solution.variance)
    };
    let plane = spread(state.active & !off_plane, GroundTerms::Level(0.0));
    plane > LEVELS_SPREAD * spread(state.active, GroundTerms::Levels)
}

/// Whether the disc seems brighter on one side, once each sector's edge is placed where the sector itself shows it.
fn disc_leans(sums: &[SectorSums], state: &State) -> bool {
    // A moved disc is modelled as parts of its path, which always makes one side seem brighter.
    if !state.believes_shifts || state.model.profile == Profile::Smear {
        return false;
    }
    let (mut score, mut information) = ([0.0; 2], [0.0; 2]);
    for (k, sector) in sums.iter().enumerate().filter(|(k, _)| state.active >> k & 1 == 1) {
        let (x, y) = direction_of(k, sums.len());
        let edge = sector.at(DISC, RADIUS) / sector.at(RADIUS, RADIUS).max(1e-9);
        let own = sector.at(DISC, RESIDUAL) - edge * sector.at(RADIUS, RESIDUAL);
        let known = sector.at(DISC, DISC) - edge * sector.at(RADIUS, DISC);
        for (i, part) in [x, y].into_iter().enumerate() {
            score[i] += part * own;
            information[i] += part * part * known;
        }
    }
    let chi2: f64 = (0..2).map(|i| score[i].powi(2) / information[i].max(1e-9)).sum();
    chi2 > LEANING_CHI2 * state.noise_variance.max(ROUNDING_VARIANCE)
}

/// Changes the ground from a plane to a level for each sector.
fn enter_levels(sums: &[SectorSums], state: &mut State, sigma: f64) {
    if let Ground::Plane { .. } = state.ground {
        for (ground, sector) in state.model.ground.iter_mut().zip(sums) {
            *ground += sector.level_step() as f32;
        }
    }
    (state.ground, state.sloped, state.lit) = (Ground::Levels { sigma }, false, false);
}
