//! The pixels around an outline, and the sums of their columns by sector.

use super::columns::{Block, COLUMNS, Columns, EDGE_COLUMNS, LEVELS, Model, Prepared};
use super::shading::Kind;
use super::{Beginning, MAX_SECTORS, MIN_PIXELS, Sums};
use crate::pipeline::hough::fit::equations::columns::BLOCK;
use crate::pipeline::hough::fit::equations::products::{dots, fold};
use crate::pipeline::hough::fit::equations::sums::pair;
use crate::pipeline::hough::fit::pixels::annulus::LANES;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::machine::for_two_machines;
use crate::pipeline::hough::sectors::sector_of;

/// Number of products of the columns of one sector, in whole vectors.
const SLOTS: usize = (COLUMNS * (COLUMNS + 1) / 2).next_multiple_of(LANES);

/// How much farther than the reach a row is searched, in pixels. At the smallest ratio of the axes, an ellipse with
/// longer axes deviates this much from the curve parallel to the outline.
const BESIDE_PX: f64 = 1.5;

/// Pixels within reach of an outline.
pub(crate) struct Pixels {
    pub(crate) sums: Box<Sums>,
    /// Number of pixels of each sector.
    pub(crate) counts: [f64; MAX_SECTORS],
    pub(crate) sectors: usize,
    /// The pixels in the order they were found: positions relative to the origin, intensities and sectors.
    found: Vec<(f32, f32, f32, u8)>,
    /// The pixels sorted by sector. Each sector is padded to whole vectors with pixels of weight 0.
    x: Vec<f32>,
    y: Vec<f32>,
    gray: Vec<f32>,
    weight: Vec<f32>,
    /// Where each sector begins, and where the last one ends.
    starts: [usize; MAX_SECTORS + 1],
    origin: (f64, f64),
    reach: f64,
    added: Box<[[f32; SLOTS]; MAX_SECTORS]>,
}

impl Default for Pixels {
    fn default() -> Self {
        Self {
            sums: Box::new([[[0.0; COLUMNS]; COLUMNS]; MAX_SECTORS]),
            counts: [0.0; MAX_SECTORS],
            sectors: 0,
            found: Vec::new(),
            x: Vec::new(),
            y: Vec::new(),
            gray: Vec::new(),
            weight: Vec::new(),
            starts: [0; MAX_SECTORS + 1],
            origin: (0.0, 0.0),
            reach: 0.0,
            added: Box::new([[0.0; SLOTS]; MAX_SECTORS]),
        }
    }
}

impl Pixels {
    /// Collects the pixels of a frame. `None` if they are too few.
    pub(crate) fn gather(&mut self, frame: Frame<'_>, from: &Beginning) -> Option<()> {
        let (around, reach) = (from.around, from.reach_px);
        let axes = around.axes()?;
        let (outer, inner) = (around.grown(reach + BESIDE_PX)?, around.grown(-reach - BESIDE_PX));
        (self.sectors, self.origin, self.reach) = (from.sectors, (around.x, around.y), reach);
        self.found.clear();
        self.counts = [0.0; MAX_SECTORS];
        let top = (around.y - axes.a - reach - BESIDE_PX).max(0.0) as usize;
        let end = ((around.y + axes.a + reach + BESIDE_PX).max(-1.0) + 1.0) as usize;
        for row in (top..end.min(frame.height)).step_by(from.every) {
            let Some((left, right)) = outer.row(row as f64) else { continue };
            let hole = inner.and_then(|inner| inner.row(row as f64)).unwrap_or((right, right + 1.0));
            for (first, last) in [(left, hole.0), (hole.1.max(left), right)] {
                let end = ((last.max(-1.0) + 1.0) as usize).min(frame.width);
                for column in ((first.max(0.0).ceil() as usize)..end).step_by(from.every) {
                    self.take(frame, from, axes.unrolling(), (column, row));
                }
            }
        }
        self.sort();
        (self.found.len() >= MIN_PIXELS).then_some(())
    }

    #[inline(always)]
    fn take(&mut self, frame: Frame<'_>, from: &Beginning, unrolling: [f32; 4], (column, row): (usize, usize)) {
        let (dx, dy) = ((column as f64 - self.origin.0) as f32, (row as f64 - self.origin.1) as f32);
        if from.around.depth_at(dx, dy).abs() > from.reach_px as f32 {
            return;
        }
        let [ax, ay, bx, by] = unrolling;
        let sector = sector_of(ax * dx + ay * dy, bx * dx + by * dy, from.sectors);
        if from.active >> sector & 1 == 1 {
            self.found.push((dx, dy, f32::from(frame.pixels[row * frame.width + column]), sector));
            self.counts[usize::from(sector)] += 1.0;
        }
    }

    /// Puts the pixels found into their sectors.
    fn sort(&mut self) {
        for k in 0..MAX_SECTORS {
            self.starts[k + 1] = self.starts[k] + (self.counts[k] as usize).next_multiple_of(LANES);
        }
        let n = self.starts[MAX_SECTORS];
        for column in [&mut self.x, &mut self.y, &mut self.gray, &mut self.weight] {
            column.clear();
            column.resize(n, 0.0);
        }
        let mut next = self.starts;
        for &(x, y, gray, sector) in &self.found {
            let at = next[usize::from(sector)];
            next[usize::from(sector)] += 1;
            (self.x[at], self.y[at], self.gray[at], self.weight[at]) = (x, y, gray, 1.0);
        }
    }

    /// Sums up the products of the columns at a model.
    pub(crate) fn sum_up(&mut self, model: &Model) {
        let pixels = Block { x: &self.x, y: &self.y, gray: &self.gray, weight: &self.weight };
        let prepared = Prepared::new(model, self.origin, self.reach);
        let starts = &self.starts[..=self.sectors];
        let columns = if model.kind == Kind::Stroke { COLUMNS } else { EDGE_COLUMNS };
        match model.kind {
            Kind::Stroke => add_strokes(pixels, starts, &prepared, &model.levels, &mut self.added),
            Kind::Edge | Kind::Ball => add_edges(pixels, starts, &prepared, &model.levels, &mut self.added),
        }
        for (sums, added) in self.sums.iter_mut().zip(self.added.iter()).take(self.sectors) {
            *sums = [[0.0; COLUMNS]; COLUMNS];
            for (slot, &sum) in added.iter().enumerate().take(columns * (columns + 1) / 2) {
                let (i, j) = PAIRS[slot];
                (sums[i][j], sums[j][i]) = (sum.into(), sum.into());
            }
        }
    }
}

/// The columns of each slot.
const PAIRS: [(usize, usize); SLOTS] = {
    let mut pairs = [(0, 0); SLOTS];
    let mut slot = 0;
    while slot < SLOTS {
        pairs[slot] = pair(slot);
        slot += 1;
    }
    pairs
};

for_two_machines! {
    /// Sums the products of the pixels' columns for each sector, for an edge or a ball.
    fn add_edges(
        pixels: Block<'_>,
        starts: &[usize],
        model: &Prepared,
        levels: &[[f32; LEVELS]; MAX_SECTORS],
        sums: &mut [[f32; SLOTS]; MAX_SECTORS],
    ) {
        add_up::<EDGE_COLUMNS>(pixels, starts, model, levels, sums);
    }
}

for_two_machines! {
    /// Like `add_edges`, for a stroke.
    fn add_strokes(
        pixels: Block<'_>,
        starts: &[usize],
        model: &Prepared,
        levels: &[[f32; LEVELS]; MAX_SECTORS],
        sums: &mut [[f32; SLOTS]; MAX_SECTORS],
    ) {
        add_up::<COLUMNS>(pixels, starts, model, levels, sums);
    }
}

#[inline(always)]
fn add_up<const C: usize>(
    pixels: Block<'_>,
    starts: &[usize],
    model: &Prepared,
    levels: &[[f32; LEVELS]; MAX_SECTORS],
    sums: &mut [[f32; SLOTS]; MAX_SECTORS],
) {
    let mut columns: Columns = [[0.0; BLOCK]; COLUMNS];
    for (k, sums) in sums.iter_mut().enumerate().take(starts.len() - 1) {
        *sums = [0.0; SLOTS];
        for from in (starts[k]..starts[k + 1]).step_by(BLOCK) {
            let to = (from + BLOCK).min(starts[k + 1]);
            let block = Block {
                x: &pixels.x[from..to],
                y: &pixels.y[from..to],
                gray: &pixels.gray[from..to],
                weight: &pixels.weight[from..to],
            };
            model.fill(&mut columns, block, &levels[k]);
            let n = to - from;
            let mut add = |eight: usize, parts: [f32; LANES]| {
                sums[eight * LANES..][..LANES].iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
            };
            add(0, fold(&dots::<C, 0, COLUMNS>(&columns, n)));
            add(1, fold(&dots::<C, 1, COLUMNS>(&columns, n)));
            add(2, fold(&dots::<C, 2, COLUMNS>(&columns, n)));
            add(3, fold(&dots::<C, 3, COLUMNS>(&columns, n)));
            add(4, fold(&dots::<C, 4, COLUMNS>(&columns, n)));
            add(5, fold(&dots::<C, 5, COLUMNS>(&columns, n)));
            add(6, fold(&dots::<C, 6, COLUMNS>(&columns, n)));
            add(7, fold(&dots::<C, 7, COLUMNS>(&columns, n)));
            add(8, fold(&dots::<C, 8, COLUMNS>(&columns, n)));
            add(9, fold(&dots::<C, 9, COLUMNS>(&columns, n)));
            if C == COLUMNS {
                add(10, fold(&dots::<C, 10, COLUMNS>(&columns, n)));
                add(11, fold(&dots::<C, 11, COLUMNS>(&columns, n)));
                add(12, fold(&dots::<C, 12, COLUMNS>(&columns, n)));
                add(13, fold(&dots::<C, 13, COLUMNS>(&columns, n)));
            }
        }
    }
}
