//! Measures how complete a ring the edges around a point form. This tells a disc's centre from a chance peak.
//!
//! A map holds the orientation of the edge in each cell. Edges are thickened to three cells along their gradient, so
//! that a walk outwards meets every edge it crosses. Walks in 32 directions then count, at each distance, the edges
//! that lie across the walk. The cost does not depend on the number of edges.

use super::gradient::Edge;
use super::reduce::Cells;

/// Number of directions walked.
pub(crate) const DIRECTIONS: usize = 32;

/// Number of orientations in half a turn, 5.6° each.
const ORIENTATIONS: f32 = 32.0;

/// How many orientations an edge may be off: 17°, or 22° for rings of a few cells. The direction of an edge at the
/// threshold of 4.5 sigmas is known to 1/4.5, which is 13°. A centre that is off by half a cell turns the walks of a
/// ring of two to six cells by 14° to 5°.
const TOLERANCE: u8 = 3;
const SMALL_TOLERANCE: u8 = 4;
const SMALL_STEPS: usize = 4;

/// Largest distance of an edge from an outline, in cells, in addition to the cell by which edges are thickened. The sum
/// is the distance within which an outline is followed.
const BESIDE: i32 = 2;

/// Score of a direction that lies outside the frame: less than the 14 of 32 that a candidate needs, so that directions
/// outside alone make none.
const OUTSIDE: f32 = 0.4;

/// Score of half of the directions, as a part of the least score, below which the other half is not walked. Every other
/// direction meets about half of each arc of a ring, so half of the score. This leaves a fifth of it to chance.
const HALF_SHARE: f32 = 0.4;

/// Fraction bits of a walk's coordinates.
const FRACTION: u32 = 16;

/// The ring around a point that shows the most edges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Support {
    /// Distance from the point in cells, accurate to about one.
    pub(crate) radius: f32,
    /// Number of directions, out of [`DIRECTIONS`], in which an edge lies across the walk. Directions outside the frame
    /// count in part.
    pub(crate) score: f32,
}

/// Orientation of the edge in each cell.
pub(crate) struct EdgeMap {
    /// 0 where there is no edge, else the orientation plus 1.
    orientations: Vec<u8>,
    width: usize,
    height: usize,
    directions: [(f32, f32); DIRECTIONS],
    /// For each direction, the orientation of an edge across it, encoded as in the map.
    across: [u8; DIRECTIONS],
    /// For each distance, the number of directions that show an edge.
    seen: Vec<u32>,
    /// For each distance, the number of directions that lie within the frame.
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
    /// Enters the edges of a frame into the map.
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

    /// Finds the ring around a point that shows the most edges, with a radius within `min..=max`. Lengths are in cells.
    ///
    /// Returns `None` if the score is below `least`. Half of the directions are walked first. The other half is not
    /// walked if the first half scores too little.
    pub(crate) fn support(&mut self, point: (f32, f32), min: f32, max: f32, least: f32) -> Option<Support> {
        let steps = (max - min).max(0.0) as usize + 1;
        for counts in [&mut self.seen, &mut self.inside] {
            counts.clear();
            counts.resize(steps, 0);
        }
        (0..DIRECTIONS).step_by(2).for_each(|direction| self.walk(point, min, direction));
        let best = (0..steps).map(|i| self.score(i, DIRECTIONS / 2)).fold(0.0, f32::max);
        if best < HALF_SHARE * least {
            return None;
        }
        (1..DIRECTIONS).step_by(2).for_each(|direction| self.walk(point, min, direction));
        let support = self.best(min);
        (support.score >= least).then_some(support)
    }

    /// Fraction of the places, in cells, beside which an edge lies across the normal. Places outside the frame count in
    /// part.
    pub(crate) fn share_along(&self, places: impl Iterator<Item = ((f32, f32), (f32, f32))>) -> f32 {
        let (mut seen, mut all) = (0.0, 0.0);
        for ((x, y), (nx, ny)) in places {
            all += 1.0;
            let across = orientation(nx, ny);
            let cell = |off: i32| {
                let (x, y) = (x + 0.5 + off as f32 * nx, y + 0.5 + off as f32 * ny);
                let inside = x >= 0.0 && y >= 0.0 && x < self.width as f32 && y < self.height as f32;
                inside.then(|| self.orientations[y as usize * self.width + x as usize])
            };
            let lies =
                |found: u8| found != 0 && found.wrapping_sub(across).wrapping_add(TOLERANCE) & 31 <= 2 * TOLERANCE;
            seen += match cell(0) {
                None => OUTSIDE,
                Some(_) => f32::from(u8::from((-BESIDE..=BESIDE).filter_map(cell).any(lies))),
            };
        }
        seen / f32::max(all, 1.0)
    }

    /// Notes whether an edge lies across a direction, at each distance up to the border of the map.
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
            // From `across - tolerance` to `across + tolerance`, modulo half a turn.
            let apart = found.wrapping_sub(across).wrapping_add(tolerance) & 31;
            *seen += u32::from(found != 0) & u32::from(apart <= 2 * tolerance);
            *inside += 1;
            (px, py) = (px + dx, py + dy);
        }
    }

    /// Number of the `walked` directions that show an edge at a step. Directions outside the frame count in part.
    fn score(&self, step: usize, walked: usize) -> f32 {
        self.seen[step] as f32 + OUTSIDE * (walked as f32 - self.inside[step] as f32)
    }

    fn best(&self, min: f32) -> Support {
        let score = |i: usize| self.score(i, DIRECTIONS);
        let steps = self.seen.len();
        let best = (0..steps).map(|i| (score(i), i)).max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, 0));
        // A thickened edge shows at three distances. Take the weighted mean of the best distance and its neighbours.
        let (mut sum, mut weight) = (0.0, 0.0);
        for i in best.1.saturating_sub(1)..(best.1 + 2).min(steps) {
            let own = (score(i) - 0.5 * best.0).max(1e-3);
            (sum, weight) = (sum + own * i as f32, weight + own);
        }
        Support { radius: min + sum / weight, score: best.0 }
    }
}

/// Orientation of a gradient, 1..=32. Opposite gradients have the same orientation.
fn orientation(ux: f32, uy: f32) -> u8 {
    let (ux, uy) = if uy < 0.0 { (-ux, -uy) } else { (ux, uy) };
    let ax = ux.abs();
    let (long, short) = if ax > uy { (ax, uy) } else { (uy, ax) };
    let ratio = short / long.max(1e-9);
    // Approximates atan to 0.004 rad.
    let angle = ratio * (std::f32::consts::FRAC_PI_4 + 0.273 * (1.0 - ratio));
    let from_x = if ax > uy { angle } else { std::f32::consts::FRAC_PI_2 - angle };
    let angle = if ux < 0.0 { std::f32::consts::PI - from_x } else { from_x };
    1 + ((angle * (ORIENTATIONS / std::f32::consts::PI)) as u8 & 31)
}
