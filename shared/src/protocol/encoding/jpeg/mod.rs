//! Frames as JPEG (ITU-T T.81), with loss: 8 bits, gray or colour.
//!
//! [`outline`] checks a picture before anything is decoded. The decoder is used directly, because through the `image`
//! crate it paints the rest of a damaged picture gray, without an error. A JPEG has no checksum: damage that leaves
//! valid codes is not noticed.

mod outline;

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder as Writer;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::JpegQuality;
use super::swap::{swap_ends, swapped};
use crate::geometry::Size;
use crate::image::{Image, PixelFormat};

pub use outline::JpegError;

/// Encodes images as JPEG, in memory of its own.
#[derive(Debug, Default)]
pub struct JpegEncoder {
    /// Pixels of the last colour image, red first.
    rgb: Vec<u8>,
    /// The last picture.
    memory: Vec<u8>,
}

impl JpegEncoder {
    /// Encodes an image as baseline JPEG. `None` if the picture would not be shorter than the pixels, and for 16 bits,
    /// which JPEG does not have.
    pub fn encode(&mut self, image: &Image, quality: JpegQuality) -> Option<&[u8]> {
        let (Size { width, height }, pixels) = (image.size(), image.bytes());
        // The encoder panics at another length.
        image.format().check_length(image.size(), pixels.len()).ok()?;
        let (pixels, colour) = match image.format() {
            PixelFormat::Gray8 => (pixels, ExtendedColorType::L8),
            PixelFormat::Bgr8 => (swapped(pixels, &mut self.rgb), ExtendedColorType::Rgb8),
            PixelFormat::Gray16 => return None,
        };
        self.memory.clear();
        let mut writer = Writer::new_with_quality(&mut self.memory, quality.get());
        let written = writer.encode(pixels, width, height, colour);
        (written.is_ok() && self.memory.len() < pixels.len()).then_some(&self.memory)
    }

    /// The last picture.
    pub fn picture(&self) -> &[u8] {
        &self.memory
    }
}

/// Fills `room` with the pixels of a picture of this size and format. Besides `room`, it takes memory for a few rows.
pub(super) fn decode(jpeg: &[u8], size: Size, format: PixelFormat, room: &mut [u8]) -> Result<(), JpegError> {
    outline::check(jpeg, size, format)?;
    let colours = if format == PixelFormat::Bgr8 { ColorSpace::RGB } else { ColorSpace::Luma };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(size.width as usize)
        .set_max_height(size.height as usize)
        .jpeg_set_out_colorspace(colours);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    decoder.decode_headers().map_err(|error| JpegError::Pixels(error.to_string()))?;
    // Cannot differ after the check.
    if decoder.output_buffer_size() != Some(room.len()) {
        return Err(JpegError::Pixels("pixels of another length".into()));
    }
    decoder.decode_into(room).map_err(|error| JpegError::Pixels(error.to_string()))?;
    if format == PixelFormat::Bgr8 {
        swap_ends(room);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A smooth image, as JPEG is made for.
    fn ramp(size: Size, format: PixelFormat) -> Image {
        let channels = format.channels();
        let byte = |index: usize| {
            let (column, row) = (index / channels % size.width as usize, index / channels / size.width as usize);
            (3 * column + 2 * row + 20 * (index % channels)).min(255) as u8
        };
        let bytes: Vec<u8> = (0..format.bytes(size)).map(byte).collect();
        Image::from_bytes(&bytes, size, format).unwrap()
    }

    fn encoded(image: &Image, quality: u8) -> Vec<u8> {
        JpegEncoder::default().encode(image, JpegQuality::new(quality).unwrap()).expect("shorter").to_vec()
    }

    #[test]
    fn pixels_come_back_nearly_in_gray_and_in_colour_with_blue_first() {
        let size = Size { width: 65, height: 47 };
        for format in [PixelFormat::Gray8, PixelFormat::Bgr8] {
            let image = ramp(size, format);
            let mut room = vec![0; format.bytes(size)];
            decode(&encoded(&image, 95), size, format, &mut room).unwrap();
            let squares = room.iter().zip(image.bytes()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
            let rms = (squares.sum::<f64>() / room.len() as f64).sqrt();
            // With red and blue in each other's place it would be 40.
            assert!(rms < 3.0, "{format}: {rms}");
        }
    }

    #[test]
    fn a_scan_with_codes_that_do_not_exist_is_refused() {
        let size = Size { width: 256, height: 256 };
        let mut image = ramp(size, PixelFormat::Gray8);
        if let Image::Gray8(pixels) = &mut image {
            pixels.iter_mut().enumerate().for_each(|(i, pixel)| *pixel = ((i * i) >> 7) as u8);
        }
        let whole = encoded(&image, 90);
        // No code consists of ones alone. A byte of ones is followed by a zero, which does not count.
        let middle = whole.len() / 2;
        let damaged = [&whole[..middle], &[0, 0xff, 0, 0xff, 0, 0xff, 0, 0xff, 0], &whole[middle + 9..]].concat();
        let mut room = vec![0; size.pixels()];
        assert!(decode(&whole, size, PixelFormat::Gray8, &mut room).is_ok());
        let refused = decode(&damaged, size, PixelFormat::Gray8, &mut room);
        assert!(matches!(refused, Err(JpegError::Pixels(_))), "{refused:?}");
    }

    #[test]
    fn images_that_jpeg_cannot_hold_or_shorten_are_not_encoded() {
        let quality = JpegQuality::new(90).unwrap();
        let refused = |image: &Image| JpegEncoder::default().encode(image, quality).is_none();
        assert!(refused(&Image::zeros(Size { width: 64, height: 64 }, PixelFormat::Gray16)));
        assert!(refused(&Image::zeros(Size { width: 8, height: 8 }, PixelFormat::Gray8)));
    }
}
