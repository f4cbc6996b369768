//! Polygons: the exact share of each pixel that they cover.
//!
//! Each side adds, row by row, the signed area between itself and the right end of the row. The running sum along a row
//! is then the covered share. Font rasterisers do the same (R. Levien, font-rs, 2016).

use super::plane::{Plane, Region};
use super::recycled::Recycled;

/// A simple polygon: corners in image coordinates, clockwise or anticlockwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Polygon(pub(super) Recycled<(f64, f64)>);

impl Polygon {
    /// A polygon with these corners.
    pub(super) fn of(corners: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self(corners.into_iter().collect())
    }

    /// A rectangle with this centre, unit vector along its length, half length and half width.
    pub(super) fn rectangle((x, y): (f64, f64), (right, down): (f64, f64), length: f64, width: f64) -> Self {
        let corner = |along: f64, across: f64| {
            (x + along * length * right - across * width * down, y + along * length * down + across * width * right)
        };
        Self::of([corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)])
    }

    /// The covered share of each pixel, over the part of the polygon's box that is inside `within`.
    pub(super) fn coverage(&self, within: Region) -> Plane {
        let inside = self.clipped(within);
        let bounds = |pick: fn(&(f64, f64)) -> f64| {
            let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
            inside.0.iter().map(pick).fold((low, high), |(low, high), value| (low.min(value), high.max(value)))
        };
        if inside.0.is_empty() {
            return Plane::default();
        }
        let region = Region::around(bounds(|corner| corner.0), bounds(|corner| corner.1), within);
        let mut sums = Sums::new(region);
        for (index, &from) in inside.0.iter().enumerate() {
            let to = inside.0[(index + 1) % inside.0.len()];
            sums.side(from, to);
        }
        sums.coverage()
    }

    /// The part of the polygon inside a region (Sutherland and Hodgman, CACM 17(1), 1974). Pixels are squares about
    /// their centres.
    fn clipped(&self, within: Region) -> Self {
        let left = within.left as f64 - 0.5;
        let top = within.top as f64 - 0.5;
        let (right, bottom) = (left + within.width as f64, top + within.height as f64);
        let sound = self.0.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        let whole = if sound && !within.is_empty() { self.clone() } else { Self::default() };
        whole
            .cut(|(x, _)| x - left)
            .cut(|(x, _)| right - x)
            .cut(|(_, y)| y - top)
            .cut(|(_, y)| bottom - y)
            // Rounding may leave a corner outside by the last bit.
            .moved(|(x, y)| (x.clamp(left, right), y.clamp(top, bottom)))
    }

    /// The part of the polygon where `height` is not negative. `height` must be linear.
    fn cut(&self, height: impl Fn((f64, f64)) -> f64) -> Self {
        let mut kept = Recycled::with_capacity(self.0.len() + 2);
        for (index, &corner) in self.0.iter().enumerate() {
            let next = self.0[(index + 1) % self.0.len()];
            let (here, there) = (height(corner), height(next));
            if here >= 0.0 {
                kept.push(corner);
            }
            if (here < 0.0) != (there < 0.0) {
                let share = here / (here - there);
                kept.push((corner.0 + share * (next.0 - corner.0), corner.1 + share * (next.1 - corner.1)));
            }
        }
        Self(kept)
    }

    fn moved(&self, place: impl Fn((f64, f64)) -> (f64, f64)) -> Self {
        Self(self.0.iter().map(|&corner| place(corner)).collect())
    }
}

/// Signed areas per pixel. Rows are two columns wider than the region, so that a side at the right end has room.
struct Sums {
    region: Region,
    stride: usize,
    areas: Recycled<f64>,
}

impl Sums {
    fn new(region: Region) -> Self {
        let stride = region.width + 2;
        Self { region, stride, areas: Recycled::filled(stride * region.height, 0.0) }
    }

    fn side(&mut self, from: (f64, f64), to: (f64, f64)) {
        // In local coordinates pixel (0, 0) is the unit square with a corner at the origin.
        let local = |(x, y): (f64, f64)| (x + 0.5 - self.region.left as f64, y + 0.5 - self.region.top as f64);
        let (from, to) = (local(from), local(to));
        let (upper, lower, sign) = if from.1 <= to.1 { (from, to, 1.0) } else { (to, from, -1.0) };
        let slope = (lower.0 - upper.0) / (lower.1 - upper.1);
        if !slope.is_finite() {
            return;
        }
        let last = self.region.height;
        for row in (upper.1.max(0.0) as usize).min(last)..(lower.1.max(0.0).ceil() as usize).min(last) {
            let (y0, y1) = (upper.1.max(row as f64), lower.1.min(row as f64 + 1.0));
            let x_at = |y: f64| (upper.0 + (y - upper.1) * slope).clamp(0.0, self.region.width as f64);
            self.part(row, x_at(y0), x_at(y1), sign * (y1 - y0));
        }
    }

    /// Adds the part of a side inside one row, from x0 to x1, with its signed height.
    fn part(&mut self, row: usize, x0: f64, x1: f64, height: f64) {
        let (low, high) = (x0.min(x1), x0.max(x1));
        let line = &mut self.areas[row * self.stride..][..self.stride];
        let (first, last) = (low as usize, high as usize);
        if first == last {
            let right = 1.0 - ((low + high) / 2.0 - first as f64);
            line[first] += height * right;
            line[first + 1] += height * (1.0 - right);
            return;
        }
        // `covered` is the area right of the side in all columns up to this one, `before` that up to the last one.
        let height_per_px = height / (high - low);
        let mut before = 0.0;
        for (column, area) in line.iter_mut().enumerate().take(last + 1).skip(first) {
            let (start, end) = (low.max(column as f64), high.min(column as f64 + 1.0));
            let crossed = (end - start) * height_per_px;
            let right = column as f64 + 1.0 - (start + end) / 2.0;
            let covered = (start - low) * height_per_px + crossed * right;
            *area += covered - before;
            before = covered;
        }
        line[last + 1] += height - before;
    }

    fn coverage(self) -> Plane {
        let mut plane = Plane::zeros(self.region);
        for (row, line) in plane.values.chunks_exact_mut(self.region.width.max(1)).zip(self.areas.chunks(self.stride)) {
            let mut sum = 0.0;
            for (cover, area) in row.iter_mut().zip(line) {
                sum += area;
                *cover = (sum.abs() as f32).min(1.0);
            }
        }
        plane
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WITHIN: Region = Region { left: -5, top: -3, width: 50, height: 40 };

    /// Whether a point is inside a convex polygon.
    fn holds(polygon: &Polygon, (x, y): (f64, f64)) -> bool {
        let sides = polygon.0.iter().zip(polygon.0.iter().cycle().skip(1));
        let turns: Vec<f64> = sides.map(|(a, b)| (b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0)).collect();
        turns.iter().all(|&turn| turn >= 0.0) || turns.iter().all(|&turn| turn <= 0.0)
    }

    #[test]
    fn a_pixel_is_the_unit_square_about_its_centre() {
        let square = Polygon::of([(9.5, 9.5), (11.5, 9.5), (11.5, 10.0), (9.5, 10.0)]);
        let cover = square.coverage(WITHIN);
        for (x, y, share) in [(10, 10, 0.5), (11, 10, 0.5), (12, 10, 0.0), (9, 10, 0.0), (10, 9, 0.0)] {
            assert!((cover.at(x, y) - share).abs() < 1e-6, "({x}, {y}): {}", cover.at(x, y));
        }
    }

    proptest! {
        #[test]
        fn the_coverage_agrees_with_counting_points(
            (x, y) in (-20.0..60.0, -20.0..50.0),
            (a, b) in (-1.0..1.0_f64, -1.0..1.0_f64),
            (length, width) in (0.2..40.0, 0.2..20.0),
        ) {
            prop_assume!(a * a + b * b > 0.01);
            let norm = (a * a + b * b).sqrt();
            let shape = Polygon::rectangle((x, y), (a / norm, b / norm), length, width);
            let cover = shape.coverage(WITHIN);
            const N: i32 = 24;
            for (column, row) in WITHIN.rows().flat_map(|row| WITHIN.columns().map(move |column| (column, row))) {
                let point = |i: i32| (f64::from(i % N) + 0.5) / f64::from(N) - 0.5;
                let inside = |i: &i32| holds(&shape, (column as f64 + point(*i), row as f64 + point(i / N)));
                let counted = (0..N * N).filter(inside).count() as f64 / f64::from(N * N);
                // Each of up to two parallel sides crosses fewer than 2N of the N² cells. Half of those are miscounted.
                prop_assert!((f64::from(cover.at(column, row)) - counted).abs() < 3.0 / f64::from(N));
            }
        }

        #[test]
        fn pixels_add_up_to_the_area(
            (x, y) in (15.0..25.0, 12.0..22.0),
            turn in 0.0..6.3_f64,
            (length, width) in (0.1..12.0, 0.1..8.0),
        ) {
            let shape = Polygon::rectangle((x, y), (turn.cos(), turn.sin()), length, width);
            let sum: f64 = shape.coverage(WITHIN).values.iter().map(|&cover| f64::from(cover)).sum();
            prop_assert!((sum - 4.0 * length * width).abs() < 1e-3, "{sum}");
        }
    }
}
