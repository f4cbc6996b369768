//! The start of the fit, which is the result of locating a circle.

use crate::pipeline::hough::ring::Ring;

/// A circle to start the fit from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) ring: Ring,
    /// Sigma of the edge, in pixels, from the mean profile.
    pub(crate) edge_sigma: f32,
    /// Bit mask of the directions in which an edge point agrees with the circle.
    pub(crate) directions: u16,
    /// Sigma of the frame's pixels, in gray levels.
    pub(crate) noise_gray: f32,
    /// Displacement during the exposure, in pixels, as far as it is known.
    pub(crate) motion: (f64, f64),
}
