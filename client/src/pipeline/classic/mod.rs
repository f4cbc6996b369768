//! The detector "hough-classic": the plain gradient method as OpenCV's `HoughCircles` does it, for comparison.
//!
//! What users of OpenCV get from `GaussianBlur(9x9, sigma 2)` and `HoughCircles(HOUGH_GRADIENT, dp = 1, param1 = 50,
//! param2 = 30)`, stage by stage and quirk by quirk, the best circle only:
//!
//! 1. `blur`: 9x9 Gaussian in fixed point, `GaussianBlur`'s way for bytes.
//! 2. `sobel`: 3x3 differences, border replicated.
//! 3. `canny`: edges one pixel thin, by the L1 norm, weak ones kept where they touch strong ones.
//! 4. `vote`: each edge pixel votes along its gradient, both ways; local maxima are centres.
//! 5. `radius`: the best supported radius of each centre; the centre with the most support wins.
//!
//! Centres come out on a lattice of half pixels, which alone costs 0.5 px of mean L1 error: that is the method, kept.
//! `cargo bench -p server --bench detector -- --parity` holds every stage against OpenCV's own.
//!
//! Method: Yuen, Princen, Illingworth, Kittler, "Comparative study of Hough transform methods for circle finding",
//! Image and Vision Computing 8(1), 1990; Canny, PAMI 8(6), 1986. Figures: OpenCV 4.14.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Size};

use super::detector::{Detector, Estimate};
use super::radii::{RadiusLimits, RadiusRange};

mod blur;
mod canny;
mod radius;
mod sobel;
#[cfg(test)]
mod tests;
mod vote;

/// The name this detector is asked for by.
pub const NAME: &str = "hough-classic";

/// The gradient method as OpenCV does it. See the [module](self).
#[derive(Default)]
pub struct Classic {
    limits: RadiusLimits,
    copy: Vec<u8>,
    blur: blur::Blur,
    gradients: sobel::Gradients,
    edges: canny::Edges,
    votes: vote::Votes,
    supports: radius::Supports,
}

/// What the last frame left behind in each stage, to be compared with other programs.
#[derive(Clone, Debug)]
pub struct Stages<'a> {
    /// Pixels of a row of the arrays.
    pub width: usize,
    /// Blurred gray levels.
    pub blurred: &'a [u8],
    /// Differences to the right.
    pub dx: &'a [i16],
    /// Differences downwards.
    pub dy: &'a [i16],
    /// Edge pixels as (column, row), in no particular order.
    pub edges: Vec<(usize, usize)>,
    /// Centres in px, the most voted first, of equals the upper left one.
    pub centres: Vec<(f32, f32)>,
    /// Circles, the best first, with the number of edge pixels on each.
    pub circles: Vec<(Circle, u32)>,
}

impl Classic {
    /// A detector of circles with radii within `limits`, widened to whole pixels.
    #[must_use]
    pub fn new(limits: RadiusLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The stages of the last frame a circle was looked for in.
    #[must_use]
    pub fn stages(&self) -> Stages<'_> {
        let mut circles = self.supports.circles.clone();
        circles.sort_by(|a, b| b.compare(a));
        Stages {
            width: self.gradients.width,
            blurred: &self.blur.blurred,
            dx: &self.gradients.dx,
            dy: &self.gradients.dy,
            edges: self.edges.pixels.iter().map(|pixel| (pixel.x, pixel.y)).collect(),
            centres: self.votes.centres_by_votes(),
            circles: circles.iter().map(|found| (found.circle(), found.pixels)).collect(),
        }
    }

    fn detect_in(&mut self, pixels: &[u8], width: usize) -> Option<Estimate> {
        let height = pixels.len().checked_div(width).filter(|&height| height > 0)?;
        let size = Size { width: u32::try_from(width).ok()?, height: u32::try_from(height).ok()? };
        let radii = Radii::within(self.limits.range(size)?, size)?;
        self.blur.blur(pixels, width);
        self.gradients.find(&self.blur.blurred, width);
        self.edges.find(&self.gradients);
        self.votes.cast(&self.edges.pixels, &self.gradients, radii);
        let circle = self.supports.best(&self.edges, &self.votes, radii)?;
        Some(Estimate { circle, covariance: None })
    }
}

impl Detector for Classic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn detect(&mut self, gray: ArrayView2<'_, u8>) -> Option<Estimate> {
        let width = gray.dim().1;
        if let Some(pixels) = gray.to_slice() {
            return self.detect_in(pixels, width);
        }
        let mut copy = std::mem::take(&mut self.copy);
        copy.clear();
        copy.extend(gray.iter());
        let found = self.detect_in(&copy, width);
        self.copy = copy;
        found
    }
}

/// Radii looked for, in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Radii {
    min: u32,
    max: u32,
}

impl Radii {
    /// The range widened to whole pixels; `None` when no such circle has its centre and a part of its edge in the frame.
    ///
    /// An empty range becomes one of two pixels, as OpenCV's does.
    fn within(range: RadiusRange, size: Size) -> Option<Self> {
        // No edge of the frame is farther from a centre in it than this.
        let diagonal = f64::from(size.width).hypot(f64::from(size.height)).ceil();
        if range.min() > diagonal {
            return None;
        }
        let (min, max) = (range.min().floor() as u32, range.max().min(diagonal).ceil() as u32);
        Some(Self { min, max: if max > min { max } else { min + 2 } })
    }
}

/// Rounds to a whole number, halves to the even one, as OpenCV does; exact below 2²² = 4,194,304.
///
/// Where the processor's own instruction cannot be relied upon, `f32::round_ties_even` is a slow call.
fn round(value: f32) -> f32 {
    const ROUNDER: f32 = 12_582_912.0;
    (value + ROUNDER) - ROUNDER
}
