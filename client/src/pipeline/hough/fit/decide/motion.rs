//! Decides whether the disc moved during the exposure. If it did, its edge is wider along the motion than across it.

use super::state::State;
use crate::pipeline::hough::fit::equations::columns::{RESIDUAL, VARIANCE};
use crate::pipeline::hough::fit::equations::model::{Model, Profile};
use crate::pipeline::hough::fit::equations::sums::{ROUNDING_VARIANCE, SectorSums};
use crate::pipeline::hough::sectors::direction_of;

/// Motion is accepted if the cos 2θ part of the edge's width, which motion causes, has this χ² with two degrees of
/// freedom. The second constant is the smallest motion, in pixels squared: one pixel, which widens an edge as much as
/// the pixel's own aperture does, by 1/12 px².
const MOTION_CHI2: f64 = 60.0;
const MIN_MOTION_SQUARED: f64 = 1.0;

/// Longest motion that is followed, in radii. Beyond two radii, the disc's middle is not covered all the time and no
/// longer shows a plain level. A tenth is for the error of the estimate.
const MAX_MOTION_RADII: f64 = 2.2;

/// Smallest fraction of the squared residuals beyond the noise that a motion must explain, because clutter makes waves
/// too.
const MOTION_SHARE: f64 = 0.3;

/// Smallest fraction of the sectors that must be seen to tell a motion from clutter.
const MIN_MOTION_SHARE: f64 = 0.7;

/// Adds motion to the model if the edge's width varies as motion would make it vary. Returns whether it did so.
pub(crate) fn look_for_motion(sums: &[SectorSums], state: &mut State) -> bool {
    if state.model.profile == Profile::Smear {
        return false;
    }
    let n = sums.len();
    let (mut score, mut information) = ([0.0; 2], [0.0; 2]);
    let (mut squares, mut freedom, mut seen) = (0.0, 0.0, 0.0);
    for (k, sector) in sums.iter().enumerate().filter(|(_, sector)| sector.is_seen()) {
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
    // Uniform motion over a distance L adds L²/12 to the variance along it: L²/24 to the mean and L²/24 to the wave.
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

/// Smallest variance of the edge with which the fit of a motion begins, in px²: a pixel's own and a little blur.
const LEAST_VARIANCE: f64 = 0.1;

fn start_motion(model: &mut Model, way_squared: f64, angle: f64) {
    let way = way_squared.sqrt();
    model.motion = (way * angle.cos(), way * angle.sin());
    model.variance = (model.variance - way_squared / 24.0).max(LEAST_VARIANCE);
    model.profile = Profile::Smear;
}
