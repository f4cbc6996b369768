//! A picture as it was read, and how it differs from its file.

use std::fmt;
use std::io;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage};
use ndarray::{Array2, Array3};

use super::error::ImageFileError;
use crate::image::Image;

/// A picture, and how it differs from its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The pixels.
    pub image: Image,
    /// The changes.
    pub changes: Vec<Change>,
}

/// A way in which pixels differ from what the file stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The alpha channel was dropped. The colours are those that the file stores, also where it is transparent.
    AlphaDropped,
    /// The picture was turned or mirrored as its EXIF data says.
    Oriented(u8),
    /// Colours of 16 bits per channel were scaled to 8: 65535 becomes 255.
    ColourScaled,
    /// The JPEG had no Huffman tables, and was decoded with the standard tables.
    StandardTables,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlphaDropped => f.write_str("its alpha channel is dropped"),
            Self::Oriented(value) => write!(f, "it is turned as its EXIF orientation says ({value})"),
            Self::ColourScaled => f.write_str("its colours are scaled from 16 bits to 8"),
            Self::StandardTables => f.write_str("it has no Huffman tables; the standard ones are used"),
        }
    }
}

/// The picture of a decoded file: without alpha, upright, colours with blue first.
///
/// # Errors
/// [`ImageFileError::Pixels`] if pixels are neither gray nor colour with 8 or 16 bits per channel.
pub(super) fn picture(mut decoded: DynamicImage, orientation: Orientation) -> Result<Picture, ImageFileError> {
    let mut changes = Vec::new();
    let colour = decoded.color();
    if colour.has_alpha() {
        changes.push(Change::AlphaDropped);
    }
    if matches!(colour, ColorType::Rgb16 | ColorType::Rgba16) {
        changes.push(Change::ColourScaled);
    }
    if orientation != Orientation::NoTransforms {
        changes.push(Change::Oriented(orientation.to_exif()));
        decoded.apply_orientation(orientation);
    }
    Ok(Picture { image: image(decoded)?, changes })
}

fn image(decoded: DynamicImage) -> Result<Image, ImageFileError> {
    let shape = (decoded.height() as usize, decoded.width() as usize);
    let damaged = |error| ImageFileError::Io(io::Error::new(io::ErrorKind::InvalidData, error));
    match decoded.color() {
        ColorType::L8 | ColorType::La8 => {
            Array2::from_shape_vec(shape, decoded.into_luma8().into_raw()).map(Image::Gray8).map_err(damaged)
        }
        ColorType::L16 | ColorType::La16 => {
            Array2::from_shape_vec(shape, decoded.into_luma16().into_raw()).map(Image::Gray16).map_err(damaged)
        }
        ColorType::Rgb8 | ColorType::Rgba8 | ColorType::Rgb16 | ColorType::Rgba16 => {
            let mut bytes = decoded.into_rgb8().into_raw();
            // Files store red first. Plumb's images store blue first.
            bytes.as_chunks_mut::<3>().0.iter_mut().for_each(|[red, _, blue]| std::mem::swap(red, blue));
            Array3::from_shape_vec((shape.0, shape.1, 3), bytes).map(Image::Bgr8).map_err(damaged)
        }
        other => Err(ImageFileError::Pixels(in_words(other))),
    }
}

/// Name of this pixel type, for messages.
fn in_words(colour: ColorType) -> String {
    let channels = if colour.has_color() { "colour" } else { "gray" };
    let alpha = if colour.has_alpha() { " with alpha" } else { "" };
    format!("{}-bit {channels}{alpha}", 8 * u16::from(colour.bytes_per_pixel() / colour.channel_count()))
}
