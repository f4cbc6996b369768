//! Planes of light: rectangles of values that may reach beyond the image.

use shared::geometry::Size;

use super::recycled::Recycled;

/// A rectangle of pixels in image coordinates. The first column is `left`, the last is `left + width − 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) left: i64,
    pub(super) top: i64,
    pub(super) width: usize,
    pub(super) height: usize,
}

impl Region {
    pub(super) fn of_image(size: Size) -> Self {
        Self { left: 0, top: 0, width: size.width as usize, height: size.height as usize }
    }

    /// The pixels of `within` that contain points of `[x0, x1] × [y0, y1]`.
    pub(super) fn around((x0, x1): (f64, f64), (y0, y1): (f64, f64), within: Self) -> Self {
        // The clamp keeps sums of coordinates within i64. The cast turns NaN into 0.
        let pixel = |coordinate: f64| (coordinate + 0.5).floor().clamp(-1e15, 1e15) as i64;
        Self::between(pixel(x0), pixel(x1) + 1, pixel(y0), pixel(y1) + 1).intersection(within)
    }

    fn between(left: i64, right: i64, top: i64, bottom: i64) -> Self {
        let length = |from: i64, to: i64| usize::try_from(to - from).unwrap_or(0);
        Self { left, top, width: length(left, right), height: length(top, bottom) }
    }

    pub(super) fn right(&self) -> i64 {
        self.left + self.width as i64
    }

    pub(super) fn bottom(&self) -> i64 {
        self.top + self.height as i64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    pub(super) fn pixels(&self) -> usize {
        self.width * self.height
    }

    /// The region with a margin on every side. An empty region stays empty.
    pub(super) fn grown(&self, margin: usize) -> Self {
        if self.is_empty() {
            return *self;
        }
        let (left, top) = (self.left - margin as i64, self.top - margin as i64);
        Self { left, top, width: self.width + 2 * margin, height: self.height + 2 * margin }
    }

    pub(super) fn intersection(&self, other: Self) -> Self {
        Self::between(
            self.left.max(other.left),
            self.right().min(other.right()),
            self.top.max(other.top),
            self.bottom().min(other.bottom()),
        )
    }

    /// The smallest region that contains both.
    pub(super) fn union(&self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return *self;
        }
        Self::between(
            self.left.min(other.left),
            self.right().max(other.right()),
            self.top.min(other.top),
            self.bottom().max(other.bottom()),
        )
    }

    pub(super) fn rows(&self) -> std::ops::Range<i64> {
        self.top..self.bottom()
    }

    pub(super) fn columns(&self) -> std::ops::Range<i64> {
        self.left..self.right()
    }
}

/// A value for each pixel of a region, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plane {
    pub(super) region: Region,
    pub(super) values: Recycled<f32>,
}

impl Plane {
    pub(super) fn filled(region: Region, value: f32) -> Self {
        Self { region, values: Recycled::filled(region.pixels(), value) }
    }

    pub(super) fn zeros(region: Region) -> Self {
        Self::filled(region, 0.0)
    }

    /// A plane whose values are a function of column and row.
    pub(super) fn from_fn(region: Region, value: impl Fn(i64, i64) -> f32) -> Self {
        let mut plane = Self { region, values: Recycled::with_capacity(region.pixels()) };
        for y in region.rows() {
            plane.values.extend(region.columns().map(|x| value(x, y)));
        }
        plane
    }

    /// A whole row, which must be in the region.
    pub(super) fn row(&self, y: i64) -> &[f32] {
        let start = (y - self.region.top) as usize * self.region.width;
        &self.values[start..start + self.region.width]
    }

    pub(super) fn row_mut(&mut self, y: i64) -> &mut [f32] {
        let start = (y - self.region.top) as usize * self.region.width;
        &mut self.values[start..start + self.region.width]
    }

    /// Sets all pixels of a region, which must be inside the plane's region, to a value.
    pub(super) fn fill(&mut self, region: Region, value: f32) {
        for y in region.rows() {
            let left = (region.left - self.region.left) as usize;
            self.row_mut(y)[left..left + region.width].fill(value);
        }
    }

    /// Copies a region, which must be inside both planes, from another plane.
    pub(super) fn copy(&mut self, from: &Self, region: Region) {
        for y in region.rows() {
            let left = (region.left - self.region.left) as usize;
            self.row_mut(y)[left..left + region.width].copy_from_slice(from.part(y, region.columns()));
        }
    }

    /// A part of a row, which must be inside the region.
    pub(super) fn part(&self, y: i64, columns: std::ops::Range<i64>) -> &[f32] {
        let left = self.region.left;
        &self.row(y)[(columns.start - left) as usize..(columns.end - left) as usize]
    }

    /// The value of a pixel; 0 outside the region.
    pub(super) fn at(&self, x: i64, y: i64) -> f32 {
        if self.region.columns().contains(&x) && self.region.rows().contains(&y) {
            self.row(y)[(x - self.region.left) as usize]
        } else {
            0.0
        }
    }
}
