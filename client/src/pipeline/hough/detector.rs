//! The whole detector: tries the candidates in turn until one is a disc. If none is, or if the disc is doubtful, looks
//! for a closed edge.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Size};
use shared::protocol::message::Ellipse;

use super::all::Found;
use super::bounds::{MAX_CANDIDATES, RADIUS_SLACK, RADIUS_SLACK_PX};
use super::explain::{Outcome, Trials};
use super::fit::refine::{Fit, Refiner};
use super::frame::Frame;
use super::locate::moments::start_from_moments;
use super::locate::rays::Rays;
use super::rim::doubt::is_doubtful;
use super::rim::measure::{Measured, Rims};
use super::rim::oval::Oval;
use super::rim::starts::Edges;
use super::rim::trace::Rim;
use super::search::candidates::{Candidate, Candidates};
use super::search::gradient::Gradients;
use super::search::reduce::{Cells, factor_for};
use super::verify::judge::judge;
use super::verify::verdict::Verdict;
use crate::pipeline::detector::{Detector, Estimate};
use crate::pipeline::parameters::Parameter;
use crate::pipeline::radii::{DEFAULT_MIN_AXIS_RATIO, MIN_AXIS_RATIO, RadiusLimits, RadiusRange};

/// The name that selects this detector.
pub const NAME: &str = "hough";

/// What changes how the detector works, beside the radii. The least ratio is that of the command line.
pub(super) const PARAMETERS: [Parameter; 1] = [Parameter {
    name: "min_axis_ratio",
    default: DEFAULT_MIN_AXIS_RATIO,
    from: MIN_AXIS_RATIO,
    to: 1.0,
    is_whole: false,
}];

/// Largest radius of the first search if none is asked for, as a part of the frame's shorter side. Larger discs are
/// looked for afterwards, because the time of a search grows with its range.
const FIRST_RADIUS_OF_SIDE: f64 = 0.25;

/// Edge sigma, in pixels, above which a disc without a ring may be one that moved by its own width.
const WIDE_EDGE_PX: f32 = 1.5;

/// Largest number of cells along a side, because walks over the cells count in 16.16 fixed point. Frames from links and
/// files are never larger than [`MAX_SIDE`](shared::geometry::MAX_SIDE).
const MAX_CELLS: usize = i16::MAX as usize;

/// Gradient voting with a least-squares fit to the intensities. See the [module](super).
#[derive(Default)]
pub struct Hough {
    limits: RadiusLimits,
    min_axis_ratio: Option<f64>,
    pub(super) trials: Trials,
    copy: Vec<u8>,
    /// The best candidates of the first search, to be traced if none is a disc.
    tried: Vec<Candidate>,
    pub(super) all: Vec<Found>,
    pub(crate) cells: Cells,
    pub(crate) gradients: Gradients,
    pub(crate) candidates: Candidates,
    pub(crate) rays: Rays,
    pub(crate) refiner: Refiner,
    pub(super) rims: Rims,
}

/// The radii of a frame that are looked for first, the larger ones if there are any, and all that are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Sought {
    pub(crate) first: RadiusRange,
    larger: Option<RadiusRange>,
    pub(crate) all: RadiusRange,
}

impl Hough {
    /// Creates a detector of circles with radii within `limits`.
    #[must_use]
    pub fn new(limits: RadiusLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Takes ellipses whose half-axes have at least this ratio, instead of
    /// [`DEFAULT_MIN_AXIS_RATIO`](crate::pipeline::DEFAULT_MIN_AXIS_RATIO).
    #[must_use]
    pub fn with_min_axis_ratio(mut self, ratio: f64) -> Self {
        self.min_axis_ratio = Some(ratio);
        self
    }

    pub(super) fn set_number(&mut self, name: &str, value: f64) {
        if name == PARAMETERS[0].name {
            self.min_axis_ratio = Some(value);
        }
    }

    /// The radii and axis ratios that are looked for in frames of this size. `None` if there are none.
    pub fn range(&self, size: Size) -> Option<RadiusRange> {
        let range = self.limits.range(size)?;
        Some(self.min_axis_ratio.map_or(range, |ratio| range.with_min_axis_ratio(ratio)))
    }

    pub(crate) fn detect_in(&mut self, frame: Frame<'_>) -> Option<Estimate> {
        let sought = self.search(frame)?;
        self.best_candidate(frame, sought).or_else(|| self.closed_edge(frame, sought))
    }

    /// Searches the whole frame for candidates. Returns the radii it looks for; `None` if there are none.
    pub(super) fn search(&mut self, frame: Frame<'_>) -> Option<Sought> {
        let size = Size { width: frame.width as u32, height: frame.height as u32 };
        let sought = self.sought(size)?;
        self.cells.reduce(frame.pixels, frame.width, factor_for(sought.first.min()));
        if self.cells.width.max(self.cells.height) > MAX_CELLS {
            return None;
        }
        self.gradients.find(&self.cells);
        self.candidates.cast(&self.cells, &self.gradients.edges, sought.first);
        self.rays.expect(sought.first);
        self.refiner.expect(sought.first);
        Some(sought)
    }

    fn sought(&self, size: Size) -> Option<Sought> {
        let all = self.range(size)?;
        let first_px = FIRST_RADIUS_OF_SIDE * f64::from(size.shorter_side());
        let is_wide = self.limits.max.is_none() && (all.min()..all.max()).contains(&first_px);
        if !is_wide {
            return Some(Sought { first: all, larger: None, all });
        }
        let part =
            |min: f64, max: f64| RadiusRange::new(min, max).map(|part| part.with_min_axis_ratio(all.min_axis_ratio()));
        Some(Sought { first: part(all.min(), first_px).ok()?, larger: part(first_px, all.max()).ok(), all })
    }

    /// Calls `look` with the pixels row by row. Copies the pixels if they are stored in another order.
    pub(super) fn see<T>(&mut self, gray: ArrayView2<'_, u8>, look: impl FnOnce(&mut Self, Frame<'_>) -> T) -> T {
        let (height, width) = gray.dim();
        if let Some(pixels) = gray.to_slice() {
            return look(self, Frame { pixels, width, height });
        }
        let mut copy = std::mem::take(&mut self.copy);
        copy.clear();
        copy.extend(gray.iter());
        let found = look(self, Frame { pixels: &copy, width, height });
        self.copy = copy;
        found
    }

    /// Returns the first candidate with ample evidence, else the one with the most evidence, else an outline beyond
    /// doubt at the first candidate.
    ///
    /// Candidates inside such an outline are passed over: they are peaks of its own votes.
    fn best_candidate(&mut self, frame: Frame<'_>, sought: Sought) -> Option<Estimate> {
        let mut best: Option<(f64, Estimate)> = None;
        let mut outline: Option<Rim> = None;
        let mut is_first = true;
        self.tried.clear();
        while self.candidates.examine_more(&self.cells) {
            let room = MAX_CANDIDATES - self.tried.len();
            self.tried.extend(self.candidates.ranked.iter().take(room));
            for i in 0..self.candidates.ranked.len() {
                let candidate = self.candidates.ranked[i];
                if outline.is_some_and(|rim| rim.explains(&candidate)) {
                    continue;
                }
                let measured = self.measure(i, frame, sought.first);
                if measured.is_none() && is_first {
                    outline = self.rims.trace_candidate(frame, &candidate, sought.all);
                }
                is_first = false;
                let Some((verdict, estimate)) = measured else {
                    continue;
                };
                if best.is_none_or(|(most, _)| verdict.evidence > most) {
                    best = Some((verdict.evidence, estimate));
                }
                if verdict.ample {
                    return Some(estimate);
                }
            }
        }
        let found = best.map(|(_, estimate)| estimate);
        found.or_else(|| self.measured(&outline?, frame, sought.all))
    }

    /// Returns the outline with the most evidence of an edge that closes. Candidates are traced only if no chain of
    /// edges leads to an outline beyond doubt, and larger ones are looked for only if no candidate does either.
    fn closed_edge(&mut self, frame: Frame<'_>, sought: Sought) -> Option<Estimate> {
        let (map, range) = (self.candidates.map(), sought.all);
        let of_chains = Edges { cells: &self.cells, edges: &self.gradients.edges, map, candidates: &[] };
        let is_clear =
            self.rims.trace_one(frame, of_chains, range) || self.rims.trace_candidates(frame, &self.tried, range);
        if let Some(larger) = sought.larger.filter(|_| !is_clear) {
            self.candidates.cast(&self.cells, &self.gradients.edges, larger);
            self.candidates.examine_more(&self.cells);
            self.rims.trace_candidates(frame, &self.candidates.ranked, range);
        }
        (0..self.rims.traced.len()).find_map(|i| self.measure_rim(i, frame, range))
    }

    /// Measures a traced outline. `None` if it turns out to be out of range.
    pub(super) fn measure_rim(&mut self, traced: usize, frame: Frame<'_>, range: RadiusRange) -> Option<Estimate> {
        let rim = self.rims.traced[traced];
        self.measured(&rim, frame, range)
    }

    fn measured(&mut self, rim: &Rim, frame: Frame<'_>, range: RadiusRange) -> Option<Estimate> {
        let Some(measured) = self.rims.measure(frame, rim, self.gradients.noise_gray) else {
            return self.trials.note(rim.oval, Outcome::NoFit);
        };
        let found = estimate(&measured);
        if !is_valid(frame, range, found.circle) || !has_ratio(range, &found) {
            return self.trials.note(measured.oval, Outcome::OutOfLimits);
        }
        self.trials.note::<()>(Oval::of(&found), Outcome::Accepted);
        Some(found)
    }

    /// Measures a candidate: its circle and how certain it is. `None` if it is not a disc.
    pub(crate) fn measure(
        &mut self,
        candidate: usize,
        frame: Frame<'_>,
        range: RadiusRange,
    ) -> Option<(Verdict, Estimate)> {
        let noise_gray = self.gradients.noise_gray;
        let candidate = self.candidates.ranked[candidate];
        let Some(start) = self.rays.locate(frame, candidate, self.cells.factor as f32, noise_gray) else {
            return self.trials.note(Oval::round(candidate.circle()), Outcome::NoRing);
        };
        let fit = self.refiner.fit(frame, &self.cells, &start).or_else(|| {
            let wide = start.edge_sigma > WIDE_EDGE_PX;
            let start = wide.then(|| start_from_moments(frame, &start)).flatten()?;
            self.refiner.fit(frame, &self.cells, &start)
        });
        let Some(fit) = fit else { return self.trials.note(Oval::round(candidate.circle()), Outcome::NoFit) };
        let Some(verdict) = judge(&fit, noise_gray) else {
            return self.trials.note(Oval::round(fit.circle), Outcome::NoDisc);
        };
        if !is_valid(frame, range, fit.circle) {
            return self.trials.note(Oval::round(fit.circle), Outcome::OutOfLimits);
        }
        let found = self.undoubted(frame, &fit, range);
        if !has_ratio(range, &found) {
            return self.trials.note(Oval::of(&found), Outcome::OutOfLimits);
        }
        self.trials.note::<()>(Oval::of(&found), Outcome::Accepted);
        Some((verdict, found))
    }

    /// The estimate of a fit, or of its outline if that explains the pixels better than a round, even disc.
    fn undoubted(&mut self, frame: Frame<'_>, fit: &Fit, range: RadiusRange) -> Estimate {
        let own = Estimate { circle: fit.circle, ellipse: None, covariance: Some(fit.covariance) };
        if !is_doubtful(frame, fit, self.gradients.noise_gray) {
            return own;
        }
        let better = self.rims.measure_again(frame, &Oval::round(fit.circle), range, self.gradients.noise_gray);
        let explains = |measured: &Measured| measured.fitted.is_some_and(|fitted| !fitted.is_plain());
        let better = better.filter(explains).map(|measured| estimate(&measured));
        better.filter(|found| is_valid(frame, range, found.circle)).unwrap_or(own)
    }
}

impl Detector for Hough {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn set(&mut self, name: &str, value: f64) {
        self.set_number(name, value);
    }

    fn detect(&mut self, gray: ArrayView2<'_, u8>) -> Option<Estimate> {
        self.see(gray, Self::detect_in)
    }
}

/// The estimate of a measured outline.
fn estimate(measured: &Measured) -> Estimate {
    let is_round = measured.fitted.is_some_and(|fitted| fitted.hypothesis.round);
    let axes = measured.oval.axes().filter(|_| !is_round);
    let ellipse = axes.map(|axes| Ellipse { axes: [axes.a, axes.b], angle: axes.angle() });
    Estimate { circle: measured.oval.circle(), ellipse, covariance: Some(measured.covariance) }
}

/// Whether the half-axes are alike enough, with the slack that outlines have.
fn has_ratio(range: RadiusRange, found: &Estimate) -> bool {
    found.ellipse.is_none_or(|Ellipse { axes: [a, b], .. }| b > range.min_axis_ratio() * (1.0 - RADIUS_SLACK) * a)
}

/// Whether a circle has a radius within the range, and its centre in the frame.
fn is_valid(frame: Frame<'_>, range: RadiusRange, circle: Circle) -> bool {
    let slack = RADIUS_SLACK * circle.radius + RADIUS_SLACK_PX;
    (range.min() - slack..=range.max() + slack).contains(&circle.radius) && frame.holds(circle)
}
