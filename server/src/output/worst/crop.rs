//! A small picture of a frame: the part around truth and estimate, or the whole frame made smaller.

use std::io::Cursor;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, GrayImage, ImageEncoder, ImageFormat, ImageReader, RgbImage, imageops};
use shared::geometry::Size;
use shared::image::{Image, ImageView};

/// Longest side of a picture, in px.
const SIDE: f64 = 128.0;

/// Shortest side of a crop, in px.
const SHORTEST: f64 = 32.0;

/// Room around the circles in a crop, in px.
const ROOM: f64 = 8.0;

/// A circle: its centre, and its radius if it is known.
pub(in crate::output) type Ring = ([f64; 2], Option<f64>);

/// Truth and estimate of a frame, where they are circles in the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::output) struct Rings {
    pub(in crate::output) truth: Option<Ring>,
    pub(in crate::output) estimate: Option<Ring>,
}

/// A small picture of a frame, or of a part of it. It has at most 128x128 px, so at most 49 kB.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::output) struct Crop {
    pub(in crate::output) image: DynamicImage,
    /// Left, top, width and height of the part, in px of the frame. Coordinate 0 is the centre of the first pixel.
    pub(in crate::output) area: [f64; 4],
}

impl Crop {
    /// The picture as PNG. `None` if it cannot be encoded.
    pub(in crate::output) fn png(&self) -> Option<Vec<u8>> {
        let mut written = Vec::new();
        let png = PngEncoder::new_with_quality(&mut written, CompressionType::Best, FilterType::Adaptive);
        let Self { image, .. } = self;
        png.write_image(image.as_bytes(), image.width(), image.height(), image.color().into()).ok()?;
        Some(written)
    }

    /// Reads the picture of a frame of this size from PNG. `None` if it is not the picture of such a frame.
    pub(in crate::output) fn read(png: &[u8], rings: &Rings, frame: Size) -> Option<Self> {
        let place = Place::of(rings, frame);
        let reader = || ImageReader::with_format(Cursor::new(png), ImageFormat::Png);
        // Checked before anything is decoded: a foreign file could be huge.
        if reader().into_dimensions().ok()? != place.size {
            return None;
        }
        let image = match reader().decode().ok()? {
            gray @ DynamicImage::ImageLuma8(_) => gray,
            other => DynamicImage::ImageRgb8(other.into_rgb8()),
        };
        Some(Self { image, area: place.area })
    }
}

/// Cuts the part around truth and estimate out of a frame. Without either, the whole frame is made smaller.
pub(in crate::output) fn crop(frame: &Image, rings: &Rings) -> Crop {
    let place = Place::of(rings, frame.size());
    let (whole, (width, height)) = (shown(frame), place.size);
    let image = match place.corner {
        Some([left, top]) => whole.crop_imm(left, top, width, height),
        None => whole.resize_exact(width, height, imageops::FilterType::Triangle),
    };
    Crop { image, area: place.area }
}

/// Which part of a frame is shown.
struct Place {
    /// Left and top of the part; `None` for the whole frame.
    corner: Option<[u32; 2]>,
    /// Width and height of the picture.
    size: (u32, u32),
    area: [f64; 4],
}

impl Place {
    fn of(rings: &Rings, frame: Size) -> Self {
        let [width, height] = [frame.width, frame.height].map(f64::from);
        if let Some([left, top, wide, tall]) = part(rings, [width, height]) {
            let corner = Some([left as u32, top as u32]);
            return Self { corner, size: (wide as u32, tall as u32), area: [left - 0.5, top - 0.5, wide, tall] };
        }
        let scale = (SIDE / width.max(height)).min(1.0);
        let [wide, tall] = [width, height].map(|side| (side * scale).round().max(1.0) as u32);
        Self { corner: None, size: (wide, tall), area: [-0.5, -0.5, width, height] }
    }
}

/// The part around truth and estimate: left, top, width, height in whole pixels. `None` if neither is a circle.
fn part(rings: &Rings, size: [f64; 2]) -> Option<[f64; 4]> {
    let Rings { truth, estimate } = rings;
    let (middle, _) = truth.or(*estimate)?;
    let reach =
        |([x, y], radius): &Ring| (x - middle[0]).abs().max((y - middle[1]).abs()) + radius.unwrap_or_default() + ROOM;
    let side = (2.0 * truth.iter().chain(estimate).map(reach).fold(0.0, f64::max)).ceil().clamp(SHORTEST, SIDE);
    let fit = |at: f64, whole: f64| {
        let side = side.min(whole);
        ((at - side / 2.0).round().clamp(0.0, whole - side), side)
    };
    let ((left, width), (top, height)) = (fit(middle[0], size[0]), fit(middle[1], size[1]));
    Some([left, top, width, height])
}

/// Converts the frame to an image that people can view.
fn shown(frame: &Image) -> DynamicImage {
    match frame.view() {
        ImageView::Bgr8(pixels) => {
            let (height, width, _) = pixels.dim();
            let place = |x: u32, y: u32, channel: usize| pixels[[y as usize, x as usize, channel]];
            let rgb = |x, y| image::Rgb([place(x, y, 2), place(x, y, 1), place(x, y, 0)]);
            DynamicImage::ImageRgb8(RgbImage::from_fn(width as u32, height as u32, rgb))
        }
        _ => {
            let levels = frame.clone().into_gray_levels();
            let (height, width) = levels.dim();
            let gray = |x: u32, y: u32| image::Luma([levels[[y as usize, x as usize]]]);
            DynamicImage::ImageLuma8(GrayImage::from_fn(width as u32, height as u32, gray))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shared::image::PixelFormat;

    use super::*;

    fn frame(size: Size, format: PixelFormat) -> Image {
        let bytes: Vec<u8> = (0..format.bytes(size)).map(|place| (place * 7 % 251) as u8).collect();
        Image::from_bytes(&bytes, size, format).unwrap()
    }

    #[test]
    fn a_crop_has_the_pixels_of_the_frame_at_its_place() {
        let frame = frame(Size { width: 64, height: 48 }, PixelFormat::Bgr8);
        let rings = Rings { truth: Some(([40.0, 20.0], Some(5.0))), estimate: Some(([43.0, 20.0], Some(5.0))) };
        let Crop { image, area } = crop(&frame, &rings);
        assert_eq!((area, image.width(), image.height()), ([23.5, 3.5, 32.0, 32.0], 32, 32));
        let Image::Bgr8(pixels) = &frame else { panic!("not in colour") };
        for (x, y) in [(0, 0), (16, 16), (31, 5)] {
            let at = |channel| pixels[[4 + y as usize, 24 + x as usize, channel]];
            assert_eq!(image.as_rgb8().unwrap()[(x, y)].0, [at(2), at(1), at(0)]);
        }
    }

    proptest! {
        #[test]
        fn every_crop_is_small_and_read_again_from_its_file(
            (width, height) in (1_u32..300, 1_u32..300),
            format in prop_oneof![Just(PixelFormat::Gray8), Just(PixelFormat::Bgr8), Just(PixelFormat::Gray16)],
            truth in proptest::option::of(((-1e6..1e6, -1e6..1e6), proptest::option::of(0.0..1e6))),
            estimate in proptest::option::of(((-1e6..1e6, -1e6..1e6), proptest::option::of(0.0..1e6))),
        ) {
            let ring = |((x, y), radius): ((f64, f64), Option<f64>)| ([x, y], radius);
            let rings = Rings { truth: truth.map(ring), estimate: estimate.map(ring) };
            let size = Size { width, height };
            let made = crop(&frame(size, format), &rings);
            prop_assert!(made.image.width() <= 128 && made.image.height() <= 128 && made.image.as_bytes().len() <= 49_152);
            let png = made.png().unwrap();
            prop_assert_eq!(Crop::read(&png, &rings, size), Some(made));
            // The file does not match a frame of another size.
            prop_assert_eq!(Crop::read(&png[..png.len() / 2], &rings, size), None);
            prop_assert_eq!(Crop::read(b"no picture", &rings, size), None);
        }
    }
}
