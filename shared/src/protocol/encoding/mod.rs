//! Encodings of a frame's pixels: raw, LZ4, PNG and JPEG. Only JPEG changes pixels.
//!
//! - [`Encoding::Raw`]: rows from the top, pixels from the left, without padding.
//! - [`Encoding::Lz4`]: the same bytes as one LZ4 block (the block format, without frame header, checksum or size: the
//!   length follows from the image's dimensions). Never longer than the pixels: a frame that LZ4 does not make shorter
//!   is sent raw.
//! - [`Encoding::Png`]: a PNG of the image; never longer than the pixels either.
//! - [`Encoding::Jpeg`]: a JPEG of the image, which differs from it; never longer than the pixels.
//!
//! An encoder sees only pixels. Both sides reuse memory of their own for each frame. Measured with the camera's frames
//! (640x480 gray8, one thread), LZ4's byte-oriented matches make a clean frame 206 times smaller, in 16 µs to write and
//! 8 µs to read. With noise of σ 1 they halve it in 600 µs. With noise of σ 10 and more they gain nothing, which is
//! noticed in 16 µs. No filter is applied first: differences along a row or column made noisy frames 2 to 20 % longer
//! and clean ones 5 % shorter.

pub mod fuzz;

mod jpeg;
mod lz4;
mod png;
mod stream;
mod swap;

use std::fmt;

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::geometry::Size;
use crate::image::{self, ImageView, PixelFormat, WireError, WrongLength};
use crate::memory::NoMemory;

pub use jpeg::{JpegEncoder, JpegError};
pub use png::{PngEncoder, PngError};
pub use stream::{JpegQuality, StreamEncoding, UnknownEncoding};

impl From<WireError> for PixelsError {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Length(wrong) => wrong.into(),
            WireError::Memory(none) => none.into(),
        }
    }
}

/// How a frame's pixels are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As they lie in memory, row after row.
    #[default]
    Raw,
    /// One LZ4 block.
    Lz4,
    /// A PNG: gray with 8 or 16 bits, or colour.
    Png,
    /// A baseline JPEG: gray or colour.
    Jpeg,
}

impl Encoding {
    /// All encodings.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Lz4, Self::Png, Self::Jpeg];

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Lz4 => "lz4",
            Self::Png => "png",
            Self::Jpeg => "jpeg",
        }
    }
}

/// Feature by which a peer announces that it reads [`Encoding::Lz4`].
pub const LZ4_FEATURE: &str = "lz4";

/// Feature by which a peer announces that it reads frames of [`PixelFormat::Gray16`].
pub const GRAY16_FEATURE: &str = "gray16";

/// Feature by which a peer announces that it reads [`Encoding::Png`].
pub const PNG_FEATURE: &str = "png";

/// Feature by which a peer announces that it reads [`Encoding::Jpeg`].
pub const JPEG_FEATURE: &str = "jpeg";

/// All features of this version's client.
pub const FEATURES: [&str; 4] = [LZ4_FEATURE, GRAY16_FEATURE, PNG_FEATURE, JPEG_FEATURE];

/// Why pixels could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PixelsError {
    /// Raw pixels that do not fill the image.
    #[error(transparent)]
    Length(#[from] WrongLength),
    /// There is no memory for the image.
    #[error(transparent)]
    Memory(#[from] NoMemory),
    /// The block is malformed, or does not match the image.
    #[error("corrupt LZ4 block of a {size} {format} image: {reason}")]
    Block {
        /// The image's size.
        size: Size,
        /// The image's pixel format.
        format: PixelFormat,
        /// What is wrong with the block.
        reason: BlockError,
    },
    /// The PNG is malformed, or does not match the image.
    #[error("bad PNG of a {size} {format} image: {reason}")]
    Png {
        /// The image's size.
        size: Size,
        /// The image's pixel format.
        format: PixelFormat,
        /// What is wrong with the PNG.
        reason: PngError,
    },
    /// The JPEG is malformed, or does not match the image.
    #[error("bad JPEG of a {size} {format} image: {reason}")]
    Jpeg {
        /// The image's size.
        size: Size,
        /// The image's pixel format.
        format: PixelFormat,
        /// What is wrong with the JPEG.
        reason: JpegError,
    },
}

/// What is wrong with an LZ4 block.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BlockError {
    /// The block ends within a sequence.
    #[error("it ends early")]
    Truncated,
    /// A match reaches back before the first byte.
    #[error("a match before the beginning")]
    Offset,
    /// The block holds more bytes than the image.
    #[error("more bytes than the image has")]
    TooLong,
    /// The block holds fewer bytes than the image.
    #[error("fewer bytes than the image has")]
    TooShort,
}

/// Compresses pixels to LZ4 blocks, in memory of its own.
pub struct Lz4Encoder {
    table: CompressTable,
    memory: Vec<u8>,
    /// The last block.
    length: usize,
}

impl Default for Lz4Encoder {
    fn default() -> Self {
        Self { table: CompressTable::large(), memory: Vec::new(), length: 0 }
    }
}

impl fmt::Debug for Lz4Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lz4Encoder").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Lz4Encoder {
    /// Compresses these bytes to a block; `None` if it would not be shorter than they are.
    pub fn encode(&mut self, pixels: &[u8]) -> Option<&[u8]> {
        let most = get_maximum_output_size(pixels.len());
        if self.memory.len() < most {
            self.memory.resize(most, 0);
        }
        // Compression fails only if there is less room than the worst case needs.
        self.length = compress_into_with_table(pixels, &mut self.memory, &mut self.table).unwrap_or(pixels.len());
        (self.length < pixels.len()).then(|| self.block())
    }

    /// The last block written.
    pub fn block(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

/// Decodes the pixels of an image of this size and format: raw pixels are borrowed from `data` if they can lie there (see
/// [`ImageView::from_wire`]), anything else is decoded into `memory`.
///
/// Whatever `data` holds, this takes memory only for the image and at most one byte in front of 16-bit pixels; while a
/// picture is decoded, also for a few of its rows, and 270 KiB for a PNG. The caller has checked that it accepts the
/// size.
///
/// # Errors
/// [`PixelsError`] if `data` does not decode to exactly the image's pixels.
pub fn decode<'a>(
    encoding: Encoding,
    data: &'a [u8],
    size: Size,
    format: PixelFormat,
    memory: &'a mut Vec<u8>,
) -> Result<ImageView<'a>, PixelsError> {
    if encoding == Encoding::Raw {
        return Ok(ImageView::from_wire(data, size, format, memory)?);
    }
    let room = image::room(memory, size, format)?;
    match encoding {
        Encoding::Raw => {}
        Encoding::Lz4 => lz4::decode(data, room).map_err(|reason| PixelsError::Block { size, format, reason })?,
        Encoding::Png => {
            png::decode(data, size, format, room).map_err(|reason| PixelsError::Png { size, format, reason })?;
        }
        Encoding::Jpeg => {
            jpeg::decode(data, size, format, room).map_err(|reason| PixelsError::Jpeg { size, format, reason })?;
        }
    }
    Ok(ImageView::in_room(room, size, format)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Images of runs, ramps and noise, of odd sizes too.
    fn any_image() -> impl Strategy<Value = (Size, PixelFormat, Vec<u8>)> {
        (1u32..80, 1u32..60, 0usize..3, 0u32..4, any::<u64>()).prop_map(|(width, height, format, kind, seed)| {
            let (size, format) = (Size { width, height }, PixelFormat::ALL[format]);
            let mut state = seed | 1;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            };
            let byte = |index: usize| match kind {
                0 => 40,
                1 => next(),
                2 => 40 + next() % 3,
                _ => (index % width as usize) as u8,
            };
            (size, format, (0..format.bytes(size)).map(byte).collect())
        })
    }

    proptest! {
        #[test]
        fn an_image_comes_back_as_it_was_written((size, format, pixels) in any_image()) {
            let (mut encoder, mut memory) = (Lz4Encoder::default(), Vec::new());
            let raw = decode(Encoding::Raw, &pixels, size, format, &mut memory).unwrap().to_image();
            let mut wire = Vec::new();
            prop_assert_eq!(raw.view().wire_bytes(&mut wire), &pixels[..]);
            // There is a block only if it is shorter than the pixels.
            if let Some(block) = encoder.encode(&pixels) {
                prop_assert!(block.len() < pixels.len());
                let image = decode(Encoding::Lz4, block, size, format, &mut memory).unwrap().to_image();
                let mut wire = Vec::new();
                prop_assert_eq!(image.view().wire_bytes(&mut wire), &pixels[..]);
            }
        }

        #[test]
        fn a_corrupt_block_is_an_error_or_an_image_and_takes_no_other_memory(
            (size, format, pixels) in any_image(),
            flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
            cut in any::<proptest::sample::Index>(),
        ) {
            let mut encoder = Lz4Encoder::default();
            let Some(block) = encoder.encode(&pixels) else { return Ok(()) };
            let mut block = block.to_vec();
            for (place, byte) in &flips {
                *place.get_mut(&mut block) = *byte;
            }
            for end in [cut.index(block.len()), block.len()] {
                let mut memory = Vec::new();
                if let Ok(image) = decode(Encoding::Lz4, &block[..end], size, format, &mut memory) {
                    prop_assert_eq!(image.size(), size);
                }
                let spare = usize::from(format == PixelFormat::Gray16);
                prop_assert_eq!(memory.len(), format.bytes(size) + spare);
            }
        }

        #[test]
        fn no_bytes_make_the_decoder_panic(block in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut memory = Vec::new();
            let _ = decode(Encoding::Lz4, &block, Size { width: 31, height: 9 }, PixelFormat::Bgr8, &mut memory);
        }
    }

    #[test]
    fn a_block_of_another_image_is_refused_with_its_reason() {
        let mut encoder = Lz4Encoder::default();
        let block = encoder.encode(&[7; 1000]).unwrap().to_vec();
        let refused = |width| {
            let size = Size { width, height: 10 };
            decode(Encoding::Lz4, &block, size, PixelFormat::Gray8, &mut Vec::new()).unwrap_err().to_string()
        };
        assert_eq!(refused(101), "corrupt LZ4 block of a 101x10 gray8 image: fewer bytes than the image has");
        assert_eq!(refused(99), "corrupt LZ4 block of a 99x10 gray8 image: more bytes than the image has");
    }

    #[test]
    fn pixels_that_cannot_be_shortened_have_no_block() {
        let noise: Vec<u8> =
            (0..4000u32).map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 17) as u8).collect();
        assert_eq!(Lz4Encoder::default().encode(&noise), None);
        assert_eq!(Lz4Encoder::default().encode(&[]), None);
    }
}
