//! What a frame really shows, and how well an estimate can know it.
//!
//! The source states the truth; the task scores answers against it. No byte of it reaches a client.

use shared::geometry::{Circle, CircleEstimate};

/// What a frame really shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// A ball.
    Ball {
        /// The ball's circle at mid-exposure.
        circle: Circle,
        /// The least error an estimate of the circle can have.
        limit: Limit,
    },
    /// A ball that is seen through a lens.
    Projected {
        /// The circle about the scored point, with the area of the ball's picture, at mid-exposure.
        circle: Circle,
        /// The least error an estimate of the scored point can have.
        limit: Limit,
        /// Where the ball and its picture are.
        projected: Projected,
    },
    /// A ball whose radius is not known. No limit is known either.
    Centre {
        /// Column of the ball's centre.
        x: f64,
        /// Row of the ball's centre.
        y: f64,
    },
    /// This number of balls; only in the task `count`.
    Balls(u32),
    /// No ball: the right answer is `none`.
    Empty,
    /// The source does not know the truth: only counts and latency are scored.
    Unknown,
}

impl Truth {
    /// The one ball that the frame shows, and the limit; `None` without a ball, with several, or without truth.
    pub fn ball(self) -> Option<(CircleEstimate, Limit)> {
        match self {
            Self::Ball { circle, limit } | Self::Projected { circle, limit, .. } => Some((circle.into(), limit)),
            Self::Centre { x, y } => Some((CircleEstimate { x, y, radius: None }, Limit::Unknown)),
            Self::Balls(_) | Self::Empty | Self::Unknown => None,
        }
    }

    /// The same truth, of an image that is not quite the frame's: the limit is not known.
    #[must_use]
    pub fn without_limit(self) -> Self {
        match self {
            Self::Ball { circle, .. } => Self::Ball { circle, limit: Limit::Unknown },
            Self::Projected { circle, projected, .. } => Self::Projected { circle, limit: Limit::Unknown, projected },
            other => other,
        }
    }
}

/// A ball on its plane, and the points of its picture, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Projected {
    /// The image of the ball's centre.
    pub centre: (f64, f64),
    /// The centroid of the ball's picture.
    pub centroid: (f64, f64),
    /// The ball on the plane, in the plane's own coordinates.
    pub plane: Circle,
    /// Number of the plane's pose, from 1.
    pub pose: u32,
}

/// The least error, as mean |dx| + |dy|, that a frame allows an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// A bound in px: no unbiased estimate has a mean L1 error below it.
    Bound(f64),
    /// The same formula, in px, where it is not a bound. Without noise (under half a gray level) rounding is the only
    /// error, and rounding is deterministic.
    Reference(f64),
    /// The limit is not known: after JPEG (the camera's or the encoding of the frames), in depth frames, if nothing of
    /// the ball's outline is visible, or, in the plain camera, for a radius under 2 px.
    Unknown,
}

impl Limit {
    /// The figure, in px; `None` if it is not known.
    pub fn px(self) -> Option<f64> {
        match self {
            Self::Bound(px) | Self::Reference(px) => Some(px),
            Self::Unknown => None,
        }
    }
}
