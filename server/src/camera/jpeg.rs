//! JPEG: encodes and decodes a picture, as a camera with compression does.
//!
//! The pixels depend on the codec (the `image` crate's). The standard leaves the last bit of a decoded level to the
//! decoder, so another version or instruction set may round it differently. All other effects are the same everywhere.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{ExtendedColorType, ImageDecoder, ImageResult};
use shared::image::Image;

/// Encodes an image as baseline JPEG of a quality from 1 to 100 and decodes it again, in place.
///
/// An image that the codec refuses stays unchanged.
pub(super) fn encode_and_decode(image: &mut Image, quality: u8) {
    let (width, height) = (image.size().width, image.size().height);
    match image {
        Image::Gray8(pixels) => {
            let Some(bytes) = pixels.as_slice_mut() else { return };
            let _ = recode(bytes, width, height, quality, ExtendedColorType::L8);
        }
        Image::Bgr8(pixels) => {
            let Some(bytes) = pixels.as_slice_mut() else { return };
            // The codec expects red first.
            swap_ends(bytes);
            let _ = recode(bytes, width, height, quality, ExtendedColorType::Rgb8);
            swap_ends(bytes);
        }
        // The camera refuses gray16, and JPEG has no 16 bits.
        Image::Gray16(_) => {}
    }
}

fn recode(bytes: &mut [u8], width: u32, height: u32, quality: u8, colour: ExtendedColorType) -> ImageResult<()> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, quality).encode(bytes, width, height, colour)?;
    let decoder = JpegDecoder::new(Cursor::new(jpeg))?;
    if decoder.total_bytes() == bytes.len() as u64 {
        decoder.read_image(bytes)?;
    }
    Ok(())
}

fn swap_ends(bytes: &mut [u8]) {
    for pixel in bytes.as_chunks_mut::<3>().0 {
        pixel.swap(0, 2);
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::PixelFormat;

    use super::*;

    fn root_mean_square(quality: u8, format: PixelFormat) -> f64 {
        let mut image = Image::zeros(Size { width: 65, height: 47 }, format);
        let channels = format.channels();
        let paint =
            |(index, byte): (usize, &mut u8)| *byte = ((index / channels % 65) * 3 + index % channels * 20) as u8;
        match &mut image {
            Image::Gray8(pixels) => pixels.iter_mut().enumerate().for_each(paint),
            Image::Bgr8(pixels) => pixels.iter_mut().enumerate().for_each(paint),
            Image::Gray16(_) => {}
        }
        let before = image.clone();
        encode_and_decode(&mut image, quality);
        let squares = before.bytes().iter().zip(image.bytes()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
        (squares.sum::<f64>() / before.bytes().len() as f64).sqrt()
    }

    #[test]
    fn a_higher_quality_gives_a_smaller_error() {
        for format in [PixelFormat::Gray8, PixelFormat::Bgr8] {
            let [bad, fair, good] = [5, 50, 100].map(|quality| root_mean_square(quality, format));
            assert!(good < fair && fair < bad && good < 2.0 && bad > 2.0, "{format}: {bad}, {fair}, {good}");
        }
    }
}
