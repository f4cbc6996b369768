//! Measures traced outlines by their intensities.

use shared::geometry::Covariance;

use super::arcs::{Closure, LEAST_TOLERANCE_PX, MAX_WINDOW, MIN_ARCS, arcs_around, window_for};
use super::oval::Oval;
use super::shade::shading::Kind;
use super::shade::{Beginning, Fitted, Shades};
use super::starts::{Edges, Starts, around};
use super::trace::{Rim, Tracer, WINDOW, part_px};
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::locate::steps::HALF_STEP;
use crate::pipeline::hough::search::candidates::Candidate;
use crate::pipeline::radii::RadiusRange;

/// Variance of the edge with which a fit begins, in px²: between a sharp edge (1/12) and a
/// blur of 0.7 px (0.57). It is only a start.
const EDGE_VARIANCE: f64 = 0.3;

/// Fewest arcs with a second edge for a stroke: half of the smallest number of arcs around an outline.
const MIN_STROKE_ARCS: usize = MIN_ARCS / 2;

/// Fraction of the traced arcs whose edge must lie on the fitted outline too.
const SHOWN: f64 = 0.9;

/// Distance in pixels between the two edges found on the thinnest line: the pixels that a step averages.
const THINNEST_PX: f64 = HALF_STEP as f64;

/// Width of a thin line, with which a fit begins, in pixels: the thinnest that is drawn in whole pixels.
const THIN_PX: f64 = 1.0;

/// A ball is looked for in its whole shading: the reach to each side of the traced outline as a fraction of its radius,
/// the number of pixels used, and the sigma of the edge with which the fit begins as a fraction of the radius.
///
/// Where a ball is as bright as its ground is up to a fifth of the radius inside the rim: at a fifth, the ball's
/// surface is turned by 37° towards the camera, and has 60 % of a frontal light. 2,000 pixels determine eight
/// parameters in a noise of a tenth of the contrast to a hundredth of the radius.
const BALL_REACH: f64 = 0.5;
const BALL_PIXELS: f64 = 2_000.0;
const BALL_BLUR: f64 = 0.1;

/// Traces and measures outlines.
#[derive(Default)]
pub(crate) struct Rims {
    /// The outlines traced in the last frame, sorted by evidence, most first.
    pub(crate) traced: Vec<Rim>,
    starts: Starts,
    pub(crate) tracer: Tracer,
    shades: Shades,
}

/// A measured outline.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) oval: Oval,
    pub(crate) covariance: Covariance,
    /// The fit, if it agrees with the traced outline.
    pub(crate) fitted: Option<Fitted>,
}

impl Rims {
    /// Traces the outline that is beyond doubt, or all if there is none. Returns whether there is one.
    pub(crate) fn trace_one(&mut self, frame: Frame<'_>, edges: Edges<'_>, range: RadiusRange) -> bool {
        self.traced.clear();
        self.starts.collect(edges, range, false);
        self.trace(frame, range, None)
    }

    /// Traces outlines from candidates too, after those of [`Self::trace_one`]. Returns whether one is beyond doubt.
    pub(crate) fn trace_candidates(&mut self, frame: Frame<'_>, candidates: &[Candidate], range: RadiusRange) -> bool {
        self.starts.take_candidates(candidates);
        self.trace(frame, range, None)
    }

    /// Traces the outline at a candidate, if it is beyond doubt.
    pub(crate) fn trace_candidate(
        &mut self,
        frame: Frame<'_>,
        candidate: &Candidate,
        range: RadiusRange,
    ) -> Option<Rim> {
        self.tracer.trace(frame, around(candidate), range).filter(Rim::is_ample)
    }

    /// Traces all outlines of a frame, except those whose start is `known`.
    pub(crate) fn trace_all(
        &mut self,
        frame: Frame<'_>,
        edges: Edges<'_>,
        range: RadiusRange,
        known: &dyn Fn(&Oval) -> bool,
    ) {
        self.traced.clear();
        self.starts.collect(edges, range, true);
        self.trace(frame, range, Some(known));
    }

    /// Traces from the starts. Without `known`, ends at the first outline beyond doubt and returns whether there is
    /// one.
    fn trace(&mut self, frame: Frame<'_>, range: RadiusRange, known: Option<&dyn Fn(&Oval) -> bool>) -> bool {
        let mut is_clear = false;
        for start in &self.starts.all {
            if known.is_some_and(|known| known(start)) || self.traced.iter().any(|rim| rim.is_like(start)) {
                continue;
            }
            let Some(rim) = self.tracer.trace(frame, *start, range) else { continue };
            self.traced.push(rim);
            is_clear = known.is_none() && rim.is_ample();
            if is_clear {
                break;
            }
        }
        let rank = |rim: &Rim| (rim.closure.log_alarms, -rim.oval.radius(), rim.oval.y);
        self.traced.sort_unstable_by(|one, other| {
            let ((alarms, size, y), (other_alarms, other_size, other_y)) = (rank(one), rank(other));
            alarms.total_cmp(&other_alarms).then(size.total_cmp(&other_size)).then(y.total_cmp(&other_y))
        });
        is_clear
    }

    /// Judges a known outline, or the one next to it, and measures it. `None` if it has too little evidence.
    pub(crate) fn measure_again(
        &mut self,
        frame: Frame<'_>,
        oval: &Oval,
        range: RadiusRange,
        noise_gray: f32,
    ) -> Option<Measured> {
        let rim = self.tracer.judge(frame, oval).or_else(|| self.tracer.trace(frame, *oval, range))?;
        self.measure(frame, &rim, noise_gray)
    }

    /// Measures a traced outline. `noise_gray` is the sigma of the frame's pixels. `None` if the outline alone has too
    /// little evidence and the fit does not confirm it.
    pub(crate) fn measure(&mut self, frame: Frame<'_>, rim: &Rim, noise_gray: f32) -> Option<Measured> {
        // Each arc's edge is known to within the tolerance. Along each axis, a centre from n edges has 2 / n times the
        // variance of one edge.
        let own = 2.0 * rim.closure.tolerance_px.powi(2) / f64::from(rim.active.count_ones().max(1));
        let second = self.second_edge(frame, rim);
        let explains = |fit: &Fitted| fit.explains(noise_gray, own);
        let fitted =
            self.fit(frame, rim, second, noise_gray).filter(|fit| explains(fit) || self.shows(frame, rim, fit));
        let confirms = |fit: Fitted| fit.hypothesis.shading.is_shared() && explains(&fit);
        if !rim.is_certain() && !fitted.is_some_and(confirms) {
            return None;
        }
        if let Some(fit) = &fitted {
            let [xx, xy, yy] = fit.centre;
            return Some(Measured { oval: fit.oval, covariance: Covariance { xx, xy, yy }, fitted });
        }
        let oval = second.map_or(rim.oval, |(_, middle)| middle);
        Some(Measured { oval, covariance: Covariance { xx: own, xy: 0.0, yy: own }, fitted })
    }

    /// The best fit. If it ends far from the outline, the fit is repeated from there with the pixels around it.
    fn fit(&mut self, frame: Frame<'_>, rim: &Rim, second: Option<(f64, Oval)>, noise_gray: f32) -> Option<Fitted> {
        let sectors = arcs_around(rim.oval.radius());
        let fit = self.fit_around(frame, rim, sectors, second, noise_gray)?;
        let is_ball = fit.hypothesis.shading.is_shared() && !fit.hypothesis.shading.is_even();
        if fit.stroke_px.is_some() || is_ball || !is_far(&rim.oval, &fit.oval) {
            return Some(fit);
        }
        let again = self.fit_around(frame, &Rim { oval: fit.oval, ..*rim }, sectors, None, noise_gray);
        again.or(Some(fit))
    }

    /// The best fit of all hypotheses, to the same pixels.
    fn fit_around(
        &mut self,
        frame: Frame<'_>,
        rim: &Rim,
        sectors: usize,
        second: Option<(f64, Oval)>,
        noise_gray: f32,
    ) -> Option<Fitted> {
        let Rim { oval, active, .. } = *rim;
        let (by, middle) = second.unwrap_or((0.0, oval));
        let reach_px = window_for(oval.radius(), WINDOW) as f64 + 0.5 * by.abs();
        let edge =
            Beginning { oval, around: middle, sectors, active, edge_variance: EDGE_VARIANCE, reach_px, every: 1 };
        self.shades.gather(frame, &edge)?;
        let as_stroke = second.and_then(|_| {
            let middle = Beginning { oval: middle, ..edge };
            let mut of_width = |width: f64| self.shades.fit(&middle, Kind::Stroke, Some(width), f64::INFINITY);
            let stroke = of_width((by.abs() - 1.0).max(THIN_PX));
            if stroke.is_some_and(|fit| fit.leaves_noise(noise_gray)) {
                return stroke;
            }
            // The steps of all lines thinner than three pixels are equally far apart.
            best([stroke, of_width(THIN_PX)])
        });
        let most = as_stroke.map_or(f64::INFINITY, |stroke| stroke.criterion);
        let as_edge = self.shades.fit(&edge, Kind::Edge, None, most);
        let plain = best([as_edge, as_stroke]);
        if plain.is_some_and(|fit| fit.hypothesis.shading.is_even() && fit.leaves_noise(noise_gray)) {
            return plain;
        }
        // If a ball is brighter than the ground but its rim is darker, there is an edge at the ground's level inside
        // the rim.
        let outer = second.filter(|_| by > 0.0).and_then(|_| oval.grown(by));
        let mut as_ball =
            |from: Oval| self.shades.fit(&Beginning { oval: from, ..edge }, Kind::Ball, None, f64::INFINITY);
        let ball = best([as_ball(oval), outer.and_then(as_ball)]);
        if ball.is_some_and(|fit| fit.leaves_noise(noise_gray)) {
            return best([plain, ball]);
        }
        // A disc drawn in whole pixels leaves more than noise too, and a ball has more parameters to follow its steps.
        let even = plain.filter(|fit| fit.hypothesis.shading.is_even());
        self.far_ball(frame, &edge, plain, noise_gray).or(even).or(best([plain, ball]))
    }

    /// A ball whose rim is far from the traced outline: the strongest edge is where the light makes the ball as bright
    /// as its ground.
    ///
    /// The shading of the whole ball shows where it is. The rim is then fitted from there. `None` if that leaves more
    /// than noise, or if an edge explains the same pixels better.
    fn far_ball(
        &mut self,
        frame: Frame<'_>,
        near: &Beginning,
        plain: Option<Fitted>,
        noise_gray: f32,
    ) -> Option<Fitted> {
        let oval = Oval::round(near.oval.circle());
        let active = u64::MAX >> (u64::BITS as usize - near.sectors);
        let (radius, reach_px) = (oval.radius(), BALL_REACH * oval.radius());
        // The ring from one reach inside to one reach outside has the area 4π r reach.
        let every = (4.0 * std::f64::consts::PI * radius * reach_px / BALL_PIXELS).sqrt().ceil().max(1.0) as usize;
        let edge_variance = (BALL_BLUR * radius).powi(2);
        let whole = Beginning { oval, around: oval, active, edge_variance, reach_px, every, ..*near };
        self.shades.gather(frame, &whole)?;
        let oval = self.shades.fit(&whole, Kind::Ball, None, f64::INFINITY)?.oval;
        let rim = Beginning { oval, around: oval, active, ..*near };
        self.shades.gather(frame, &rim)?;
        let ball = self.shades.fit(&rim, Kind::Ball, None, f64::INFINITY).filter(|fit| fit.leaves_noise(noise_gray))?;
        let from = Beginning { oval: plain.map_or(oval, |plain| plain.oval), ..rim };
        let as_edge = plain.and_then(|_| self.shades.fit(&from, Kind::Edge, None, ball.criterion));
        as_edge.is_none_or(|edge| ball.criterion < edge.criterion).then_some(ball)
    }

    /// The distance of a second edge that runs along the outline, and the line half-way.
    fn second_edge(&mut self, frame: Frame<'_>, rim: &Rim) -> Option<(f64, Oval)> {
        let Rim { oval, active, closure } = rim;
        // The windows may overlap: an edge is looked for at one distance all around.
        self.tracer.arcs.look(frame, oval, window_for(2.0 * oval.radius(), MAX_WINDOW), false);
        let (by, n) = self.tracer.arcs.opposite(closure.polarity, *active, part_px(closure))?;
        let most = active.count_ones() as usize;
        (2 * n > most && n >= MIN_STROKE_ARCS).then_some(())?;
        Some((by, oval.grown(0.5 * by)?))
    }

    /// Whether the fitted outline is the traced one: about as many arcs have their edge on it.
    fn shows(&mut self, frame: Frame<'_>, rim: &Rim, fit: &Fitted) -> bool {
        let Closure { polarity, tolerance_px, share, .. } = rim.closure;
        let edges = match fit.stroke_px {
            None => [Some(fit.oval), None],
            Some(width) => [1.0, -1.0].map(|side| fit.oval.grown(side * 0.5 * width.max(THINNEST_PX))),
        };
        // On a line thinner than the reach of a step, the strongest step may be anywhere on a plateau.
        let plateau_px = fit.stroke_px.map_or(0.0, |width| 0.5 * (THINNEST_PX - width).max(0.0));
        let within_px = tolerance_px.max(LEAST_TOLERANCE_PX) + plateau_px;
        edges.into_iter().flatten().any(|oval| {
            self.tracer.arcs.look(frame, &oval, window_for(oval.radius(), WINDOW), false);
            let seen = self.tracer.arcs.all.iter().filter(|arc| arc.inside).count() as f64;
            self.tracer.arcs.agreeing(polarity, within_px) as f64 > SHOWN * share * seen
        })
    }
}

/// The fit with the smaller criterion.
fn best(all: [Option<Fitted>; 2]) -> Option<Fitted> {
    all.into_iter().flatten().min_by(|one, other| one.criterion.total_cmp(&other.criterion))
}

/// Distance between two outlines, in pixels, beyond which the edge is no longer in the middle of the pixels, which
/// reach [`WINDOW`] to each side.
const FAR_PX: f64 = 1.0;

/// Whether an outline is far from another.
fn is_far(one: &Oval, other: &Oval) -> bool {
    (one.x - other.x).hypot(one.y - other.y) + (one.radius() - other.radius()).abs() > FAR_PX
}
