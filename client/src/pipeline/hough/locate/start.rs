//! What the search ends with and the fit begins from.

use crate::pipeline::hough::ring::Ring;

/// A circle to start the fit from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) ring: Ring,
    /// Sigma of the edge, in pixels, from the mean profile.
    pub(crate) edge_sigma: f32,
    /// Directions in which an edge point agrees with the circle.
    pub(crate) directions: u16,
    /// Sigma of the frame's pixels, in gray levels.
    pub(crate) noise_gray: f32,
    /// The way moved during the exposure, in pixels, as far as known.
    pub(crate) motion: (f64, f64),
}
