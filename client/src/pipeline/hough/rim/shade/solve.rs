//! The equations of a shading, and their solution for an ellipse and for a circle.

use super::columns::{COLUMNS, GEOMETRY, LEVELS, Model, OUT, RESIDUAL, VARIANCE, WIDTH};
use super::local::{Local, Products};
use super::normal::{FORM, MOST, Normal};
use super::shading::Shading;
use super::{MAX_SECTORS, Sums};
use crate::pipeline::hough::fit::equations::cholesky::Factor;
use crate::pipeline::hough::fit::equations::sums::ROUNDING_VARIANCE;
use crate::pipeline::hough::rim::oval::PARAMETERS;
use crate::pipeline::hough::sectors::direction_of;

/// Fewest degrees of freedom of a fit, so that the variance is known to a half.
const MIN_FREEDOM: f64 = 10.0;

/// A solution for one hypothesis.
pub(crate) struct Solution {
    /// Steps of the outline's parameters, the edge's variance and the stroke's width. For a circle, those of the form
    /// are from the circle of the same area.
    pub(crate) step: [f64; PARAMETERS + 2],
    /// The sectors' levels after the step.
    pub(crate) levels: [[f64; LEVELS]; MAX_SECTORS],
    /// The criterion and the variance of the pixels, for the model before the step.
    pub(crate) criterion: f64,
    pub(crate) variance: f64,
    /// The criterion after the step, as the equations predict it.
    pub(crate) predicted: f64,
    /// Covariance of the centre: xx, xy, yy.
    pub(crate) centre: [f64; 3],
}

/// The pixels' sums by sector, and the model that is fitted to them.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub(crate) sums: &'a Sums,
    /// Number of pixels of each sector.
    pub(crate) counts: &'a [f64],
    pub(crate) model: &'a Model,
    /// Bit mask of the sectors that take part.
    pub(crate) active: u64,
}

/// Equations of the shared parameters, for an ellipse.
pub(crate) struct Equations<'a> {
    given: Given<'a>,
    waves: &'static [(usize, usize)],
    shared: Shared,
    /// Amplitudes of the waves closest to the present levels.
    near: [f64; MOST],
    normal: Normal,
    pixels: f64,
    /// The columns of the sectors' own levels, and the number of these levels.
    local: &'static [usize],
    levels: f64,
}

/// The shared parameters: the column and the wave of each.
struct Shared {
    all: [(usize, usize); MOST],
    n: usize,
    /// Where the waves of levels begin.
    levels_from: usize,
}

/// The normal equations' solution.
struct Solved {
    factor: Factor<MOST>,
    found: [f64; MOST],
    /// Sum of the squared residuals that remain.
    left: f64,
}

impl<'a> Equations<'a> {
    /// The equations of a shading. `None` if the pixels do not determine the sectors' own levels.
    pub(crate) fn new(given: Given<'a>, shading: Shading) -> Option<Self> {
        let Given { sums, counts, model, active } = given;
        let stroke = model.stroke.is_some();
        let (local, waves) = (shading.local(stroke), shading.waves(stroke));
        let near = amplitudes(waves, model, active, counts.len());
        let shared = Shared::new(stroke, waves);
        let mut all = Self {
            given,
            waves,
            normal: Normal { matrix: [[0.0; MOST]; MOST], right: [0.0; MOST], squares: 0.0, n: shared.n },
            shared,
            near,
            pixels: 0.0,
            local,
            levels: 0.0,
        };
        for k in own_sectors(counts, active, local) {
            let direction = direction_of(k, counts.len());
            if local.is_empty() {
                // The levels may not be such waves yet, so the residual is taken from the waves closest to them.
                let near = along(waves, &near, direction);
                let less = std::array::from_fn(|l| f64::from(model.levels[k][l]) - near[l]);
                all.add(&sums[k], &residual_with(&sums[k], &less), direction);
            } else {
                let shared = all.shared.all().iter().map(|&(column, _)| column);
                Local::new(&sums[k], local)?.add_to(&mut all.normal, shared);
                all.levels += local.len() as f64;
            }
            all.pixels += counts[k];
        }
        all.normal.mirror();
        Some(all)
    }

    /// The Bayesian information criterion for a circle or an ellipse. `None` if the pixels do not determine it.
    pub(crate) fn criterion(&self, round: bool) -> Option<f64> {
        let n = if round { self.shared.n - 2 } else { self.shared.n };
        Some(self.criterion_of(self.solved(round, false)?.left, n))
    }

    /// The solution for a circle or an ellipse. `None` if the pixels do not determine it.
    pub(crate) fn solution(&self, round: bool) -> Option<Solution> {
        let Solved { factor, found, left, .. } = self.solved(round, true)?;
        let stroke = self.given.model.stroke.is_some();
        let (n, shape) = if round { (self.shared.n - 2, FORM + 1) } else { (self.shared.n, PARAMETERS) };
        let unit = |i: usize| {
            let mut unit = [0.0; MOST];
            unit[i] = left / self.freedom(n)?;
            Some(factor.solve(&unit, n))
        };
        let (x, y) = (unit(0)?, unit(1)?);
        let mut step = [0.0; PARAMETERS + 2];
        step[..shape].copy_from_slice(&found[..shape]);
        if round {
            (step[FORM + 1], step[FORM + 2]) = (0.0, step[FORM]);
        }
        step[PARAMETERS] = found[shape];
        step[PARAMETERS + 1] = if stroke { found[shape + 1] } else { 0.0 };
        // The steps of all shared parameters, from the current model.
        let mut steps = [0.0; MOST];
        steps[..PARAMETERS].copy_from_slice(&step[..PARAMETERS]);
        steps[PARAMETERS..self.shared.n].copy_from_slice(&found[shape..n]);
        if round {
            steps[FORM..].iter_mut().zip(self.given.model.oval.oblong()).for_each(|(step, oblong)| *step -= oblong);
        }
        let (present, centre) = (self.present_squares(round), [x[0], x[1], y[1]]);
        let (criterion, variance) = (self.criterion_of(present, n), present / self.freedom(n)?);
        let predicted = self.criterion_of(left, n);
        Some(Solution { step, levels: self.levels_after(&steps), criterion, variance, predicted, centre })
    }

    /// Solves the equations. With `within`, the edge's variance and the stroke's width are held at the ends of their
    /// ranges if they would leave them.
    fn solved(&self, round: bool, within: bool) -> Option<Solved> {
        let mut normal = self.normal_of(round);
        let n = normal.n;
        self.freedom(n)?;
        let mut factor = Factor::new(&normal.matrix, n)?;
        let mut found = factor.solve(&normal.right, n);
        let left = normal.left(&found);
        if within {
            let shape = if round { FORM + 1 } else { PARAMETERS };
            let mut held = false;
            for (i, (least, most)) in self.given.model.ranges().into_iter().flatten().enumerate() {
                let value = found[shape + i].clamp(least, most);
                if value != found[shape + i] {
                    normal.hold(shape + i, value);
                    held = true;
                }
            }
            if held {
                factor = Factor::new(&normal.matrix, n)?;
                found = factor.solve(&normal.right, n);
            }
        }
        // The explained part cannot exceed the total. If it does by more than rounding, the equations have failed.
        let is_sound = found[..n].iter().all(|value| value.is_finite()) && left > -1e-4 * normal.squares;
        is_sound.then_some(Solved { factor, found, left: left.max(ROUNDING_VARIANCE * self.freedom(n)?) })
    }

    fn normal_of(&self, round: bool) -> Normal {
        if round { self.normal.round(self.given.model.oval.oblong()) } else { self.normal.clone() }
    }

    /// Sum of the squared residuals of the current model.
    fn present_squares(&self, round: bool) -> f64 {
        self.normal_of(round).squares.max(ROUNDING_VARIANCE * self.pixels)
    }

    /// Degrees of freedom with `n` shared parameters. `None` if there are too few.
    fn freedom(&self, n: usize) -> Option<f64> {
        Some(self.pixels - n as f64 - self.levels).filter(|freedom| *freedom >= MIN_FREEDOM)
    }

    fn criterion_of(&self, squares: f64, n: usize) -> f64 {
        self.pixels * (squares / self.pixels).ln() + (n as f64 + self.levels) * self.pixels.ln()
    }

    /// Adds the products of a sector, with these products of its residual.
    fn add(&mut self, own: &Products, residual: &[f64; COLUMNS], (x, y): (f64, f64)) {
        let waves = [1.0, x, y];
        let shared = self.shared.all();
        let own_waves: [f64; MOST] = std::array::from_fn(|i| waves[self.shared.all[i].1]);
        self.normal.squares += residual[RESIDUAL];
        for (i, &(column, _)) in shared.iter().enumerate() {
            let (wave, products) = (own_waves[i], &own[column]);
            self.normal.right[i] += wave * residual[column];
            let row = self.normal.matrix[i].iter_mut().zip(&own_waves).zip(shared).skip(i);
            row.for_each(|((sum, other_wave), &(other, _))| *sum += wave * other_wave * products[other]);
        }
    }

    /// The sectors' levels after the steps of the shared parameters.
    fn levels_after(&self, steps: &[f64; MOST]) -> [[f64; LEVELS]; MAX_SECTORS] {
        let Given { sums, counts, model, active } = self.given;
        let mut all = model.levels.map(|levels| levels.map(f64::from));
        let from = self.shared.levels_from;
        let after: [f64; MOST] = std::array::from_fn(|i| self.near[i] + steps.get(from + i).unwrap_or(&0.0));
        for (k, levels) in all.iter_mut().enumerate().take(counts.len()) {
            let is_own = active >> k & 1 == 1 && has_enough(counts[k], self.local);
            let local = is_own.then(|| Local::new(&sums[k], self.local)).flatten();
            if let Some(local) = local.filter(|local| !local.columns().is_empty()) {
                let steps = self.shared.all().iter().zip(steps).map(|(&(column, _), &step)| (column, step));
                let mut new = [0.0; LEVELS];
                for (&column, step) in local.columns().iter().zip(local.after(steps)) {
                    new[column - OUT] = levels[column - OUT] + step;
                }
                *levels = new;
            } else if !self.waves.is_empty() {
                *levels = along(self.waves, &after, direction_of(k, counts.len()));
            }
        }
        all
    }
}

/// The least sum of squared residuals with the current outline. It bounds the criteria of shadings with separate levels
/// for each sector: those with all columns of this one's levels, or fewer.
#[derive(Clone, Copy)]
pub(crate) struct Floor {
    sectors: usize,
    pixels: f64,
    squares: f64,
}

impl Floor {
    /// The floor of a shading. `None` if it has no separate levels, or the pixels do not determine them.
    pub(crate) fn of(given: Given<'_>, shading: Shading) -> Option<Self> {
        let local = shading.local(given.model.stroke.is_some());
        let mut floor = Self { sectors: 0, pixels: 0.0, squares: 0.0 };
        for k in own_sectors(given.counts, given.active, local).filter(|_| !local.is_empty()) {
            floor.squares += Local::new(&given.sums[k], local)?.squares();
            (floor.sectors, floor.pixels) = (floor.sectors + 1, floor.pixels + given.counts[k]);
        }
        let freedom = floor.pixels - (floor.sectors * local.len()) as f64;
        floor.squares = floor.squares.max(ROUNDING_VARIANCE * freedom);
        (floor.squares > 0.0).then_some(floor)
    }

    /// A bound on the criterion of a shading, as if the outline's parameters cost nothing: minus infinity if other
    /// sectors have enough pixels for this shading. `None` if the shading has no sector.
    pub(crate) fn criterion(&self, given: Given<'_>, shading: Shading) -> Option<f64> {
        let local = shading.local(given.model.stroke.is_some());
        let sectors = own_sectors(given.counts, given.active, local).count();
        if sectors != self.sectors {
            return (sectors > 0).then_some(f64::NEG_INFINITY);
        }
        let levels = (sectors * local.len()) as f64;
        Some(self.pixels * (self.squares / self.pixels).ln() + levels * self.pixels.ln())
    }
}

/// The sectors that take part and have enough pixels. A level needs at least two pixels, because one pixel always fits.
fn own_sectors<'a>(counts: &'a [f64], active: u64, local: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
    (0..counts.len()).filter(move |k| active >> k & 1 == 1 && has_enough(counts[*k], local))
}

fn has_enough(pixels: f64, local: &[usize]) -> bool {
    pixels >= 2.0 * local.len() as f64
}

impl Shared {
    fn new(stroke: bool, waves: &[(usize, usize)]) -> Self {
        let own = (GEOMETRY..=VARIANCE).chain(stroke.then_some(WIDTH));
        let (mut all, mut n) = ([(0, 0); MOST], 0);
        let levels_from = PARAMETERS + 1 + usize::from(stroke);
        for parameter in own.map(|column| (column, 0)).chain(waves.iter().copied()) {
            (all[n], n) = (parameter, n + 1);
        }
        Self { all, n, levels_from }
    }

    fn all(&self) -> &[(usize, usize)] {
        &self.all[..self.n]
    }
}

/// The products of the residual with each column, for a model whose levels are lower by `less`.
fn residual_with(own: &Products, less: &[f64; LEVELS]) -> [f64; COLUMNS] {
    let mut residual = own[RESIDUAL];
    let mut square = residual[RESIDUAL];
    for (l, less) in less.iter().enumerate().filter(|(_, less)| **less != 0.0) {
        // (r + a c)² = r² + 2 a r c + a² c², where r already has the levels before this one.
        square += less * (2.0 * residual[OUT + l] + less * own[OUT + l][OUT + l]);
        residual.iter_mut().zip(&own[OUT + l]).for_each(|(sum, by)| *sum += less * by);
    }
    residual[RESIDUAL] = square;
    residual
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
