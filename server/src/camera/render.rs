//! Draws a disc row by row: exact coverage on the rim, plain fills inside.
//!
//! A pixel's value is `round(background + (disc − background) · coverage)` in each channel. Halves are rounded up.

use std::ops::{Range, RangeInclusive};

use shared::geometry::{Circle, Size};

use super::coverage::{coverage, half_chord};

/// Range of radii that are drawn, in px. A smaller disc changes no 8-bit value. With a larger radius the squares of
/// lengths lose the precision of a pixel.
pub(super) const RADII_PX: RangeInclusive<f64> = 1e-6..=1e6;

/// The values of background and disc in each channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink<const CHANNELS: usize> {
    /// Value of a pixel without disc.
    pub background: [u8; CHANNELS],
    /// Value of a pixel wholly covered by the disc.
    pub disc: [u8; CHANNELS],
}

impl<const CHANNELS: usize> Ink<CHANNELS> {
    /// The value of a pixel whose covered share is `coverage`, in `[0, 1]`.
    fn mix(&self, coverage: f64) -> [u8; CHANNELS] {
        std::array::from_fn(|channel| {
            let background = f64::from(self.background[channel]);
            let exact = background + (f64::from(self.disc[channel]) - background) * coverage;
            // `exact` is never negative, so adding a half and truncating rounds to the nearest integer.
            (exact + 0.5) as u8
        })
    }
}

/// The columns and rows of an image that were drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    columns: Range<usize>,
    rows: Range<usize>,
}

impl Area {
    pub(super) fn whole(size: Size) -> Self {
        Self { columns: 0..size.width as usize, rows: 0..size.height as usize }
    }

    /// The pixels of the image that a disc can touch; empty for an impossible disc.
    fn of(disc: Circle, size: Size) -> Self {
        if !(RADII_PX.contains(&disc.radius) && disc.x.is_finite() && disc.y.is_finite()) {
            return Self::default();
        }
        let columns = pixels(disc.x - disc.radius, disc.x + disc.radius, size.width);
        let rows = pixels(disc.y - disc.radius, disc.y + disc.radius, size.height);
        Self { columns, rows }
    }
}

/// Fills an area with the background.
pub(super) fn clear<const N: usize>(pixels: &mut [[u8; N]], size: Size, ink: &Ink<N>, area: &Area) {
    for row in area.rows.clone() {
        let line = &mut pixels[row * size.width as usize..][..size.width as usize];
        line[area.columns.clone()].fill(ink.background);
    }
}

/// Draws a disc over the background in `pixels`, and returns the area drawn.
pub(super) fn draw<const N: usize>(pixels: &mut [[u8; N]], size: Size, ink: &Ink<N>, disc: Circle) -> Area {
    let area = Area::of(disc, size);
    for row in area.rows.clone() {
        let line = &mut pixels[row * size.width as usize..][..size.width as usize];
        draw_row(line, row, ink, disc);
    }
    area
}

fn draw_row<const N: usize>(line: &mut [[u8; N]], row: usize, ink: &Ink<N>, disc: Circle) {
    let width = line.len() as u32;
    let (near, far) = distances(row, disc.y);
    let outer = half_chord(disc.radius, near);
    let touched = pixels(disc.x - outer, disc.x + outer, width);
    let inside = inside(half_chord(disc.radius, far), disc.x, &touched);
    for column in (touched.start..inside.start).chain(inside.end..touched.end) {
        line[column] = ink.mix(coverage(disc, column as i64, row as i64));
    }
    line[inside].fill(ink.disc);
}

/// Smallest and largest distance, along y, of the points of a row of pixels from the centre.
pub(super) fn distances(row: usize, centre: f64) -> (f64, f64) {
    let middle = (row as f64 - centre).abs();
    ((middle - 0.5).max(0.0), middle + 0.5)
}

/// The pixels, out of `count`, that contain a point of `[low, high]`. Pixel i is the interval `[i − ½, i + ½)`.
pub(super) fn pixels(low: f64, high: f64, count: u32) -> Range<usize> {
    let last = f64::from(count);
    let start = (low + 0.5).floor().clamp(0.0, last);
    let end = ((high + 0.5).floor() + 1.0).clamp(start, last);
    start as usize..end as usize
}

/// The pixels, out of those touched, that are wholly within `half` of the centre. If there are none, the range is empty
/// and at the end of those touched.
pub(super) fn inside(half: f64, centre: f64, touched: &Range<usize>) -> Range<usize> {
    let (first, last) = (touched.start as f64, touched.end as f64);
    let start = (centre - half + 0.5).ceil().clamp(first, last);
    let end = ((centre + half - 0.5).floor() + 1.0).clamp(first, last);
    if half > 0.0 && start < end { start as usize..end as usize } else { touched.end..touched.end }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INK: Ink<1> = Ink { background: [40], disc: [180] };

    #[test]
    fn values_are_rounded_to_the_nearest() {
        assert_eq!(INK.mix(0.0), [40]);
        assert_eq!(INK.mix(1.0), [180]);
        assert_eq!(INK.mix(0.5), [110]);
        assert_eq!(INK.mix(0.503), [110]);
        assert_eq!(INK.mix(0.504), [111]);
        assert_eq!(Ink { background: [200], disc: [100] }.mix(0.251), [175]);
    }

    #[test]
    fn an_interval_touches_every_pixel_that_it_reaches_into() {
        assert_eq!(pixels(2.0, 4.0, 10), 2..5);
        assert_eq!(pixels(2.49, 4.51, 10), 2..6);
        assert_eq!(pixels(-7.0, 20.0, 10), 0..10);
        assert_eq!(pixels(-7.0, -2.0, 10), 0..0);
        assert_eq!(pixels(12.0, 1e300, 10), 10..10);
    }

    #[test]
    fn the_inside_of_a_row_is_the_pixels_wholly_within_the_chord() {
        assert_eq!(inside(2.0, 5.0, &(0..10)), 4..7);
        assert_eq!(inside(2.5, 5.0, &(0..10)), 3..8);
        assert_eq!(inside(0.4, 5.0, &(5..6)), 6..6);
        assert_eq!(inside(4.0, 1.0, &(0..6)), 0..5);
    }
}
