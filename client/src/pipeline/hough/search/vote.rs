//! Gradient voting: every edge votes for the centres it could belong to.
//!
//! The Hough gradient method (Yuen et al., Image and Vision Computing 8(1), 1990): a circle's gradients all point at
//! its centre or away from it, so each edge votes along its gradient line, both ways: before clutter a disc may be
//! brighter than its ground here and darker there.

use super::gradient::Edge;
use super::radii::RadiiInCells;
use super::reduce::Cells;

/// Weight of a vote at a radius of one cell, and its decay with the radius.
///
/// A ring has edges in proportion to its radius: equal votes would bury small discs under large shapes, votes by the
/// inverse radius would raise every corner.
const VOTE_WEIGHT: f32 = 64.0;
const WEIGHT_POWER: f32 = 0.75;

/// Cells between two votes of an edge at the larger radii. Their rings have edges enough, and the sums over 3x3 cells
/// still see each ray. At the smaller radii, the first so many steps, each cell has a vote. (With every other cell there
/// too, 1 in 500 discs of 10 px, cut to a quarter, was missed.)
const STRIDE: usize = 2;
const NEAR_STEPS: usize = 8;

/// Fraction bits of the voting walk.
const FRACTION: u32 = 16;

/// The accumulator of one frame.
#[derive(Default)]
pub(crate) struct Votes {
    /// Votes for each cell, in reading order.
    pub(crate) cells: Vec<u16>,
    /// Weight of a vote by the steps from the smallest radius.
    weights: Vec<u16>,
    /// The radii these weights are for.
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

    /// Centre of the votes in 3x3 cells around a peak, in cells.
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

/// One vote a cell along a ray from the edge, from the smallest radius to the largest or the frame's end.
fn cast_line(votes: &mut [u16], cells: &Cells, edge: &Edge, sign: f32, radii: RadiiInCells, weights: &[u16]) {
    let (ux, uy) = (edge.ux * sign, edge.uy * sign);
    // Cell i covers [i, i + 1) here, so that truncating finds the cell.
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
    // Every other edge goes on a cell later, so that no radius goes without votes.
    let skipped = i32::from(edge.x + edge.y) % STRIDE as i32;
    (px, py) = (px + skipped * dx, py + skipped * dy);
    for &weight in far.iter().skip(skipped as usize).step_by(STRIDE) {
        vote(px, py, weight);
        (px, py) = (px + STRIDE as i32 * dx, py + STRIDE as i32 * dy);
    }
}

/// How far a walk from `start` with `slope` a step stays within `0..length`, in steps.
fn reach(start: f32, slope: f32, length: usize) -> f32 {
    // A hundredth of a cell keeps rounding on the near side of the frame's edge.
    let room = if slope > 0.0 { length as f32 - 0.01 - start } else { start - 0.01 };
    if slope == 0.0 { f32::INFINITY } else { room / slope.abs() }
}
