//! Circle detection: one gray frame in, at most one circle out.
//!
//! A [`Detector`] sees the pixels of a single frame and nothing else: no earlier frame, no clock, no truth. The same
//! pixels therefore give the same answer, to the bit, in any order. Scratch memory is the only thing kept between
//! frames; once a size has been seen, frames of that size allocate nothing.
//!
//! - [`DetectorChoice`] checks a name and [`RadiusLimits`], then builds detectors.
//! - [`hough`], the default: gradient voting, then a least-squares fit to the intensities.
//! - [`classic`], for comparison: the plain gradient method as OpenCV does it.
//! - [`fuzz`]: what holds of every answer, checked on frames a fuzzer makes up.
//!
//! Conventions: arrays are `[rows, columns]`; pixel centres are at integer coordinates, the origin is the centre of
//! the top-left pixel, x to the right, y down; lengths are in pixels.

pub use shared::geometry::{Circle, Covariance};

pub use choice::{DetectorChoice, DetectorError, NAMES};
pub use detector::{Detector, Estimate};
pub use radii::{
    DEFAULT_MAX_RADIUS_OF_SIDE, DEFAULT_MIN_RADIUS_OF_SIDE, DEFAULT_MIN_RADIUS_PX, RadiusError, RadiusLimits,
    RadiusRange,
};

mod choice;
pub mod classic;
mod detector;
pub mod fuzz;
pub mod hough;
mod radii;
#[cfg(test)]
mod testing;
