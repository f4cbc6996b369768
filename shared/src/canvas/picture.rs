//! An image on a canvas, at a whole-number scale, and where its points come to lie.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::Canvas;
use crate::geometry::{Circle, Size};
use crate::image::Image;

/// Samples along each side of a box that a shrunk pixel is the mean of, at most: enough that a disc keeps its
/// soft rim, few enough that an 8192x8192 frame costs milliseconds.
const SAMPLES_PER_SIDE: usize = 4;

/// How many canvas pixels an image pixel becomes, along each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Each image pixel becomes a square of this side; 1 is the original size.
    Up(u32),
    /// Each square of this side, at least 2, becomes one canvas pixel.
    Down(u32),
}

impl Scale {
    /// The largest scale that keeps a small image within `comfortable`, and any image within `limit`.
    ///
    /// An image between the two keeps its size. An empty image does too.
    pub fn to_fit(image: Size, comfortable: Size, limit: Size) -> Self {
        let Size { width, height } = image;
        if width > limit.width || height > limit.height {
            let by = width.div_ceil(limit.width.max(1)).max(height.div_ceil(limit.height.max(1)));
            return Self::Down(by.max(2));
        }
        Self::Up((comfortable.width / width.max(1)).min(comfortable.height / height.max(1)).max(1))
    }

    /// Canvas pixels per image pixel.
    pub fn factor(self) -> f64 {
        match self {
            Self::Up(by) => f64::from(by),
            Self::Down(by) => 1.0 / f64::from(by),
        }
    }

    /// The size an image has at this scale; a square that is not full counts whole.
    pub fn applied_to(self, image: Size) -> Size {
        let side = |side: u32| match self {
            Self::Up(by) => side.saturating_mul(by),
            Self::Down(by) => side.div_ceil(by.max(1)),
        };
        Size { width: side(image.width), height: side(image.height) }
    }
}

/// Where an image is on a canvas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Canvas pixel of the image's top-left corner.
    pub at: Point,
    /// Its scale.
    pub scale: Scale,
}

impl Placement {
    /// An image in the middle of an area of the canvas.
    pub fn centred(image: Size, scale: Scale, area: Rectangle) -> Self {
        let shown = scale.applied_to(image);
        let room = area.size.saturating_sub(Extent::new(shown.width, shown.height)) / 2;
        Self { at: area.top_left + room, scale }
    }

    /// The part of the canvas an image takes up.
    pub fn area(self, image: Size) -> Rectangle {
        let shown = self.scale.applied_to(image);
        Rectangle::new(self.at, Extent::new(shown.width, shown.height))
    }

    /// Where a point of the image is on the canvas, to a fraction of a pixel; both have pixel centres at integers.
    ///
    /// Image pixel 0 spans `[−½, ½]`, so x becomes `at + (x + ½) · factor − ½`.
    pub fn point(self, x: f64, y: f64) -> (f64, f64) {
        let along = |at: i32, v: f64| f64::from(at) + (v + 0.5) * self.scale.factor() - 0.5;
        (along(self.at.x, x), along(self.at.y, y))
    }

    /// A circle of the image, on the canvas.
    pub fn circle(self, circle: Circle) -> Circle {
        let (x, y) = self.point(circle.x, circle.y);
        Circle { x, y, radius: circle.radius * self.scale.factor() }
    }
}

impl Canvas {
    /// Draws an image: by repeating pixels when it grows, by means of up to 4 x 4 samples a box when it shrinks.
    pub fn draw_image(&mut self, image: &Image, placement: Placement) {
        let (size, bytes) = (image.size(), image.bytes());
        match image {
            Image::Gray8(_) => self.draw_pixels(size, bytes.as_chunks().0, placement, |[gray]| [gray; 3]),
            Image::Bgr8(_) => self.draw_pixels(size, bytes.as_chunks().0, placement, |[b, g, r]| [r, g, b]),
        }
    }

    fn draw_pixels<const N: usize>(
        &mut self,
        size: Size,
        pixels: &[[u8; N]],
        placement: Placement,
        rgb: impl Fn([u8; N]) -> [u8; 3],
    ) {
        let (columns, rows) = self.clipped(placement.area(size));
        let offset = |index: usize, corner: i32| (index as i64 - i64::from(corner)) as usize;
        for row in rows {
            let first = offset(columns.start, placement.at.x);
            let row_shown = offset(row, placement.at.y);
            let line = &mut self.row_mut(row)[columns.clone()];
            match placement.scale {
                Scale::Up(by) => {
                    let source = &pixels[row_shown / by as usize * size.width as usize..][..size.width as usize];
                    repeat(line, source, first, by as usize, &rgb);
                }
                Scale::Down(by) => {
                    for (column, pixel) in (first..).zip(line) {
                        *pixel = packed_rgb(box_mean(pixels, size, row_shown, column, by as usize, &rgb));
                    }
                }
            }
        }
    }
}

/// Fills a line with the pixels of an image's row, each repeated; the line begins `first` repeated pixels in.
fn repeat<const N: usize>(
    line: &mut [u32],
    source: &[[u8; N]],
    first: usize,
    by: usize,
    rgb: &impl Fn([u8; N]) -> [u8; 3],
) {
    let mut line = line;
    let mut shown = first % by;
    for pixel in &source[first / by..] {
        let (same, rest) = line.split_at_mut((by - shown).min(line.len()));
        same.fill(packed_rgb(rgb(*pixel)));
        (line, shown) = (rest, 0);
    }
}

/// Mean of the samples of one box, of those that lie in the image, rounded down.
fn box_mean<const N: usize>(
    pixels: &[[u8; N]],
    size: Size,
    row: usize,
    column: usize,
    by: usize,
    rgb: &impl Fn([u8; N]) -> [u8; 3],
) -> [u8; 3] {
    let stride = by.div_ceil(SAMPLES_PER_SIDE).max(1);
    let ends = |index: usize, side: u32| index * by..((index + 1) * by).min(side as usize);
    let (rows, columns) = (ends(row, size.height), ends(column, size.width));
    let (mut sum, mut count) = ([0_u32; 3], 0);
    for y in rows.step_by(stride) {
        for pixel in pixels[y * size.width as usize..][columns.clone()].iter().step_by(stride) {
            let [r, g, b] = rgb(*pixel).map(u32::from);
            sum = [sum[0] + r, sum[1] + g, sum[2] + b];
            count += 1;
        }
    }
    sum.map(|sum| (sum / count.max(1)) as u8)
}

fn packed_rgb([r, g, b]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, r, g, b])
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    const COMFORTABLE: Size = Size { width: 640, height: 480 };
    const LIMIT: Size = Size { width: 900, height: 800 };

    fn scale(width: u32, height: u32) -> Scale {
        Scale::to_fit(Size { width, height }, COMFORTABLE, LIMIT)
    }

    #[test]
    fn small_images_grow_and_large_ones_shrink_by_whole_numbers() {
        assert_eq!(scale(16, 16), Scale::Up(30));
        assert_eq!(scale(64, 64), Scale::Up(7));
        assert_eq!(scale(640, 480), Scale::Up(1));
        assert_eq!(scale(900, 800), Scale::Up(1));
        assert_eq!(scale(901, 10), Scale::Down(2));
        assert_eq!(scale(1920, 1080), Scale::Down(3));
        assert_eq!(scale(8192, 8192), Scale::Down(11));
        assert_eq!(scale(0, 0), Scale::Up(480));
    }

    #[test]
    fn pixel_centres_stay_centres() {
        let at = Point::new(10, 20);
        // Image pixel 2 becomes canvas pixels 6, 7 and 8 past the corner: their middle is 7.
        assert_eq!(Placement { at, scale: Scale::Up(3) }.point(2.0, 0.0), (17.0, 21.0));
        // Image pixels 4 to 7 become canvas pixel 1: their middle, 5.5, is its centre.
        assert_eq!(Placement { at, scale: Scale::Down(4) }.point(5.5, 1.5), (11.0, 20.0));
        let circle = Circle { x: 1.5, y: 5.5, radius: 2.0 };
        let mapped = Placement { at, scale: Scale::Down(4) }.circle(circle);
        assert_eq!(mapped, Circle { x: 10.0, y: 21.0, radius: 0.5 });
    }

    #[test]
    fn growing_repeats_pixels() {
        let mut canvas = Canvas::new(5, 3);
        let image = Image::Gray8(array![[1, 2]]);
        canvas.draw_image(&image, Placement { at: Point::new(1, 1), scale: Scale::Up(2) });
        let (p, q) = (0x01_0101, 0x02_0202);
        assert_eq!(canvas.pixels(), [0, 0, 0, 0, 0, 0, p, p, q, q, 0, p, p, q, q]);
    }

    #[test]
    fn shrinking_takes_means_and_part_boxes_count_what_they_hold() {
        let mut canvas = Canvas::new(2, 1);
        let image = Image::Gray8(array![[10, 20, 7], [30, 40, 9]]);
        canvas.draw_image(&image, Placement { at: Point::zero(), scale: Scale::Down(2) });
        assert_eq!(canvas.pixels(), [0x19_1919, 0x08_0808]);
    }

    #[test]
    fn colours_keep_their_places() {
        let mut canvas = Canvas::new(1, 1);
        let bgr = Array3::from_shape_vec((1, 1, 3), vec![3, 2, 1]).expect("three values");
        canvas.draw_image(&Image::Bgr8(bgr), Placement { at: Point::zero(), scale: Scale::Up(1) });
        assert_eq!(canvas.pixels(), [0x01_0203]);
    }

    #[test]
    fn an_image_partly_off_the_canvas_is_clipped() {
        let mut canvas = Canvas::new(2, 2);
        let image = Image::Gray8(array![[1, 2], [3, 4]]);
        canvas.draw_image(&image, Placement { at: Point::new(-1, -1), scale: Scale::Up(1) });
        assert_eq!(canvas.pixels(), [0x04_0404, 0, 0, 0]);
        let mut canvas = Canvas::new(2, 2);
        canvas.draw_image(&image, Placement { at: Point::new(-3, -1), scale: Scale::Up(2) });
        assert_eq!(canvas.pixels(), [0x02_0202, 0, 0x04_0404, 0]);
        canvas.draw_image(&image, Placement { at: Point::new(5, -9), scale: Scale::Up(1) });
    }
}
