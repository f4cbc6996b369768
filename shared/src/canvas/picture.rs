//! An image drawn on a canvas.

use super::colour::Colours;
use super::placement::{Placement, Scale};
use super::surface::Canvas;
use crate::geometry::Size;
use crate::image::Image;

/// Maximum number of samples along each side of a box whose mean becomes one shrunk pixel: enough that a disc keeps its
/// soft rim, few enough that an 8192x8192 frame costs milliseconds.
const SAMPLES_PER_SIDE: usize = 4;

impl Canvas {
    /// Draws an image, with 16 bits in these colours. Enlarging repeats pixels; shrinking takes the mean of up to 4 x 4
    /// samples per box.
    pub fn draw_image(&mut self, image: &Image, colours: Option<&Colours>, placement: Placement) {
        let (size, bytes) = (image.size(), image.bytes());
        match image {
            Image::Gray8(_) => self.draw_pixels(size, bytes, placement, |gray| [gray; 3]),
            Image::Bgr8(_) => self.draw_pixels(size, bytes.as_chunks().0, placement, |[b, g, r]: [u8; 3]| [r, g, b]),
            Image::Gray16(pixels) => {
                let Some((pixels, colours)) = pixels.as_slice().zip(colours) else { return };
                self.draw_pixels(size, pixels, placement, |value| colours.colour(value));
            }
        }
    }

    fn draw_pixels<P: Copy>(&mut self, size: Size, pixels: &[P], placement: Placement, rgb: impl Fn(P) -> [u8; 3]) {
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

/// Fills a line with the pixels of an image's row, each repeated. The first `first` repeated pixels are skipped.
fn repeat<P: Copy>(line: &mut [u32], source: &[P], first: usize, by: usize, rgb: &impl Fn(P) -> [u8; 3]) {
    let mut line = line;
    let mut shown = first % by;
    for pixel in &source[first / by..] {
        let (same, rest) = line.split_at_mut((by - shown).min(line.len()));
        same.fill(packed_rgb(rgb(*pixel)));
        (line, shown) = (rest, 0);
    }
}

/// Mean of the samples of one box that are inside the image, rounded down.
fn box_mean<P: Copy>(
    pixels: &[P],
    size: Size,
    row: usize,
    column: usize,
    by: usize,
    rgb: &impl Fn(P) -> [u8; 3],
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
    use embedded_graphics::prelude::Point;
    use ndarray::{Array3, array};

    use super::*;
    use crate::canvas::colour::{Colormap, Look};

    #[test]
    fn growing_repeats_pixels() {
        let mut canvas = Canvas::new(5, 3);
        let image = Image::Gray8(array![[1, 2]]);
        canvas.draw_image(&image, None, Placement { at: Point::new(1, 1), scale: Scale::Up(2) });
        let (p, q) = (0x01_0101, 0x02_0202);
        assert_eq!(canvas.pixels(), [0, 0, 0, 0, 0, 0, p, p, q, q, 0, p, p, q, q]);
    }

    #[test]
    fn shrinking_takes_means_even_of_partial_boxes() {
        let mut canvas = Canvas::new(2, 1);
        let image = Image::Gray8(array![[10, 20, 7], [30, 40, 9]]);
        canvas.draw_image(&image, None, Placement { at: Point::zero(), scale: Scale::Down(2) });
        assert_eq!(canvas.pixels(), [0x19_1919, 0x08_0808]);
    }

    #[test]
    fn colour_channels_keep_their_order() {
        let mut canvas = Canvas::new(1, 1);
        let bgr = Array3::from_shape_vec((1, 1, 3), vec![3, 2, 1]).expect("three values");
        canvas.draw_image(&Image::Bgr8(bgr), None, Placement { at: Point::zero(), scale: Scale::Up(1) });
        assert_eq!(canvas.pixels(), [0x01_0203]);
    }

    #[test]
    fn sixteen_bits_are_drawn_in_the_colours_of_their_values() {
        let image = Image::Gray16(array![[0, 500, 4500]]);
        let look = Look { colormap: Colormap::Gray, range: "500..4500".parse().ok() };
        let mut canvas = Canvas::new(3, 1);
        canvas.draw_image(
            &image,
            Colours::of(&image, look).as_ref(),
            Placement { at: Point::zero(), scale: Scale::Up(1) },
        );
        assert_eq!(canvas.pixels(), [0, 0, 0xff_ffff]);
    }

    #[test]
    fn an_image_partly_off_the_canvas_is_clipped() {
        let mut canvas = Canvas::new(2, 2);
        let image = Image::Gray8(array![[1, 2], [3, 4]]);
        canvas.draw_image(&image, None, Placement { at: Point::new(-1, -1), scale: Scale::Up(1) });
        assert_eq!(canvas.pixels(), [0x04_0404, 0, 0, 0]);
        let mut canvas = Canvas::new(2, 2);
        canvas.draw_image(&image, None, Placement { at: Point::new(-3, -1), scale: Scale::Up(2) });
        assert_eq!(canvas.pixels(), [0x02_0202, 0, 0x04_0404, 0]);
        canvas.draw_image(&image, None, Placement { at: Point::new(5, -9), scale: Scale::Up(1) });
    }
}
