//! Peaks of the votes: cells with more votes than any cell around them.

use super::neighbours::sum_3x3;
use crate::pipeline::hough::bounds::MAX_MEASURED;

/// Largest number of peaks whose rings are examined, highest first: two for each candidate that is measured.
pub(crate) const MAX_PEAKS: usize = 2 * MAX_MEASURED;

/// Smallest height of a peak, as a fraction of the highest one. A ring of which a third is
/// seen has a third of the height that it would have.
const PEAK_OF_HIGHEST: f32 = 0.3;

/// Minimum number of votes in 3x3 cells for a peak: a quarter of the smallest ring has three edges, each of which votes
/// twice there.
const MIN_VOTES: u16 = 120;

/// A cell with the most votes of all cells within two cells.
pub(crate) struct Peak {
    pub(crate) cell: usize,
    /// Votes in its 3x3 cells.
    pub(crate) votes: u16,
}

/// The peaks of one frame, and the buffers of the search.
#[derive(Default)]
pub(crate) struct Peaks {
    /// Highest first, at most [`MAX_PEAKS`].
    pub(crate) highest: Vec<Peak>,
    rows: Vec<u16>,
    sums: Vec<u16>,
}

impl Peaks {
    /// Finds the local maxima of the votes summed over 3x3 cells.
    pub(crate) fn find(&mut self, votes: &[u16], width: usize) {
        self.highest.clear();
        self.rows.resize(votes.len(), 0);
        self.sums.resize(votes.len(), 0);
        sum_3x3(votes, width, &mut self.rows, &mut self.sums);
        collect_peaks(&self.sums, width, &mut self.highest);
        self.highest.sort_unstable_by_key(|peak| (u16::MAX - peak.votes, peak.cell));
        let highest = self.highest.first().map_or(0, |peak| peak.votes);
        let least = (f32::from(highest) * PEAK_OF_HIGHEST) as u16;
        let kept = self.highest.iter().take(MAX_PEAKS).take_while(|peak| peak.votes >= least).count();
        self.highest.truncate(kept);
    }
}

/// Appends the cells that no neighbour within two cells exceeds. Of equal neighbours, the first counts.
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

/// Whether none of the four nearest neighbours exceeds a cell. Most cells fail this quick test.
fn is_crest(sums: &[u16], width: usize, cell: usize) -> bool {
    let at = |cell: Option<usize>| cell.and_then(|cell| sums.get(cell)).copied().unwrap_or(0);
    let own = sums[cell];
    // In memory, the end of a row is followed by the beginning of the next. The full test, `is_peak`, tells them apart.
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
