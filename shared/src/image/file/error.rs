//! Why an image file could not be read.

use std::io;

use thiserror::Error;

use super::FILE_BYTES;
use crate::geometry::MAX_SIDE;
use crate::memory::NoMemory;

/// Why an image file could not be read.
#[derive(Debug, Error)]
pub enum ImageFileError {
    /// The file system reported an error.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// The file is larger than any image.
    #[error("larger than {} MiB: an image file has at most that", FILE_BYTES >> 20)]
    LargeFile,
    /// There is no memory for its pixels.
    #[error(transparent)]
    Memory(#[from] NoMemory),
    /// The path is a directory.
    #[error("it is a directory: name the files in it")]
    Directory,
    /// The file is of another type.
    #[error("not an image of a supported type (PNG, JPEG, PGM, PPM, BMP, TIFF, WebP)")]
    NotAnImage,
    /// The image is larger than any frame.
    #[error("{width}x{height} px is too large: each side may be up to {MAX_SIDE} px")]
    TooLarge {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The pixels are of a type that is not supported.
    #[error("{0} pixels are not supported: gray or colour, with 8 or 16 bits per channel")]
    Pixels(String),
    /// The file has 16 bits per pixel, and the caller accepts 8.
    #[error("16-bit gray pixels need --pixel gray16")]
    Deep,
    /// The decoder failed.
    #[error("damaged or cut short: {0}")]
    Damaged(image::ImageError),
    /// A JPEG without its end. Decoders would fill in the rest.
    #[error("damaged or cut short: the JPEG has no end-of-image marker")]
    CutShort,
}
