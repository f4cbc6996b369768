//! What a frame really shows, and how well that can be known.
//!
//! The source states it, the task scores answers against it. No byte of it reaches a client.

use shared::geometry::Circle;

/// What a frame really shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// A ball.
    Ball {
        /// Where it is.
        circle: Circle,
        /// How well that can be known at best.
        limit: Limit,
    },
    /// No ball: the right answer is none.
    Empty,
    /// The source does not know: counts and latency only.
    Unknown,
}

impl Truth {
    /// The ball's circle, where there is one.
    pub fn circle(self) -> Option<Circle> {
        match self {
            Self::Ball { circle, .. } => Some(circle),
            Self::Empty | Self::Unknown => None,
        }
    }
}

/// How near to the truth a frame lets an estimate come, as mean |dx| + |dy|.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// No unbiased estimate has a mean L1 error below this, in px.
    Bound(f64),
    /// The same formula where it is no bound: rounding is deterministic, and without noise (under half a gray level) it
    /// is the only error there is, in px.
    Reference(f64),
    /// Nobody knows: after JPEG, where nothing of the ball's outline is to be seen, or, in the plain camera, of a radius
    /// under 2 px.
    Unknown,
}

impl Limit {
    /// The figure, in px.
    pub fn px(self) -> Option<f64> {
        match self {
            Self::Bound(px) | Self::Reference(px) => Some(px),
            Self::Unknown => None,
        }
    }
}
