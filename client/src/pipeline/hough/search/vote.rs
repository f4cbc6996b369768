//! Gradient voting: every edge votes for the centres it could belong to; peaks become candidates.
//!
//! The Hough gradient method (Yuen et al., Image and Vision Computing 8(1), 1990): a circle's gradients all point at
//! its centre or away from it, so each edge votes along its gradient line, both ways, for before clutter a disc may
//! be brighter than its ground here and darker there. Peaks are then ranked by how much of a ring of one radius their edges cover.

use super::edge_map::EdgeMap;
use super::gradient::Edge;
use super::neighbours::sum_3x3;
use super::reduce::Cells;
use crate::pipeline::radii::RadiusRange;

/// Candidates handed on: bounds the time spent on a frame without a disc.
pub(crate) const MAX_CANDIDATES: usize = 12;

/// Peaks whose ring is looked at, the highest.
const MAX_PEAKS: usize = 96;

/// Of these, examined first: most often the disc is among them.
const FIRST_PEAKS: usize = 12;

/// A peak must reach this part of the highest.
const PEAK_OF_HIGHEST: f32 = 0.3;

/// Weight of a vote at a radius of one cell, and its decay with the radius.
///
/// A ring has edges in proportion to its radius: equal votes would bury small discs under large shapes, votes by the
/// inverse radius would raise every corner.
const VOTE_WEIGHT: f32 = 64.0;
const WEIGHT_POWER: f32 = 0.75;

/// Least weight in 3x3 cells for a peak: a quarter of the smallest ring has three edges, each voting twice there.
const MIN_VOTES: u16 = 120;

/// Lowest score of a ring worth a closer look, of 32.
const MIN_SCORE: f32 = 14.0;

/// Cells between two votes of an edge at the larger radii, whose rings have edges enough: the sums over 3x3 cells see
/// each ray all the same. At the smaller ones, of so many steps, each cell has a vote. (With every other cell there too,
/// 1 in 500 discs of 10 px, cut to a quarter, was missed.)
const STRIDE: usize = 2;
const NEAR_STEPS: usize = 8;

/// Fraction bits of the voting walk.
const FRACTION: u32 = 16;

/// A circle worth a closer look, in pixels, good to about a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
    /// Directions in which the ring shows edges, see [`super::edge_map`].
    score: f32,
    /// Votes in the peak's 3x3 cells.
    votes: u16,
}

struct Peak {
    cell: usize,
    votes: u16,
}

/// Accumulators of one frame and the candidates found in them.
#[derive(Default)]
pub(crate) struct Votes {
    /// Best first, at most [`MAX_CANDIDATES`].
    pub(crate) candidates: Vec<Candidate>,
    votes: Vec<u16>,
    pairs: Vec<u16>,
    sums: Vec<u16>,
    peaks: Vec<Peak>,
    /// Peaks examined so far, and the radii looked for; `None` without edges.
    examined: usize,
    radii: Option<RadiiInCells>,
    map: EdgeMap,
    /// Weight of a vote by the steps from the smallest radius.
    weights: Vec<u16>,
    /// The radii these weights are for.
    weighed: Option<RadiiInCells>,
}

impl Votes {
    /// Lets the edges vote for radii in `range` and ranks the peaks.
    pub(crate) fn cast(&mut self, cells: &Cells, edges: &[Edge], range: RadiusRange) {
        self.radii = None;
        if edges.is_empty() {
            return;
        }
        let radii = RadiiInCells::new(cells, range);
        self.accumulate(cells, edges, radii);
        self.find_peaks(cells);
        self.map.draw(cells, edges);
        (self.radii, self.examined) = (Some(radii), 0);
    }

    /// Examines the next, lower peaks, and ranks the candidates found; whether there were any peaks left.
    pub(crate) fn examine_more(&mut self, cells: &Cells) -> bool {
        self.candidates.clear();
        let Some(radii) = self.radii else {
            return false;
        };
        let batch = if self.examined == 0 { FIRST_PEAKS } else { MAX_PEAKS };
        let peaks = self.examined..(self.examined + batch).min(self.peaks.len());
        if peaks.is_empty() {
            return false;
        }
        self.examined = peaks.end;
        for i in peaks {
            let candidate = self.examine(i, cells, radii);
            self.candidates.extend(candidate);
        }
        let rank = |c: &Candidate| ((4.0 * c.score) as u32, c.votes, c.y.to_bits(), c.x.to_bits());
        self.candidates.sort_unstable_by_key(|candidate| std::cmp::Reverse(rank(candidate)));
        self.candidates.truncate(MAX_CANDIDATES);
        true
    }

    fn accumulate(&mut self, cells: &Cells, edges: &[Edge], radii: RadiiInCells) {
        let len = cells.width * cells.height;
        self.votes.clear();
        self.votes.resize(len, 0);
        self.weigh(radii);
        for edge in edges {
            cast_line(&mut self.votes, cells, edge, 1.0, radii, &self.weights);
            cast_line(&mut self.votes, cells, edge, -1.0, radii, &self.weights);
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

    /// Local maxima of the votes summed over 3x3 cells.
    fn find_peaks(&mut self, cells: &Cells) {
        self.peaks.clear();
        self.pairs.resize(self.votes.len(), 0);
        self.sums.resize(self.votes.len(), 0);
        sum_3x3(&self.votes, cells.width, &mut self.pairs, &mut self.sums);
        collect_peaks(&self.sums, cells.width, &mut self.peaks);
        self.peaks.sort_unstable_by_key(|peak| (u16::MAX - peak.votes, peak.cell));
        let highest = self.peaks.first().map_or(0, |peak| peak.votes);
        let least = (f32::from(highest) * PEAK_OF_HIGHEST) as u16;
        let kept = self.peaks.iter().take(MAX_PEAKS).take_while(|peak| peak.votes >= least).count();
        self.peaks.truncate(kept);
    }

    /// The best ring around a peak, if it is seen in enough directions.
    fn examine(&mut self, peak: usize, cells: &Cells, radii: RadiiInCells) -> Option<Candidate> {
        let Peak { cell, votes } = self.peaks[peak];
        let (x, y) = self.centroid(cell, cells);
        let support = self.map.support((x, y), radii.min, radii.max, MIN_SCORE)?;
        Some(Candidate {
            x: cells.to_px(x),
            y: cells.to_px(y),
            radius: support.radius * cells.factor as f32,
            score: support.score,
            votes,
        })
    }

    /// Centre of the votes in 3x3 cells around a peak, in cells.
    fn centroid(&self, cell: usize, cells: &Cells) -> (f32, f32) {
        let votes = &self.votes;
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

/// The range of radii in cells, widened by half a cell and bounded by the frame.
#[derive(Clone, Copy, PartialEq)]
struct RadiiInCells {
    min: f32,
    max: f32,
}

impl RadiiInCells {
    fn new(cells: &Cells, range: RadiusRange) -> Self {
        let factor = cells.factor as f64;
        let diagonal = (cells.width + cells.height) as f64;
        let min = (range.min() / factor - 0.5).max(1.0).min(diagonal);
        let max = (range.max() / factor + 0.5).min(diagonal);
        Self { min: min as f32, max: max as f32 }
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

/// Appends the cells no neighbour within two cells exceeds; of equals the first.
fn collect_peaks(sums: &[u16], width: usize, peaks: &mut Vec<Peak>) {
    let highest = sums.iter().fold(0, |most: u16, &v| most.max(v));
    let least = ((f32::from(highest) * PEAK_OF_HIGHEST) as u16).max(MIN_VOTES);
    for (group, block) in sums.chunks(32).enumerate() {
        if block.iter().fold(0, |most: u16, &v| most.max(v)) < least {
            continue;
        }
        for (i, &votes) in block.iter().enumerate() {
            let cell = 32 * group + i;
            if votes >= least && is_crest(sums, width, cell) && is_peak(sums, width, cell) {
                peaks.push(Peak { cell, votes });
            }
        }
    }
}

/// Whether none of the four nearest exceeds a cell: most are no peaks for one of these.
fn is_crest(sums: &[u16], width: usize, cell: usize) -> bool {
    let at = |cell: Option<usize>| cell.and_then(|cell| sums.get(cell)).copied().unwrap_or(0);
    let own = sums[cell];
    // Beyond a row's end lies the next row's beginning: the full look tells them apart.
    let across = |other: u16, same_row: bool| !same_row || other <= own;
    let column = cell % width;
    across(at(cell.checked_sub(1)), column > 0)
        && across(at(cell.checked_add(1)), column + 1 < width)
        && at(cell.checked_sub(width)) <= own
        && at(cell.checked_add(width)) <= own
}

fn is_peak(sums: &[u16], width: usize, cell: usize) -> bool {
    let (cx, cy) = (cell % width, cell / width);
    let height = sums.len() / width;
    (cy.saturating_sub(2)..(cy + 3).min(height)).all(|y| {
        (cx.saturating_sub(2)..(cx + 3).min(width)).all(|x| {
            let other = y * width + x;
            sums[other] < sums[cell] || (sums[other] == sums[cell] && other >= cell)
        })
    })
}
