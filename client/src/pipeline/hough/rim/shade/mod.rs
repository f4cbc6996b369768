//! The last fit: an outline, its edge and the shading on both sides, to the intensities around the outline.
//!
//! `I = out (1 - P) + in P`, where `P` is the edge's profile of the depth `u` under the outline. A stroke of width `w`
//! adds `s (P(u + w/2) - P(u - w/2))`, a ball in the light `lit (x P, y P, z)` times the light's three components,
//! where `(x, y, z)` is the surface's normal, for an ellipse in the coordinates in which it is the unit circle. The
//! levels enter linearly (`shading`): as waves along the outline, or free in each sector, with or without a slope
//! across the edge.
//!
//! The hypothesis with the least Bayesian information criterion is taken (Schwarz, Annals of Statistics 6(2) 1978):
//! `n ln(left / n) + k ln n` for `n` pixels, `k` parameters and the sum `left` of squared residuals. An ellipse has two
//! parameters more than a circle. For 2,000 pixels it must explain a χ² of 15.2, which chance exceeds once in 2,000.
//!
//! `pixels` collects the pixels and sums up, by sector, the products of their columns (`columns`). `solve` solves the
//! equations of a hypothesis (`normal`), in which the sectors' own levels are `local`.

use self::columns::{COLUMNS, LEVELS, Model};
use self::pixels::Pixels;
use self::shading::{Hypothesis, Kind};
use self::solve::{Equations, Floor, Given, Solution};
use super::arcs::{MAX_ARCS, MAX_WINDOW};
use super::oval::{Oval, PARAMETERS};
use super::trace::WINDOW;
use crate::pipeline::hough::fit::equations::profile::{MIN_VARIANCE, PIXEL_VARIANCE};
use crate::pipeline::hough::fit::equations::sums::ROUNDING_VARIANCE;
use crate::pipeline::hough::frame::Frame;

pub(crate) mod columns;
pub(crate) mod local;
pub(crate) mod normal;
pub(crate) mod pixels;
pub(crate) mod shading;
pub(crate) mod solve;

/// Largest number of sectors: one for each arc.
pub(crate) const MAX_SECTORS: usize = MAX_ARCS;

/// Sums of the products of the columns, for each sector.
pub(crate) type Sums = [[[f64; COLUMNS]; COLUMNS]; MAX_SECTORS];

/// Largest number of iterations. Fits of discs took five to seven.
const MAX_ITERATIONS: usize = 12;

/// Iterations before the hypotheses are compared. The first finds the levels, the second the outline. For a ball, the
/// first three find only the light: it must be known where the light falls before the outline can move.
const SETTLING: usize = 2;
const SETTLING_BALL: usize = 3;

/// Gain of the criterion by further steps below which the comparison of the hypotheses stands. Each parameter of a
/// hypothesis must gain the logarithm of the number of pixels, which is at least 4.
const DECIDED: f64 = 1.0;

/// A fit ends when a step of the centre is shorter than this part of its sigma, or this many pixels.
const DONE_SIGMAS: f64 = 0.05;
const DONE_PX: f64 = 1e-4;

/// Largest remaining variance that noise explains. The noise is known to 4 %, so its variance to 8 %. The limit allows
/// three times that, and as much again for 500 pixels.
const MOST_OF_NOISE: f64 = 1.4;

/// Longest way of a centre during a fit, as a part of the reach. An edge that is farther away has pixels on one side
/// only.
const MAX_WAY: f64 = 0.5;

/// Fewest pixels of a fit: as many as a disc of 8 px has in a window of 2 px at half of its arcs.
const MIN_PIXELS: usize = 60;

/// Largest variance of an edge, in px²: that of a blur of the window's reach.
const MAX_VARIANCE: f64 = (WINDOW * WINDOW) as f64;

/// Narrowest and widest stroke of a fit, in pixels. A sharp stroke of 0.3 px differs from one of half the width and
/// twice the contrast by at most 1.3 % of its contrast: narrower ones cannot be told from fainter ones. The two edges
/// of the widest are a window apart.
const STROKE_PX: std::ops::RangeInclusive<f64> = 0.3..=(WINDOW + MAX_WINDOW) as f64;

/// The start of a fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beginning {
    pub(crate) oval: Oval,
    /// The outline around which pixels are collected.
    pub(crate) around: Oval,
    pub(crate) sectors: usize,
    /// Bit mask of the sectors that take part.
    pub(crate) active: u64,
    pub(crate) edge_variance: f64,
    /// Distance from the outline up to which pixels are used, on each side, in pixels.
    pub(crate) reach_px: f64,
    /// Distance between the rows, and between the columns, whose pixels are used.
    pub(crate) every: usize,
}

/// A fitted outline. The outline of a stroke is its middle line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fitted {
    pub(crate) oval: Oval,
    pub(crate) hypothesis: Hypothesis,
    /// Covariance of the centre: xx, xy, yy.
    pub(crate) centre: [f64; 3],
    /// Width of the stroke, if it is one.
    pub(crate) stroke_px: Option<f64>,
    pub(crate) criterion: f64,
    /// Remaining variance of the pixels.
    pub(crate) variance: f64,
}

/// Buffers of the fit.
#[derive(Default)]
pub(crate) struct Shades {
    pixels: Pixels,
}

impl Fitted {
    /// Whether a round disc with plain sides explains the pixels best. The fit of such discs would then do as well.
    pub(crate) fn is_plain(&self) -> bool {
        self.hypothesis.shading.is_even() && self.hypothesis.round && self.stroke_px.is_none()
    }

    /// Whether the fit leaves only noise, and determines the centre better than the variance `traced` of a coordinate.
    /// If the edge is elsewhere, the levels alone leave it in the residuals. If there is no edge, they do not determine
    /// a centre.
    pub(crate) fn explains(&self, noise_gray: f32, traced: f64) -> bool {
        self.leaves_noise(noise_gray) && self.centre[0] + self.centre[2] < 2.0 * traced
    }

    /// Whether the fit leaves only noise.
    pub(crate) fn leaves_noise(&self, noise_gray: f32) -> bool {
        leaves_noise(self.variance, noise_gray)
    }
}

/// Whether noise with this sigma, in gray levels, explains a remaining variance.
pub(crate) fn leaves_noise(variance: f64, noise_gray: f32) -> bool {
    variance < MOST_OF_NOISE * (f64::from(noise_gray).powi(2) + ROUNDING_VARIANCE)
}

impl Shades {
    /// Collects the pixels around an outline. `None` if they are too few.
    pub(crate) fn gather(&mut self, frame: Frame<'_>, from: &Beginning) -> Option<()> {
        self.pixels.gather(frame, from)
    }

    /// Fits an outline to the pixels collected. For a stroke, `stroke_px` is its width. `None` if the equations fail,
    /// the fit runs away, or its criterion will not be below `most`.
    pub(crate) fn fit(&mut self, from: &Beginning, kind: Kind, stroke_px: Option<f64>, most: f64) -> Option<Fitted> {
        let variance = from.edge_variance.max(f64::from(PIXEL_VARIANCE));
        let levels = [[0.0; LEVELS]; MAX_SECTORS];
        let mut model = Model { oval: from.oval, kind, variance, stroke: stroke_px, levels, held: true };
        let mut hypothesis = Hypothesis { shading: kind.first(), round: false };
        let settled = if kind == Kind::Ball { SETTLING_BALL } else { SETTLING };
        let mut is_decided = false;
        for iteration in 0..MAX_ITERATIONS {
            model.held = kind == Kind::Ball && iteration < settled;
            let even = kind != Kind::Ball && iteration != settled && !hypothesis.shading.has_slopes();
            self.pixels.sum_up(&model, even);
            if iteration == settled {
                hypothesis = self.best(&model, from.active)?;
            }
            let mut solution = self.solve(&model, from.active, hypothesis)?;
            let sigma = (solution.centre[0] + solution.centre[2]).sqrt();
            let moved = solution.step[0].hypot(solution.step[1]);
            if iteration >= settled && solution.predicted > most {
                return None;
            }
            if iteration == settled {
                is_decided = solution.criterion - solution.predicted < DECIDED;
            }
            let done = iteration > settled && moved < DONE_PX.max(DONE_SIGMAS * sigma);
            if done && !is_decided {
                if even {
                    self.pixels.sum_up(&model, false);
                }
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
            if off > MAX_WAY * from.reach_px {
                return None;
            }
            if done || iteration + 1 == MAX_ITERATIONS {
                let Solution { centre, criterion, variance, .. } = solution;
                let (oval, stroke_px) = (model.oval, model.stroke);
                return Some(Fitted { oval, hypothesis, centre, stroke_px, criterion, variance });
            }
        }
        None
    }

    /// The hypothesis with the smallest criterion.
    fn best(&self, model: &Model, active: u64) -> Option<Hypothesis> {
        let given = self.given(model, active);
        let floor = model.kind.shadings().last().and_then(|&deepest| Floor::of(given, deepest));
        let mut best: Option<(f64, Hypothesis)> = None;
        for &shading in model.kind.shadings() {
            let least = best.map_or(f64::INFINITY, |(least, _)| least);
            let has_own_levels = !shading.local(model.stroke.is_some()).is_empty();
            let cannot_be_less = |bound: Option<f64>| bound.is_none_or(|bound| bound > least);
            if has_own_levels
                && (floor.is_some_and(|floor| cannot_be_less(floor.criterion(given, shading)))
                    || cannot_be_less(Floor::of(given, shading).and_then(|floor| floor.criterion(given, shading))))
            {
                continue;
            }
            let Some(equations) = Equations::new(given, shading) else { continue };
            for round in [true, false] {
                if let Some(criterion) = equations.criterion(round)
                    && best.is_none_or(|(least, _)| criterion < least)
                {
                    best = Some((criterion, Hypothesis { shading, round }));
                }
            }
        }
        best.map(|(_, hypothesis)| hypothesis)
    }

    fn solve(&self, model: &Model, active: u64, Hypothesis { shading, round }: Hypothesis) -> Option<Solution> {
        Equations::new(self.given(model, active), shading)?.solution(round)
    }

    fn given<'a>(&'a self, model: &'a Model, active: u64) -> Given<'a> {
        Given { sums: &self.pixels.sums, counts: &self.pixels.counts[..self.pixels.sectors], model, active }
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
    model.variance = (model.variance + solution.step[PARAMETERS]).clamp(MIN_VARIANCE, MAX_VARIANCE);
    if let Some(width) = &mut model.stroke {
        *width = (*width + solution.step[PARAMETERS + 1]).clamp(*STROKE_PX.start(), *STROKE_PX.end());
    }
    for (own, new) in model.levels.iter_mut().zip(&solution.levels) {
        *own = new.map(|level| level as f32);
    }
    Some(())
}
