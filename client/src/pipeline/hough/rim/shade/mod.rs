//! The last fit: an outline, its edge and the shading on both sides, to the intensities around the outline.
//!
//! `I = out (1 - P) + in P`, where `P` is the edge's profile of the depth `u` under the outline. A stroke of width `w`
//! adds `s (P(u + w/2) - P(u - w/2))`. The levels `out`, `in` and `s` enter linearly (`shading`): as waves along the
//! outline, or free in each sector, with or without a slope across the edge.
//!
//! The hypothesis with the least Bayesian information criterion is taken (Schwarz, Annals of Statistics 6(2) 1978):
//! `n ln(left / n) + k ln n` for `n` pixels, `k` parameters and the sum `left` of squared residuals. An ellipse has two
//! parameters more than a circle. For 2,000 pixels it must explain a χ² of 15.2, which chance exceeds once in 2,000.
//!
//! `pixels` collects the pixels and sums up, by sector, the products of their columns (`columns`). `solve` solves the
//! equations of a hypothesis, in which the sectors' own levels are `local`.

use self::columns::{COLUMNS, Model};
use self::pixels::Pixels;
use self::shading::{Hypothesis, SHADINGS, Shading};
use self::solve::{Solution, solve};
use super::arcs::MAX_ARCS;
use super::oval::{Oval, PARAMETERS};
use crate::pipeline::hough::fit::equations::profile::PIXEL_VARIANCE;
use crate::pipeline::hough::frame::Frame;

pub(crate) mod columns;
pub(crate) mod local;
pub(crate) mod pixels;
pub(crate) mod shading;
pub(crate) mod solve;

/// Largest number of sectors: one for each arc.
pub(crate) const MAX_SECTORS: usize = MAX_ARCS;

/// Sums of the products of the columns, for each sector.
pub(crate) type Sums = [[[f64; COLUMNS]; COLUMNS]; MAX_SECTORS];

/// Largest number of iterations. Fits of discs took five to seven.
const MAX_ITERATIONS: usize = 12;

/// Iterations before the hypotheses are compared: from levels that are only means, the first step is rough.
const SETTLING: usize = 2;

/// A fit ends when a step of the centre is shorter than this part of its sigma, or this many pixels.
const DONE_SIGMAS: f64 = 0.05;
const DONE_PX: f64 = 1e-4;

/// Fewest pixels of a fit: as many as a disc of 8 px has in a window of 2 px at half of its arcs.
const MIN_PIXELS: usize = 60;

/// Largest variance of an edge, in px²: that of a blur of the window's reach.
const MAX_VARIANCE: f64 = 36.0;

/// Narrowest and widest stroke of a fit, in pixels. A narrower one cannot be told from a fainter one.
const STROKE_PX: std::ops::RangeInclusive<f64> = 0.3..=16.0;

/// Where a fit begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning {
    pub(crate) oval: Oval,
    /// The outline around which pixels are collected.
    pub(crate) around: Oval,
    pub(crate) sectors: usize,
    /// Bit mask of the sectors that take part.
    pub(crate) active: u64,
    pub(crate) edge_variance: f64,
    /// Width of the stroke, if the outline is one.
    pub(crate) stroke_px: Option<f64>,
    /// How far the pixels reach to each side, in pixels.
    pub(crate) reach_px: f64,
}

/// A fitted outline. That of a stroke runs along its middle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fitted {
    pub(crate) oval: Oval,
    pub(crate) hypothesis: Hypothesis,
    /// Covariance of the centre: xx, xy, yy.
    pub(crate) centre: [f64; 3],
    /// Width of the stroke, if it is one.
    pub(crate) stroke_px: Option<f64>,
    pub(crate) criterion: f64,
}

/// Buffers of the fit.
#[derive(Default)]
pub(crate) struct Shades {
    pixels: Pixels,
}

impl Fitted {
    /// Whether a round disc with plain sides explains the pixels best, as the fit of such discs does too.
    pub(crate) fn is_plain(&self) -> bool {
        let even = matches!(self.hypothesis.shading, Shading::Flat | Shading::Ground | Shading::Planes);
        even && self.hypothesis.round && self.stroke_px.is_none()
    }
}

impl Shades {
    /// Fits the outline. `None` if the equations fail or the fit runs away.
    pub(crate) fn fit(&mut self, frame: Frame<'_>, from: &Beginning) -> Option<Fitted> {
        self.pixels.gather(frame, from)?;
        let mut model = self.pixels.first_model(from);
        let mut hypothesis = Hypothesis { shading: Shading::Sectors, round: false };
        for iteration in 0..MAX_ITERATIONS {
            self.pixels.sum_up(&model);
            if iteration == SETTLING {
                hypothesis = self.best(&model, from.active)?;
            }
            let mut solution = self.solve(&model, from.active, hypothesis)?;
            let sigma = (solution.centre[0] + solution.centre[2]).sqrt();
            let moved = solution.step[0].hypot(solution.step[1]);
            let done = iteration > SETTLING && moved < DONE_PX.max(DONE_SIGMAS * sigma);
            if done {
                let again = self.best(&model, from.active)?;
                if again != hypothesis && iteration + 1 < MAX_ITERATIONS {
                    hypothesis = again;
                    solution = self.solve(&model, from.active, hypothesis)?;
                    advance(&mut model, &solution, hypothesis)?;
                    continue;
                }
            }
            advance(&mut model, &solution, hypothesis)?;
            let off = (model.oval.x - from.oval.x).hypot(model.oval.y - from.oval.y);
            if off > 0.5 * from.reach_px {
                return None;
            }
            if done || iteration + 1 == MAX_ITERATIONS {
                let Solution { centre, criterion, .. } = solution;
                return Some(Fitted { oval: model.oval, hypothesis, centre, stroke_px: model.stroke, criterion });
            }
        }
        None
    }

    /// The hypothesis with the least criterion.
    fn best(&self, model: &Model, active: u64) -> Option<Hypothesis> {
        let mut best: Option<(f64, Hypothesis)> = None;
        for round in [true, false] {
            for shading in SHADINGS {
                let hypothesis = Hypothesis { shading, round };
                if let Some(solution) = self.solve(model, active, hypothesis)
                    && best.is_none_or(|(least, _)| solution.criterion < least)
                {
                    best = Some((solution.criterion, hypothesis));
                }
            }
        }
        best.map(|(_, hypothesis)| hypothesis)
    }

    fn solve(&self, model: &Model, active: u64, hypothesis: Hypothesis) -> Option<Solution> {
        solve(&self.pixels.sums, &self.pixels.counts[..self.pixels.sectors], model, active, hypothesis)
    }
}

/// Applies a solution.
fn advance(model: &mut Model, solution: &Solution, hypothesis: Hypothesis) -> Option<()> {
    let scale = model.oval.radius();
    if hypothesis.round {
        let own = scale.powi(-2);
        model.oval.form = [own, 0.0, own];
    }
    let mut step = [0.0; PARAMETERS];
    step.copy_from_slice(&solution.step[..PARAMETERS]);
    model.oval = model.oval.moved(&step, scale)?;
    let most = 0.8 * model.variance + 0.1;
    let variance = model.variance + solution.step[PARAMETERS].clamp(-most, most);
    // As in the fit of round discs: a little less than a pixel's own, because noise may reduce the estimate below that.
    model.variance = variance.clamp(0.5 * f64::from(PIXEL_VARIANCE), MAX_VARIANCE);
    if let Some(width) = &mut model.stroke {
        let wider = *width + solution.step[PARAMETERS + 1].clamp(-1.0, 1.0);
        *width = wider.clamp(*STROKE_PX.start(), *STROKE_PX.end());
    }
    for (own, new) in model.levels.iter_mut().zip(&solution.levels) {
        *own = new.map(|level| level as f32);
    }
    Some(())
}
