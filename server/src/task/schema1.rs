//! Figures of the task `circle` that schema 1 of the report keeps outside the task's own object: `error_px`, and counts
//! in `frames`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::truth::Limit;

/// Frames of the task `circle`, counted by answer and by truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CircleCounts {
    /// Frames answered with a circle.
    pub circle: u64,
    /// Frames answered with no circle.
    pub no_circle: u64,
    /// Frames that show a ball and were answered with no circle.
    pub missed: u64,
    /// Finished frames that show no ball.
    pub empty: u64,
    /// Frames that show no ball and were answered with a circle.
    pub false_positive: u64,
}

/// The report's object `error_px`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ErrorFigures {
    /// L1 errors |dx| + |dy|.
    pub l1: L1Figures,
    /// L2 errors √(dx² + dy²).
    pub l2: L2Figures,
    /// Mean signed error along each axis.
    pub bias: Bias,
    /// Lowest mean L1 error that the frames allow, in px; `null` if the camera does not know it.
    pub limit: Option<f64>,
    /// Whether the limit is a bound or a reference.
    pub limit_kind: Option<LimitKind>,
    /// Mean L1 error divided by the limit.
    pub efficiency: Option<f64>,
    /// Mean normalised squared error per dimension: near 1 if the covariances of the answers are right.
    pub nees: Option<f64>,
}

/// L1 errors, in px.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct L1Figures {
    /// Mean over all frames answered with a circle.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// Sum of all errors: the cumulative error.
    pub sum: f64,
}

/// L2 errors, in px.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct L2Figures {
    /// Mean.
    pub mean: Option<f64>,
    /// Root mean square.
    pub rms: Option<f64>,
}

/// Mean signed error, in px.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Bias {
    /// Along x, positive to the right.
    pub x: Option<f64>,
    /// Along y, positive downwards.
    pub y: Option<f64>,
}

/// Whether the limit of a session is a bound or a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LimitKind {
    /// A bound: no unbiased estimate has a lower mean error.
    Bound,
    /// A reference: a figure to compare with, not a bound.
    Reference,
}

impl LimitKind {
    /// The limit of this kind, in px.
    pub fn of(self, px: f64) -> Limit {
        match self {
            Self::Bound => Limit::Bound(px),
            Self::Reference => Limit::Reference(px),
        }
    }

    /// The words that follow "1.08 x" in a summary.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Bound => "the limit",
            Self::Reference => "the reference",
        }
    }
}
