//! What a pixel near the edge of a disc shows, and how that changes with the disc.
//!
//! The intensity is `I = g + (f - g) P(u)`. `f` is the disc's gray level, with a slope if light falls unevenly. The
//! ground is `g = b + a·(p - o)`, with a level for each sector and one slope. `P` is the edge profile of the depth
//! `u = R - |p - c|` under the edge. There are three profiles:
//! - *Gaussian*, for edges blurred by optics: the normal distribution.
//! - *pixel*, for sharp edges: the area of a square pixel on the disc's side of a straight edge, which depends on the
//!   edge's direction. The square may be larger than a pixel, to follow a little blur.
//! - *smear*, for a disc that moved evenly and straight during the exposure: the mean of up to four parts of the path,
//!   each a box across the edge. Where an edge runs along the motion, its curvature shows. The parts follow it.
//!
//! All profiles take the same width `s²`, a variance: 1/12 px² is a pixel without blur. An edge curved with radius `R`
//! is found `s² / 2R` further in. The radius is corrected for that afterwards, see [`Model::circle`].

use shared::geometry::Circle;

use super::profile::{MIN_VARIANCE, SHARP_VARIANCE, most_variance_step};
use crate::pipeline::hough::bounds::MAX_STEP_PX;
use crate::pipeline::hough::sectors::MAX_SECTORS;

/// Largest variance of an edge, in px²: twice the widest blur foreseen, 4 px.
const MAX_VARIANCE: f64 = 64.0;

/// Smallest radius, in pixels: a disc of one pixel.
const MIN_RADIUS_PX: f64 = 0.5;

/// Shape of the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Gaussian,
    Pixel,
    Smear,
}

/// A disc and its ground. Lengths are in pixels relative to the annulus' origin, and levels are gray levels.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) radius: f64,
    /// Variance of the edge, motion excluded, in px².
    pub(crate) variance: f64,
    pub(crate) disc: f64,
    /// Displacement during the exposure.
    pub(crate) motion: (f64, f64),
    /// Slope of the ground, in gray levels per pixel.
    pub(crate) slope: (f64, f64),
    /// Slope of the disc, in gray levels per pixel.
    pub(crate) disc_slope: (f64, f64),
    /// Ground level of each sector at the origin.
    pub(crate) ground: [f32; MAX_SECTORS],
    pub(crate) profile: Profile,
}

/// A step of the shared parameters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Step {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) radius: f64,
    pub(crate) variance: f64,
    pub(crate) disc: f64,
    pub(crate) motion: (f64, f64),
    pub(crate) slope: (f64, f64),
    pub(crate) disc_slope: (f64, f64),
}

impl Model {
    /// Applies a step of the shared parameters, limited to the range in which the linear equations are valid.
    pub(crate) fn advance(&mut self, step: &Step) {
        let held = |step: f64, most: f64| step.clamp(-most, most);
        self.x += held(step.x, MAX_STEP_PX);
        self.y += held(step.y, MAX_STEP_PX);
        self.radius = (self.radius + held(step.radius, MAX_STEP_PX)).max(MIN_RADIUS_PX);
        self.variance =
            (self.variance + held(step.variance, most_variance_step(self.variance))).clamp(MIN_VARIANCE, MAX_VARIANCE);
        self.disc += step.disc;
        self.motion.0 += held(step.motion.0, 2.0 * MAX_STEP_PX);
        self.motion.1 += held(step.motion.1, 2.0 * MAX_STEP_PX);
        self.slope.0 += step.slope.0;
        self.slope.1 += step.slope.1;
        self.disc_slope.0 += step.disc_slope.0;
        self.disc_slope.1 += step.disc_slope.1;
    }

    /// Chooses the profile: the pixel's for a sharp edge, else Gaussian. A moving disc stays smeared.
    pub(crate) fn choose_profile(&mut self) {
        if self.profile != Profile::Smear {
            self.profile = if self.variance < SHARP_VARIANCE { Profile::Pixel } else { Profile::Gaussian };
        }
    }

    /// The circle in the frame, given the annulus' origin.
    pub(crate) fn circle(&self, origin: (f32, f32)) -> Circle {
        let radius = self.radius + self.variance / (2.0 * self.radius);
        Circle { x: f64::from(origin.0) + self.x, y: f64::from(origin.1) + self.y, radius }
    }
}
