//! How much of a ring the edges around a point show. This tells a disc's centre from a chance peak.
//!
//! A map holds the orientation of the edge in each cell, thickened to three cells along its gradient, so that a walk
//! outwards meets every edge it crosses. Walks in 32 directions then count, at each distance, the edges that lie
//! across the walk. The cost is the same however many edges the frame has.

use super::gradient::Edge;
use super::reduce::Cells;

/// Directions walked.
pub(crate) const DIRECTIONS: usize = 32;

/// Orientations told apart in half a turn, 5.6° each.
const ORIENTATIONS: f32 = 32.0;

/// How many orientations an edge may be off: 17°, or 22° for rings of few cells, whose centre is known to half a cell.
const TOLERANCE: u8 = 3;
const SMALL_TOLERANCE: u8 = 4;
const SMALL_STEPS: usize = 4;

/// What a direction outside the frame counts.
const OUTSIDE: f32 = 0.4;

/// Fraction bits of a walk.
const FRACTION: u32 = 16;

/// The ring best seen around a point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Support {
    /// Distance in cells, good to about one.
    pub(crate) radius: f32,
    /// Directions of [`DIRECTIONS`] in which an edge lies across the walk; those outside the frame count in part.
    pub(crate) score: f32,
}

/// Orientation of the edges, by cell.
pub(crate) struct EdgeMap {
    /// 0 where there is no edge, else 1 more than the orientation.
    orientations: Vec<u8>,
    width: usize,
    height: usize,
    directions: [(f32, f32); DIRECTIONS],
    /// Orientations of an edge across each direction, as in the map.
    across: [u8; DIRECTIONS],
    /// Directions that show an edge at each distance, and those within the frame.
    seen: Vec<u32>,
    inside: Vec<u32>,
}

impl Default for EdgeMap {
    fn default() -> Self {
        let direction = |i: usize| {
            let angle = (i as f64 + 0.5) / DIRECTIONS as f64 * std::f64::consts::TAU;
            (angle.cos() as f32, angle.sin() as f32)
        };
        let directions = std::array::from_fn(direction);
        let across = directions.map(|(ux, uy)| orientation(ux, uy));
        Self { orientations: Vec::new(), width: 0, height: 0, directions, across, seen: Vec::new(), inside: Vec::new() }
    }
}

impl EdgeMap {
    /// Enters the edges of a frame.
    pub(crate) fn draw(&mut self, cells: &Cells, edges: &[Edge]) {
        (self.width, self.height) = (cells.width, cells.height);
        self.orientations.clear();
        self.orientations.resize(self.width * self.height, 0);
        for edge in edges {
            self.orientations[usize::from(edge.y) * self.width + usize::from(edge.x)] = orientation(edge.ux, edge.uy);
        }
        for edge in edges {
            let whole = |part: f32| isize::from(part > 0.5) - isize::from(part < -0.5);
            let (dx, dy) = (whole(edge.ux), whole(edge.uy));
            let value = self.orientations[usize::from(edge.y) * self.width + usize::from(edge.x)];
            for side in [-1, 1] {
                let x = usize::from(edge.x).wrapping_add_signed(side * dx);
                let y = usize::from(edge.y).wrapping_add_signed(side * dy);
                if x < self.width && y < self.height {
                    let cell = &mut self.orientations[y * self.width + x];
                    *cell = if *cell == 0 { value } else { *cell };
                }
            }
        }
    }

    /// The ring best seen around a point, its radius within `min..=max`; all in cells.
    ///
    /// `None` when half of the directions already show that less than `least` will be seen.
    pub(crate) fn support(&mut self, point: (f32, f32), min: f32, max: f32, least: f32) -> Option<Support> {
        let steps = (max - min).max(0.0) as usize + 1;
        for counts in [&mut self.seen, &mut self.inside] {
            counts.clear();
            counts.resize(steps, 0);
        }
        (0..DIRECTIONS).step_by(2).for_each(|direction| self.walk(point, min, direction));
        let best = (0..steps).map(|i| self.score(i, DIRECTIONS / 2)).fold(0.0, f32::max);
        if best < 0.4 * least {
            return None;
        }
        (1..DIRECTIONS).step_by(2).for_each(|direction| self.walk(point, min, direction));
        let support = self.best(min);
        (support.score >= least).then_some(support)
    }

    /// Notes at each distance along a direction whether an edge lies across, as far as the map goes.
    fn walk(&mut self, (x, y): (f32, f32), min: f32, direction: usize) {
        let across = self.across[direction];
        let (ux, uy) = self.directions[direction];
        let fixed = |value: f32| (value * (1 << FRACTION) as f32) as i32;
        let (mut px, mut py) = (fixed(x + 0.5 + ux * min), fixed(y + 0.5 + uy * min));
        let (dx, dy) = (fixed(ux), fixed(uy));
        for (step, (seen, inside)) in self.seen.iter_mut().zip(&mut self.inside).enumerate() {
            let (column, row) = ((px >> FRACTION) as usize, (py >> FRACTION) as usize);
            if column >= self.width || row >= self.height {
                return;
            }
            let found = self.orientations[row * self.width + column];
            let tolerance = if step < SMALL_STEPS { SMALL_TOLERANCE } else { TOLERANCE };
            // From `across - tolerance` to `across + tolerance`, around the half turn.
            let apart = found.wrapping_sub(across).wrapping_add(tolerance) & 31;
            *seen += u32::from(found != 0) & u32::from(apart <= 2 * tolerance);
            *inside += 1;
            (px, py) = (px + dx, py + dy);
        }
    }

    /// Directions that show an edge at a step, of `walked`; those outside the frame count in part.
    fn score(&self, step: usize, walked: usize) -> f32 {
        self.seen[step] as f32 + OUTSIDE * (walked as f32 - self.inside[step] as f32)
    }

    fn best(&self, min: f32) -> Support {
        let score = |i: usize| self.score(i, DIRECTIONS);
        let steps = self.seen.len();
        let best = (0..steps).map(|i| (score(i), i)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, 0));
        // Thick edges are seen over three cells: the middle of the neighbours that are seen as well.
        let (mut sum, mut weight) = (0.0, 0.0);
        for i in best.1.saturating_sub(1)..(best.1 + 2).min(steps) {
            let own = (score(i) - 0.5 * best.0).max(1e-3);
            (sum, weight) = (sum + own * i as f32, weight + own);
        }
        Support { radius: min + sum / weight, score: best.0 }
    }
}

/// Orientation of a gradient, 1..=32, the same for the opposite one.
fn orientation(ux: f32, uy: f32) -> u8 {
    let (ux, uy) = if uy < 0.0 { (-ux, -uy) } else { (ux, uy) };
    let ax = ux.abs();
    let (long, short) = if ax > uy { (ax, uy) } else { (uy, ax) };
    let ratio = short / long.max(1e-9);
    // atan to 0.004 rad.
    let angle = ratio * (std::f32::consts::FRAC_PI_4 + 0.273 * (1.0 - ratio));
    let from_x = if ax > uy { angle } else { std::f32::consts::FRAC_PI_2 - angle };
    let angle = if ux < 0.0 { std::f32::consts::PI - from_x } else { from_x };
    1 + ((angle * (ORIENTATIONS / std::f32::consts::PI)) as u8 & 31)
}
