//! Levenberg and Marquardt's method, with Nielsen's damping (Madsen, Nielsen and Tingleff, "Methods for Non-Linear Least
//! Squares Problems", 2004, algorithm 3.16), on parameters scaled to unit information.

use nalgebra::{Cholesky, DVector};

use super::problem::{Normal, Problem, Used};

/// Damping of the first step, as a share of each parameter's information.
const FIRST_DAMPING: f64 = 1e-4;

/// Most steps. Starts from a homography take some ten; a rational lens some fifty.
const MOST_STEPS: usize = 500;

/// A step is the last one if it moves no parameter by more than this share of its own standard deviation.
const STILL: f64 = 1e-7;

/// A sum of n squares is rounded by this times √n, relative to itself: the rounding of each is independent.
const ROUNDING: f64 = f64::EPSILON;

/// The fit found no minimum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMinimum;

/// The parameters with the least squares, from a start.
pub(super) fn solve(problem: &Problem<'_>, start: &[f64], used: &Used) -> Result<Vec<f64>, NoMinimum> {
    let mut p = start.to_vec();
    let mut normal = problem.normal(&p, used).ok_or(NoMinimum)?;
    let frames = used.iter().filter(|used| **used).count() as f64;
    let (mut damping, mut growth) = (FIRST_DAMPING, 2.0);
    for _ in 0..MOST_STEPS {
        let scale = scales(&normal);
        // The cost cannot judge a gain below its own rounding. Such a step is so short that it need not be judged.
        let newton = step(&normal, &scale, 0.0);
        if let Some(newton) =
            newton.filter(|step| gain(&normal, &scale, step, 0.0) <= ROUNDING * frames.sqrt() * normal.cost)
        {
            return Ok(moved(&p, &newton, &scale));
        }
        let Some(step) = step(&normal, &scale, damping) else {
            (damping, growth) = (damping.max(1e-12) * growth, 2.0 * growth);
            continue;
        };
        // A unit of `step` changes the cost by 1: by one variance of a parameter if residuals are in standard deviations.
        let variance = (normal.cost / frames).max(f64::MIN_POSITIVE);
        let next = moved(&p, &step, &scale);
        let is_rounding = p.iter().zip(&next).all(|(p, next)| (p - next).abs() <= 1e-15 * p.abs());
        if is_rounding || step.iter().all(|step| step * step <= STILL * STILL * variance) {
            return Ok(p);
        }
        let expected = gain(&normal, &scale, &step, damping);
        match problem.normal(&next, used).filter(|next| next.cost < normal.cost) {
            Some(better) => {
                let share = (normal.cost - better.cost) / expected;
                (p, normal) = (next, better);
                (damping, growth) = (damping * (1.0 - (2.0 * share - 1.0).powi(3)).max(1.0 / 3.0), 2.0);
            }
            None => (damping, growth) = (damping.max(1e-12) * growth, 2.0 * growth),
        }
        // With this much damping a step changes nothing but the rounding.
        if damping > 1e16 {
            return Ok(p);
        }
    }
    Ok(p)
}

/// One over the square root of each parameter's information; 1 for a parameter without influence.
pub(super) fn scales(normal: &Normal) -> DVector<f64> {
    normal.matrix.diagonal().map(|information| if information > 0.0 { information.sqrt().recip() } else { 1.0 })
}

/// By how much the linearised problem expects a step to lower the cost.
fn gain(normal: &Normal, scale: &DVector<f64>, step: &DVector<f64>, damping: f64) -> f64 {
    step.dot(&(step * damping + normal.gradient.component_mul(scale)))
}

/// The parameters after a step.
fn moved(p: &[f64], step: &DVector<f64>, scale: &DVector<f64>) -> Vec<f64> {
    p.iter().zip(step.iter().zip(scale.iter())).map(|(p, (step, scale))| p + step * scale).collect()
}

fn step(normal: &Normal, scale: &DVector<f64>, damping: f64) -> Option<DVector<f64>> {
    let count = scale.len();
    let mut matrix = normal.matrix.clone();
    for (row, column) in (0..count).flat_map(|row| (0..count).map(move |column| (row, column))) {
        matrix[(row, column)] *= scale[row] * scale[column];
    }
    for at in 0..count {
        matrix[(at, at)] += damping;
    }
    let step = Cholesky::new(matrix)?.solve(&normal.gradient.component_mul(scale));
    step.iter().all(|value| value.is_finite()).then_some(step)
}
