//! Gradient voting: every edge votes for the centres it could belong to.
//!
//! The Hough gradient method (Yuen et al., Image and Vision Computing 8(1), 1990): a circle's gradients all point at
//! its centre or away from it, so each edge votes along its gradient line. It votes both ways, because in front of
//! clutter a disc may be brighter than its ground in one place and darker in another.

use super::gradient::Edge;
use super::radii::RadiiInCells;
use super::reduce::Cells;

/// Weight of a vote at a radius of one cell, and the power by which it falls with the radius.
///
/// The number of edges of a ring is proportional to its radius. Equal votes would bury small discs under large shapes,
/// and votes weighted by the inverse radius would raise every corner. The power is between the two. At a
/// radius of 40 cells a vote still counts 8, and the votes of a ring of 500 cells stay within 16 bits.
const VOTE_WEIGHT: f32 = 64.0;
const WEIGHT_POWER: f32 = 0.75;

/// Cells between two votes of an edge at larger radii, and the number of steps at the smallest radii where every cell
/// has a vote.
///
/// Larger rings have enough edges, and the sums over 3x3 cells still see each ray. With a vote in every other cell at
/// the smallest radii too, 1 in 500 discs of 10 px that were cut to a quarter was missed.
const STRIDE: usize = 2;
const NEAR_STEPS: usize = 8;

/// Fraction bits of the voting walk's coordinates.
const FRACTION: u32 = 16;

/// The accumulator of one frame.
#[derive(Default)]
pub(crate) struct Votes {
    /// Votes for each cell, in reading order.
    pub(crate) cells: Vec<u16>,
    /// Weight of a vote, by the number of steps from the smallest radius.
    weights: Vec<u16>,
    /// The radii that `weights` were computed for.
    weighed: Option<RadiiInCells>,
}

impl Votes {
    /// Lets the edges vote for centres at these radii.
    pub(crate) fn cast(&mut self, cells: &Cells, edges: &[Edge], radii: RadiiInCells) {
        let len = cells.width * cells.height;
        self.cells.clear();
        self.cells.resize(len, 0);
        self.weigh(radii);
        for edge in edges {
            cast_line(&mut self.cells, cells, edge, 1.0, radii, &self.weights);
            cast_line(&mut self.cells, cells, edge, -1.0, radii, &self.weights);
        }
    }

    fn weigh(&mut self, radii: RadiiInCells) {
        if self.weighed != Some(radii) {
            let steps = (radii.max - radii.min).max(0.0) as usize + 1;
            self.weights.clear();
            let share = |i: usize| if i < NEAR_STEPS { 1.0 } else { STRIDE as f32 };
            let weight = |i: usize| (share(i) * VOTE_WEIGHT / (radii.min + i as f32).powf(WEIGHT_POWER)) as u16;
            self.weights.extend((0..steps).map(weight));
            self.weighed = Some(radii);
        }
    }

    /// Centroid of the votes in the 3x3 cells around a peak, in cells.
    pub(crate) fn centroid(&self, cell: usize, cells: &Cells) -> (f32, f32) {
        let votes = &self.cells;
        let (cx, cy) = (cell % cells.width, cell / cells.width);
        let (mut sum, mut sum_x, mut sum_y) = (0.0, 0.0, 0.0);
        for y in cy.saturating_sub(1)..(cy + 2).min(cells.height) {
            for x in cx.saturating_sub(1)..(cx + 2).min(cells.width) {
                let weight = f32::from(votes[y * cells.width + x]);
                sum += weight;
                sum_x += weight * x as f32;
                sum_y += weight * y as f32;
            }
        }
        if sum > 0.0 { (sum_x / sum, sum_y / sum) } else { (cx as f32, cy as f32) }
    }
}

/// Votes along a ray from the edge, from the smallest radius to the largest or to the frame's border.
fn cast_line(votes: &mut [u16], cells: &Cells, edge: &Edge, sign: f32, radii: RadiiInCells, weights: &[u16]) {
    let (ux, uy) = (edge.ux * sign, edge.uy * sign);
    // Cell i covers [i, i + 1) here, so truncation gives the cell.
    let (x, y) = (f32::from(edge.x) + 0.5, f32::from(edge.y) + 0.5);
    let reach = reach(x, ux, cells.width).min(reach(y, uy, cells.height)).min(radii.max);
    if reach < radii.min {
        return;
    }
    let steps = (reach - radii.min) as usize + 1;
    let fixed = |value: f32| (value * (1 << FRACTION) as f32) as i32;
    let (mut px, mut py) = (fixed(x + ux * radii.min), fixed(y + uy * radii.min));
    let (dx, dy) = (fixed(ux), fixed(uy));
    let mut vote = |px: i32, py: i32, weight: u16| {
        let cell = (py >> FRACTION) as usize * cells.width + (px >> FRACTION) as usize;
        if let Some(count) = votes.get_mut(cell) {
            *count = count.saturating_add(weight);
        }
    };
    let (near, far) = weights[..steps.min(weights.len())].split_at(steps.min(weights.len()).min(NEAR_STEPS));
    for &weight in near {
        vote(px, py, weight);
        (px, py) = (px + dx, py + dy);
    }
    // Every other edge starts one cell later, so that every radius gets votes.
    let skipped = i32::from(edge.x + edge.y) % STRIDE as i32;
    (px, py) = (px + skipped * dx, py + skipped * dy);
    for &weight in far.iter().skip(skipped as usize).step_by(STRIDE) {
        vote(px, py, weight);
        (px, py) = (px + STRIDE as i32 * dx, py + STRIDE as i32 * dy);
    }
}

/// Number of steps for which a walk from `start`, moving by `slope` per step, stays within `0..length`.
fn reach(start: f32, slope: f32, length: usize) -> f32 {
    // A margin of a hundredth of a cell keeps rounding from crossing the frame's border.
    let room = if slope > 0.0 { length as f32 - 0.01 - start } else { start - 0.01 };
    if slope == 0.0 { f32::INFINITY } else { room / slope.abs() }
}
