//! Configuration of a session: what it sends, and until when.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use shared::flow::live;
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{Delivery, FRAME_OVERHEAD, Meta};

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
    /// Frame rate.
    pub rate: Rate,
    /// Maximum number of unanswered frames.
    pub window: NonZeroU32,
    /// How frames and answers are delivered.
    pub delivery: Delivery,
    /// Time after which an unanswered frame is lost.
    pub deadline: Duration,
    /// The task of the pipeline.
    pub task: TaskName,
    /// What else is known about the stream; sent with the hello.
    pub meta: Option<Meta>,
    /// Number of frames to send; unlimited when absent.
    pub frames: Option<NonZeroU64>,
    /// Number of frames at the start that no figure includes.
    pub warmup: u64,
    /// How long to send, from the first frame; unlimited when absent.
    pub duration: Option<Duration>,
    /// Whether a client may stop the server.
    pub let_clients_stop: bool,
}

/// Maximum size of an answer, in bytes: about 200 with every field, with room for the fields of later versions.
const MAX_ANSWER_BYTES: usize = 64 << 10;

impl SessionConfig {
    /// Maximum size of an answer, in bytes. Answers that are compared with frames may be as large as frames.
    pub fn largest_answer(&self) -> usize {
        if self.task.keeps_frames() { self.pixel.bytes(self.size) + FRAME_OVERHEAD } else { MAX_ANSWER_BYTES }
    }

    /// How long after its capture a frame may be in flight; `None` in reliable delivery, which has no limit.
    pub fn lifetime(&self) -> Option<Duration> {
        (self.delivery == Delivery::Live).then(|| live::lifetime(self.rate))
    }
}
