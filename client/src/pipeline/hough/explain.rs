//! Records the outcome of each candidate of a frame, for people who ask why a disc was found, or why none was.
//!
//! The search records its [`Trials`] only on request. Otherwise recording costs the test of one `Option`.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Size};
use shared::protocol::message::Ellipse;

use super::detector::Hough;
use super::frame::Frame;
use super::rim::oval::Oval;
use super::rim::trace::{ALIKE, MIN_SHARE, MOST_ALARMS, Tracer};
use crate::pipeline::detector::Estimate;
use crate::pipeline::radii::RadiusRange;

/// How close a found circle is to the trial that it came from, in pixels: they are the same numbers.
const SAME_PX: f64 = 1e-6;

/// Rejected candidates closer than this are one outline, traced from several starts.
const ONE_OUTLINE_PX: f64 = 0.5;

/// A candidate that was looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The circle with its centre and area, in px, as far as it was measured.
    pub circle: Circle,
    /// The ellipse, if it is not round.
    pub ellipse: Option<Ellipse>,
    /// Evidence of an edge that closes: −log₁₀ of the number of false alarms expected in a random frame. `None` if no
    /// part of its edge lies in the frame.
    pub evidence: Option<f64>,
    /// Share of its outline that has an edge, from 0 to 1.
    pub share: f64,
    /// Why it is not among the discs that were found. `None` if it is.
    pub rejected: Option<String>,
}

/// Why a candidate was rejected, or that it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The rays around a candidate agree on no circle.
    NoRing,
    /// No disc could be fitted to the intensities.
    NoFit,
    /// The fitted disc does not explain the pixels.
    NoDisc,
    /// The edges around a start lie on no ellipse.
    NoEllipse,
    /// Radius, axis ratio or centre is out of the limits.
    OutOfLimits,
    /// Too little evidence of an edge that closes.
    Open,
    Accepted,
}

/// What was tried in a frame, if it is asked for.
#[derive(Default)]
pub(crate) struct Trials(Option<Vec<(Oval, Outcome)>>);

impl Trials {
    /// Keeps notes from now on.
    pub(super) fn ask(&mut self) {
        self.0 = Some(Vec::new());
    }

    /// Notes an outcome. Returns `None`, so that a caller can return what it notes.
    #[inline]
    pub(crate) fn note<T>(&mut self, oval: Oval, outcome: Outcome) -> Option<T> {
        if let Some(all) = &mut self.0 {
            all.push((oval, outcome));
        }
        None
    }

    fn take(&mut self) -> Vec<(Oval, Outcome)> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

impl Hough {
    /// Keeps notes of what is tried, for [`trials`](Self::trials).
    #[must_use]
    pub fn explaining(mut self) -> Self {
        self.trials.ask();
        self.rims.tracer.trials.ask();
        self
    }

    /// What was tried since the last call. Call it after each frame, with the frame and what was found in it. The discs
    /// that were found come first, then those with the most evidence.
    pub fn trials(&mut self, gray: ArrayView2<'_, u8>, found: &[Estimate]) -> Vec<Trial> {
        let mut noted = self.trials.take();
        noted.extend(self.rims.tracer.trials.take());
        let size = Size { width: gray.ncols() as u32, height: gray.nrows() as u32 };
        let Some(range) = self.range(size) else { return Vec::new() };
        let mut all = self.see(gray, |_, frame| {
            let mut judge = Judge { frame, range, tracer: Tracer::default() };
            noted.iter().map(|(oval, outcome)| judge.explain(oval, *outcome, found)).collect::<Vec<_>>()
        });
        let rank = |trial: &Trial| (trial.rejected.is_some(), -trial.evidence.unwrap_or(f64::NEG_INFINITY));
        all.sort_by(|one, other| {
            let ((rejected, less), (other_rejected, other_less)) = (rank(one), rank(other));
            rejected.cmp(&other_rejected).then(less.total_cmp(&other_less))
        });
        // Several starts lead to one outline.
        all.dedup_by(|one, other| {
            one.rejected == other.rejected && apart_px(one.circle, other.circle) < ONE_OUTLINE_PX
        });
        all
    }
}

/// Puts outcomes into words.
struct Judge<'a> {
    frame: Frame<'a>,
    range: RadiusRange,
    tracer: Tracer,
}

impl Judge<'_> {
    fn explain(&mut self, oval: &Oval, outcome: Outcome, found: &[Estimate]) -> Trial {
        let circle = oval.circle();
        let (log_alarms, share) = self.tracer.evidence(self.frame, oval);
        let axes = oval.axes().filter(|axes| axes.b < axes.a * (1.0 - 1e-9));
        Trial {
            circle,
            ellipse: axes.map(|axes| Ellipse { axes: [axes.a, axes.b], angle: axes.angle() }),
            evidence: log_alarms.is_finite().then_some(-log_alarms),
            share,
            rejected: words_of(
                found,
                circle,
                match outcome {
                    Outcome::Accepted if found.iter().any(|found| is_same(found.circle, circle)) => None,
                    Outcome::Accepted => Some("another disc with more evidence was found, here or elsewhere".into()),
                    Outcome::NoRing => Some("the edges around it agree on no circle".into()),
                    Outcome::NoFit => Some("no round, even disc could be fitted to its pixels".into()),
                    Outcome::NoDisc => Some("its pixels are not those of a round, even disc".into()),
                    Outcome::NoEllipse => Some("the edges around it lie on no ellipse".into()),
                    Outcome::OutOfLimits => Some(self.beyond(oval)),
                    Outcome::Open => Some(open(log_alarms, share)),
                },
            ),
        }
    }

    /// The limit that an outline exceeds.
    fn beyond(&self, oval: &Oval) -> String {
        let (radius, min, max, least) =
            (oval.radius(), self.range.min(), self.range.max(), self.range.min_axis_ratio());
        let ratio = oval.axes().map_or(0.0, |axes| axes.b / axes.a);
        if ratio < least {
            format!("its axis ratio, {ratio:.2}, is below {least}")
        } else if !(min..=max).contains(&radius) {
            format!("its radius, {radius:.1} px, is not in {min:.1} to {max:.1} px")
        } else {
            "its centre is outside the picture".into()
        }
    }
}

/// The reason for a rejection, with a remark if the same disc was found as another candidate: at most a tenth of the
/// radius apart.
fn words_of(found: &[Estimate], own: Circle, reason: Option<String>) -> Option<String> {
    let reach = ALIKE * own.radius;
    let is_like =
        |other: Circle| (own.x - other.x).hypot(own.y - other.y) < reach && (own.radius - other.radius).abs() < reach;
    let was_found = found.iter().any(|found| is_like(found.circle));
    reason.map(|reason| if was_found { reason + " (it was found as another candidate)" } else { reason })
}

fn is_same(one: Circle, other: Circle) -> bool {
    apart_px(one, other) < SAME_PX
}

/// Largest difference of two circles' coordinates and radii.
fn apart_px(one: Circle, other: Circle) -> f64 {
    (one.x - other.x).abs().max((one.y - other.y).abs()).max((one.radius - other.radius).abs())
}

fn open(log_alarms: f64, share: f64) -> String {
    if share < MIN_SHARE {
        let (seen, least) = (100.0 * share, 100.0 * MIN_SHARE);
        format!("only {seen:.0} % of its outline shows an edge; {least:.0} % are needed")
    } else {
        format!(
            "its edge may be noise: a picture of pure noise has 10^{log_alarms:.1} such edges on average, and the \
             limit is \
             10^{MOST_ALARMS}"
        )
    }
}
