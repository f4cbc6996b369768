//! A warning.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is likely wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// x and y are swapped in the answers.
    AxesSwapped,
    /// Each answer belongs to the frame before.
    OneFrameLate,
    /// The answers fit a larger or smaller picture.
    Scale,
    /// The answers are half a pixel off along both axes: another convention of pixel centres.
    HalfPixel,
    /// The answers are off by a constant.
    ConstantBias,
    /// The covariances in the answers do not match the errors.
    Covariance,
    /// The two clocks drift apart.
    ClockDrift,
    /// Ticks passed without a frame.
    TicksSkipped,
    /// Frames were lost.
    FramesLost,
    /// Frames wait at the client for longer than everything else takes.
    QueueDominates,
    /// Some answers take much longer than most.
    SlowAnswers,
    /// The uncertainty of the clocks' offset is larger than the median latency.
    ClockUncertain,
    /// A gate judges a percentile for whose bound there are too few answers.
    FewFrames,
    /// The kernel grants the UDP sockets smaller buffers than a frame.
    BufferCapped,
}

/// A warning with advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// What is likely wrong.
    pub kind: WarningKind,
    /// What was seen, with its figures.
    pub message: String,
    /// What to do about it.
    pub advice: Cow<'static, str>,
}

impl Warning {
    pub(super) fn new(kind: WarningKind, message: String, advice: &'static str) -> Self {
        Self { kind, message, advice: advice.into() }
    }
}
