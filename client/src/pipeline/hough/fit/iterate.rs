//! The iterations on one annulus: sum up, decide, solve and step, until the next step would change nothing.

use super::decide::ground::{choose_ground, solve};
use super::decide::judge::{is_hopeless, judge_sectors};
use super::decide::motion::look_for_motion;
use super::decide::state::{Ground, State};
use super::equations::model::Profile;
use super::equations::normal::Solution;
use super::equations::pass::sum_annulus;
use super::equations::sums::SectorSums;
use super::pixels::annulus::{Annulus, WHOLE_SHARE};

/// Largest number of iterations on one annulus.
const MAX_ITERATIONS: usize = 9;

/// A fit that still moves by this many pixels after this many iterations does not follow an edge.
const ADRIFT_PX: f64 = 0.3;
const ADRIFT_AFTER: usize = 4;

/// Iterations before the residuals are trusted, and iterations before the sectors' own edges are trusted.
pub(crate) const SETTLING: usize = 1;
const SETTLING_SHIFTS: usize = 2;

/// A fit ends when its next step would be shorter than this: in pixels, or as a fraction of the centre's sigma. Steps
/// this small shrink quadratically. A tenth of a sigma adds half a per cent to the error. The last constant applies to
/// a disc that is cut or partly hidden. The pixels are an eighth of the error of a clean frame, 0.0004 px.
const DONE_PX: f64 = 5e-5;
const DONE_SIGMAS: f64 = 0.1;
const DONE_SIGMAS_CUT: f64 = 0.02;

/// Longest motion, in radii. A fit with a longer motion does not follow a disc.
const LONGEST_MOTION_RADII: f64 = 2.8;

/// Fewest sectors that can be fitted: centre, radius, width and level are five parameters, and one sector checks them.
const MIN_SECTORS: u32 = 6;

/// Iterates, and returns the solution of the last step. `None` if the equations fail or the fit runs away.
///
/// `sums` has one element per sector of the annulus. The first iteration has the number `from`. After an annulus is
/// gathered again, the iterations start at a number at which the residuals are already trusted.
pub(crate) fn iterate(annulus: &Annulus, sums: &mut [SectorSums], state: &mut State, from: usize) -> Option<Solution> {
    let mut before = f64::INFINITY;
    let mut began_to_move = false;
    for iteration in from..from + MAX_ITERATIONS {
        sum_up(annulus, state, sums);
        if iteration >= SETTLING && look_for_motion(sums, state) {
            // Sum up again, with the columns for motion.
            sum_up(annulus, state, sums);
            began_to_move = true;
        }
        let solution = decide_and_solve(annulus, sums, state, iteration)?;
        state.advance(sums, &solution);
        if state.model.motion.0.hypot(state.model.motion.1) > LONGEST_MOTION_RADII * state.model.radius {
            return None;
        }
        state.model.choose_profile();
        let moved = solution.step.x.hypot(solution.step.y);
        if iteration >= ADRIFT_AFTER && moved > ADRIFT_PX && state.model.profile != Profile::Smear {
            return None;
        }
        // A disc that moves needs a wider annulus first.
        state.unsettled = began_to_move;
        let done = iteration > SETTLING && next_step(state, moved, before) < least_step(annulus, state, &solution);
        if done || began_to_move || iteration + 1 == from + MAX_ITERATIONS {
            return Some(solution);
        }
        before = moved;
    }
    None
}

/// Computes the sums at the present model, with the pixel weights that the ground's model requires.
fn sum_up(annulus: &Annulus, state: &State, sums: &mut [SectorSums]) {
    let per_sigma = if let Ground::Levels { sigma } = state.ground { 1.0 / sigma as f32 } else { 0.0 };
    sum_annulus(annulus, &state.model, per_sigma, sums);
}

/// Decides what the sums mean, once they are trusted, and solves the equations. `None` if too little is left.
fn decide_and_solve(annulus: &Annulus, sums: &[SectorSums], state: &mut State, iteration: usize) -> Option<Solution> {
    let ground_at = 0.5 * (state.model.radius + f64::from(annulus.outer));
    let mut solution = None;
    if iteration >= SETTLING {
        state.believes_shifts = iteration >= SETTLING_SHIFTS;
        let decided = matches!(state.ground, Ground::Plane { .. }) && iteration > SETTLING;
        judge_sectors(sums, state);
        solution = choose_ground(sums, state, ground_at, !decided);
    }
    if state.active.count_ones() < MIN_SECTORS || iteration > SETTLING && is_hopeless(sums, state) {
        return None;
    }
    solution.or_else(|| solve(sums, state, ground_at))
}

/// Estimates the length of the next step, in pixels, from the last two steps.
fn next_step(state: &State, moved: f64, before: f64) -> f64 {
    // On plane ground nothing else changes any more, so the next step shrinks by a larger factor than the last one did.
    let settled = matches!(state.ground, Ground::Plane { .. });
    if settled { moved * (moved / before).min(1.0) } else { moved }
}

/// Length of a step, in pixels, below which another step is not worth its time.
fn least_step(annulus: &Annulus, state: &State, solution: &Solution) -> f64 {
    let sigma = (solution.centre[0] + solution.centre[2]).sqrt();
    let active = f64::from(state.active.count_ones());
    let whole = active > WHOLE_SHARE * annulus.sectors as f64 && !annulus.is_cut();
    let done_sigmas = if whole { DONE_SIGMAS } else { DONE_SIGMAS_CUT };
    DONE_PX.max(done_sigmas * sigma)
}
