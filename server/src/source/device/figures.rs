//! Figures of a camera: its format, its timestamps, and how old its frames were.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layout::FourCc;
use super::stamp::{AgeFrom, Clock, Timestamp};
use crate::score::latency::Percentiles;

/// `source.device` of the report: the camera, and how old its frames were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceFigures {
    /// FourCC code of the format of its buffers, such as `GREY`.
    #[schemars(with = "String")]
    pub format: FourCc,
    /// Bytes from one row of a buffer to the next; 0 for JPEG.
    pub bytes_per_line: u64,
    /// What the driver's timestamps mark.
    pub timestamp: Timestamp,
    /// The clock of the driver's timestamps.
    pub clock: Clock,
    /// What `age_us` and `to_answer_us` count from: the timestamp, or the frame's arrival if the timestamp of any frame
    /// is of another clock, or lies in the future.
    pub age_from: AgeFrom,
    /// Frames that the driver counted and did not deliver; `passed_over` does not contain them.
    pub lost: u64,
    /// Age of a frame when the session took it, in µs. The frame's latency starts then.
    pub age_us: Percentiles,
    /// Age of a frame when its answer was decoded, in µs: its age when the session took it, and its latency.
    pub to_answer_us: Percentiles,
}
