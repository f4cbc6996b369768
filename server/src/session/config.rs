//! What a session sends, and until when.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use shared::flow::live;
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::Delivery;

use crate::task::TaskName;

/// What a session sends, and until when.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// The session's number.
    pub number: u64,
    /// Size of the frames.
    pub size: Size,
    /// Their pixels.
    pub pixel: PixelFormat,
    /// How they are encoded.
    pub encoding: StreamEncoding,
    /// How often.
    pub rate: Rate,
    /// Unanswered frames at a time.
    pub window: NonZeroU32,
    /// How frames and answers are delivered.
    pub delivery: Delivery,
    /// A frame unanswered for this long is lost.
    pub deadline: Duration,
    /// What is asked of the pipeline.
    pub task: TaskName,
    /// Frames to send; no end when absent.
    pub frames: Option<NonZeroU64>,
    /// Time to send, from the first frame; no end when absent.
    pub duration: Option<Duration>,
}

impl SessionConfig {
    /// How long after its capture a frame may be on its way; without end in reliable delivery.
    pub fn lifetime(&self) -> Option<Duration> {
        (self.delivery == Delivery::Live).then(|| live::lifetime(self.rate))
    }
}
