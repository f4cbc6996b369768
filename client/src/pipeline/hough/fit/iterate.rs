//! The iterations on one annulus: sum up, decide, solve, step, until the next step would change nothing.

use super::decide::ground::{choose_ground, solve};
use super::decide::judge::{is_hopeless, judge_sectors};
use super::decide::motion::look_for_motion;
use super::decide::state::{Ground, State};
use super::equations::model::Profile;
use super::equations::normal::Solution;
use super::equations::pass::sum_annulus;
use super::equations::sums::SectorSums;
use super::pixels::annulus::{Annulus, WHOLE_SHARE};

/// Most iterations on one annulus.
const MAX_ITERATIONS: usize = 9;

/// A fit that still moves this far, in pixels, after this many iterations follows no edge.
const ADRIFT_PX: f64 = 0.3;
const ADRIFT_AFTER: usize = 4;

/// Iterations before the residuals are believed, and before the sectors' own edges are.
pub(crate) const SETTLING: usize = 1;
const SETTLING_SHIFTS: usize = 2;

/// A step this small, in pixels, or this part of the centre's sigma ends the fit: the next one would be its square. The
/// last is for a disc that is cut or partly hidden.
const DONE_PX: f64 = 5e-5;
const DONE_SIGMAS: f64 = 0.1;
const DONE_SIGMAS_CUT: f64 = 0.02;

/// A motion that grows beyond this, in radii, follows no disc.
const LONGEST_MOTION_RADII: f64 = 2.8;

/// Fewest sectors that can be fitted.
const MIN_SECTORS: u32 = 6;

/// The last step's solution; `None` when the equations fail or the fit runs away.
///
/// `sums` has a place for each of the annulus' sectors. The first iteration counts as number `from`: an annulus gathered
/// again goes on where the residuals are believed already.
pub(crate) fn iterate(annulus: &Annulus, sums: &mut [SectorSums], state: &mut State, from: usize) -> Option<Solution> {
    let mut before = f64::INFINITY;
    let mut began_to_move = false;
    for iteration in from..from + MAX_ITERATIONS {
        sum_up(annulus, state, sums);
        if iteration >= SETTLING && look_for_motion(sums, state) {
            // With the columns of the motion.
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
        // A disc that moves wants a wider annulus first.
        state.unsettled = began_to_move;
        let done = iteration > SETTLING && next_step(state, moved, before) < least_step(annulus, state, &solution);
        if done || began_to_move || iteration + 1 == from + MAX_ITERATIONS {
            return Some(solution);
        }
        before = moved;
    }
    None
}

/// The sums at the present model, with the pixels weighed as the ground asks for.
fn sum_up(annulus: &Annulus, state: &State, sums: &mut [SectorSums]) {
    let per_sigma = if let Ground::Levels { sigma } = state.ground { 1.0 / sigma as f32 } else { 0.0 };
    sum_annulus(annulus, &state.model, per_sigma, sums);
}

/// Decides what the sums mean, once they are believed, and solves the equations; `None` when too little is left.
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

/// How far the next step will go, in pixels, as far as the last two tell.
fn next_step(state: &State, moved: f64, before: f64) -> f64 {
    // On plane ground, where nothing else changes any more, steps shrink faster than in proportion.
    let settled = matches!(state.ground, Ground::Plane { .. });
    if settled { moved * (moved / before).min(1.0) } else { moved }
}

/// The step, in pixels, below which another is not worth its time.
fn least_step(annulus: &Annulus, state: &State, solution: &Solution) -> f64 {
    let sigma = (solution.centre[0] + solution.centre[2]).sqrt();
    let active = f64::from(state.active.count_ones());
    let whole = active > WHOLE_SHARE * annulus.sectors as f64 && !annulus.is_cut();
    let done_sigmas = if whole { DONE_SIGMAS } else { DONE_SIGMAS_CUT };
    DONE_PX.max(done_sigmas * sigma)
}
