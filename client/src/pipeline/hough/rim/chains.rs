//! Chains of neighbouring edges in the reduced frame, and the ellipses they lie on.

use super::oval::Oval;
use super::points::{FIT_STEPS, conic, fit_oval};
use crate::pipeline::hough::search::gradient::Edge;
use crate::pipeline::hough::search::reduce::Cells;
use crate::pipeline::hough::sectors::{MAX_SECTORS, sector_of};

/// Fewest edges of a chain: five determine the parameters of an ellipse, and five more check them.
const MIN_EDGES: usize = 10;

/// Number of the longest chains from which each pair is also combined. The rim of a lit ball may be brighter than the
/// ground on one side and darker on the other, which gives two chains.
const PAIRED: usize = 4;

/// Cosine of the largest angle between the gradients of neighbours in a chain. On the smallest ring, of two cells,
/// neighbours within two cells differ by up to 60°; at a corner by 90°.
const COS_60: f32 = 0.5;

/// Chains and the buffers for them.
#[derive(Default)]
pub(crate) struct Chains {
    /// For each cell, the index of its edge plus 1.
    map: Vec<u32>,
    seen: Vec<bool>,
    stack: Vec<u32>,
    points: Vec<(f64, f64)>,
    outer: Vec<(f64, f64)>,
    /// The edges of all chains, and where each chain begins and how many edges it has.
    all: Vec<(f64, f64)>,
    spans: Vec<(usize, usize)>,
}

impl Chains {
    /// Calls `take` with the ellipse of each chain, in pixels, and the number of its edges. For a pair of chains, it is
    /// the number of edges of the shorter one, and for the outermost edges of a chain that of those.
    pub(crate) fn ovals(&mut self, cells: &Cells, edges: &[Edge], mut take: impl FnMut(Oval, usize)) {
        self.map.clear();
        self.map.resize(cells.width * cells.height, 0);
        for (i, edge) in edges.iter().enumerate() {
            self.map[usize::from(edge.y) * cells.width + usize::from(edge.x)] = i as u32 + 1;
        }
        self.seen.clear();
        self.seen.resize(edges.len(), false);
        self.spans.clear();
        self.all.clear();
        for first in 0..edges.len() {
            if self.seen[first] {
                continue;
            }
            self.follow(cells, edges, first);
            self.spans.push((self.all.len(), self.points.len()));
            self.all.extend_from_slice(&self.points);
            if self.points.len() >= MIN_EDGES
                && let Some(oval) = conic(&self.points)
            {
                take(oval, self.points.len());
            }
            if let Some(oval) = self.outer_oval(cells) {
                take(oval, self.outer.len());
            }
        }
        self.spans.sort_unstable_by_key(|&(first, n)| (std::cmp::Reverse(n), first));
        self.spans.truncate(PAIRED);
        for (i, j) in (0..self.spans.len()).flat_map(|j| (0..j).map(move |i| (i, j))) {
            let [one, (first, shorter)] = [self.spans[i], self.spans[j]];
            self.points.clear();
            self.points.extend_from_slice(&self.all[one.0..one.0 + one.1]);
            self.points.extend_from_slice(&self.all[first..first + shorter]);
            if 2 * shorter >= MIN_EDGES
                && let Some(oval) = conic(&self.points)
            {
                take(oval, shorter);
            }
        }
    }

    /// The ellipse of the outermost edges of a chain, in each of [`MAX_SECTORS`] sectors around its middle. `None` if
    /// most edges are outermost: their ellipse is that of the chain.
    ///
    /// The light on a large ball makes edges inside its rim, which are connected with those of the rim.
    fn outer_oval(&mut self, cells: &Cells) -> Option<Oval> {
        let n = self.points.len();
        if n < 2 * MIN_EDGES {
            return None;
        }
        let (x, y) = self.points.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0 / n as f64, sum.1 + at.1 / n as f64));
        let mut farthest = [(0.0, (0.0, 0.0)); MAX_SECTORS];
        for &at in &self.points {
            let (dx, dy) = (at.0 - x, at.1 - y);
            let own = &mut farthest[usize::from(sector_of(dx as f32, dy as f32, MAX_SECTORS))];
            if dx * dx + dy * dy > own.0 {
                *own = (dx * dx + dy * dy, at);
            }
        }
        self.outer.clear();
        self.outer.extend(farthest.iter().filter(|(square, _)| *square > 0.0).map(|(_, at)| *at));
        if self.outer.len() < MIN_EDGES || 2 * self.outer.len() > n {
            return None;
        }
        fit_oval(&self.outer, conic(&self.outer)?, cells.factor as f64, FIT_STEPS)
    }

    /// Collects the edges connected with the first one: neighbours within two cells whose gradients differ by less than
    /// 60°. So a chain bridges a gap of one cell, but does not go around a corner.
    fn follow(&mut self, cells: &Cells, edges: &[Edge], first: usize) {
        self.points.clear();
        self.stack.clear();
        self.stack.push(first as u32);
        self.seen[first] = true;
        while let Some(at) = self.stack.pop() {
            let edge = edges[at as usize];
            self.points.push((f64::from(cells.to_px(f32::from(edge.x))), f64::from(cells.to_px(f32::from(edge.y)))));
            let span = |at: u16, end: usize| usize::from(at).saturating_sub(2)..(usize::from(at) + 3).min(end);
            for y in span(edge.y, cells.height) {
                for x in span(edge.x, cells.width) {
                    let Some(other) = (self.map[y * cells.width + x] as usize).checked_sub(1) else { continue };
                    let alike = edge.ux * edges[other].ux + edge.uy * edges[other].uy > COS_60;
                    if alike && !self.seen[other] {
                        self.seen[other] = true;
                        self.stack.push(other as u32);
                    }
                }
            }
        }
    }
}
