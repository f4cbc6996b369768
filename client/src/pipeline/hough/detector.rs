//! The whole detector: tries one candidate after the other until one is a disc.

use ndarray::ArrayView2;
use shared::geometry::Size;

use super::all::Found;
use super::fit::refine::Refiner;
use super::frame::Frame;
use super::locate::moments::start_from_moments;
use super::locate::rays::Rays;
use super::search::candidates::Candidates;
use super::search::gradient::Gradients;
use super::search::reduce::{Cells, factor_for};
use super::verify::judge::judge;
use super::verify::verdict::Verdict;
use crate::pipeline::detector::{Detector, Estimate};
use crate::pipeline::radii::{RadiusLimits, RadiusRange};

/// The name that selects this detector.
pub const NAME: &str = "hough";

/// Slack on the range of radii, as a fraction of the radius and in pixels. The limits apply to the true radius, not to
/// an estimate.
const RADIUS_SLACK: (f64, f64) = (0.02, 0.5);

/// Edge sigma, in pixels, above which a disc without a ring may be one that moved by its own width.
const WIDE_EDGE_PX: f32 = 1.5;

/// Largest number of cells along a side, because walks over the cells count in 16.16 fixed point. Frames from links and
/// files are never larger than [`MAX_SIDE`](shared::geometry::MAX_SIDE).
const MAX_CELLS: usize = i16::MAX as usize;

/// Gradient voting with a least-squares fit to the intensities. See the [module](super).
#[derive(Default)]
pub struct Hough {
    limits: RadiusLimits,
    copy: Vec<u8>,
    pub(super) all: Vec<Found>,
    pub(crate) cells: Cells,
    pub(crate) gradients: Gradients,
    pub(crate) candidates: Candidates,
    pub(crate) rays: Rays,
    pub(crate) refiner: Refiner,
}

impl Hough {
    /// Creates a detector of circles with radii within `limits`.
    #[must_use]
    pub fn new(limits: RadiusLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    pub(crate) fn detect_in(&mut self, frame: Frame<'_>) -> Option<Estimate> {
        let range = self.search(frame)?;
        self.best_candidate(frame, range)
    }

    /// Searches the whole frame for candidates. Returns the range of radii it looked for; `None` if that range is
    /// empty.
    pub(super) fn search(&mut self, frame: Frame<'_>) -> Option<RadiusRange> {
        let size = Size { width: frame.width as u32, height: frame.height as u32 };
        let range = self.limits.range(size)?;
        self.cells.reduce(frame.pixels, frame.width, factor_for(range.min()));
        if self.cells.width.max(self.cells.height) > MAX_CELLS {
            return None;
        }
        self.gradients.find(&self.cells);
        self.candidates.cast(&self.cells, &self.gradients.edges, range);
        self.rays.expect(range);
        self.refiner.expect(range);
        Some(range)
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

    /// Returns the first candidate with ample evidence, else the one with the most evidence.
    fn best_candidate(&mut self, frame: Frame<'_>, range: RadiusRange) -> Option<Estimate> {
        let mut best: Option<(f64, Estimate)> = None;
        while self.candidates.examine_more(&self.cells) {
            for i in 0..self.candidates.ranked.len() {
                let Some((verdict, estimate)) = self.measure(i, frame, range) else {
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
        best.map(|(_, estimate)| estimate)
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
        let start = self.rays.locate(frame, candidate, self.cells.factor as f32, noise_gray)?;
        let fit = self.refiner.fit(frame, &self.cells, &start).or_else(|| {
            let wide = start.edge_sigma > WIDE_EDGE_PX;
            let start = wide.then(|| start_from_moments(frame, &start)).flatten()?;
            self.refiner.fit(frame, &self.cells, &start)
        })?;
        let verdict = judge(&fit, noise_gray)?;
        let estimate = Estimate { circle: fit.circle, covariance: Some(fit.covariance) };
        (is_within(range, fit.circle.radius) && frame.holds(fit.circle)).then_some((verdict, estimate))
    }
}

impl Detector for Hough {
    fn name(&self) -> &'static str {
        NAME
    }

    fn detect(&mut self, gray: ArrayView2<'_, u8>) -> Option<Estimate> {
        self.see(gray, Self::detect_in)
    }
}

fn is_within(range: RadiusRange, radius: f64) -> bool {
    let slack = RADIUS_SLACK.0 * radius + RADIUS_SLACK.1;
    (range.min() - slack..=range.max() + slack).contains(&radius)
}
