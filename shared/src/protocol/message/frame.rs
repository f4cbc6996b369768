//! Messages of the `frames` lane: a frame and its pixels.

use serde::{Deserialize, Serialize};

use super::meta::Meta;
use super::{DecodeError, check_integer, outline, tag, unknown_type, whole};
use crate::geometry::Size;
use crate::image::{ImageView, PixelFormat};
use crate::protocol::encoding::{self, Encoding};
use crate::time::Micros;

/// A frame and its pixels, borrowed from the message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "frame")]
pub struct Frame<'a> {
    /// Number of the frame in its session, from 0.
    pub id: u64,
    /// When the last pixel was rendered, in the source's clock.
    pub captured_us: Micros,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout.
    pub pixel: PixelFormat,
    /// How the pixels are encoded.
    pub encoding: Encoding,
    /// The encoded pixels.
    #[serde(with = "serde_bytes", borrow)]
    pub data: &'a [u8],
    /// Anything else the source knows about the frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

impl<'a> Frame<'a> {
    /// The size, if its sides are in range.
    pub fn size(&self) -> Result<Size, DecodeError> {
        Ok(Size::new(self.width.into(), self.height.into())?)
    }

    /// Decodes the pixels, checked against size and format. Pixels that must be decompressed go into `memory`.
    pub fn image(&self, memory: &'a mut Vec<u8>) -> Result<ImageView<'a>, DecodeError> {
        Ok(encoding::decode(self.encoding, self.data, self.size()?, self.pixel, memory)?)
    }
}

/// Decodes a message of the `frames` lane without copying its pixels. The size of everything else is checked before it
/// is decoded.
pub fn decode_frame(bytes: &[u8]) -> Result<Frame<'_>, DecodeError> {
    outline::check(bytes)?;
    match tag(bytes)? {
        "frame" => {
            let frame: Frame<'_> = whole(bytes)?;
            check_integer("id", frame.id)?;
            check_integer("captured_us", frame.captured_us.0)?;
            Ok(frame)
        }
        other => Err(unknown_type(other)),
    }
}
