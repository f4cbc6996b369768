//! Candidates: the peaks of the votes, ranked by how much of a ring with a single radius is covered by edges.

use shared::geometry::Circle;

use super::edge_map::EdgeMap;
use super::gradient::Edge;
use super::peaks::{MAX_PEAKS, Peak, Peaks};
use super::radii::RadiiInCells;
use super::reduce::Cells;
use super::vote::Votes;
use crate::pipeline::hough::bounds::MAX_CANDIDATES;
use crate::pipeline::radii::RadiusRange;

/// Number of peaks examined first. The disc is usually among them.
const FIRST_PEAKS: usize = MAX_CANDIDATES;

/// Lowest score, out of 32, of a ring worth measuring.
pub(crate) const MIN_SCORE: f32 = 14.0;

/// A circle worth measuring, in pixels, accurate to about a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) radius: f32,
    /// Number of directions in which the ring shows edges, see `edge_map`.
    score: f32,
    /// Votes in the peak's 3x3 cells.
    votes: u16,
}

impl Candidate {
    pub(crate) fn circle(self) -> Circle {
        Circle { x: self.x.into(), y: self.y.into(), radius: self.radius.into() }
    }
}

/// The candidates of one frame, and the state of the search for them.
#[derive(Default)]
pub(crate) struct Candidates {
    /// Best first, at most [`MAX_CANDIDATES`].
    pub(crate) ranked: Vec<Candidate>,
    votes: Votes,
    peaks: Peaks,
    map: EdgeMap,
    /// Number of peaks examined so far.
    examined: usize,
    /// The radii looked for. `None` if the frame has no edges.
    radii: Option<RadiiInCells>,
}

impl Candidates {
    /// Lets the edges vote for radii in `range` and finds the peaks.
    pub(crate) fn cast(&mut self, cells: &Cells, edges: &[Edge], range: RadiusRange) {
        self.radii = None;
        if edges.is_empty() {
            return;
        }
        let radii = RadiiInCells::new(cells, range);
        self.votes.cast(cells, edges, radii);
        self.peaks.find(&self.votes.cells, cells.width);
        self.map.draw(cells, edges);
        (self.radii, self.examined) = (Some(radii), 0);
    }

    /// The edges among which rings are looked for.
    pub(crate) fn map(&self) -> &EdgeMap {
        &self.map
    }

    /// Examines the next lower peaks and ranks the candidates found. Returns false if no peaks were left.
    pub(crate) fn examine_more(&mut self, cells: &Cells) -> bool {
        let batch = if self.examined == 0 { FIRST_PEAKS } else { MAX_PEAKS };
        let any = self.examine_next(batch, cells);
        self.ranked.truncate(MAX_CANDIDATES);
        any
    }

    /// Examines all peaks and ranks the candidates found.
    pub(crate) fn examine_all(&mut self, cells: &Cells) {
        self.examine_next(MAX_PEAKS, cells);
    }

    /// Examines the next `batch` peaks. Returns false if no peaks were left.
    fn examine_next(&mut self, batch: usize, cells: &Cells) -> bool {
        self.ranked.clear();
        let Some(radii) = self.radii else {
            return false;
        };
        let peaks = self.examined..(self.examined + batch).min(self.peaks.highest.len());
        if peaks.is_empty() {
            return false;
        }
        self.examined = peaks.end;
        for i in peaks {
            let candidate = self.examine(i, cells, radii);
            self.ranked.extend(candidate);
        }
        let rank = |c: &Candidate| ((4.0 * c.score) as u32, c.votes, c.y.to_bits(), c.x.to_bits());
        self.ranked.sort_unstable_by_key(|candidate| std::cmp::Reverse(rank(candidate)));
        true
    }

    /// The best ring around a peak, if its edges show in enough directions.
    fn examine(&mut self, peak: usize, cells: &Cells, radii: RadiiInCells) -> Option<Candidate> {
        let Peak { cell, votes } = self.peaks.highest[peak];
        let (x, y) = self.votes.centroid(cell, cells);
        let support = self.map.support((x, y), radii.min, radii.max, MIN_SCORE)?;
        Some(Candidate {
            x: cells.to_px(x),
            y: cells.to_px(y),
            radius: support.radius * cells.factor as f32,
            score: support.score,
            votes,
        })
    }
}
