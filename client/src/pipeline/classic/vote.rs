//! Votes for centres: every edge pixel votes for each pixel that could be the centre of its circle.
//!
//! The votes follow the gradient of the edge pixel, in both directions, from the smallest radius to the largest. Each
//! step is one pixel long, in units of 1024ths of a pixel. A cell of the accumulator is the square from one pixel's
//! centre to the next.

use std::cmp::Reverse;

use super::canny::Pixel;
use super::radii::Radii;
use super::round::round;
use super::sobel::Gradients;

/// Number of votes that a centre must exceed, unless it is set: OpenCV's `param2`.
pub(super) const LEAST: u32 = 30;

/// Units per pixel that steps are rounded to.
const UNITS: f32 = 1024.0;

/// [`UNITS`] as a power of two.
const UNIT_BITS: u32 = 10;

/// The accumulator and its centres.
pub(super) struct Votes {
    /// Number of votes that a centre must exceed.
    pub(super) least: u32,
    /// Local maxima with more than `least` votes, as indices of the accumulator, the one with the most votes first.
    /// Of equal ones the upper left comes first.
    centres: Vec<usize>,
    /// One cell per pixel, and two more columns and rows that get no votes.
    cells: Vec<u32>,
    stride: usize,
    /// Cells with more than `least` votes.
    full: Vec<usize>,
}

impl Default for Votes {
    fn default() -> Self {
        Self { least: LEAST, centres: Vec::new(), cells: Vec::new(), stride: 0, full: Vec::new() }
    }
}

impl Votes {
    /// Casts the votes of these edge pixels and finds the centres.
    pub(super) fn cast(&mut self, edges: &[Pixel], gradients: &Gradients, radii: Radii) {
        let (width, height) = (gradients.width, gradients.height());
        self.stride = width + 2;
        self.full.clear();
        self.cells.clear();
        self.cells.resize(self.stride * (height + 2), 0);
        for &edge in edges {
            let at = edge.y * width + edge.x;
            let (sx, sy) = step(gradients.dx[at], gradients.dy[at]);
            self.walk(edge, (sx, sy), (width, height), radii);
            self.walk(edge, (-sx, -sy), (width, height), radii);
        }
        self.find_centres(height);
    }

    /// Centres in px, sorted by votes, the highest first. Of equal ones the upper left comes first.
    pub(super) fn centres(&self) -> impl Iterator<Item = (f32, f32)> + '_ {
        self.centres.iter().map(|&cell| self.centre(cell))
    }

    fn centre(&self, cell: usize) -> (f32, f32) {
        ((cell % self.stride) as f32 + 0.5, (cell / self.stride) as f32 + 0.5)
    }

    /// Casts one vote per step until a step is outside the frame. A start outside the frame casts none.
    fn walk(&mut self, from: Pixel, (sx, sy): (i64, i64), (width, height): (usize, usize), radii: Radii) {
        let start = |at: usize, step: i64| ((at as i64) << UNIT_BITS) + i64::from(radii.min) * step;
        let (mut x, mut y) = (start(from.x, sx), start(from.y, sy));
        let stride = self.stride;
        for _ in radii.min..=radii.max {
            // Negative coordinates wrap to numbers that are far too large.
            let (column, row) = ((x >> UNIT_BITS) as usize, (y >> UNIT_BITS) as usize);
            if column >= width || row >= height {
                break;
            }
            let cell = row * stride + column;
            let votes = &mut self.cells[cell];
            *votes += 1;
            if *votes == self.least + 1 {
                self.full.push(cell);
            }
            (x, y) = (x + sx, y + sy);
        }
    }

    /// Finds the full cells with more votes than their left and upper neighbours, and no fewer than their right and
    /// lower neighbours.
    ///
    /// Cells at the border lack a neighbour and are never centres.
    fn find_centres(&mut self, height: usize) {
        let (cells, stride) = (&self.cells, self.stride);
        let is_maximum = |&cell: &usize| {
            let (column, row, votes) = (cell % stride, cell / stride, cells[cell]);
            (1..stride - 1).contains(&column)
                && (1..=height).contains(&row)
                && votes > cells[cell - 1]
                && votes >= cells[cell + 1]
                && votes > cells[cell - stride]
                && votes >= cells[cell + stride]
        };
        self.centres.clear();
        self.centres.extend(self.full.iter().copied().filter(is_maximum));
        self.centres.sort_unstable_by_key(|&cell| (Reverse(cells[cell]), cell));
    }
}

/// A step of one pixel's length along the gradient, in 1024ths of a pixel.
fn step(dx: i16, dy: i16) -> (i64, i64) {
    let (dx, dy) = (f32::from(dx), f32::from(dy));
    // Squares of at most 1020² and their sum are exact in f32.
    let norm = (dx * dx + dy * dy).sqrt();
    let units = |part: f32| round(part * UNITS / norm) as i64;
    (units(dx), units(dy))
}
