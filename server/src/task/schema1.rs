//! What schema 1 of the report keeps of circles outside the task's own object: `error_px`, and counts among `frames`.

use schemars::JsonSchema;
use serde::Serialize;

/// Frames of the task `circle`, by what was answered and what was right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CircleCounts {
    /// Frames answered with a circle.
    pub circle: u64,
    /// Frames answered with none.
    pub no_circle: u64,
    /// Frames that show a ball and were answered with none.
    pub missed: u64,
    /// Finished frames that show no ball.
    pub empty: u64,
    /// Frames without a ball that were answered with a circle.
    pub false_positive: u64,
}

/// `error_px` of the report.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ErrorFigures {
    /// |dx| + |dy|.
    pub l1: L1Figures,
    /// √(dx² + dy²).
    pub l2: L2Figures,
    /// Mean error with its sign.
    pub bias: Bias,
    /// The best mean L1 that the frames allow, where the camera knows it.
    pub limit: Option<f64>,
    /// What the limit is worth.
    pub limit_kind: Option<LimitKind>,
    /// Mean L1 over the limit.
    pub efficiency: Option<f64>,
    /// How honest the estimates' covariances are: mean normalised squared error of a dimension, near 1.
    pub nees: Option<f64>,
}

/// L1 errors, in px.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct L1Figures {
    /// Over all frames answered with a circle.
    pub mean: Option<f64>,
    /// Median.
    pub p50: Option<f64>,
    /// 95th percentile.
    pub p95: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
    /// Largest.
    pub max: Option<f64>,
    /// All added up: the cumulative error.
    pub sum: f64,
}

/// L2 errors, in px.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct L2Figures {
    /// Mean distance.
    pub mean: Option<f64>,
    /// Root of the mean squared distance.
    pub rms: Option<f64>,
}

/// Mean error with its sign, in px.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Bias {
    /// To the right.
    pub x: Option<f64>,
    /// Downwards.
    pub y: Option<f64>,
}

/// What a session's limit is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LimitKind {
    /// No unbiased estimate does better.
    Bound,
    /// A figure to compare with.
    Reference,
}

impl LimitKind {
    /// For people, after "1.08 x".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Bound => "the limit",
            Self::Reference => "the reference",
        }
    }
}
