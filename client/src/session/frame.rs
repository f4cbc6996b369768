//! A frame as it arrived.

use bytes::Bytes;
use shared::geometry::Size;
use shared::image::{ImageView, PixelFormat};
use shared::protocol::encoding::{self, Encoding, PixelsError};
use shared::protocol::message::{self, DecodeError, Frame};
use shared::time::Micros;
use thiserror::Error;

/// A frame as it arrived; its pixels stay where they were put together.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    /// The frame's id.
    pub id: u64,
    /// When its last byte arrived.
    pub received: Micros,
    size: Size,
    pixel: PixelFormat,
    encoding: Encoding,
    data: Bytes,
}

impl ReceivedFrame {
    /// The pixels; `memory` is for those that do not lie in the message as they are.
    ///
    /// # Errors
    /// [`PixelsError`] where they cannot be read.
    pub fn image<'a>(&'a self, memory: &'a mut Vec<u8>) -> Result<ImageView<'a>, PixelsError> {
        encoding::decode(self.encoding, &self.data, self.size, self.pixel, memory)
    }
}

#[cfg(test)]
impl ReceivedFrame {
    /// A gray frame, for tests of what looks at frames.
    pub(crate) fn raw(size: Size, pixels: Vec<u8>) -> Self {
        let (pixel, encoding) = (PixelFormat::Gray8, Encoding::Raw);
        Self { id: 0, received: Micros(0), size, pixel, encoding, data: pixels.into() }
    }
}

/// A frame that is ignored.
#[derive(Debug, Error)]
pub(super) enum UnusableFrame {
    #[error(transparent)]
    Message(#[from] DecodeError),
    #[error("frame {frame}, {size} {pixel}, is larger than the frames announced")]
    TooLarge { frame: u64, size: Size, pixel: PixelFormat },
}

/// A frame whose pixels take at most `limit` bytes. Raw ones are checked here, others where they are read.
pub(super) fn received(message: &Bytes, limit: usize, now: Micros) -> Result<ReceivedFrame, UnusableFrame> {
    let frame = message::decode_frame(message)?;
    let size = frame.size()?;
    if frame.pixel.bytes(size) > limit {
        return Err(UnusableFrame::TooLarge { frame: frame.id, size, pixel: frame.pixel });
    }
    if frame.encoding == Encoding::Raw {
        frame.image(&mut Vec::new())?;
    }
    let Frame { id, pixel, encoding, data, .. } = frame;
    Ok(ReceivedFrame { id, received: now, size, pixel, encoding, data: message.slice_ref(data) })
}
