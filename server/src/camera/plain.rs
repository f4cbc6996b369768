//! The camera without effects: area-exact, antialiased pictures of a disc, in one buffer that is reused.
//!
//! A circle goes in; an image and its truth come out. The truth is the real-valued circle itself.
//!
//! Each pixel holds the exact mean of its light, rounded to 8 bits. That keeps area and outline. But the centroid of
//! such pixels is not exactly the centre, because the light in a rim pixel counts at the pixel's middle. The tests
//! state the error: under 0.003 px for a radius of 20 px.

use ndarray::{Array2, Array3};
use shared::geometry::{Circle, Size};
use shared::image::{Image, PixelFormat};

use super::render::{Area, Ink, clear, draw};

/// Levels for gray8: a contrast of 140, far enough from both ends of the range that noise is not clipped.
pub const GRAY_INK: Ink<1> = Ink { background: [40], disc: [180] };

/// Levels for bgr8: an amber ball whose gray value by OpenCV's BGR2GRAY weights is that of [`GRAY_INK`].
pub const BGR_INK: Ink<3> = Ink { background: [40, 40, 40], disc: [60, 180, 226] };

/// A camera of one image size and pixel format, without effects.
#[derive(Clone, Debug)]
pub struct PlainCamera {
    size: Size,
    image: Image,
    /// The part of `image` that is not background.
    drawn: Area,
    truth: Option<Circle>,
}

impl PlainCamera {
    /// A camera that has not yet taken a picture. Its image is the background.
    pub fn new(size: Size, format: PixelFormat) -> Self {
        let mut image = Image::zeros_or_end(size, format);
        erase(&mut image, size, &Area::whole(size));
        Self { size, image, drawn: Area::default(), truth: None }
    }

    /// Takes the picture of a disc, which may lie partly or wholly outside the image.
    ///
    /// A radius outside `[10⁻⁶, 10⁶]` px, or a number that is not finite, gives the empty background. Only the last
    /// disc's box is cleared and only the new disc's box is drawn; the result is that of a full render.
    pub fn render(&mut self, disc: Circle) -> &Image {
        erase(&mut self.image, self.size, &self.drawn);
        self.drawn = match &mut self.image {
            Image::Gray8(image) => draw(gray_pixels(image), self.size, &GRAY_INK, disc),
            Image::Bgr8(image) => draw(bgr_pixels(image), self.size, &BGR_INK, disc),
            // `CameraConfig::check` refuses gray16.
            Image::Gray16(_) => Area::default(),
        };
        self.truth = Some(disc);
        &self.image
    }

    /// Takes the picture of the background alone.
    pub fn render_empty(&mut self) -> &Image {
        erase(&mut self.image, self.size, &self.drawn);
        self.drawn = Area::default();
        self.truth = None;
        &self.image
    }

    /// The last picture taken.
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// The disc of the last picture, in image coordinates; `None` before the first picture and after an empty one.
    pub fn truth(&self) -> Option<Circle> {
        self.truth
    }
}

fn erase(image: &mut Image, size: Size, area: &Area) {
    match image {
        Image::Gray8(image) => clear(gray_pixels(image), size, &GRAY_INK, area),
        Image::Bgr8(image) => clear(bgr_pixels(image), size, &BGR_INK, area),
        Image::Gray16(_) => {}
    }
}

fn gray_pixels(image: &mut Array2<u8>) -> &mut [[u8; 1]] {
    as_pixels(image.as_slice_mut())
}

fn bgr_pixels(image: &mut Array3<u8>) -> &mut [[u8; 3]] {
    as_pixels(image.as_slice_mut())
}

fn as_pixels<const N: usize>(bytes: Option<&mut [u8]>) -> &mut [[u8; N]] {
    // invariant: `Image::zeros` makes the camera's image, contiguous and row-major.
    bytes.expect("a contiguous image").as_chunks_mut().0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::coverage::coverage;
    use super::*;

    const VGA: Size = Size { width: 640, height: 480 };

    fn picture(size: Size, format: PixelFormat, disc: Circle) -> Image {
        PlainCamera::new(size, format).render(disc).clone()
    }

    fn gray(size: Size, disc: Circle) -> Vec<u8> {
        picture(size, PixelFormat::Gray8, disc).bytes().to_vec()
    }

    /// OpenCV's BGR2GRAY for 8 bits.
    fn bgr_to_gray(pixel: &[u8]) -> u8 {
        let [b, g, r] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
        ((3735 * b + 19_235 * g + 9798 * r + 16_384) >> 15) as u8
    }

    /// Centroid of an image, weighted by a function of column and row.
    fn centroid(size: Size, weight: impl Fn(u32, u32) -> f64) -> (f64, f64) {
        let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
        for (row, column) in (0..size.height).flat_map(|row| (0..size.width).map(move |column| (row, column))) {
            let w = weight(column, row);
            sum += w;
            x += w * f64::from(column);
            y += w * f64::from(row);
        }
        (x / sum, y / sum)
    }

    #[test]
    fn a_tiny_frame_has_its_golden_bytes() {
        let size = Size { width: 6, height: 5 };
        let bytes = gray(size, Circle { x: 2.25, y: 2.0, radius: 1.5 });
        #[rustfmt::skip]
        let golden = vec![
            40,  40,  40,  40,  40, 40,
            40,  86, 173, 145,  44, 40,
            40, 141, 180, 180,  71, 40,
            40,  86, 173, 145,  44, 40,
            40,  40,  40,  40,  40, 40,
        ];
        assert_eq!(bytes, golden);
    }

    #[test]
    fn every_pixel_is_the_rounded_coverage() {
        let disc = Circle { x: 30.3, y: 22.7, radius: 17.2 };
        let size = Size { width: 64, height: 48 };
        for (index, byte) in gray(size, disc).into_iter().enumerate() {
            let exact = 40.0 + 140.0 * coverage(disc, index as i64 % 64, index as i64 / 64);
            assert_eq!(byte, exact.round() as u8, "pixel {index}");
        }
    }

    /// Largest error along an axis, over 200 places, of the centroid of a disc with a radius of 20 px.
    fn worst_centroid_px(weight: impl Fn(Circle, &[u8], u32, u32) -> f64) -> f64 {
        let size = Size { width: 64, height: 64 };
        let phase = |step: u32, stride: f64| 31.0 + (f64::from(step) * stride).fract();
        let discs = (0..200).map(|step| Circle { x: phase(step, 0.617_034), y: phase(step, 0.414_214), radius: 20.0 });
        let errors = discs.map(|disc| {
            let bytes = gray(size, disc);
            let (x, y) = centroid(size, |column, row| weight(disc, &bytes, column, row));
            (x - disc.x).abs().max((y - disc.y).abs())
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn the_centroid_without_rounding_is_within_half_a_thousandth_of_a_pixel() {
        let worst = worst_centroid_px(|disc, _, column, row| coverage(disc, column.into(), row.into()));
        // Not zero even without rounding, because light in a rim pixel counts at the pixel's middle. The tolerance is
        // twice the largest error seen.
        assert!(worst < 5e-4, "centroid off by {worst} px");
    }

    #[test]
    fn the_centroid_with_rounding_is_within_three_thousandths_of_a_pixel() {
        let worst = worst_centroid_px(|_, bytes, column, row| f64::from(bytes[(row * 64 + column) as usize] - 40));
        // The largest error over 1,000 places was 0.0013 px.
        assert!(worst < 3e-3, "centroid off by {worst} px");
    }

    #[test]
    fn a_disc_centred_on_the_grid_gives_a_symmetric_picture() {
        for centre in [20.0_f64, 20.5] {
            let side = 2 * centre as u32 + 1 + u32::from(centre.fract() > 0.0);
            let bytes = gray(Size { width: side, height: side }, Circle { x: centre, y: centre, radius: 13.3 });
            let at = |x: u32, y: u32| bytes[(y * side + x) as usize];
            for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
                assert_eq!(at(x, y), at(side - 1 - x, y));
                assert_eq!(at(x, y), at(x, side - 1 - y));
                assert_eq!(at(x, y), at(y, x));
            }
        }
    }

    #[test]
    fn a_colour_picture_converted_to_gray_is_the_gray_picture() {
        assert_eq!(bgr_to_gray(&BGR_INK.disc), GRAY_INK.disc[0]);
        assert_eq!(bgr_to_gray(&BGR_INK.background), GRAY_INK.background[0]);
        let disc = Circle { x: 320.25, y: 240.75, radius: 37.3 };
        let colour = picture(VGA, PixelFormat::Bgr8, disc);
        for (pixel, gray) in colour.bytes().chunks_exact(3).zip(gray(VGA, disc)) {
            // The colour picture is rounded in three channels, the gray picture once.
            assert!(bgr_to_gray(pixel).abs_diff(gray) <= 1);
        }
    }

    #[test]
    fn an_impossible_disc_shows_the_background() {
        let fine = Circle { x: 10.0, y: 10.0, radius: 5.0 };
        let nothing = [
            Circle { radius: 0.0, ..fine },
            Circle { radius: -3.0, ..fine },
            Circle { radius: 1e-300, ..fine },
            Circle { radius: 1e200, ..fine },
            Circle { radius: f64::NAN, ..fine },
            Circle { x: f64::NAN, ..fine },
            Circle { y: f64::INFINITY, ..fine },
            Circle { x: 1e300, ..fine },
            Circle { x: -5.6, ..fine },
        ];
        for disc in nothing {
            assert!(gray(VGA, disc).iter().all(|&byte| byte == 40), "{disc:?}");
        }
    }

    #[test]
    fn a_disc_larger_than_the_image_fills_it() {
        assert!(gray(VGA, Circle { x: 300.0, y: 200.0, radius: 1e6 }).iter().all(|&byte| byte == 180));
    }

    #[test]
    fn an_image_without_pixels_can_be_rendered() {
        assert!(gray(Size { width: 0, height: 0 }, Circle { x: 0.0, y: 0.0, radius: 2.0 }).is_empty());
    }

    #[test]
    fn the_truth_is_the_disc_of_the_last_picture() {
        let mut camera = PlainCamera::new(VGA, PixelFormat::Gray8);
        assert_eq!(camera.truth(), None);
        let disc = Circle { x: 100.123_456_789, y: 50.5, radius: 20.0 };
        camera.render(disc);
        assert_eq!(camera.truth(), Some(disc));
        assert!(camera.render_empty().bytes().iter().all(|&byte| byte == 40));
        assert_eq!(camera.truth(), None);
    }

    fn any_disc() -> impl Strategy<Value = Circle> {
        (-30.0..90.0, -30.0..80.0, prop_oneof![0.01..2.0, 2.0..40.0]).prop_map(|(x, y, radius)| Circle { x, y, radius })
    }

    proptest! {
        #[test]
        fn a_used_camera_takes_the_picture_of_a_new_one(
            discs in prop::collection::vec(any_disc(), 1..8),
            colour: bool,
        ) {
            let size = Size { width: 61, height: 47 };
            let format = if colour { PixelFormat::Bgr8 } else { PixelFormat::Gray8 };
            let mut camera = PlainCamera::new(size, format);
            for disc in discs {
                prop_assert_eq!(camera.render(disc), &picture(size, format, disc));
            }
        }

        #[test]
        fn moving_by_whole_pixels_moves_the_picture(
            // Multiples of 2⁻²⁰, so that adding whole pixels is exact.
            (x, y) in (0_u32..1 << 20, 0_u32..1 << 20),
            (right, down) in (0_usize..20, 0_usize..20),
            radius in 0.1..15.0,
        ) {
            let (x, y) = (20.0 + f64::from(x) / 1_048_576.0, 20.0 + f64::from(y) / 1_048_576.0);
            let size = Size { width: 64, height: 64 };
            let here = gray(size, Circle { x, y, radius });
            let there = gray(size, Circle { x: x + right as f64, y: y + down as f64, radius });
            for row in down..64 {
                prop_assert_eq!(&here[(row - down) * 64..][..64 - right], &there[row * 64 + right..][..64 - right]);
            }
        }
    }
}
