//! What the `frames` lane carries: a frame and its pixels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{DecodeError, check_integer, outline, tag, unknown_type, whole};
use crate::geometry::Size;
use crate::image::{ImageView, PixelFormat};
use crate::protocol::encoding::{self, Encoding};
use crate::time::Micros;

/// A frame and its pixels, borrowed from where they lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename = "frame")]
pub struct Frame<'a> {
    /// Counts frames sent in a session, from 0.
    pub id: u64,
    /// When the last pixel was rendered, in the source's clock.
    pub captured_us: Micros,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Pixel layout.
    pub pixel: PixelFormat,
    /// How the pixels are written.
    pub encoding: Encoding,
    /// The pixels, so written.
    #[serde(with = "serde_bytes", borrow)]
    pub data: &'a [u8],
    /// Whatever the source knows beside the pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// A frame's metadata: names and plain values.
pub type Meta = BTreeMap<String, MetaValue>;

/// A value in a frame's metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetaValue {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// Text.
    Text(String),
}

impl<'a> Frame<'a> {
    /// Width and height, checked.
    pub fn size(&self) -> Result<Size, DecodeError> {
        Ok(Size::new(self.width.into(), self.height.into())?)
    }

    /// The pixels as an image, checked against size and format; `memory` is for those that do not lie in the message.
    pub fn image(&self, memory: &'a mut Vec<u8>) -> Result<ImageView<'a>, DecodeError> {
        Ok(encoding::decode(self.encoding, self.data, self.size()?, self.pixel, memory)?)
    }
}

/// Reads a message of the `frames` lane; the pixels stay where they lie. What is beside them is bounded before it is decoded.
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
