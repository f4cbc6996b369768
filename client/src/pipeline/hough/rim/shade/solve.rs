//! The equations of one hypothesis, and their solution.

use super::columns::{GEOMETRY, LEVELS, Model, OUT, RESIDUAL, VARIANCE, WIDTH};
use super::local::{Local, Products};
use super::shading::Hypothesis;
use super::{MAX_SECTORS, Sums};
use crate::pipeline::hough::fit::equations::cholesky::Factor;
use crate::pipeline::hough::fit::equations::sums::ROUNDING_VARIANCE;
use crate::pipeline::hough::rim::oval::PARAMETERS;
use crate::pipeline::hough::sectors::direction_of;

/// Most shared parameters: the outline's, the edge's variance, the stroke's width, and nine waves of levels.
pub(crate) const MOST: usize = PARAMETERS + 2 + 9;

/// Fewest degrees of freedom of a fit, so that the variance is known to a half.
const MIN_FREEDOM: f64 = 10.0;

/// A solution for one hypothesis.
pub(crate) struct Solution {
    /// Steps of the outline's parameters, the edge's variance and the stroke's width.
    pub(crate) step: [f64; PARAMETERS + 2],
    /// The sectors' levels after the step.
    pub(crate) levels: [[f64; LEVELS]; MAX_SECTORS],
    pub(crate) criterion: f64,
    /// Covariance of the centre: xx, xy, yy.
    pub(crate) centre: [f64; 3],
}

/// The shared parameters of a hypothesis: the column and the wave of each.
struct Shared {
    all: [(usize, usize); MOST],
    n: usize,
    /// Number of the outline's parameters.
    shape: usize,
    /// Where the waves of levels begin.
    levels_from: usize,
}

/// Equations of the shared parameters.
struct Equations {
    matrix: [[f64; MOST]; MOST],
    right: [f64; MOST],
    squares: f64,
    pixels: f64,
    /// Number of the sectors' own levels.
    levels: f64,
    locals: [Option<Local>; MAX_SECTORS],
}

/// Solves the equations of a hypothesis. `counts` has the number of pixels of each sector. `None` if the pixels do not
/// determine the parameters.
pub(crate) fn solve(
    sums: &Sums,
    counts: &[f64],
    model: &Model,
    active: u64,
    hypothesis: Hypothesis,
) -> Option<Solution> {
    let stroke = model.stroke.is_some();
    let waves = hypothesis.shading.waves(stroke);
    let shared = Shared::new(hypothesis.round, stroke, waves);
    let near = amplitudes(waves, model, active, counts.len());
    let equations = Equations::new(sums, counts, model, active, hypothesis, &shared, &near)?;
    let n = shared.n;
    let factor = Factor::new(&equations.matrix, n)?;
    let found = factor.solve(&equations.right, n);
    if !found[..n].iter().all(|value| value.is_finite()) {
        return None;
    }
    let explained: f64 = found[..n].iter().zip(&equations.right).map(|(step, right)| step * right).sum();
    let (count, used) = (equations.pixels, n as f64 + equations.levels);
    let freedom = count - used;
    if freedom < MIN_FREEDOM {
        return None;
    }
    let left = (equations.squares - explained).max(ROUNDING_VARIANCE * freedom);
    let unit = |i: usize| {
        let mut unit = [0.0; MOST];
        unit[i] = left / freedom;
        factor.solve(&unit, n)
    };
    let (x, y) = (unit(0), unit(1));
    let mut step = [0.0; PARAMETERS + 2];
    step[..shared.shape].copy_from_slice(&found[..shared.shape]);
    if hypothesis.round {
        (step[3], step[4]) = (0.0, step[2]);
    }
    step[PARAMETERS] = found[shared.shape];
    step[PARAMETERS + 1] = if stroke { found[shared.shape + 1] } else { 0.0 };
    Some(Solution {
        step,
        levels: levels_after(&equations, &shared, &found, model, waves, &near, counts.len()),
        criterion: count * (left / count).ln() + used * count.ln(),
        centre: [x[0], x[1], y[1]],
    })
}

impl Shared {
    fn new(round: bool, stroke: bool, waves: &[(usize, usize)]) -> Self {
        let shape = if round { 3 } else { PARAMETERS };
        let own = (GEOMETRY..GEOMETRY + shape).chain([VARIANCE]).chain(stroke.then_some(WIDTH));
        let (mut all, mut n) = ([(0, 0); MOST], 0);
        let levels_from = shape + 1 + usize::from(stroke);
        for parameter in own.map(|column| (column, 0)).chain(waves.iter().copied()) {
            (all[n], n) = (parameter, n + 1);
        }
        Self { all, n, shape, levels_from }
    }

    fn all(&self) -> &[(usize, usize)] {
        &self.all[..self.n]
    }
}

impl Equations {
    fn new(
        sums: &Sums,
        counts: &[f64],
        model: &Model,
        active: u64,
        hypothesis: Hypothesis,
        shared: &Shared,
        near: &[f64; MOST],
    ) -> Option<Self> {
        let stroke = model.stroke.is_some();
        let (local, waves) = (hypothesis.shading.local(stroke), hypothesis.shading.waves(stroke));
        let mut all = Self {
            matrix: [[0.0; MOST]; MOST],
            right: [0.0; MOST],
            squares: 0.0,
            pixels: 0.0,
            levels: 0.0,
            locals: [const { None }; MAX_SECTORS],
        };
        let oblong = model.oval.oblong();
        for (k, &count) in counts.iter().enumerate().filter(|(k, _)| active >> k & 1 == 1) {
            // A level needs two pixels to be more than a pixel's own value.
            if count < 2.0 * local.len() as f64 {
                continue;
            }
            let direction = direction_of(k, counts.len());
            let mut own = sums[k];
            if hypothesis.round {
                make_round(&mut own, oblong);
            }
            if !waves.is_empty() {
                // The levels may not be such waves yet, so the residual is taken from the waves closest to them.
                let near = along(waves, near, direction);
                (0..LEVELS).for_each(|l| take_from(&mut own, OUT + l, f64::from(model.levels[k][l]) - near[l]));
            }
            if !local.is_empty() {
                let levels = Local::new(&own, local)?;
                own = levels.eliminated();
                all.locals[k] = Some(levels);
                all.levels += local.len() as f64;
            }
            all.pixels += count;
            all.add(&own, shared, direction);
        }
        Some(all)
    }

    fn add(&mut self, own: &Products, shared: &Shared, (x, y): (f64, f64)) {
        let waves = [1.0, x, y];
        self.squares += own[RESIDUAL][RESIDUAL];
        for (i, &(column, wave)) in shared.all().iter().enumerate() {
            self.right[i] += waves[wave] * own[RESIDUAL][column];
            for (j, &(other, other_wave)) in shared.all().iter().enumerate().skip(i) {
                self.matrix[i][j] += waves[wave] * waves[other_wave] * own[column][other];
            }
        }
    }
}

/// The products for a circle: the residual is taken from the circle of the same area, and the radius changes both
/// diagonal elements of the form alike.
fn make_round(own: &mut Products, oblong: [f64; 3]) {
    (0..3).for_each(|i| take_from(own, GEOMETRY + 2 + i, oblong[i]));
    for row in own.iter_mut() {
        row[GEOMETRY + 2] += row[GEOMETRY + 4];
    }
    let other = own[GEOMETRY + 4];
    own[GEOMETRY + 2].iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}

/// Takes the residual from a model in which the parameter of a column is smaller by `less`.
fn take_from(own: &mut Products, column: usize, less: f64) {
    let by = own[column];
    own[RESIDUAL].iter_mut().zip(by).for_each(|(sum, by)| *sum += less * by);
    for row in own.iter_mut() {
        row[RESIDUAL] += less * row[column];
    }
}

/// Amplitudes of the waves closest to the present levels, if the sectors lie evenly.
fn amplitudes(waves: &[(usize, usize)], model: &Model, active: u64, sectors: usize) -> [f64; MOST] {
    let n = f64::from(active.count_ones()).max(1.0);
    let mut all = [0.0; MOST];
    for k in (0..sectors).filter(|k| active >> k & 1 == 1) {
        let (x, y) = direction_of(k, sectors);
        for (amplitude, &(column, wave)) in all.iter_mut().zip(waves) {
            *amplitude += [1.0, 2.0 * x, 2.0 * y][wave] / n * f64::from(model.levels[k][column - OUT]);
        }
    }
    all
}

/// The levels that waves of these amplitudes give in a direction.
fn along(waves: &[(usize, usize)], amplitudes: &[f64; MOST], (x, y): (f64, f64)) -> [f64; LEVELS] {
    let mut levels = [0.0; LEVELS];
    for (amplitude, &(column, wave)) in amplitudes.iter().zip(waves) {
        levels[column - OUT] += amplitude * [1.0, x, y][wave];
    }
    levels
}

/// The sectors' levels after the shared parameters took their steps.
fn levels_after(
    equations: &Equations,
    shared: &Shared,
    found: &[f64; MOST],
    model: &Model,
    waves: &[(usize, usize)],
    near: &[f64; MOST],
    sectors: usize,
) -> [[f64; LEVELS]; MAX_SECTORS] {
    let mut all = model.levels.map(|levels| levels.map(f64::from));
    let after: [f64; MOST] = std::array::from_fn(|i| near[i] + found.get(shared.levels_from + i).unwrap_or(&0.0));
    for (k, levels) in all.iter_mut().enumerate().take(sectors) {
        if let Some(local) = &equations.locals[k] {
            let steps = shared.all().iter().zip(found).map(|(&(column, _), &step)| (column, step));
            let mut new = [0.0; LEVELS];
            for (&column, step) in local.columns().iter().zip(local.after(steps)) {
                new[column - OUT] = levels[column - OUT] + step;
            }
            *levels = new;
        } else if !waves.is_empty() {
            *levels = along(waves, &after, direction_of(k, sectors));
        }
    }
    all
}
