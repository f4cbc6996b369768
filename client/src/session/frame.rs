//! A frame as it arrived.

use bytes::Bytes;
use shared::geometry::Size;
use shared::image::{ImageView, PixelFormat};
use shared::protocol::encoding::{self, Encoding, PixelsError, StreamEncoding};
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

/// What the server's hello says of all frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    pub(super) size: Size,
    pub(super) pixel: PixelFormat,
    pub(super) encoding: StreamEncoding,
}

impl Announced {
    /// What a frame's pixels take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.pixel.bytes(self.size)
    }

    /// Whether a frame may be written so: raw ones come in every stream.
    fn allows(&self, encoding: Encoding) -> bool {
        encoding == Encoding::Raw || self.encoding != StreamEncoding::Raw
    }
}

/// A frame that is not looked at.
#[derive(Debug, Error)]
pub(super) enum UnusableFrame {
    #[error(transparent)]
    Message(#[from] DecodeError),
    #[error("frame {frame}, {size} {pixel}: the hello announced {} {}", .announced.size, .announced.pixel)]
    OtherShape { frame: u64, size: Size, pixel: PixelFormat, announced: Announced },
    #[error("frame {frame}, which is encoded: the hello announced raw frames")]
    OtherEncoding { frame: u64 },
}

/// A frame as it was announced. The pixels of raw ones are checked here, those of others where they are read.
pub(super) fn received(message: &Bytes, announced: Announced, now: Micros) -> Result<ReceivedFrame, UnusableFrame> {
    let frame = message::decode_frame(message)?;
    let (size, pixel) = (frame.size()?, frame.pixel);
    if (size, pixel) != (announced.size, announced.pixel) {
        return Err(UnusableFrame::OtherShape { frame: frame.id, size, pixel, announced });
    }
    if !announced.allows(frame.encoding) {
        return Err(UnusableFrame::OtherEncoding { frame: frame.id });
    }
    if frame.encoding == Encoding::Raw {
        frame.image(&mut Vec::new())?;
    }
    let Frame { id, encoding, data, .. } = frame;
    Ok(ReceivedFrame { id, received: now, size, pixel, encoding, data: message.slice_ref(data) })
}
