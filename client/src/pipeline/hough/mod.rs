//! The detector "hough": look everywhere coarsely, then measure one circle finely.
//!
//! 1. `reduce`: means over square cells, 4x by default.
//! 2. `gradient`: thin edges that stand out of the noise.
//! 3. `vote`: edges vote for centres; the peaks, ranked by how complete their `ring` is, become candidates.
//! 4. `rays`: in the full frame, the strongest `steps` along each of 48 rays, and the `circle` most of them agree on.
//! 5. `refine`: Gauss–Newton on the intensities of the `annulus` around that circle, which takes all the information the
//!    pixels hold, read in the order the `compass` has, in `sectors`. `model` says what a pixel should show, with a
//!    `profile` across the edge, `columns` how far it does not and why; `products` of these are summed up for each sector
//!    (`sums`), `normal` makes one system of equations of them and solves it (`cholesky`). What the sums mean for the
//!    model (`state`): `judge` says which sectors show the disc, `misfit` whether the disc is a bad one all around,
//!    `ground` how the ground lies, `motion` whether the disc moved. One that moved by its own width has no ring to start
//!    from, and starts from its `moments`.
//! 6. `verify`: is it a disc, by the `evidence` of each direction? If not, the next candidate; after the last, no circle.
//!
//! The loops that take the time are in `simd`.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Size};

use super::detector::{Detector, Estimate};
use super::radii::{RadiusLimits, RadiusRange};
use frame::Frame;
use moments::start_from_moments;

mod annulus;
mod cholesky;
mod circle;
mod columns;
mod compass;
mod evidence;
mod frame;
mod gradient;
mod ground;
mod judge;
mod misfit;
mod model;
mod moments;
mod motion;
mod normal;
mod products;
mod profile;
mod rays;
mod reduce;
mod refine;
mod ring;
mod sectors;
mod simd;
#[doc(hidden)]
pub mod stages;
mod state;
mod steps;
mod sums;
#[cfg(test)]
mod tests;
mod verify;
mod vote;

/// The name this detector is asked for by.
pub const NAME: &str = "hough";

/// Slack on the range of radii, as a part of the radius and in pixels: a limit names a true radius, not an estimate.
const RADIUS_SLACK: (f64, f64) = (0.02, 0.5);

/// Slack on the frame's border, in pixels: half a disc of 10 px in noise of 10 gray levels is known to 0.05 px.
const CENTRE_SLACK_PX: f64 = 0.25;

/// Sigma of an edge, in pixels, above which a disc that has no ring may be one that moved by its own width.
const WIDE_EDGE_PX: f32 = 1.5;

/// Most cells along a side: the walks over them count in 16.16 fixed point. No frame from a link or a file has more than
/// [`MAX_SIDE`](shared::geometry::MAX_SIDE).
const MAX_CELLS: usize = i16::MAX as usize;

/// Gradient voting with a least-squares fit to the intensities. See the [module](self).
#[derive(Default)]
pub struct Hough {
    limits: RadiusLimits,
    copy: Vec<u8>,
    cells: reduce::Cells,
    gradients: gradient::Gradients,
    votes: vote::Votes,
    rays: rays::Rays,
    refiner: refine::Refiner,
}

impl Hough {
    /// A detector of circles with radii within `limits`.
    #[must_use]
    pub fn new(limits: RadiusLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn detect_in(&mut self, frame: Frame<'_>) -> Option<Estimate> {
        let size = Size { width: frame.width as u32, height: frame.height as u32 };
        let range = self.limits.range(size)?;
        self.cells.reduce(frame.pixels, frame.width, reduce::factor_for(range.min()));
        if self.cells.width.max(self.cells.height) > MAX_CELLS {
            return None;
        }
        self.gradients.find(&self.cells);
        self.votes.cast(&self.cells, &self.gradients.edges, range);
        self.rays.expect(range);
        self.refiner.expect(range);
        self.best_candidate(frame, range)
    }

    /// The first candidate with ample evidence, else the one with most.
    fn best_candidate(&mut self, frame: Frame<'_>, range: RadiusRange) -> Option<Estimate> {
        let mut best: Option<(f64, Estimate)> = None;
        while self.votes.examine_more(&self.cells) {
            for i in 0..self.votes.candidates.len() {
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

    /// The candidate's circle and how sure it is; `None` when it is no disc.
    fn measure(
        &mut self,
        candidate: usize,
        frame: Frame<'_>,
        range: RadiusRange,
    ) -> Option<(verify::Verdict, Estimate)> {
        let noise_gray = self.gradients.noise_gray;
        let candidate = self.votes.candidates[candidate];
        let start = self.rays.locate(frame, candidate, self.cells.factor as f32, noise_gray)?;
        let fit = self.refiner.fit(frame, &start).or_else(|| {
            let wide = start.edge_sigma > WIDE_EDGE_PX;
            let start = wide.then(|| start_from_moments(frame, &start)).flatten()?;
            self.refiner.fit(frame, &start)
        })?;
        let verdict = verify::judge(&fit, noise_gray)?;
        let estimate = Estimate { circle: fit.circle, covariance: Some(fit.covariance) };
        (is_within(range, fit.circle.radius) && frame.holds(fit.circle)).then_some((verdict, estimate))
    }
}

impl Detector for Hough {
    fn name(&self) -> &'static str {
        NAME
    }

    fn detect(&mut self, gray: ArrayView2<'_, u8>) -> Option<Estimate> {
        let (height, width) = gray.dim();
        if let Some(pixels) = gray.to_slice() {
            return self.detect_in(Frame { pixels, width, height });
        }
        let mut copy = std::mem::take(&mut self.copy);
        copy.clear();
        copy.extend(gray.iter());
        let found = self.detect_in(Frame { pixels: &copy, width, height });
        self.copy = copy;
        found
    }
}

fn is_within(range: RadiusRange, radius: f64) -> bool {
    let slack = RADIUS_SLACK.0 * radius + RADIUS_SLACK.1;
    (range.min() - slack..=range.max() + slack).contains(&radius)
}

impl Frame<'_> {
    /// Whether the centre lies on the frame, whose pixels reach half a pixel beyond their centres, or as near to it as an
    /// estimate of one on its border may be.
    fn holds(self, circle: Circle) -> bool {
        let beyond = 0.5 + CENTRE_SLACK_PX;
        let within = |at: f64, length: usize| (-beyond..=length as f64 - 1.0 + beyond).contains(&at);
        within(circle.x, self.width) && within(circle.y, self.height)
    }
}
