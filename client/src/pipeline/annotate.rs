//! The pipeline `annotate`: draws what `hough` finds into the frame, each circle with a cross at its centre.

use image::{ImageBuffer, Luma, Pixel, Rgb};
use imageproc::drawing::{draw_hollow_circle_mut, draw_line_segment_mut};
use ndarray::{ArrayView, ArrayView2, Dimension};
use shared::geometry::{Circle, Size};
use shared::image::{GrayLevels, ImageView, PixelFormat};

use super::detector::{DetectorOfAll, Estimate};
use super::hough::Hough;
use super::image::{Editor, ImageKind, Picture};
use super::radii::RadiusLimits;

/// The pipeline `annotate`, for the list.
pub(super) const KIND: ImageKind =
    ImageKind { name: "annotate", finds_circles: true, editor: |limits| Box::new(Annotate::new(limits)) };

/// Half the length of the lines of a cross, in pixels, as in the window's mark of an estimate. It is at most half of the
/// disc's radius.
const ARM_PX: f64 = 7.0;

/// Blue, green and red to draw with: the colour of an estimate in Plumb's windows.
const COLOUR: [u8; 3] = [0x9a, 0x4f, 0xff];

/// Grays to draw with. Whatever the levels of disc and ground, one of these is at least 63 from both.
const GRAYS: [u8; 3] = [255, 0, 128];

/// Where the gray levels of a disc and of its ground are read: at these multiples of the radius, in this many directions.
const DISC_AT: f64 = 0.7;
const GROUND_AT: f64 = 1.3;
const DIRECTIONS: usize = 16;

/// Finds circles and draws them.
struct Annotate {
    hough: Hough,
    /// The gray levels of a frame that is not gray8.
    gray: GrayLevels,
    found: Vec<Estimate>,
}

impl Annotate {
    fn new(limits: RadiusLimits) -> Self {
        Self { hough: Hough::new(limits), gray: GrayLevels::default(), found: Vec::new() }
    }
}

impl Editor for Annotate {
    fn edit(&mut self, image: ImageView<'_>) -> Picture {
        let (size, gray) = (image.size(), self.gray.of(image));
        self.hough.detect_all(gray, &mut self.found);
        match image {
            // The answer to a gray16 frame has the gray levels that were searched.
            ImageView::Gray8(_) | ImageView::Gray16(_) => {
                let marks = self.found.iter().map(|found| (found.circle, Luma([contrasting(gray, found.circle)])));
                (size, PixelFormat::Gray8, marked(size, bytes(gray), marks))
            }
            ImageView::Bgr8(bgr) => {
                // `Rgb` is three bytes here, blue first.
                let marks = self.found.iter().map(|found| (found.circle, Rgb(COLOUR)));
                (size, PixelFormat::Bgr8, marked(size, bytes(bgr), marks))
            }
        }
    }
}

/// The bytes of an image, row by row.
fn bytes<D: Dimension>(pixels: ArrayView<'_, u8, D>) -> Vec<u8> {
    pixels.as_slice().map_or_else(|| pixels.iter().copied().collect(), <[u8]>::to_vec)
}

/// Draws circles into the pixels of an image, each in its colour.
fn marked<P: Pixel<Subpixel = u8>>(size: Size, pixels: Vec<u8>, marks: impl Iterator<Item = (Circle, P)>) -> Vec<u8> {
    // Refused only if there are too few bytes for the size. Callers pass all pixels of an image in its own format.
    let Some(mut canvas) = ImageBuffer::<P, _>::from_raw(size.width, size.height, pixels) else {
        return Vec::new();
    };
    for (circle, colour) in marks {
        mark(&mut canvas, circle, colour);
    }
    canvas.into_raw()
}

fn mark<P: Pixel<Subpixel = u8>>(canvas: &mut ImageBuffer<P, Vec<u8>>, circle: Circle, colour: P) {
    let (x, y) = (circle.x.round() as f32, circle.y.round() as f32);
    let arm = ARM_PX.min(0.5 * circle.radius).round() as f32;
    draw_hollow_circle_mut(canvas, (x as i32, y as i32), circle.radius.round() as i32, colour);
    draw_line_segment_mut(canvas, (x - arm, y), (x + arm, y), colour);
    draw_line_segment_mut(canvas, (x, y - arm), (x, y + arm), colour);
}

/// The gray that differs most from both the disc and its ground.
fn contrasting(gray: ArrayView2<'_, u8>, circle: Circle) -> u8 {
    let levels = [DISC_AT, GROUND_AT].map(|at| mean(gray, Circle { radius: at * circle.radius, ..circle }));
    let apart = |own: u8| levels.iter().flatten().map(|level| own.abs_diff(*level)).min();
    GRAYS.into_iter().rev().max_by_key(|own| apart(*own)).unwrap_or(GRAYS[0])
}

/// Mean gray level along a circle. `None` if no point of the circle is in the frame.
fn mean(gray: ArrayView2<'_, u8>, circle: Circle) -> Option<u8> {
    let pixel = |direction: usize| {
        let (sin, cos) = (direction as f64 / DIRECTIONS as f64 * std::f64::consts::TAU).sin_cos();
        let (x, y) = ((circle.x + circle.radius * cos).round(), (circle.y + circle.radius * sin).round());
        if x < 0.0 || y < 0.0 { None } else { gray.get((y as usize, x as usize)) }
    };
    let (sum, count) = (0..DIRECTIONS).filter_map(pixel).fold((0, 0), |(sum, n), gray| (sum + u32::from(*gray), n + 1));
    (count > 0).then(|| (sum / count) as u8)
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::Rgb888;
    use shared::canvas::theme;
    use shared::image::Image;

    use super::*;
    use crate::pipeline::testing::{Canvas, Random};

    const DISC: Circle = Circle { x: 60.2, y: 44.9, radius: 20.0 };

    fn edited(image: &Image) -> Image {
        let (size, pixel, data) = Annotate::new(RadiusLimits::default()).edit(image.view());
        Image::from_bytes(&data, size, pixel).expect("as many bytes as pixels")
    }

    fn frame(discs: &[Circle]) -> Image {
        let canvas = discs.iter().fold(Canvas::new(160, 120, 40.0), |canvas, disc| canvas.disc(*disc, 180.0));
        Image::Gray8(canvas.shot(3.0, &mut Random::new(1)))
    }

    /// Positions of the pixels that differ from the frame's.
    fn drawn(frame: &Image, edited: &Image) -> Vec<(i32, i32)> {
        assert_eq!((frame.size(), frame.format()), (edited.size(), edited.format()));
        let channels = frame.format().channels();
        let pixels = frame.bytes().chunks(channels).zip(edited.bytes().chunks(channels)).enumerate();
        let place = |at: usize| (at as i32 % frame.size().width as i32, at as i32 / frame.size().width as i32);
        pixels.filter(|(_, (before, after))| before != after).map(|(at, _)| place(at)).collect()
    }

    #[track_caller]
    fn is_marked(drawn: &[(i32, i32)], (x, y): (i32, i32)) {
        let places =
            [(0, 0), (7, 0), (-7, 0), (0, 7), (0, -7), (20, 0), (-20, 0), (0, 20), (0, -20), (14, 14), (-14, 14)];
        for (dx, dy) in places {
            assert!(drawn.contains(&(x + dx, y + dy)), "({dx}, {dy}) beside ({x}, {y}): {drawn:?}");
        }
    }

    #[test]
    fn a_disc_gets_an_outline_and_a_cross_and_other_pixels_stay_unchanged() {
        for frame in [frame(&[DISC]), frame(&[DISC]).into_bgr()] {
            let drawn = drawn(&frame, &edited(&frame));
            is_marked(&drawn, (60, 45));
            let is_a_mark = |&(x, y): &(i32, i32)| {
                let (dx, dy) = (x - 60, y - 45);
                let rim = f64::from(dx).hypot(f64::from(dy)) - 20.0;
                rim.abs() < 1.0 || (dx == 0 && dy.abs() <= 7) || (dy == 0 && dx.abs() <= 7)
            };
            assert!(drawn.iter().all(is_a_mark), "{drawn:?}");
        }
    }

    #[test]
    fn every_disc_is_marked_even_one_that_is_cut_by_the_border() {
        let frame = frame(&[DISC, Circle { x: 120.0, y: 60.0, ..DISC }, Circle { x: 30.0, y: 115.0, ..DISC }]);
        let drawn = drawn(&frame, &edited(&frame));
        is_marked(&drawn, (60, 45));
        is_marked(&drawn, (120, 60));
        assert!(drawn.contains(&(30, 115)) && drawn.contains(&(30, 95)), "{drawn:?}");
    }

    #[test]
    fn a_frame_without_a_disc_comes_back_unchanged() {
        for frame in [frame(&[]), frame(&[]).into_bgr()] {
            assert_eq!(edited(&frame), frame);
        }
    }

    #[test]
    fn marks_differ_from_disc_and_ground() {
        for (ground, disc, expected) in [(40, 180, 255), (200, 90, 0), (0, 255, 128), (255, 0, 128), (120, 130, 255)] {
            let frame =
                Canvas::new(120, 90, f64::from(ground)).disc(DISC, f64::from(disc)).shot(0.0, &mut Random::new(1));
            assert_eq!(contrasting(frame.view(), DISC), expected, "{disc} on {ground}");
        }
    }

    #[test]
    fn in_colour_a_mark_looks_like_an_estimate_in_the_window() {
        let Image::Bgr8(marked) = edited(&frame(&[DISC]).into_bgr()) else { panic!("not in colour") };
        let [blue, green, red] = [0, 1, 2].map(|channel| marked[[45, 60, channel]]);
        assert_eq!(Rgb888::new(red, green, blue), theme::ESTIMATE);
    }
}
