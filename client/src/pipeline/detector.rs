//! What a circle detector is: one gray frame in, at most one circle out, or all of them.

use ndarray::ArrayView2;
use shared::geometry::{Circle, Covariance};
use shared::protocol::message::Ellipse;

use super::parameters::Parameter;

/// A detector's result for a frame in which it sees a circle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The circle, in pixels. For an ellipse, it has the same centre and area. For an outline that is measured as a
    /// stroke up to 10 px wide, it runs along the stroke's middle.
    pub circle: Circle,
    /// The ellipse, if the outline is one rather than a circle.
    pub ellipse: Option<Ellipse>,
    /// How uncertain the centre is; `None` from a detector that cannot tell.
    pub covariance: Option<Covariance>,
}

/// Finds the circle in a frame.
pub trait Detector: Send {
    /// The name [`DetectorChoice`](super::DetectorChoice) knows this detector by.
    fn name(&self) -> &'static str;

    /// The numbers that change how it works, beside the radii.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// Sets one of its parameters to a value that suits it.
    fn set(&mut self, _name: &str, _value: f64) {}

    /// Finds the most prominent circle whose centre lies inside the frame; `None` when there is none.
    ///
    /// `gray` is `[rows, columns]`, of any size and any memory layout.
    fn detect(&mut self, gray: ArrayView2<'_, u8>) -> Option<Estimate>;
}

/// Finds every circle in a frame.
pub trait DetectorOfAll: Send {
    /// The numbers that change how it works, beside the radii.
    fn parameters(&self) -> &'static [Parameter] {
        &[]
    }

    /// Sets one of its parameters to a value that suits it.
    fn set(&mut self, _name: &str, _value: f64) {}

    /// Replaces `found` with all circles whose centres lie inside the frame, the most certain circle first.
    ///
    /// `gray` is `[rows, columns]`, of any size and any memory layout.
    fn detect_all(&mut self, gray: ArrayView2<'_, u8>, found: &mut Vec<Estimate>);
}
