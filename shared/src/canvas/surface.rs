//! The pixels of a window, and the part of them that may be drawn on.
//!
//! A canvas uses the image convention: x right, y down, the centre of the top-left pixel at the origin. Every drawing
//! is clipped, so none can fail or panic.

use std::convert::Infallible;
use std::ops::Range;

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Dimensions, DrawTarget, Pixel, Point, RgbColor, Size as Extent};
use embedded_graphics::primitives::Rectangle;

/// A rectangle of pixels, `0x00RRGGBB` each, row by row from the top left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    width: u32,
    height: u32,
    pixels: Vec<u32>,
    /// The columns and rows that drawings may change.
    pub(super) clip: (Range<u32>, Range<u32>),
}

impl Canvas {
    /// A black canvas.
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, pixels: vec![0; width as usize * height as usize], clip: (0..width, 0..height) }
    }

    /// Columns.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The pixels, in the format of window libraries.
    pub fn pixels(&self) -> &[u32] {
        &self.pixels
    }

    /// Fills the part of a rectangle that is on the canvas.
    pub fn fill(&mut self, area: Rectangle, colour: Rgb888) {
        let (columns, rows) = self.clipped(area);
        for row in rows {
            self.row_mut(row)[columns.clone()].fill(packed(colour));
        }
    }

    /// Draws with everything outside one rectangle clipped.
    pub fn within(&mut self, area: Rectangle, draw: impl FnOnce(&mut Self)) {
        let (columns, rows) = self.clipped(area);
        let narrow = (columns.start as u32..columns.end as u32, rows.start as u32..rows.end as u32);
        let wide = std::mem::replace(&mut self.clip, narrow);
        draw(self);
        self.clip = wide;
    }

    /// The columns and rows of a rectangle that may be drawn on.
    pub(super) fn clipped(&self, area: Rectangle) -> (Range<usize>, Range<usize>) {
        let Rectangle { top_left, size } = area;
        (clip(top_left.x, size.width, &self.clip.0), clip(top_left.y, size.height, &self.clip.1))
    }

    /// One row of pixels; `row` must be on the canvas.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [u32] {
        &mut self.pixels[row * self.width as usize..][..self.width as usize]
    }
}

/// The part of `[start, start + length)` that lies in `limit`.
fn clip(start: i32, length: u32, limit: &Range<u32>) -> Range<usize> {
    let (low, high) = (i64::from(limit.start), i64::from(limit.end));
    let first = i64::from(start).clamp(low, high);
    let end = (i64::from(start) + i64::from(length)).clamp(first, high);
    first as usize..end as usize
}

fn packed(colour: Rgb888) -> u32 {
    u32::from_be_bytes([0, colour.r(), colour.g(), colour.b()])
}

/// Blends a pixel with a colour, by a share in `[0, 1]`.
pub(super) fn blended(pixel: u32, colour: Rgb888, share: f64) -> u32 {
    let [_, r, g, b] = pixel.to_be_bytes();
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share + 0.5) as u8;
    u32::from_be_bytes([0, mix(r, colour.r()), mix(g, colour.g()), mix(b, colour.b())])
}

impl Dimensions for Canvas {
    fn bounding_box(&self) -> Rectangle {
        Rectangle::new(Point::zero(), Extent::new(self.width, self.height))
    }
}

impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, colour) in pixels {
            let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { continue };
            if self.clip.0.contains(&x) && self.clip.1.contains(&y) {
                self.row_mut(y as usize)[x as usize] = packed(colour);
            }
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        self.fill(*area, colour);
        Ok(())
    }

    fn clear(&mut self, colour: Rgb888) -> Result<(), Infallible> {
        self.fill(self.bounding_box(), colour);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::prelude::Drawable;
    use embedded_graphics::primitives::{Circle, Primitive, PrimitiveStyle};

    use super::*;

    const RED: Rgb888 = Rgb888::new(255, 16, 1);

    #[test]
    fn pixels_are_zero_red_green_blue() {
        let mut canvas = Canvas::new(2, 1);
        canvas.fill(Rectangle::new(Point::new(1, 0), Extent::new(1, 1)), RED);
        assert_eq!(canvas.pixels(), [0, 0x00ff_1001]);
    }

    #[test]
    fn pixels_outside_are_clipped() {
        let mut canvas = Canvas::new(3, 2);
        canvas.fill(Rectangle::new(Point::new(-5, 1), Extent::new(6, u32::MAX)), RED);
        assert_eq!(canvas.pixels(), [0, 0, 0, 0x00ff_1001, 0, 0]);
        canvas.fill(Rectangle::new(Point::new(i32::MAX, i32::MIN), Extent::new(u32::MAX, 7)), RED);
        let Ok(()) =
            Circle::new(Point::new(-40, -40), 100).into_styled(PrimitiveStyle::with_stroke(RED, 3)).draw(&mut canvas);
    }

    #[test]
    fn a_drawing_within_a_rectangle_changes_no_other_pixel() {
        let mut canvas = Canvas::new(3, 2);
        let inner = Rectangle::new(Point::new(1, -4), Extent::new(1, 5));
        canvas.within(inner, |canvas| {
            let Ok(()) = canvas.clear(RED);
            canvas.within(Rectangle::new(Point::zero(), Extent::new(1, 2)), |canvas| {
                let Ok(()) = canvas.clear(Rgb888::new(1, 1, 1));
            });
        });
        assert_eq!(canvas.pixels(), [0, 0x00ff_1001, 0, 0, 0, 0]);
        let Ok(()) = canvas.draw_iter([Pixel(Point::new(0, 1), RED)]);
        assert_eq!(canvas.pixels()[3], 0x00ff_1001);
    }

    #[test]
    fn a_canvas_without_pixels_accepts_drawings() {
        let mut canvas = Canvas::new(0, 0);
        let Ok(()) = canvas.clear(RED);
        let Ok(()) = Circle::new(Point::zero(), 10).into_styled(PrimitiveStyle::with_fill(RED)).draw(&mut canvas);
        assert!(canvas.pixels().is_empty());
    }

    #[test]
    fn blending_goes_from_the_pixel_to_the_colour() {
        assert_eq!(blended(0x0010_2030, Rgb888::new(0x20, 0x20, 0x20), 0.0), 0x0010_2030);
        assert_eq!(blended(0x0010_2030, Rgb888::new(0x20, 0x20, 0x20), 0.5), 0x0018_2028);
        assert_eq!(blended(0x0010_2030, Rgb888::new(0x20, 0x20, 0x20), 1.0), 0x0020_2020);
    }
}
