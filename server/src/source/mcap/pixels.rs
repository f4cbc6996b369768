//! Converts messages to images.

use shared::geometry::Size;
use shared::image::file::{self, ImageFileError};
use shared::image::{Image, PixelFormat};
use shared::memory::{NoMemory, caught};
use thiserror::Error;

use super::message::{ImageMessage, Kind, RawPixels};

/// Why a message is not an image.
#[derive(Debug, Error)]
pub(super) enum PixelsError {
    #[error("{0}")]
    Message(String),
    #[error("its encoding \"{0}\" is not supported, only mono8, mono16, bgr8, rgb8, bgra8 and rgba8")]
    Encoding(String),
    #[error("{0}")]
    Size(#[from] shared::geometry::SizeError),
    #[error("{got} bytes in rows of {step} are not a {size} image of {encoding}")]
    Bytes { got: usize, step: u32, size: Size, encoding: String },
    #[error("{0}")]
    Picture(ImageFileError),
    #[error(transparent)]
    Memory(#[from] NoMemory),
}

impl From<ImageFileError> for PixelsError {
    fn from(error: ImageFileError) -> Self {
        match error {
            ImageFileError::Memory(error) => Self::Memory(error),
            error => Self::Picture(error),
        }
    }
}

/// The layout of a message's pixels.
#[derive(Clone, Copy)]
struct Layout {
    bytes: usize,
    format: PixelFormat,
    /// Positions of blue, green and red, for colour.
    places: [usize; 3],
}

/// Reads the image of a message.
///
/// # Errors
/// [`PixelsError`] says what is wrong with the message; [`PixelsError::Memory`] if there is no memory for the image.
pub(super) fn read(kind: Kind, data: Vec<u8>) -> Result<Image, PixelsError> {
    image(&kind.read(data).map_err(PixelsError::Message)?)
}

/// Converts a message to an image: gray8, bgr8 or gray16.
fn image(message: &ImageMessage) -> Result<Image, PixelsError> {
    match message {
        ImageMessage::Raw(raw) => raw_image(raw),
        ImageMessage::Picture(data) => Ok(file::read_stream(&data[..])?.image),
    }
}

/// Converts the image to this format. `None` if that would change its bit depth.
pub(super) fn in_format(image: Image, pixel: PixelFormat) -> Option<Image> {
    let is_deep = |format| format == PixelFormat::Gray16;
    match pixel {
        _ if image.format() == pixel => Some(image),
        _ if is_deep(image.format()) || is_deep(pixel) => None,
        PixelFormat::Bgr8 => Some(image.into_bgr()),
        _ => Some(image.into_gray()),
    }
}

fn raw_image(raw: &RawPixels) -> Result<Image, PixelsError> {
    let layout = layout(&raw.encoding).ok_or_else(|| {
        PixelsError::Encoding(raw.encoding.chars().take(20).collect::<String>().escape_debug().to_string())
    })?;
    let size = Size::new(raw.width.into(), raw.height.into())?;
    let (rows, columns, step) = (size.height as usize, size.width as usize, raw.step as usize);
    let row_bytes = columns * layout.bytes;
    // A side has at most 8192 pixels, so nothing overflows in 64 bits.
    let needed = (rows - 1).checked_mul(step).and_then(|bytes| bytes.checked_add(row_bytes));
    if step < row_bytes || needed.is_none_or(|needed| needed > raw.data.len()) {
        let (got, encoding) = (raw.data.len(), raw.encoding.clone());
        return Err(PixelsError::Bytes { got, step: raw.step, size, encoding });
    }
    let at = |row: usize, column: usize| row * step + column * layout.bytes;
    let data = &raw.data;
    let mut image = caught(|| Image::zeros_or_end(size, layout.format))?;
    match &mut image {
        Image::Gray8(levels) => {
            levels.indexed_iter_mut().for_each(|((row, column), level)| *level = data[at(row, column)]);
        }
        Image::Gray16(levels) => levels.indexed_iter_mut().for_each(|((row, column), level)| {
            let bytes = [data[at(row, column)], data[at(row, column) + 1]];
            *level = if raw.is_big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        }),
        Image::Bgr8(levels) => levels.indexed_iter_mut().for_each(|((row, column, channel), level)| {
            *level = data[at(row, column) + layout.places[channel]];
        }),
    }
    Ok(image)
}

fn layout(encoding: &str) -> Option<Layout> {
    let (bgr, rgb) = ([0, 1, 2], [2, 1, 0]);
    let of = |bytes, format, places| Some(Layout { bytes, format, places });
    match encoding {
        "mono8" | "8UC1" => of(1, PixelFormat::Gray8, bgr),
        "mono16" | "16UC1" => of(2, PixelFormat::Gray16, bgr),
        "bgr8" | "8UC3" => of(3, PixelFormat::Bgr8, bgr),
        "rgb8" => of(3, PixelFormat::Bgr8, rgb),
        "bgra8" | "8UC4" => of(4, PixelFormat::Bgr8, bgr),
        "rgba8" => of(4, PixelFormat::Bgr8, rgb),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(encoding: &str, step: u32, data: &[u8]) -> RawPixels {
        let data = data.to_vec().into();
        RawPixels { width: 2, height: 2, encoding: encoding.into(), step, is_big_endian: false, data }
    }

    fn bytes(raw: &RawPixels) -> Vec<u8> {
        let image = raw_image(raw).unwrap();
        image.view().wire_bytes(&mut Vec::new()).to_vec()
    }

    #[test]
    fn every_encoding_gives_its_pixels_without_the_padding_of_rows() {
        assert_eq!(bytes(&raw("mono8", 3, &[1, 2, 0, 3, 4])), [1, 2, 3, 4]);
        assert_eq!(bytes(&raw("rgb8", 6, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))[..6], [3, 2, 1, 6, 5, 4]);
        assert_eq!(bytes(&raw("bgr8", 6, &[1; 12])), [1; 12]);
        let four: Vec<u8> = (0..16).collect();
        assert_eq!(bytes(&raw("bgra8", 8, &four))[..6], [0, 1, 2, 4, 5, 6]);
        assert_eq!(bytes(&raw("rgba8", 8, &four))[..6], [2, 1, 0, 6, 5, 4]);
        let deep = raw("16UC1", 4, &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes(&deep), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes(&RawPixels { is_big_endian: true, ..deep }), [2, 1, 4, 3, 6, 5, 8, 7]);
    }

    #[test]
    fn a_message_that_is_not_an_image_is_refused_by_name() {
        let refused = |raw: &RawPixels| raw_image(raw).unwrap_err().to_string();
        assert!(refused(&raw("bayer_rggb8", 2, &[0; 4])).contains("\"bayer_rggb8\" is not supported, only mono8"));
        assert!(refused(&raw("mono8", 2, &[0; 3])).contains("3 bytes in rows of 2 are not a 2x2 image of mono8"));
        assert!(refused(&raw("mono8", 1, &[0; 9])).contains("rows of 1"));
        let huge = RawPixels { width: u32::MAX, ..raw("mono8", u32::MAX, &[0; 4]) };
        assert!(refused(&huge).contains("4294967295 px is out of range"));
        assert!(image(&ImageMessage::Picture(vec![1, 2, 3].into())).is_err());
    }

    #[test]
    fn depth_is_never_changed() {
        let gray = || raw_image(&raw("mono8", 2, &[9; 4])).unwrap();
        assert_eq!(in_format(gray(), PixelFormat::Bgr8).unwrap().bytes(), [9; 12]);
        assert_eq!(in_format(gray(), PixelFormat::Gray16), None);
        let deep = raw_image(&raw("mono16", 4, &[9; 8])).unwrap();
        assert_eq!(in_format(deep, PixelFormat::Gray8), None);
    }
}
