//! What a session sends, and until when.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::PixelFormat;

/// What a session sends, and until when.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The session's number.
    pub number: u64,
    /// Size of the frames.
    pub size: Size,
    /// Their pixels.
    pub pixel: PixelFormat,
    /// How often.
    pub rate: Rate,
    /// Unanswered frames at a time.
    pub window: NonZeroU32,
    /// A frame unanswered for this long is lost.
    pub deadline: Duration,
    /// Frames to send; no end when absent.
    pub frames: Option<NonZeroU64>,
    /// Time to send, from the first frame; no end when absent.
    pub duration: Option<Duration>,
}
