//! Exposure: the disc's coverage of each cell, averaged over the time that the shutter is open.
//!
//! The time is divided into equal parts. The disc's exact coverage is summed for the middle of each part. A cell's
//! coverage over time is smooth except for kinks. For such a function the midpoint rule of step h over a path of length
//! L has an error below h² / 12L. [`places`] keeps that at 1e-4, which is 1/70 of a gray level at the default contrast.

use shared::geometry::Circle;

use super::coverage::{coverage, coverage_and_slopes, half_chord};
use super::plane::Region;
use super::recycled::Recycled;
use super::render::{RADII_PX, distances, inside, pixels};
use super::union::{Discs, may_share_a_pixel, touches, union};
use crate::scene::Path;

/// Places per square root of the path length in px, for a coverage error of 1e-4: `1 / √(12 · 10⁻⁴)`.
const PLACES_PER_ROOT_PX: f64 = 29.0;

/// Maximum number of places: enough for a path of 20,000 px, which is longer than any image.
const MOST_PLACES: usize = 4096;

/// Centres of the disc in the middle of equal parts of the time; a single one for a ball at rest.
pub(super) fn places(path: &Path) -> Recycled<(f64, f64)> {
    places_at_scale(path, 1.0)
}

/// The same for a path that is `scale` times as long in the image.
pub(super) fn places_at_scale(path: &Path, scale: f64) -> Recycled<(f64, f64)> {
    let length_px = scale * path.length_px();
    if length_px == 0.0 {
        return Recycled::filled(1, path.middle());
    }
    let count = (PLACES_PER_ROOT_PX * length_px.sqrt()).ceil() as usize;
    let count = count.clamp(1, MOST_PLACES);
    let mut places = Recycled::with_capacity(count);
    path.each_place(count, |place| places.push(place));
    places
}

/// Coverage of a grid of cells, `fine × fine` per pixel of a region, row after row.
#[derive(Clone, Debug)]
pub(super) struct Exposed {
    /// Covered share of each cell, averaged over time.
    pub(super) cover: Recycled<f32>,
    /// Derivatives of `cover` by x, y and radius of the disc, per px; empty if they were not requested.
    pub(super) slopes: [Recycled<f32>; 3],
}

/// Averages the coverage of a disc over the places of its centre.
pub(super) fn expose(places: &[(f64, f64)], radius: f64, region: Region, fine: usize, with_slopes: bool) -> Exposed {
    let mut grid = Grid::new(places.len(), region, fine, with_slopes);
    if !RADII_PX.contains(&radius) {
        return grid.exposed;
    }
    for &(x, y) in places {
        let disc = on_grid(Circle { x, y, radius }, region, fine);
        if disc.x.is_finite() && disc.y.is_finite() {
            grid.add(disc, with_slopes);
        }
    }
    grid.finish()
}

/// The part that one of several discs contributes to the coverage of their union, averaged over the places to which all
/// discs move. The parts of all discs add up to the union.
///
/// A cell that only this disc touches belongs to this disc. If several discs touch a cell, the whole of their [`union`]
/// in that cell belongs to the first of them.
pub(super) fn expose_one_of(
    discs: &[Circle],
    one: usize,
    moves: &[(f64, f64)],
    region: Region,
    fine: usize,
) -> Recycled<f32> {
    let mut grid = Grid::new(moves.len(), region, fine, false);
    let near: Discs = discs.iter().filter(|other| may_share_a_pixel(discs[one], **other)).copied().collect();
    let earlier = discs[..one].iter().filter(|other| may_share_a_pixel(discs[one], **other)).count();
    for &(right, down) in moves {
        let moved = near.iter().map(|disc| Circle { x: disc.x + right, y: disc.y + down, ..*disc });
        let moved: Discs = moved.map(|disc| on_grid(disc, region, fine)).collect();
        grid.add_part(&moved, earlier);
    }
    grid.finish().cover
}

/// A disc in the coordinates of a region's cells.
fn on_grid(Circle { x, y, radius }: Circle, region: Region, fine: usize) -> Circle {
    let fine = fine as f64;
    let cell = |coordinate: f64, origin: i64| (coordinate - origin as f64 + 0.5) * fine - 0.5;
    Circle { x: cell(x, region.left), y: cell(y, region.top), radius: radius * fine }
}

struct Grid {
    width: usize,
    height: usize,
    /// Share of the time per place.
    share: f64,
    /// Cells per px.
    scale: f64,
    /// Number of discs that wholly cover a cell, minus that of the cell before it. A row has one entry more than it has
    /// cells.
    whole: Recycled<i32>,
    exposed: Exposed,
}

impl Grid {
    /// An empty grid, `fine × fine` cells per pixel of a region, to which each disc is added at `places` places.
    fn new(places: usize, region: Region, fine: usize, with_slopes: bool) -> Self {
        let (width, height) = (region.width * fine, region.height * fine);
        let cells = width * height;
        let slope_cells = if with_slopes { cells } else { 0 };
        Self {
            width,
            height,
            share: 1.0 / places.max(1) as f64,
            scale: fine as f64,
            whole: Recycled::filled((width + 1) * height, 0),
            exposed: Exposed {
                cover: Recycled::filled(cells, 0.0),
                slopes: std::array::from_fn(|_| Recycled::filled(slope_cells, 0.0)),
            },
        }
    }

    /// Adds the part of the disc at index `one` of the discs near each other.
    fn add_part(&mut self, near: &[Circle], one: usize) {
        let disc = near[one];
        if !RADII_PX.contains(&(disc.radius / self.scale)) {
            return;
        }
        if near.len() == 1 {
            return self.add(disc, false);
        }
        // One cell more on each side, because `touches` and `pixels` may round differently.
        let reach = disc.radius + 1.0;
        for row in pixels(disc.y - reach, disc.y + reach, self.height as u32) {
            for column in pixels(disc.x - reach, disc.x + reach, self.width as u32) {
                let cell = (column as i64, row as i64);
                if touches(disc, cell) && !near[..one].iter().any(|earlier| touches(*earlier, cell)) {
                    self.exposed.cover[row * self.width + column] += (self.share * union(near, cell)) as f32;
                }
            }
        }
    }

    fn add(&mut self, disc: Circle, with_slopes: bool) {
        for row in pixels(disc.y - disc.radius, disc.y + disc.radius, self.height as u32) {
            let (near, far) = distances(row, disc.y);
            let outer = half_chord(disc.radius, near);
            let touched = pixels(disc.x - outer, disc.x + outer, self.width as u32);
            let inside = inside(half_chord(disc.radius, far), disc.x, &touched);
            self.whole[row * (self.width + 1) + inside.start] += 1;
            self.whole[row * (self.width + 1) + inside.end] -= 1;
            for column in (touched.start..inside.start).chain(inside.end..touched.end) {
                self.add_rim(disc, column, row, with_slopes);
            }
        }
    }

    fn add_rim(&mut self, disc: Circle, column: usize, row: usize, with_slopes: bool) {
        let cell = row * self.width + column;
        if !with_slopes {
            self.exposed.cover[cell] += (self.share * coverage(disc, column as i64, row as i64)) as f32;
            return;
        }
        let (cover, slopes) = coverage_and_slopes(disc, column as i64, row as i64);
        self.exposed.cover[cell] += (self.share * cover) as f32;
        for (plane, slope) in self.exposed.slopes.iter_mut().zip([slopes.x, slopes.y, slopes.radius]) {
            plane[cell] += (self.share * self.scale * slope) as f32;
        }
    }

    fn finish(mut self) -> Exposed {
        let rows = self.exposed.cover.chunks_exact_mut(self.width.max(1));
        for (row, whole) in rows.zip(self.whole.chunks_exact(self.width + 1)) {
            let mut discs = 0;
            for (cover, more) in row.iter_mut().zip(whole) {
                discs += more;
                if discs > 0 {
                    *cover += (f64::from(discs) * self.share) as f32;
                }
            }
        }
        self.exposed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGION: Region = Region { left: -4, top: 3, width: 60, height: 50 };

    #[test]
    fn the_exposure_of_a_disc_at_rest_is_its_coverage() {
        let path = Path::resting((20.3, 30.7));
        let exposed = expose(&places(&path), 12.5, REGION, 1, false);
        let disc = Circle { x: 20.3, y: 30.7, radius: 12.5 };
        for (index, &cover) in exposed.cover.iter().enumerate() {
            let (x, y) = ((index % 60) as i64 - 4, (index / 60) as i64 + 3);
            assert!((f64::from(cover) - coverage(disc, x, y)).abs() < 1e-6, "({x}, {y})");
        }
    }

    #[test]
    fn finer_cells_average_to_the_pixel() {
        let place = [(20.3, 30.7)];
        let (coarse, fine) = (expose(&place, 12.5, REGION, 1, true), expose(&place, 12.5, REGION, 4, true));
        let average = |values: &[f32], x: usize, y: usize| {
            let cells = (0..16).map(|cell| values[(y * 4 + cell / 4) * 240 + x * 4 + cell % 4]);
            cells.sum::<f32>() / 16.0
        };
        for (x, y) in (0..50).flat_map(|y| (0..60).map(move |x| (x, y))) {
            let pixel = y * 60 + x;
            assert!((coarse.cover[pixel] - average(&fine.cover, x, y)).abs() < 1e-5);
            for (coarse, fine) in coarse.slopes.iter().zip(&fine.slopes) {
                assert!((coarse[pixel] - average(fine, x, y)).abs() < 1e-4);
            }
        }
    }

    const PAIR: [Circle; 2] = [Circle { x: 20.3, y: 30.7, radius: 12.5 }, Circle { x: 38.1, y: 25.2, radius: 9.0 }];

    /// The parts of all discs, added up.
    fn together(discs: &[Circle], moves: &[(f64, f64)], fine: usize) -> Vec<f32> {
        let mut sum = vec![0.0; REGION.pixels() * fine * fine];
        for one in 0..discs.len() {
            let part = expose_one_of(discs, one, moves, REGION, fine);
            sum.iter_mut().zip(part.iter()).for_each(|(sum, part)| *sum += part);
        }
        sum
    }

    #[test]
    fn the_parts_of_several_discs_add_up_to_their_union() {
        for (index, cover) in together(&PAIR, &[(0.0, 0.0)], 1).into_iter().enumerate() {
            let cell = ((index % 60) as i64 - 4, (index / 60) as i64 + 3);
            assert!((f64::from(cover) - union(&PAIR, cell)).abs() < 1e-6, "{cell:?}");
        }
    }

    #[test]
    fn the_order_of_discs_does_not_matter_and_one_disc_is_exposed_as_without_others() {
        let moves = [(0.0, 0.0), (1.25, -0.5)];
        let [forward, backward] = [PAIR, [PAIR[1], PAIR[0]]].map(|discs| together(&discs, &moves, 2));
        assert!(forward.iter().zip(&backward).all(|(a, b)| (a - b).abs() < 1e-6));
        let alone = expose_one_of(&PAIR[..1], 0, &[(0.0, 0.0)], REGION, 1);
        assert_eq!(alone, expose(&[(20.3, 30.7)], 12.5, REGION, 1, false).cover);
    }

    #[test]
    fn the_places_of_a_path_give_the_same_average_as_very_many() {
        for (length, tolerance) in [(0.7, 2e-4), (5.0, 2e-4), (20.0, 2e-4)] {
            let path = Path::straight((26.0, 28.0), (length * 0.8, length * 0.6), 1.0);
            let few = expose(&places(&path), 9.0, REGION, 1, false);
            let many = expose(&path.places(20_000), 9.0, REGION, 1, false);
            let worst = few.cover.iter().zip(many.cover.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < tolerance, "{length} px: off by {worst}");
        }
    }
}
