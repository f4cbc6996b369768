//! The detector "hough": look everywhere coarsely, then measure one circle finely.
//!
//! 1. `reduce`: means over square cells, 4x by default.
//! 2. `gradient`: thin edges that stand out of the noise.
//! 3. `vote`: edges vote for centres; the peaks, ranked by how complete their ring is, become candidates.
//! 4. `rays`: in the full frame, a step along each of 48 rays, and the circle most of them agree on.
//! 5. `refine`: Gauss–Newton on the intensities of the `annulus` around that circle, which takes all the
//!    information the pixels hold; `model` says what a pixel should show, `normal` holds the equations.
//! 6. `verify`: is it a disc? If not, the next candidate; after the last, no circle.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Size};

use super::{Detector, Estimate, RadiusLimits, RadiusRange};
use frame::Frame;

mod annulus;
mod frame;
mod gradient;
mod model;
mod normal;
mod rays;
mod reduce;
mod refine;
#[cfg(test)]
mod tests;
mod verify;
mod vote;

#[doc(hidden)]
pub mod trace {
    use std::cell::{Cell, RefCell};
    thread_local! {
        pub static TRUTH: Cell<Option<(f32, f32, f32)>> = const { Cell::new(None) };
        pub static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }
    pub fn log(f: impl FnOnce() -> String) {
        if TRUTH.get().is_some() {
            LOG.with_borrow_mut(|l| l.push(f()));
        }
    }
    pub fn near(x: f32, y: f32, r: f32, tol: f32) -> bool {
        TRUTH.get().is_some_and(|(a, b, c)| (a - x).hypot(b - y) < tol && (r < 0.0 || (c - r).abs() < tol))
    }
}

/// The name this detector is asked for by.
pub const NAME: &str = "hough";

/// Share of directions in which a disc must be confirmed to be taken without a look at the other candidates.
const EXCELLENT: f32 = 0.9;

/// Slack on the range of radii, as a part of the radius and in pixels: a limit names a true radius, not an estimate.
const RADIUS_SLACK: (f64, f64) = (0.02, 0.5);

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
        self.gradients.find(&self.cells);
        self.votes.cast(&self.cells, &self.gradients.edges, range);
        self.rays.expect(range);
        self.best_candidate(frame, range)
    }

    /// The first candidate confirmed nearly all around, else the one confirmed best.
    fn best_candidate(&mut self, frame: Frame<'_>, range: RadiusRange) -> Option<Estimate> {
        let mut best: Option<(f32, Estimate)> = None;
        trace::log(|| {
            format!(
                "ncand {} near {:?}",
                self.votes.candidates.len(),
                self.votes.candidates.iter().position(|c| trace::near(c.x, c.y, c.radius, 6.0))
            )
        });
        for i in 0..self.votes.candidates.len() {
            let Some((share, estimate)) = self.measure(i, frame, range) else {
                continue;
            };
            if best.is_none_or(|(most, _)| share > most) {
                best = Some((share, estimate));
            }
            if share >= EXCELLENT {
                break;
            }
        }
        best.map(|(_, estimate)| estimate)
    }

    /// The candidate's circle and the share of directions that confirm it; `None` when it is no disc.
    fn measure(&mut self, candidate: usize, frame: Frame<'_>, range: RadiusRange) -> Option<(f32, Estimate)> {
        let noise_gray = self.gradients.noise_gray;
        let candidate = self.votes.candidates[candidate];
        let near = trace::near(candidate.x, candidate.y, candidate.radius, 6.0);
        let t = std::time::Instant::now();
        let start = self.rays.locate(frame, candidate, self.cells.factor as f32, noise_gray);
        trace::log(|| {
            format!(
                "rays near={near} {:.0}us {:?} {candidate:?}",
                t.elapsed().as_nanos() as f32 / 1e3,
                start.map(|s| (s.ring, s.edge_sigma, s.sectors.count_ones()))
            )
        });
        let start = start?;
        let t = std::time::Instant::now();
        let fit = self.refiner.fit(frame, &start, noise_gray);
        trace::log(|| {
            format!(
                "fit near={near} {:.0}us {:?}",
                t.elapsed().as_nanos() as f32 / 1e3,
                fit.as_ref().map(|f| (f.circle, f.edge_sigma, f.plane, f.sectors.iter().filter(|s| s.active).count()))
            )
        });
        let fit = fit?;
        let share = verify::share_confirmed(&fit, noise_gray);
        trace::log(|| format!("verify near={near} {share:?}"));
        if near && share.is_none() {
            for s in &fit.sectors {
                trace::log(|| format!("   {s:?}"));
            }
        }
        let share = share?;
        let estimate = Estimate { circle: fit.circle, covariance: Some(fit.covariance) };
        (is_within(range, fit.circle.radius) && frame.holds(fit.circle)).then_some((share, estimate))
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
    /// Whether the centre lies on the frame, whose pixels reach half a pixel beyond their centres.
    fn holds(self, circle: Circle) -> bool {
        (-0.5..=self.width as f64 - 0.5).contains(&circle.x) && (-0.5..=self.height as f64 - 0.5).contains(&circle.y)
    }
}
