//! Maps between a plane and an image: planar maps, pinhole cameras and their lens distortion, with analytic derivatives.
//!
//! [`distortion`] is the lens of normalised coordinates: Brown's polynomial (`plumb_bob`), its rational extension
//! (`rational_polynomial`) and the fisheye polynomial (`equidistant`), with the coefficients in OpenCV's order.
//! [`pinhole`] adds focal lengths and centre; [`pose`] is where a plane stands in front of a camera, and [`rim`] the outline
//! of a disc or a sphere on it. A [`Form`] is a family of maps with named parameters, and [`Map`] is one of them, which
//! maps points in both directions. [`Correction`] is a map in a file, which moves answers to where the ball is.
//!
//! Pixel centres are at integers, as in OpenCV. Everything here is plain arithmetic.

pub mod correction;
pub mod distortion;
pub mod form;
pub mod map;
pub mod matrix;
pub mod pinhole;
pub mod pose;
pub mod rim;

pub use correction::{Correction, CorrectionError};
pub use distortion::Distortion;
pub use form::Form;
pub use map::Map;
pub use pinhole::Pinhole;
pub use rim::{Rim, Solid};

/// A point, or a pair of derivatives along x and y.
pub type Point = [f64; 2];

/// Derivatives of a point by another: `[[∂u/∂x, ∂u/∂y], [∂v/∂x, ∂v/∂y]]`.
pub type Jacobian = [[f64; 2]; 2];
