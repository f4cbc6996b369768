//! Gradients of the reduced frame and the thin edges in it.
//!
//! Takes Sobel differences in `i16` and estimates the noise from their lower quartile. Edges are the cells that stand
//! out of the noise and are largest along their gradient (Canny's thinning).

use std::cmp::Ordering;

use super::reduce::{Cells, UNITS_PER_GRAY};
use super::sobel::{sobel, sobel_strengths};
use super::strong::strong_cells;

/// An edge must exceed this many sigmas of the gradient's noise.
///
/// Noise alone passes with exp(-4.5²/2) = 4e-5: less than one cell in a 640x480 frame.
const EDGE_SIGMAS: f32 = 4.5;

/// Weakest step that counts as an edge, in gray levels. Rounding makes steps of one level in a frame without noise, and
/// this is halfway to two.
pub(crate) const MIN_STEP_GRAY: f32 = 1.5;

/// Sobel response per gray level of a step: weights 1 + 2 + 1.
const SOBEL_PER_GRAY: f32 = 4.0 * UNITS_PER_GRAY;

/// Lower quartile of |a| + |b| for two independent standard normals: erf(t / 2)² = 1/4.
const QUARTILE_PER_SIGMA: f32 = 0.954;

/// Number of cells sampled for the noise level. The relative error of the noise level is then about 4 %.
const NOISE_SAMPLES: usize = 512;

/// Largest number of edges kept, strongest first. Bounds the voting in textured frames. A ring with a radius of 500
/// cells has 3,100 edges.
const MAX_EDGES: usize = 4096;

/// Low bits of a strength that are ignored when the strongest edges are chosen, which leaves 512 levels.
const STRENGTH_BITS: u32 = 6;

/// tan(22.5°): gradients within 22.5° of an axis are compared along it, others along a diagonal.
const TAN_22_5: f32 = 0.414_213_57;

/// An edge cell of the reduced frame.
#[derive(Clone, Copy)]
pub(crate) struct Edge {
    /// Cell coordinates.
    pub(crate) x: u16,
    pub(crate) y: u16,
    /// Unit vector of the gradient, towards the brighter side.
    pub(crate) ux: f32,
    pub(crate) uy: f32,
    /// |gx| + |gy|, in Sobel units.
    strength: i16,
}

/// Gradients of one frame, and the buffers for them.
#[derive(Default)]
pub(crate) struct Gradients {
    /// The thin edges in reading order, limited to the strongest if there are too many.
    pub(crate) edges: Vec<Edge>,
    /// Noise of a single pixel in gray levels, as estimated from the reduced frame.
    pub(crate) noise_gray: f32,
    strength: Vec<i16>,
    samples: Vec<i16>,
    /// Cells above the threshold.
    strong: Vec<u32>,
}

impl Gradients {
    /// Finds the edges of the reduced frame.
    pub(crate) fn find(&mut self, cells: &Cells) {
        self.edges.clear();
        if cells.width < 3 || cells.height < 3 {
            return;
        }
        self.sobel(cells);
        let sigma = self.noise_sigma();
        // The squares of the Sobel weights add up to 12. Averaging `factor`² pixels divides the noise by `factor`.
        self.noise_gray = sigma / (12f32.sqrt() * UNITS_PER_GRAY) * cells.factor as f32;
        let threshold = (EDGE_SIGMAS * sigma).max(MIN_STEP_GRAY * SOBEL_PER_GRAY);
        self.collect_edges(cells, threshold);
        self.keep_strongest();
    }

    fn sobel(&mut self, cells: &Cells) {
        self.strength.resize(cells.width * cells.height, 0);
        for (y, strength) in self.strength.chunks_exact_mut(cells.width).enumerate() {
            let [above, here, below] = [0, 1, 2].map(|dy| cells.padded_row(y + dy));
            sobel_strengths(above, here, below, strength);
        }
    }

    /// Sigma of one gradient component in areas with noise only.
    ///
    /// The quartile still measures the noise when edges cover most of the frame. It also takes an even ramp for noise,
    /// so a ramp is not an edge.
    fn noise_sigma(&mut self) -> f32 {
        let step = (self.strength.len() / NOISE_SAMPLES).max(1) | 1;
        self.samples.clear();
        self.samples.extend(self.strength.iter().step_by(step));
        let quarter = self.samples.len() / 4;
        let (_, quartile, _) = self.samples.select_nth_unstable(quarter);
        f32::from(*quartile) / QUARTILE_PER_SIGMA
    }

    fn collect_edges(&mut self, cells: &Cells, threshold: f32) {
        let least = threshold as i16;
        let mut strong = std::mem::take(&mut self.strong);
        strong.clear();
        strong_cells(&self.strength, least, &mut strong);
        let width = cells.width as u32;
        for &cell in &strong {
            let (x, y) = ((cell % width) as usize, (cell / width) as usize);
            if let Some(edge) = self.edge_at(cells, x, y, threshold) {
                self.edges.push(edge);
            }
        }
        self.strong = strong;
    }

    fn edge_at(&self, cells: &Cells, x: usize, y: usize, threshold: f32) -> Option<Edge> {
        // Computing this again for the few strong cells is cheaper than keeping it for all cells.
        let [above, here, below] = [0, 1, 2].map(|dy| &cells.padded_row(y + dy)[x..x + 3]);
        let (gx, gy) = sobel([above[0], above[1], above[2]], [here[0], here[2]], [below[0], below[1], below[2]]);
        let (gx, gy) = (f32::from(gx), f32::from(gy));
        let length = (gx * gx + gy * gy).sqrt();
        if length < threshold || !self.is_crest(cells, x, y, gx, gy) {
            return None;
        }
        let (ux, uy) = (gx / length, gy / length);
        Some(Edge { x: x as u16, y: y as u16, ux, uy, strength: self.strength[y * cells.width + x] })
    }

    /// Whether no neighbour along the gradient is stronger. Of two equal neighbours the later in reading order counts:
    /// the right one, or the lower one.
    fn is_crest(&self, cells: &Cells, x: usize, y: usize, gx: f32, gy: f32) -> bool {
        let (dx, dy) = match (gx.abs(), gy.abs()) {
            (ax, ay) if ay < TAN_22_5 * ax => (1, 0),
            (ax, ay) if ax < TAN_22_5 * ay => (0, 1),
            _ if (gx > 0.0) == (gy > 0.0) => (1, 1),
            _ => (-1, 1),
        };
        let own = self.strength[y * cells.width + x];
        own >= self.strength_at(cells, x as i32 - dx, y as i32 - dy)
            && own > self.strength_at(cells, x as i32 + dx, y as i32 + dy)
    }

    fn strength_at(&self, cells: &Cells, x: i32, y: i32) -> i16 {
        let inside = (0..cells.width as i32).contains(&x) && (0..cells.height as i32).contains(&y);
        if inside { self.strength[y as usize * cells.width + x as usize] } else { -1 }
    }

    /// Keeps the strongest edges if there are too many. Among equal edges, those first in reading order are kept.
    fn keep_strongest(&mut self) {
        if self.edges.len() <= MAX_EDGES {
            return;
        }
        let mut counts = [0usize; (i16::MAX as usize + 1) >> STRENGTH_BITS];
        let level = |edge: &Edge| edge.strength.max(0) as usize >> STRENGTH_BITS;
        self.edges.iter().for_each(|edge| counts[level(edge)] += 1);
        let (mut least, mut stronger) = (counts.len() - 1, 0);
        while stronger + counts[least] < MAX_EDGES {
            stronger += counts[least];
            least -= 1;
        }
        let mut equals = MAX_EDGES - stronger;
        self.edges.retain(|edge| match level(edge).cmp(&least) {
            Ordering::Greater => true,
            Ordering::Equal => equals.checked_sub(1).map(|left| equals = left).is_some(),
            Ordering::Less => false,
        });
    }
}
