//! Measures traced outlines by their intensities.

use shared::geometry::Covariance;

use super::arcs::{Closure, arcs_around, window_for};
use super::oval::Oval;
use super::shade::{Beginning, Fitted, Shades};
use super::starts::Starts;
use super::trace::{Rim, Tracer, WINDOW, part_px};
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::search::candidates::Candidate;
use crate::pipeline::hough::search::gradient::Edge;
use crate::pipeline::hough::search::reduce::Cells;
use crate::pipeline::radii::RadiusRange;

/// Variance of the edge that a fit begins with, in px²: a sharp edge read between pixels.
const EDGE_VARIANCE: f64 = 0.3;

/// Widest stroke that is looked for, in pixels: the window's reach.
const MAX_STROKE: usize = 10;

/// Fewest arcs whose second edge makes a stroke: half of the fewest arcs around an outline.
const MIN_STROKE_ARCS: usize = 8;

/// Fraction of the traced arcs that the fitted outline must show too, and the distance in pixels within which it
/// shows them at least: the fit knows the edge better than the arcs do.
const SHOWN: f64 = 0.9;
const SHOWN_PX: f64 = 0.45;

/// Distance in pixels of the two edges that the steps of the thinnest line show, because they average three pixels.
const THINNEST_PX: f64 = 3.0;

/// Traces and measures outlines.
#[derive(Default)]
pub(crate) struct Rims {
    /// The outlines traced in the last frame, most evidence first.
    pub(crate) traced: Vec<Rim>,
    starts: Starts,
    pub(crate) tracer: Tracer,
    shades: Shades,
}

/// What the search of a frame found: the edges, and the candidates of the votes.
#[derive(Clone, Copy)]
pub(crate) struct Edges<'a> {
    pub(crate) cells: &'a Cells,
    pub(crate) edges: &'a [Edge],
    pub(crate) candidates: &'a [Candidate],
}

/// A measured outline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) oval: Oval,
    pub(crate) covariance: Covariance,
    /// The fit, if it shows the traced outline.
    pub(crate) fitted: Option<Fitted>,
}

impl Rims {
    /// Traces the outline that is beyond doubt, or all if there is none.
    pub(crate) fn trace_one(&mut self, frame: Frame<'_>, edges: Edges<'_>, range: RadiusRange) {
        self.trace(frame, edges, range, None);
    }

    /// Traces all outlines of a frame, except those whose start is `known`.
    pub(crate) fn trace_all(
        &mut self,
        frame: Frame<'_>,
        edges: Edges<'_>,
        range: RadiusRange,
        known: &dyn Fn(&Oval) -> bool,
    ) {
        self.trace(frame, edges, range, Some(known));
    }

    fn trace(
        &mut self,
        frame: Frame<'_>,
        Edges { cells, edges, candidates }: Edges<'_>,
        range: RadiusRange,
        known: Option<&dyn Fn(&Oval) -> bool>,
    ) {
        self.traced.clear();
        self.starts.collect((cells, edges), candidates, range, known.is_some());
        for start in &self.starts.all {
            if known.is_some_and(|known| known(start)) || self.traced.iter().any(|rim| rim.is_like(start)) {
                continue;
            }
            let Some(rim) = self.tracer.trace(frame, *start, range) else { continue };
            self.traced.push(rim);
            if known.is_none() && rim.is_ample() {
                break;
            }
        }
        let rank = |rim: &Rim| (rim.closure.log_alarms, -rim.oval.radius(), rim.oval.y);
        self.traced.sort_unstable_by(|one, other| {
            let ((alarms, size, y), (other_alarms, other_size, other_y)) = (rank(one), rank(other));
            alarms.total_cmp(&other_alarms).then(size.total_cmp(&other_size)).then(y.total_cmp(&other_y))
        });
    }

    /// Judges an outline that is known already, and measures it. `None` if it has too little evidence.
    pub(crate) fn measure_again(&mut self, frame: Frame<'_>, oval: &Oval) -> Option<Measured> {
        let rim = self.tracer.judge(frame, oval)?;
        Some(self.measure(frame, &rim))
    }

    /// Measures a traced outline.
    pub(crate) fn measure(&mut self, frame: Frame<'_>, rim: &Rim) -> Measured {
        let second = self.second_edge(frame, rim);
        let fitted = self.fit(frame, rim, second).filter(|fit| self.shows(frame, rim, fit));
        if let Some(fit) = &fitted {
            let [xx, xy, yy] = fit.centre;
            return Measured { oval: fit.oval, covariance: Covariance { xx, xy, yy }, fitted };
        }
        // The arcs lie on the outline within the tolerance. A centre's variance is twice that of one of n edges, by n.
        let own = 2.0 * rim.closure.tolerance_px.powi(2) / f64::from(rim.active.count_ones().max(1));
        let oval = second.map_or(rim.oval, |(_, middle)| middle);
        Measured { oval, covariance: Covariance { xx: own, xy: 0.0, yy: own }, fitted }
    }

    fn fit(&mut self, frame: Frame<'_>, rim: &Rim, second: Option<(f64, Oval)>) -> Option<Fitted> {
        let Rim { oval, active, .. } = *rim;
        let sectors = arcs_around(oval.radius());
        let reach_px = window_for(oval.radius(), WINDOW) as f64;
        let edge_variance = EDGE_VARIANCE;
        let plain = Beginning { oval, around: oval, sectors, active, edge_variance, stroke_px: None, reach_px };
        let Some((by, middle)) = second else {
            return self.shades.fit(frame, &plain);
        };
        // Both hypotheses must explain the same pixels.
        let around = Beginning { around: middle, reach_px: reach_px + 0.5 * by.abs(), ..plain };
        let stroke = Beginning { oval: middle, stroke_px: Some((by.abs() - 1.0).max(1.0)), ..around };
        let fits = [around, stroke].map(|beginning| self.shades.fit(frame, &beginning));
        fits.into_iter().flatten().min_by(|one, other| one.criterion.total_cmp(&other.criterion))
    }

    /// The distance of a second edge that runs along the outline, and the line half-way.
    fn second_edge(&mut self, frame: Frame<'_>, rim: &Rim) -> Option<(f64, Oval)> {
        let Rim { oval, active, closure } = rim;
        self.tracer.arcs.look(frame, oval, window_for(oval.radius(), MAX_STROKE));
        let (by, n) = self.tracer.arcs.opposite(closure.polarity, *active, part_px(closure))?;
        let most = active.count_ones() as usize;
        (2 * n > most && n >= MIN_STROKE_ARCS).then_some(())?;
        Some((by, oval.grown(0.5 * by)?))
    }

    /// Whether the fitted outline is the one that was traced: about as many arcs have their edge on it.
    fn shows(&mut self, frame: Frame<'_>, rim: &Rim, fit: &Fitted) -> bool {
        let Closure { polarity, tolerance_px, share, .. } = rim.closure;
        let edges = match fit.stroke_px {
            None => [Some(fit.oval), None],
            Some(width) => [1.0, -1.0].map(|side| fit.oval.grown(side * 0.5 * width.max(THINNEST_PX))),
        };
        // A line thinner than the steps shows them anywhere on a plateau.
        let plateau_px = fit.stroke_px.map_or(0.0, |width| 0.5 * (THINNEST_PX - width).max(0.0));
        let within_px = tolerance_px.max(SHOWN_PX) + plateau_px;
        edges.into_iter().flatten().any(|oval| {
            self.tracer.arcs.look(frame, &oval, window_for(oval.radius(), WINDOW));
            let seen = self.tracer.arcs.all.iter().filter(|arc| arc.inside).count() as f64;
            self.tracer.arcs.agreeing(polarity, within_px) as f64 > SHOWN * share * seen
        })
    }
}
