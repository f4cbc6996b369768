//! The whole detector: runs the stages and shows the result of each.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Size};

use super::blur::Blur;
use super::canny::{Edges, STRONG};
use super::radii::Radii;
use super::radius::Supports;
use super::sobel::Gradients;
use super::vote::{LEAST, Votes};
use crate::pipeline::detector::{Detector, Estimate};
use crate::pipeline::parameters::Parameter;
use crate::pipeline::radii::RadiusLimits;

/// Name of this detector on the command line.
pub const NAME: &str = "hough-classic";

/// OpenCV's names of the thresholds.
const PARAMETERS: [Parameter; 2] = [
    Parameter { name: "param1", default: STRONG as f64, from: 2.0, to: 2040.0, is_whole: true },
    Parameter { name: "param2", default: LEAST as f64, from: 1.0, to: 100_000.0, is_whole: true },
];

/// The gradient method of OpenCV. See the [module](super).
#[derive(Default)]
pub struct Classic {
    limits: RadiusLimits,
    copy: Vec<u8>,
    blur: Blur,
    gradients: Gradients,
    edges: Edges,
    votes: Votes,
    supports: Supports,
}

/// Results of each stage for the last frame, for comparison with other programs.
#[derive(Clone, Debug)]
pub struct Stages<'a> {
    /// Pixels per row of the arrays.
    pub width: usize,
    /// Blurred gray levels.
    pub blurred: &'a [u8],
    /// Differences to the right.
    pub dx: &'a [i16],
    /// Differences downwards.
    pub dy: &'a [i16],
    /// Edge pixels as (column, row), in no particular order.
    pub edges: Vec<(usize, usize)>,
    /// Centres in px, sorted by votes, the highest first. Of equal ones the upper left comes first.
    pub centres: Vec<(f32, f32)>,
    /// Circles with the number of edge pixels on each, the best first.
    pub circles: Vec<(Circle, u32)>,
}

impl Classic {
    /// A detector of circles with radii within `limits`, which are widened to whole pixels.
    #[must_use]
    pub fn new(limits: RadiusLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The stages of the last frame that was searched for a circle.
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
            centres: self.votes.centres().collect(),
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
        Some(Estimate { circle, ellipse: None, covariance: None })
    }
}

impl Detector for Classic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn parameters(&self) -> &'static [Parameter] {
        &PARAMETERS
    }

    fn set(&mut self, name: &str, value: f64) {
        match name {
            "param1" => self.edges.strong = value as u16,
            "param2" => self.votes.least = value as u32,
            _ => {}
        }
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
