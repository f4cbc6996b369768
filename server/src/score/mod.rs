//! Scoring: answers paired with the truth of their frame, by id, in frame order.
//!
//! [`pairing`] decides what became of each frame, [`counts`] says how often; [`error`], which [`efficiency`] holds against
//! the least possible, and [`latency`] gather the figures, [`summary`] holds them in the shape of the report.
//! Conservation holds always: sent = circle + no_circle + dropped + lost + unresolved.

pub mod counts;
pub mod efficiency;
pub mod error;
pub mod latency;
pub mod pairing;
mod sum;
pub mod summary;

use shared::geometry::{Circle, Covariance};

use crate::score::error::PixelError;
use crate::score::latency::FrameLatency;
pub use crate::source::Truth;

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// Answered with a circle.
    Circle {
        /// The pipeline's estimate.
        estimate: Circle,
        /// How sure it says it is of the centre.
        covariance: Option<Covariance>,
    },
    /// Answered: no circle.
    NoCircle,
    /// Answered: not looked at.
    Dropped,
    /// Not answered within the deadline.
    Lost,
    /// Not answered when the session ended.
    Unresolved,
}

/// A frame's score, final.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameScore {
    /// The frame.
    pub id: u64,
    /// What it showed.
    pub truth: Truth,
    /// What became of it.
    pub outcome: Outcome,
    /// Estimate minus truth, where there are both.
    pub error: Option<PixelError>,
    /// Sum of L1 errors of this frame and all before it, in px.
    pub cumulative_l1_px: f64,
    /// From captured to answered, for answered frames.
    pub latency: Option<FrameLatency>,
}
