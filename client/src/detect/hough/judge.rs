//! What the residuals say of the model: which sectors take part, how the ground is taken, whether the disc moves.

use super::annulus::{MAX_SECTORS, direction_of};
use super::model::{DISC, Model, Profile, RADIUS, RESIDUAL, VARIANCE};
use super::normal::{Equations, GroundTerms, Solution};
use super::refine::{Ground, State};
use super::sums::{ROUNDING_VARIANCE, SectorSums};

/// Fewest pixels of a sector that can be judged.
const MIN_SECTOR_PX: f64 = 4.0;

/// A sector whose variance exceeds the typical by this factor, beyond a small part of the contrast, is left out.
const FOREIGN: f64 = 4.0;
const FOREIGN_OF_CONTRAST: f64 = 0.04;

/// A sector whose own edge is further from the circle than this many sigmas and part of a pixel is left out.
const ASTRAY_SIGMAS: f64 = 3.5;
const ASTRAY_PX: f64 = 0.03;

/// A sector whose own disc differs from the others' by this many sigmas and part of the contrast is left out, if it shows
/// so many pixels' worth of it.
const OTHER_DISC_SIGMAS: f64 = 3.5;
const OTHER_DISC: f64 = 0.03;
const MIN_DISC_PX: f64 = 1.0;

/// A sector whose own ground differs from the plane by this many sigmas and part of the contrast is off it.
const OFF_PLANE_SIGMAS: f64 = 3.5;
const OFF_PLANE: f64 = 0.05;

/// Instead of both parts for a disc that moved, whose edge is taken in steps.
const SMEARED_APART: f64 = 0.2;

/// How much larger than told the centre's variance is when each sector has a level of its own.
const LEVELS_SPREAD: f64 = 1.35;

/// Part of the sectors that take part where a slope of the ground can be told from an occluder.
const WHOLE: f64 = 0.95;

/// The typical sector's variance is this quantile, not the median: some trusted sectors may show an occluder's edge.
const TYPICAL: f64 = 0.35;

/// Most sectors fit worse than the frame's noise explains: beyond chance by so many sigmas, and by this part of the
/// contrast. Then the misfit is the disc's own (compressed, drawn in whole pixels), and all sectors are judged leniently.
///
/// Of 200 discs each drawn in whole pixels the misfit was at least 2.5 times the variance of a noise of 5 and 1.6 times
/// that of 10; of discs in noise, blurred, moved or behind an occluder at most 1.3 times in 99 of 100. Before clutter and
/// behind an occluder it reached 2.1: there [`MOST_APART`] tells.
const GENERAL_SIGMAS: f64 = 3.0;
const GENERAL_MISFIT: f64 = 0.02;

/// Part of the sectors with a ground of their own beyond which a misfit is clutter's.
const MOST_APART: f64 = 0.2;

/// Relative error of the frame's noise variance: its sigma is known to 4 %.
const NOISE_ERROR: f64 = 0.08;

/// A misfit beyond this part of the contrast is no disc's own; without noise, where nothing else is in the way, more is
/// believed.
const MOST_MISFIT: f64 = 0.12;
const MOST_MISFIT_NOISELESS: f64 = 0.25;

/// A frame without noise to speak of, in gray levels squared.
const NOISELESS: f64 = 1.0;

/// "Most sectors": this quantile of the variances; without noise a higher one, for along some directions whole pixels fit
/// well and would make the others look foreign.
const USUAL: f64 = 0.5;
const USUAL_NOISELESS: f64 = 0.7;

/// How much more sectors may differ under a general misfit, and the variance they may have, as a part of the contrast.
const LENIENCE: f64 = 3.0;
const GENERAL_OF_CONTRAST: f64 = 0.3;

/// Sigma added to the residuals' own before pixels are judged, as a part of the contrast.
///
/// Without it a clean frame, whose residuals are mere rounding, would reject its own edge.
const MODEL_ERROR: f64 = 0.02;

/// A sector takes part when these parts of its pixels, of its edge and of its disc's side fit.
///
/// An occluder leaves the ground's side, which fits at any level, and pulls the edge towards the disc's centre.
const MIN_FITTING: [f64; 3] = [0.4, 0.5, 0.6];

/// Fewest sectors before a ground of unlike levels that must promise an edge for the fit to go on, as a part of all.
const MIN_PROMISING: f64 = 0.35;

/// A sector promises an edge that knows it to this sigma, and has it this near, in pixels.
const PROMISING_SIGMA_PX: f64 = 0.7;
const PROMISING_PX: f64 = 0.6;

/// The ground's slope is taken for real when it is this significant, as a χ² of two: chance exceeds it once in 90.
const SLOPE_CHI2: f64 = 9.0;

/// The same for the disc's: chance exceeds it once in 1,000, for it costs more than the ground's.
const DISC_SLOPE_CHI2: f64 = 14.0;

/// The same for a disc that leans, by which a slope of it is looked for: chance exceeds it once in 20.
const LEANING_CHI2: f64 = 6.0;

/// The same for the cos 2θ part of the edge's width, which motion makes, and the least motion, in pixels squared.
const MOTION_CHI2: f64 = 60.0;
const MIN_MOTION_SQUARED: f64 = 1.0;

/// Longest motion followed, in radii: beyond, the disc's middle is no longer plain.
const MAX_MOTION_RADII: f64 = 2.2;

/// Part of the squared residuals beyond the noise that a motion must explain: clutter makes waves too.
const MOTION_SHARE: f64 = 0.3;

/// Fewest sectors, as a part of all, that tell a motion from clutter.
const MIN_MOTION_SHARE: f64 = 0.7;

/// Judges every sector by the sums at the present model: updates the ground and the sectors that take part.
pub(super) fn judge_sectors(sums: &[SectorSums], state: &mut State) {
    let noiseless = state.noise_variance < NOISELESS;
    let usual = if noiseless { USUAL_NOISELESS } else { USUAL };
    let (Some(mut typical), Some(usual)) = (variance_at(sums, state, TYPICAL), variance_at(sums, state, usual)) else {
        state.active = 0;
        return;
    };
    let contrast = typical_contrast(sums, state);
    state.general_misfit |= state.believes_shifts && has_general_misfit(sums, state, contrast);
    let general = state.general_misfit;
    if general {
        typical = usual;
    }
    let lenience = if general { LENIENCE } else { 1.0 };
    let on_plane = matches!(state.ground, Ground::Plane { .. });
    let others =
        if general { 0 } else { other_discs(sums, typical.max(ROUNDING_VARIANCE), allowed_parts(state)[0] * contrast) };
    let mut active = 0u64;
    for (k, sector) in sums.iter().enumerate().filter(|(_, sector)| is_seen(sector)) {
        // The fewer pixels, the more chance has to say: four sigmas of a χ² of as many.
        let chance = 1.0 + 4.0 * (2.0 / (sector.weight - 2.0).max(1.0)).sqrt();
        let part = if general { GENERAL_OF_CONTRAST } else { FOREIGN_OF_CONTRAST };
        let allowance = (part * sector_contrast(sector, state, k)).powi(2) + ROUNDING_VARIANCE;
        let most = lenience * FOREIGN.max(chance) * typical + allowance;
        let fits = sector.fitting().iter().zip(MIN_FITTING).all(|(part, least)| *part > least);
        if fits && sector.variance() < most && others >> k & 1 == 0 {
            active |= 1 << k;
        }
    }
    state.off_plane = 0;
    if !general && !state.no_plane {
        state.active = active;
        let off_plane = off_plane(sums, state, active, typical.max(ROUNDING_VARIANCE), contrast);
        if off_plane != 0 {
            // Sectors beside the plane are given up, unless a level for each sector tells more.
            if tells_more_without_plane(sums, state, off_plane) {
                state.no_plane = true;
            } else {
                active &= !off_plane;
                state.off_plane = off_plane;
            }
        }
    }
    let allowance = (if general { GENERAL_OF_CONTRAST } else { MODEL_ERROR } * contrast).powi(2);
    let sigma = (typical.max(ROUNDING_VARIANCE) + allowance).sqrt();
    state.typical_sigma = sigma;
    state.active = active;
    if !general {
        leave_out_astray(sums, state, typical.max(ROUNDING_VARIANCE));
    }
    if state.no_plane {
        enter_levels(sums, state, sigma);
    } else if !on_plane {
        let level = median_level(sums, state);
        state.ground = Ground::Plane { level };
    }
}

/// Whether most sectors fit worse than the frame's noise explains, whatever their ground, their disc and their edge.
///
/// Whole pixels and blocks misfit alike at every quarter turn, an occluder does not: of each four sectors a quarter turn
/// apart the second best speaks, for an occluder hides at most two of them.
fn has_general_misfit(sums: &[SectorSums], state: &State, contrast: f64) -> bool {
    let own = (GENERAL_MISFIT * contrast).powi(2) + ROUNDING_VARIANCE;
    let mean = sums.iter().map(SectorSums::variance).sum::<f64>() / sums.len() as f64;
    if mean < state.noise_variance + own {
        return false;
    }
    // Before clutter there is another reason.
    let all = (0..sums.len()).filter(|&k| is_seen(&sums[k])).fold(0, |mask, k| mask | 1 << k);
    let apart = off_plane(sums, state, all, state.noise_variance.max(ROUNDING_VARIANCE), contrast);
    if f64::from(apart.count_ones()) > MOST_APART * f64::from(all.count_ones()) {
        return false;
    }
    let quarter = sums.len() / 4;
    let (mut squares, mut freedom) = (0.0, 0.0);
    for k in 0..quarter {
        let mut four = [0, 1, 2, 3].map(|turn| shape_misfit(&sums[k + turn * quarter]));
        four.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (variance, own) = four[1];
        if variance.is_finite() {
            squares += variance * own;
            freedom += own;
        }
    }
    let misfit = squares / freedom.max(1.0);
    let chance = GENERAL_SIGMAS * (2.0 / freedom.max(1.0) + NOISE_ERROR.powi(2)).sqrt();
    let most = if state.noise_variance < NOISELESS { MOST_MISFIT_NOISELESS } else { MOST_MISFIT };
    let explained = state.noise_variance * (1.0 + chance) + own;
    (explained..(most * contrast).powi(2)).contains(&misfit)
}

/// Variance of a sector's residuals once its own ground, disc and edge are fitted, and its degrees of freedom.
fn shape_misfit(sector: &SectorSums) -> (f64, f64) {
    if !is_seen(sector) {
        return (f64::INFINITY, 0.0);
    }
    // Disc and residuals once ground and edge are fitted.
    let alone = |i, j| sector.alone(i, j) - sector.alone(i, RADIUS) * sector.alone(RADIUS, j) / sector.information();
    let disc = alone(DISC, DISC);
    let left = alone(RESIDUAL, RESIDUAL) - if disc > MIN_DISC_PX { alone(DISC, RESIDUAL).powi(2) / disc } else { 0.0 };
    let freedom = (sector.weight - 3.0).max(1.0);
    (left.max(0.0) / freedom, freedom)
}

/// What the levels of disc and ground may differ from sector to sector, as parts of the contrast.
fn allowed_parts(state: &State) -> [f64; 2] {
    if state.model.profile == Profile::Smear { [SMEARED_APART; 2] } else { [OTHER_DISC, OFF_PLANE] }
}

/// Of a mask, the sectors whose own ground is not that of the plane, or of the others.
fn off_plane(sums: &[SectorSums], state: &State, among: u64, variance: f64, contrast: f64) -> u64 {
    let level = match state.ground {
        Ground::Plane { level } => level,
        _ => median_level(sums, state),
    };
    let mut mask = 0;
    for (k, sector) in sums.iter().enumerate().filter(|(k, _)| among >> k & 1 == 1) {
        let off = f64::from(state.model.ground[k]) + sector.level_step() - level;
        let allowed = allowed_parts(state)[1] * contrast + OFF_PLANE_SIGMAS * (variance / sector.ground_px()).sqrt();
        mask |= u64::from(off.abs() > allowed) << k;
    }
    mask
}

/// Whether a level for each sector lets the centre be known better than a common one without the sectors off it.
fn tells_more_without_plane(sums: &[SectorSums], state: &State, off_plane: u64) -> bool {
    let spread = |active: u64, terms| {
        let solution = Equations::new(sums, active, &state.model, terms, 0.0).solve();
        solution.map_or(f64::INFINITY, |solution| (solution.centre[0] + solution.centre[2]) / solution.variance)
    };
    let plane = spread(state.active & !off_plane, GroundTerms::Level(0.0));
    plane > LEVELS_SPREAD * spread(state.active, GroundTerms::Levels)
}

/// The sectors whose own disc is not of the others' gray level: there an occluder lies over both sides of the edge.
fn other_discs(sums: &[SectorSums], variance: f64, allowed_gray: f64) -> u64 {
    let (mut steps, mut allowed) = ([0.0; MAX_SECTORS], [0.0; MAX_SECTORS]);
    let (mut known, mut n, mut first, mut last) = ([0.0; MAX_SECTORS], 0, f64::INFINITY, f64::NEG_INFINITY);
    let mut least = f64::INFINITY;
    for (k, sector) in sums.iter().enumerate() {
        let (step, information) = own_disc(sector);
        allowed[k] = allowed_gray + OTHER_DISC_SIGMAS * (variance / information).sqrt();
        steps[k] = step;
        if is_seen(sector) && information > MIN_DISC_PX {
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
    // When most are others, there is no such disc, or it is not even.
    if 2 * (mask.count_ones() as usize) < n { mask } else { 0 }
}

/// The step of a sector's own disc level once its ground is fitted, and what it knows of it, in pixels.
fn own_disc(sector: &SectorSums) -> (f64, f64) {
    let information = sector.alone(DISC, DISC).max(1e-9);
    (sector.alone(DISC, RESIDUAL) / information, information)
}

/// Leaves out the sectors whose own edge is not where the circle is.
fn leave_out_astray(sums: &[SectorSums], state: &mut State, variance: f64) {
    if !state.believes_shifts {
        return;
    }
    let mut kept = state.active;
    for (k, sector) in sums.iter().enumerate() {
        let sigma = (variance / sector.information()).sqrt();
        if sector.shift().abs() > ASTRAY_PX + ASTRAY_SIGMAS * sigma {
            kept &= !(1 << k);
        }
    }
    // When most are astray, the circle is.
    if 2 * kept.count_ones() > state.active.count_ones() {
        state.active = kept;
    }
}

/// Whether so few sectors show an edge where the circle has it that the fit is not worth going on with.
pub(super) fn is_hopeless(sums: &[SectorSums], state: &State) -> bool {
    let sigma = state.typical_sigma;
    let (mut all, mut promising) = (0, 0);
    for (k, sector) in sums.iter().enumerate().filter(|(_, sector)| is_seen(sector)) {
        let own = sigma / sector.information().sqrt();
        all += 1;
        let near = own < PROMISING_SIGMA_PX && sector.shift().abs() < PROMISING_PX + 2.5 * own;
        promising += u32::from(state.active >> k & 1 == 1 && near);
    }
    f64::from(promising) < MIN_PROMISING * f64::from(all)
}

/// One plane, when the sectors' own levels explain the pixels hardly better; a slope only if it shows.
///
/// The plane's solution, if it is one.
pub(super) fn choose_ground(
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
    // Beside an occluder a slope would follow the occluder.
    let whole =
        f64::from(state.active.count_ones()) > WHOLE * sums.iter().filter(|sector| is_seen(sector)).count() as f64;
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
        let spare = f64::from(state.active.count_ones().max(4) - 3);
        let floor = levels.variance + (0.25 * MODEL_ERROR * typical_contrast(sums, state)).powi(2);
        // Mean and four sigmas of the χ² by which chance alone would prefer the levels.
        let chance = floor * (spare + 4.0 * (2.0 * spare).sqrt());
        let misfit = if state.general_misfit { levels.left } else { 0.0 };
        if plane.left - levels.left > chance.max(misfit) {
            enter_levels(sums, state, state.typical_sigma);
            return Some(levels);
        }
    }
    if !state.sloped {
        state.model.slope = (0.0, 0.0);
    }
    if !state.lit {
        state.model.disc_slope = (0.0, 0.0);
    }
    Some(plane)
}

/// Whether the disc seems brighter on one side once each sector's edge is where the sector would have it.
fn disc_leans(sums: &[SectorSums], state: &State) -> bool {
    // A disc that moved is taken in parts of its way, which lean by themselves.
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

/// From a plane to a level for each sector.
fn enter_levels(sums: &[SectorSums], state: &mut State, sigma: f64) {
    if let Ground::Plane { .. } = state.ground {
        for (ground, sector) in state.model.ground.iter_mut().zip(sums) {
            *ground += sector.level_step() as f32;
        }
    }
    (state.ground, state.sloped, state.lit) = (Ground::Levels { sigma }, false, false);
}

/// Takes motion into the model when the edge's width varies as a motion makes it; whether it did so now.
pub(super) fn look_for_motion(sums: &[SectorSums], state: &mut State) -> bool {
    if state.model.profile == Profile::Smear {
        return false;
    }
    let n = sums.len();
    let (mut score, mut information) = ([0.0; 2], [0.0; 2]);
    let (mut squares, mut freedom, mut seen) = (0.0, 0.0, 0.0);
    for (k, sector) in sums.iter().enumerate().filter(|(_, sector)| is_seen(sector)) {
        let (x, y) = direction_of(k, n);
        for (i, wave) in [x * x - y * y, 2.0 * x * y].into_iter().enumerate() {
            score[i] += wave * sector.alone(VARIANCE, RESIDUAL);
            information[i] += wave * wave * sector.alone(VARIANCE, VARIANCE);
        }
        squares += sector.variance() * (sector.weight - 2.0).max(1.0);
        freedom += (sector.weight - 2.0).max(1.0);
        seen += 1.0;
    }
    let [cos, sin] = [0, 1].map(|i| score[i] / information[i].max(1e-9));
    let explained = score[0] * cos + score[1] * sin;
    let noise = state.noise_variance.max(ROUNDING_VARIANCE);
    let significant = explained > MOTION_CHI2 * noise && explained > MOTION_SHARE * (squares - noise * freedom);
    // An even way L adds L²/12 along itself: L²/24 to the mean and to the wave.
    let way_squared = 24.0 * cos.hypot(sin);
    let longest = MAX_MOTION_RADII * state.model.radius;
    let found = seen > MIN_MOTION_SHARE * n as f64
        && significant
        && (MIN_MOTION_SQUARED..4.0 * longest * longest).contains(&way_squared);
    if found {
        start_motion(&mut state.model, way_squared.min(longest * longest), 0.5 * sin.atan2(cos));
    }
    found
}

fn start_motion(model: &mut Model, way_squared: f64, angle: f64) {
    let way = way_squared.sqrt();
    model.motion = (way * angle.cos(), way * angle.sin());
    model.variance = (model.variance - way_squared / 24.0).max(0.1);
    model.profile = Profile::Smear;
}

/// Whether a sector has pixels enough to be judged.
pub(super) fn is_seen(sector: &SectorSums) -> bool {
    sector.pixels >= MIN_SECTOR_PX && sector.sees_ground()
}

/// Disc minus a sector's own best ground level.
pub(super) fn sector_contrast(sector: &SectorSums, state: &State, k: usize) -> f64 {
    state.model.disc - f64::from(state.model.ground[k]) - sector.level_step()
}

/// Median ground level of the sectors that take part.
fn median_level(sums: &[SectorSums], state: &State) -> f64 {
    let level = |(k, sector): (usize, &SectorSums)| f64::from(state.model.ground[k]) + sector.level_step();
    let active = sums.iter().enumerate().filter(|(k, _)| state.active >> k & 1 == 1);
    quantile(active.map(level), 0.5).unwrap_or_default()
}

/// Quantile of the variance of the trusted sectors' residuals.
fn variance_at(sums: &[SectorSums], state: &State, part: f64) -> Option<f64> {
    let trusted = sums.iter().enumerate().filter(|(k, sector)| state.trusts(*k, sums.len()) && is_seen(sector));
    quantile(trusted.map(|(_, sector)| sector.variance()), part)
}

/// Quantile of a value of each sector.
fn quantile(values: impl Iterator<Item = f64>, part: f64) -> Option<f64> {
    let mut all = [0.0; MAX_SECTORS];
    let mut n = 0;
    for (slot, value) in all.iter_mut().zip(values) {
        *slot = value;
        n += 1;
    }
    (n > 0).then(|| *all[..n].select_nth_unstable_by((n as f64 * part) as usize, f64::total_cmp).1)
}

/// Mean contrast of the sectors that take part, in gray levels.
fn typical_contrast(sums: &[SectorSums], state: &State) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for (k, sector) in sums.iter().enumerate().filter(|(k, _)| state.active >> k & 1 == 1) {
        sum += sector_contrast(sector, state, k).abs();
        count += 1.0;
    }
    sum / f64::max(count, 1.0)
}
