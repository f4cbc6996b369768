//! Cross-validation: how well a model predicts frames and poses that it was not fitted to.

use std::panic::resume_unwind;

use nalgebra::{Cholesky, DVector};
use shared::lens::Point;
use shared::shell::threads;

use super::fit::{Fit, Sigma, fit_to};
use super::observation::Set;
use super::problem::{POSE, Problem};
use super::residuals::summed;
use super::result::CrossValidation;
use super::solve::solve;
use super::statistics::chi_squared_tail;

/// Parts of the frames. Each is held out once.
const FOLDS: usize = 5;

/// Cross-validates a fit. `None` if there are too few frames to leave some out.
pub(super) fn cross_validated(problem: &Problem<'_>, fit: &Fit, sigma: Sigma) -> Option<CrossValidation> {
    let (_, poses) = problem.layout();
    if fit.frames() * (FOLDS - 1) / FOLDS <= problem.parameters() + 4 * poses {
        return None;
    }
    let part = |keep: &dyn Fn(usize) -> bool| -> Vec<bool> {
        fit.used.iter().enumerate().map(|(at, used)| *used && keep(at)).collect()
    };
    let squares: Vec<_> = at_once(FOLDS, |fold| held_out(problem, fit, &part(&|at| at % FOLDS != fold)));
    let squares = squares.into_iter().collect::<Option<Vec<_>>>()?;
    let fitted = problem.residuals(&fit.values).into_iter().zip(&fit.used).filter(|(_, used)| **used).map(|one| one.0);
    Some(CrossValidation {
        folds: FOLDS,
        fitted_rms_px: summed(fitted).rms_px,
        held_out_rms_px: summed(squares.into_iter().flatten()).rms_px,
        poses_rms_px: (poses >= 3).then(|| held_out_poses(problem, fit)).flatten(),
        halves_p: halves(problem, fit, sigma, [part(&|at| at % 2 == 0), part(&|at| at % 2 == 1)]),
    })
}

/// The residuals of the frames that are not kept, after a fit to those that are.
fn held_out(problem: &Problem<'_>, fit: &Fit, kept: &[bool]) -> Option<Vec<Point>> {
    let values = solve(problem, &fit.values, kept).ok()?;
    let is_held = fit.used.iter().zip(kept).map(|(used, kept)| *used && !kept);
    Some(problem.residuals(&values).into_iter().zip(is_held).filter(|(_, held)| *held).map(|one| one.0).collect())
}

/// The results of independent fits, in their order. Each has a thread, because together they take most of the time of a
/// calibration.
fn at_once<T: Send>(count: usize, one: impl Fn(usize) -> T + Sync) -> Vec<T> {
    threads::at_once(count, one).into_iter().map(|ran| ran.unwrap_or_else(|panic| resume_unwind(panic))).collect()
}

/// Whether two halves of the frames agree within their covariances: d (C₀ + C₁)⁻¹ d is χ² for the difference d of their
/// parameters.
fn halves(problem: &Problem<'_>, fit: &Fit, sigma: Sigma, parts: [Vec<bool>; 2]) -> Option<f64> {
    let fits = at_once(parts.len(), |part| fit_to(problem, &fit.values, &parts[part], sigma).ok());
    let fits = fits.into_iter().collect::<Option<Vec<_>>>()?;
    let [a, b] = fits.as_slice() else { return None };
    let told: Vec<usize> = (0..fit.values.len()).filter(|at| a.told.is_told[*at] && b.told.is_told[*at]).collect();
    if told.is_empty() {
        return None;
    }
    let both = a.covariance() + b.covariance();
    // Scaled to correlations, so that different units do not cost precision.
    let scale: Vec<f64> = told.iter().map(|at| both[(*at, *at)].sqrt()).collect();
    let matrix = both.select_rows(&told).select_columns(&told);
    let matrix = matrix.map_with_location(|row, column, value| value / (scale[row] * scale[column]));
    let difference = DVector::from_iterator(
        told.len(),
        told.iter().zip(&scale).map(|(at, scale)| (a.values[*at] - b.values[*at]) / scale),
    );
    let statistic = difference.dot(&Cholesky::new(matrix)?.solve(&difference));
    Some(chi_squared_tail(told.len() as f64, statistic))
}

/// The residuals of poses whose frames were left out: the lens comes from the other poses, the pose's place from its own.
fn held_out_poses(problem: &Problem<'_>, fit: &Fit) -> Option<f64> {
    let (shared, poses) = problem.layout();
    let mut all = Vec::new();
    for held in 0..poses {
        let others: Vec<Set> = sets_without(problem, held);
        let rest = Problem::new(problem.model, &others);
        let (mut start, mut used) = (fit.values[..shared].to_vec(), Vec::new());
        let mut frame = 0;
        for (pose, set) in problem.sets.iter().enumerate() {
            let own = &fit.used[frame..frame + set.observations.len()];
            if pose != held {
                start.extend(&fit.values[shared + POSE * pose..shared + POSE * (pose + 1)]);
                used.extend(own);
            }
            frame += set.observations.len();
        }
        start.extend(&fit.values[shared + POSE * poses..]);
        let values = solve(&rest, &start, &used).ok()?;
        all.extend(placed_pose(problem, fit, held, &values[..shared])?);
    }
    Some(summed(all.into_iter()).rms_px)
}

fn sets_without(problem: &Problem<'_>, held: usize) -> Vec<Set> {
    problem.sets.iter().enumerate().filter(|(at, _)| *at != held).map(|(_, set)| set.clone()).collect()
}

/// The residuals of one pose whose place alone is fitted, by Gauss and Newton's method.
fn placed_pose(problem: &Problem<'_>, fit: &Fit, pose: usize, lens: &[f64]) -> Option<Vec<[f64; 2]>> {
    let (shared, poses) = problem.layout();
    let before: usize = problem.sets[..pose].iter().map(|set| set.observations.len()).sum();
    let own = fit.used[before..before + problem.sets[pose].observations.len()].to_vec();
    let set = [problem.sets[pose].clone()];
    let alone = Problem::new(problem.model, &set);
    let mut values = lens.to_vec();
    values.extend(&fit.values[shared + POSE * pose..shared + POSE * (pose + 1)]);
    values.extend(&fit.values[shared + POSE * poses..]);
    let place: Vec<usize> = (shared..shared + POSE).collect();
    for _ in 0..30 {
        let normal = alone.normal(&values, &own)?;
        let matrix = normal.matrix.select_rows(&place).select_columns(&place);
        let step = Cholesky::new(matrix)?.solve(&normal.gradient.select_rows(&place));
        place.iter().zip(step.iter()).for_each(|(at, step)| values[*at] += step);
        if place.iter().zip(step.iter()).all(|(at, step)| step.abs() <= 1e-10 * values[*at].abs().max(1e-6)) {
            break;
        }
    }
    Some(alone.residuals(&values).into_iter().zip(own).filter(|(_, used)| *used).map(|one| one.0).collect())
}
