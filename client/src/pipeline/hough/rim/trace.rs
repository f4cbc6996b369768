//! Follows the edges near a start to an outline, and checks the evidence that it is closed.

use super::arcs::{Arcs, Closure, POLARITIES, Polarity, arcs_around, largest_tolerance_px, window_for};
use super::oval::{Axes, Oval};
use super::points::{FIT_STEPS, fit_oval};
use super::starts::is_sought;
use crate::pipeline::hough::bounds::RADIUS_SLACK;
use crate::pipeline::hough::explain::{Outcome, Trials};
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::search::candidates::Candidate;
use crate::pipeline::radii::RadiusRange;

/// Windows to each side of the outline, in pixels, and widths of the points' weights: from the error of a start, which
/// is about two cells of 4 px, to the window in which the evidence is counted.
const LOOKS: [(usize, f64); 3] = [(10, 3.0), (8, 1.5), (WINDOW, 0.7)];

/// Movement of an outline, in pixels, below which the next look may be the last: as much as the weights of the last
/// look are wide.
const NEAR_PX: f64 = 0.7;

/// The window in which the evidence is counted, in pixels.
pub(crate) const WINDOW: usize = 6;

/// Maximum number of false alarms expected in a frame, as a power of ten: 5 in 50,000 frames.
pub(crate) const MOST_ALARMS: f64 = -4.0;

/// The same for an outline that the fit of its pixels must confirm: one per frame is examined in vain. The smallest
/// discs have 16 arcs. If the light hides the edge on a third of them, the others still give this much evidence.
const MOST_ALARMS_BEFORE_FIT: f64 = 0.0;

/// Evidence beyond doubt, as a power of ten, and the share of the arcs that must be on the outline. The search for one
/// disc ends at such an outline.
const AMPLE_ALARMS: f64 = -15.0;
const AMPLE_SHARE: f64 = 0.9;

/// Smallest fraction of the arcs that must have their edge on a closed outline. It is more than a half, so that
/// opposite sides are visible, by the standard deviation of 32 arcs of which each has its edge in half of the cases:
/// 0.09.
pub(crate) const MIN_SHARE: f64 = 0.6;

/// Smallest fraction of the points' weight during the steps. It is lower than the final share, because the outline is
/// not exact yet.
const MIN_SCORE: f64 = 0.4;

/// If a polarity has at least this fraction of the points' weight, the others are skipped, to save time.
const GOOD_SCORE: f64 = 0.8;

/// Exponents of the number of pixels in the numbers of circles and of ellipses that could be traced (Pătrăucean et al.
/// 2012): one half for each of the three or five parameters.
const CIRCLE_POWER: f64 = 1.5;
const OVAL_POWER: f64 = 2.5;

/// Distance from the outline within which an arc takes part in the last fit: three tolerances, at least one pixel. The
/// fit uses the pixels around, not the steps, so an arc whose step is off by a little more does no harm.
const PART_TOLERANCES: f64 = 3.0;
const PART_PX: f64 = 1.0;

/// How far the radius of an outline may be outside the range while it is followed, as a fraction: half of a start's.
const SLACK: f64 = 0.15;

/// Part of the difference of the axes within which a circle lies on more than half of the arcs. It lies within half of
/// it on all of them.
const ROUND_PART: f64 = 0.25;

/// Smallest radius for which an ellipse's own edges vote, as a part of its radius. Its smallest radius of curvature is
/// b²/a, which is (b/a)^1.5 of √(ab). At the default limit of the ratio, 0.55, that is 0.41.
const LEAST_OF_OWN: f64 = 0.4;

/// Largest difference between the centres, and between the radii, of one outline traced from two starts, as a fraction
/// of the radius. Rims of two objects are at least as far apart as their radii.
pub(crate) const ALIKE: f64 = 0.1;

/// A traced outline with its evidence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rim {
    pub(crate) oval: Oval,
    pub(crate) closure: Closure,
    /// Bit mask of the arcs that take part.
    pub(crate) active: u64,
}

/// Follows edges to outlines.
#[derive(Default)]
pub(crate) struct Tracer {
    pub(crate) arcs: Arcs,
    points: Vec<(f64, f64)>,
    pub(crate) trials: Trials,
}

impl Tracer {
    /// Follows the edges near a start. `None` if they do not lead to an outline with enough evidence.
    pub(crate) fn trace(&mut self, frame: Frame<'_>, mut oval: Oval, range: RadiusRange) -> Option<Rim> {
        let mut moved_px = f64::INFINITY;
        for (look, (window, scale)) in LOOKS.into_iter().enumerate() {
            let is_last = look + 1 == LOOKS.len();
            if !is_last && moved_px < NEAR_PX {
                continue;
            }
            self.arcs.look(frame, &oval, window_for(oval.radius(), window), !is_last);
            let Some(closer) = self.closer(&oval, scale) else {
                return self.trials.note(oval, Outcome::NoEllipse);
            };
            (oval, moved_px) = (closer, closer.apart_px(&oval));
            if !is_sought(&oval, range, SLACK) {
                return self.trials.note(oval, Outcome::OutOfLimits);
            }
        }
        if !is_sought(&oval, range, RADIUS_SLACK) || !frame.holds(oval.circle()) {
            return self.trials.note(oval, Outcome::OutOfLimits);
        }
        let rim = if moved_px < NEAR_PX {
            // The window of the last look differs from that of this outline by less than the width of an edge.
            self.arcs.relate(&oval);
            self.judge_seen(frame, &oval)
        } else {
            self.judge(frame, &oval)
        };
        rim.or_else(|| self.trials.note(oval, Outcome::Open))
    }

    /// The ellipse through the edges found, for the polarity that agrees best.
    fn closer(&mut self, oval: &Oval, scale: f64) -> Option<Oval> {
        let n = arcs_around(oval.radius());
        let mut best: Option<(f64, Oval)> = None;
        for polarity in POLARITIES {
            // The weight of an arc is this polarity's share of its strongest step, so the sum bounds the score.
            let most: f64 = self.arcs.shares(polarity).sum();
            let enough = best.map_or(MIN_SCORE * n as f64, |(score, _)| score.max(MIN_SCORE * n as f64));
            if enough > GOOD_SCORE * n as f64 || most <= enough {
                continue;
            }
            self.arcs.points(polarity, &mut self.points);
            if 2 * self.points.len() < n {
                continue;
            }
            let Some(fit) = fit_oval(&self.points, *oval, scale, FIT_STEPS) else { continue };
            let shares = self.arcs.shares(polarity);
            let weight = |&(x, y): &(f64, f64)| 1.0 / (1.0 + (fit.depth(x, y, 1.0).0 / scale).powi(2));
            let score = self.points.iter().zip(shares).map(|(point, share)| share * weight(point)).sum::<f64>();
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, fit));
            }
        }
        best.filter(|(score, _)| *score > MIN_SCORE * n as f64).map(|(_, fit)| fit)
    }

    /// The outline with its evidence, as a circle or as an ellipse. `None` if neither has enough.
    pub(crate) fn judge(&mut self, frame: Frame<'_>, oval: &Oval) -> Option<Rim> {
        self.arcs.look(frame, oval, window_for(oval.radius(), WINDOW), false);
        self.judge_seen(frame, oval)
    }

    /// Judges the outline whose arcs were looked at last.
    fn judge_seen(&mut self, frame: Frame<'_>, oval: &Oval) -> Option<Rim> {
        let Axes { a, b, .. } = oval.axes()?;
        let as_oval = self.judge_as(frame, oval, OVAL_POWER);
        let may_be_round = ROUND_PART * (a - b) < largest_tolerance_px(oval.radius());
        let as_circle = may_be_round.then(|| {
            let circle = Oval::round(oval.circle());
            self.arcs.relate(&circle);
            self.judge_as(frame, &circle, CIRCLE_POWER)
        });
        let both = [as_circle.flatten(), as_oval].into_iter().flatten();
        both.min_by(|one, other| one.closure.log_alarms.total_cmp(&other.closure.log_alarms))
    }

    fn judge_as(&self, frame: Frame<'_>, oval: &Oval, power: f64) -> Option<Rim> {
        let (closure, share) = self.closure(frame, oval, power);
        if closure.log_alarms > MOST_ALARMS_BEFORE_FIT || share < MIN_SHARE {
            return None;
        }
        Some(Rim { oval: *oval, closure, active: self.near(closure.polarity, part_px(&closure)) })
    }

    /// The evidence that the outline whose arcs were looked at is closed, and the share of it that has an edge.
    fn closure(&self, frame: Frame<'_>, oval: &Oval, power: f64) -> (Closure, f64) {
        let closure = self.arcs.closure(oval.radius(), power * ((frame.width * frame.height) as f64).log10());
        let seen = self.arcs.all.iter().filter(|arc| arc.inside).count() as f64 / self.arcs.all.len().max(1) as f64;
        (closure, closure.share * seen)
    }

    /// The expected false alarms of an outline, as a power of ten, and the share of it that has an edge. It is taken as
    /// a circle or an ellipse, whichever has more evidence.
    pub(crate) fn evidence(&mut self, frame: Frame<'_>, oval: &Oval) -> (f64, f64) {
        let mut seen = |oval: &Oval, power: f64| {
            self.arcs.look(frame, oval, window_for(oval.radius(), WINDOW), false);
            self.closure(frame, oval, power)
        };
        let circle = seen(&Oval::round(oval.circle()), CIRCLE_POWER);
        let ellipse = seen(oval, OVAL_POWER);
        let (closure, share) = if circle.0.log_alarms < ellipse.0.log_alarms { circle } else { ellipse };
        (closure.log_alarms, share)
    }

    /// Bit mask of the arcs whose edge lies within a distance of the outline.
    fn near(&self, polarity: Polarity, within_px: f64) -> u64 {
        let arcs = self.arcs.all.iter().enumerate();
        arcs.filter(|(_, arc)| arc.agrees(polarity, within_px)).fold(0, |mask, (k, _)| mask | 1 << k)
    }
}

impl Rim {
    /// Whether the evidence is beyond doubt.
    pub(crate) fn is_ample(&self) -> bool {
        self.closure.log_alarms < AMPLE_ALARMS && self.closure.share > AMPLE_SHARE
    }

    /// Whether the evidence is enough without the fit.
    pub(crate) fn is_certain(&self) -> bool {
        self.closure.log_alarms <= MOST_ALARMS
    }

    /// Whether a candidate is a peak of this outline's own votes: it lies within the outline, and is not a smaller
    /// disc.
    pub(crate) fn explains(&self, candidate: &Candidate) -> bool {
        let (own, dx, dy) =
            (self.oval.radius(), f64::from(candidate.x) - self.oval.x, f64::from(candidate.y) - self.oval.y);
        dx.hypot(dy) < own && f64::from(candidate.radius) > LEAST_OF_OWN * own
    }

    /// Whether another outline is about the same.
    pub(crate) fn is_like(&self, other: &Oval) -> bool {
        let (one, two) = (self.oval.radius(), other.radius());
        let apart = (self.oval.x - other.x).hypot(self.oval.y - other.y);
        apart < ALIKE * one && (one - two).abs() < ALIKE * one
    }
}

/// Distance from the outline within which an arc takes part, in pixels.
pub(crate) fn part_px(closure: &Closure) -> f64 {
    (PART_TOLERANCES * closure.tolerance_px).max(PART_PX)
}
