//! A frame as it arrived.

use bytes::Bytes;
use shared::geometry::Size;
use shared::image::{ImageView, PixelFormat};
use shared::protocol::encoding::{self, Encoding, PixelsError, StreamEncoding};
use shared::protocol::message::{self, DecodeError, Frame, Meta};
use shared::time::Micros;
use thiserror::Error;

use crate::pipeline;

/// A frame as it arrived. Its pixels are not copied here: they stay in the reassembled message.
#[derive(Clone, Debug)]
pub struct ReceivedFrame {
    /// The frame's id.
    pub id: u64,
    /// When its last byte arrived.
    pub received: Micros,
    captured: Micros,
    meta: Option<Meta>,
    size: Size,
    pixel: PixelFormat,
    encoding: Encoding,
    stream: StreamEncoding,
    data: Bytes,
}

impl ReceivedFrame {
    /// Whether a picture in the answer may be written as LZ4: only if the server's frames may be.
    pub fn takes_lz4(&self) -> bool {
        self.stream.allows(Encoding::Lz4)
    }

    /// Returns the pixels. Uses `memory` only for pixels that have to be decoded, and for those of 16 bits that arrived
    /// at an odd address.
    ///
    /// # Errors
    /// [`PixelsError`] when the pixels cannot be read.
    pub fn image<'a>(&'a self, memory: &'a mut Vec<u8>) -> Result<ImageView<'a>, PixelsError> {
        encoding::decode(self.encoding, &self.data, self.size, self.pixel, memory)
    }

    /// Returns the frame as a pipeline sees it. Uses `memory` as [`Self::image`] does.
    ///
    /// # Errors
    /// [`PixelsError`] when the pixels cannot be read.
    pub fn decoded<'a>(&'a self, memory: &'a mut Vec<u8>) -> Result<pipeline::Frame<'a>, PixelsError> {
        let image = self.image(memory)?;
        Ok(pipeline::Frame { id: self.id, captured: self.captured, meta: self.meta.as_ref(), image })
    }
}

#[cfg(test)]
impl ReceivedFrame {
    /// A gray frame, for tests of code that takes frames.
    pub(crate) fn raw(size: Size, pixels: Vec<u8>) -> Self {
        let (pixel, encoding) = (PixelFormat::Gray8, Encoding::Raw);
        let stream = StreamEncoding::Raw;
        let (id, received, captured, data) = (0, Micros(0), Micros(0), pixels.into());
        Self { id, received, captured, meta: None, size, pixel, encoding, stream, data }
    }
}

/// What the server's hello announces about every frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    pub(super) size: Size,
    pub(super) pixel: PixelFormat,
    pub(super) encoding: StreamEncoding,
}

impl Announced {
    /// Size of a frame's pixels, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.pixel.bytes(self.size)
    }
}

/// Why a frame is not handed to the workers.
#[derive(Debug, Error)]
pub(super) enum UnusableFrame {
    #[error(transparent)]
    Message(#[from] DecodeError),
    #[error("frame {frame}, {size} {pixel}: the hello announced {} {}", .announced.size, .announced.pixel)]
    OtherShape { frame: u64, size: Size, pixel: PixelFormat, announced: Announced },
    #[error("frame {frame} is {}: the hello announced {announced}", .encoding.name())]
    OtherEncoding { frame: u64, encoding: Encoding, announced: StreamEncoding },
}

/// Decodes a frame and checks it against the announcement. Raw pixels are checked here, encoded ones when they are
/// read.
pub(super) fn received(message: &Bytes, announced: Announced, now: Micros) -> Result<ReceivedFrame, UnusableFrame> {
    let frame = message::decode_frame(message)?;
    let (size, pixel) = (frame.size()?, frame.pixel);
    if (size, pixel) != (announced.size, announced.pixel) {
        return Err(UnusableFrame::OtherShape { frame: frame.id, size, pixel, announced });
    }
    let (encoding, stream) = (frame.encoding, announced.encoding);
    if !stream.allows(encoding) {
        return Err(UnusableFrame::OtherEncoding { frame: frame.id, encoding, announced: stream });
    }
    if encoding == Encoding::Raw {
        pixel.check_length(size, frame.data.len()).map_err(|wrong| DecodeError::from(PixelsError::from(wrong)))?;
    }
    let Frame { id, captured_us: captured, data, meta, .. } = frame;
    let data = message.slice_ref(data);
    Ok(ReceivedFrame { id, received: now, captured, meta, size, pixel, encoding, stream, data })
}
