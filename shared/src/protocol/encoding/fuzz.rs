//! The properties that the fuzzer checks of the decoders of pixels. The corpus is `fuzz/corpus/pixels`.

use super::{Encoding, PngEncoder, decode};
use crate::geometry::Size;
use crate::image::{Image, PixelFormat};

/// Checks that data decodes to an image of the promised size or is refused, in memory bounded by that size. A picture
/// that decodes must be refused with a byte more or less, and its image must survive encoding as PNG.
///
/// The first byte chooses the encoding (its lowest two bits) and the pixel format (the next two), the second and the
/// third give width and height, the rest is the data.
///
/// # Panics
/// If one of these properties does not hold.
pub fn check(bytes: &[u8]) {
    let Some((&[kinds, width, height], data)) = bytes.split_first_chunk::<3>() else { return };
    let encoding = Encoding::ALL[usize::from(kinds & 3)];
    let format = PixelFormat::ALL[usize::from((kinds >> 2) & 3).min(2)];
    let size = Size { width: u32::from(width).max(1), height: u32::from(height).max(1) };
    let Some(image) = decoded(encoding, data, size, format) else { return };
    assert_eq!((image.size(), image.format()), (size, format));
    if matches!(encoding, Encoding::Png | Encoding::Jpeg) {
        assert_eq!(decoded(encoding, &data[..data.len() - 1], size, format), None, "cut");
        assert_eq!(decoded(encoding, &[data, &[0]].concat(), size, format), None, "longer");
    }
    if let Some(png) = PngEncoder::default().encode(&image) {
        assert_eq!(decoded(Encoding::Png, png, size, format), Some(image));
    }
}

/// The image, if the data decodes to one.
fn decoded(encoding: Encoding, data: &[u8], size: Size, format: PixelFormat) -> Option<Image> {
    let mut memory = Vec::new();
    let image = decode(encoding, data, size, format, &mut memory).ok().map(|view| view.to_image());
    assert!(memory.len() <= format.bytes(size) + 1, "{} bytes for {size} {format}", memory.len());
    image
}
