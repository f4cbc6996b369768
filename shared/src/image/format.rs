//! Pixel formats: how a pixel is laid out in memory and on the wire.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::geometry::Size;
use crate::memory::NoMemory;

/// How a pixel is laid out in memory and on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PixelFormat {
    /// One byte: gray level 0–255.
    #[default]
    Gray8,
    /// Three bytes: blue, green, red, as in OpenCV.
    Bgr8,
    /// Two bytes, the low one first on the wire: 0–65535. In depth frames a length in mm, where 0 means no reading.
    Gray16,
}

/// The name is not that of a pixel format.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a pixel format: gray8, bgr8 or gray16")]
pub struct UnknownPixelFormat(String);

/// The number of bytes does not match an image of this size and format.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{got} bytes do not fill a {size} {format} image: {need} are needed")]
pub struct WrongLength {
    got: usize,
    need: usize,
    size: Size,
    format: PixelFormat,
}

/// Why bytes of the wire cannot be viewed as an image.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WireError {
    /// They do not fill it.
    #[error(transparent)]
    Length(#[from] WrongLength),
    /// They must be copied first, and there is no memory for that.
    #[error(transparent)]
    Memory(#[from] NoMemory),
}

impl PixelFormat {
    /// All pixel formats.
    pub const ALL: [Self; 3] = [Self::Gray8, Self::Bgr8, Self::Gray16];

    /// Its name on the wire and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gray8 => "gray8",
            Self::Bgr8 => "bgr8",
            Self::Gray16 => "gray16",
        }
    }

    /// Values per pixel.
    pub fn channels(self) -> usize {
        match self {
            Self::Gray8 | Self::Gray16 => 1,
            Self::Bgr8 => 3,
        }
    }

    /// Bytes per pixel.
    pub fn bytes_per_pixel(self) -> usize {
        match self {
            Self::Gray8 => 1,
            Self::Bgr8 => 3,
            Self::Gray16 => 2,
        }
    }

    /// Bytes of a whole image of `size`.
    pub fn bytes(self, size: Size) -> usize {
        size.pixels() * self.bytes_per_pixel()
    }

    /// Checks that an image of `size` has `got` bytes.
    ///
    /// # Errors
    /// [`WrongLength`] if it has more or fewer.
    pub fn check_length(self, size: Size, got: usize) -> Result<(), WrongLength> {
        if got == self.bytes(size) { Ok(()) } else { Err(self.wrong_length(size, got)) }
    }

    pub(super) fn wrong_length(self, size: Size, got: usize) -> WrongLength {
        WrongLength { got, need: self.bytes(size), size, format: self }
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PixelFormat {
    type Err = UnknownPixelFormat;

    fn from_str(text: &str) -> Result<Self, UnknownPixelFormat> {
        let named = Self::ALL.into_iter().find(|format| format.name() == text);
        named.ok_or_else(|| UnknownPixelFormat(text.to_owned()))
    }
}
