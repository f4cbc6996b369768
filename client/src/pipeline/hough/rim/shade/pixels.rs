//! The pixels around an outline, and the sums of their columns by sector.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use std::marker::PhantomData;
use std::ops::Range;

use super::columns::{
    Balls, Block, COLUMNS, Columns, Edges, EvenEdges, EvenStrokes, Family, HeldBalls, LEVELS, Model, Prepared, Strokes,
};
use super::shading::Kind;
use super::{Beginning, MAX_SECTORS, MIN_PIXELS, Sums};
use crate::pipeline::hough::fit::equations::columns::BLOCK;
use crate::pipeline::hough::fit::equations::pass::{Summing, run};
use crate::pipeline::hough::fit::equations::products::Lanes;
use crate::pipeline::hough::fit::pixels::annulus::LANES;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::machine::for_two_machines;
use crate::pipeline::hough::rim::oval::Oval;
use crate::pipeline::hough::sectors::sector_of;

/// Number of products of all columns of one sector, in whole vectors.
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
    /// The columns that have sums. The others are 0.
    pairs: Option<&'static Pairs>,
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
            pairs: None,
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
        let every = from.every as f32;
        let strip = Strip { around, unrolling: axes.unrolling(), sectors: from.sectors, every };
        for row in (top..end.min(frame.height)).step_by(from.every) {
            let Some((left, right)) = outer.row(row as f64) else { continue };
            let hole = inner.and_then(|inner| inner.row(row as f64)).unwrap_or((right, right + 1.0));
            for (first, last) in [(left, hole.0), (hole.1.max(left), right)] {
                let end = ((last.max(-1.0) + 1.0) as usize).min(frame.width);
                self.take(frame, from, &strip, (first.max(0.0).ceil() as usize)..end, row);
            }
        }
        self.sort();
        (self.found.len() >= MIN_PIXELS).then_some(())
    }

    /// Takes the pixels of a part of a row that are within reach, in a sector that takes part.
    fn take(&mut self, frame: Frame<'_>, from: &Beginning, strip: &Strip, columns: Range<usize>, row: usize) {
        let (pixels, dy) = (frame.row(row), (row as f64 - self.origin.1) as f32);
        let (mut depths, mut sectors) = ([0.0; BLOCK], [0; BLOCK]);
        for first in columns.clone().step_by(from.every * BLOCK) {
            let n = (columns.end - first).div_ceil(from.every).min(BLOCK);
            let dx = (first as f64 - self.origin.0) as f32;
            strip.place(dx, dy, &mut depths[..n], &mut sectors[..n]);
            for (i, (depth, &sector)) in depths[..n].iter().zip(&sectors).enumerate() {
                if depth.abs() <= from.reach_px as f32 && from.active >> sector & 1 == 1 {
                    let gray = f32::from(pixels[first + i * from.every]);
                    self.found.push((dx + i as f32 * strip.every, dy, gray, sector));
                    self.counts[usize::from(sector)] += 1.0;
                }
            }
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

    /// Sums up the products of the columns at a model. If it is `even`, without those of slopes and roots; their levels
    /// are 0 then.
    pub(crate) fn sum_up(&mut self, model: &Model, even: bool) {
        let pixels = Block { x: &self.x, y: &self.y, gray: &self.gray, weight: &self.weight };
        let prepared = Prepared::new(model, self.origin, self.reach);
        let starts = &self.starts[..=self.sectors];
        let (levels, sums) = (&model.levels, &mut *self.added);
        let pairs = match (model.kind, even) {
            (Kind::Edge, true) => add_up::<EvenEdges>(pixels, starts, &prepared, levels, sums),
            (Kind::Edge, false) => add_up::<Edges>(pixels, starts, &prepared, levels, sums),
            (Kind::Stroke, true) => add_up::<EvenStrokes>(pixels, starts, &prepared, levels, sums),
            (Kind::Stroke, false) => add_up::<Strokes>(pixels, starts, &prepared, levels, sums),
            (Kind::Ball, _) if model.held => add_up::<HeldBalls>(pixels, starts, &prepared, levels, sums),
            (Kind::Ball, _) => add_up::<Balls>(pixels, starts, &prepared, levels, sums),
        };
        if !self.pairs.is_some_and(|before| std::ptr::eq(before, pairs)) {
            self.sums.fill([[0.0; COLUMNS]; COLUMNS]);
            self.pairs = Some(pairs);
        }
        for (sums, added) in self.sums.iter_mut().zip(self.added.iter()).take(self.sectors) {
            for (&(i, j), &sum) in pairs.iter().zip(added).filter(|((_, j), _)| *j < COLUMNS) {
                (sums[i][j], sums[j][i]) = (sum.into(), sum.into());
            }
        }
    }
}

/// How the pixels of a row are placed.
struct Strip {
    around: Oval,
    unrolling: [f32; 4],
    sectors: usize,
    /// Distance between the pixels.
    every: f32,
}

impl Strip {
    /// Depths and sectors of pixels in a row, from an offset from the centre on.
    fn place(&self, dx: f32, dy: f32, depths: &mut [f32], sectors: &mut [u8]) {
        for_two_machines! {
            fn place(strip: &Strip, dx: f32, dy: f32, depths: &mut [f32], sectors: &mut [u8]) {
                let [ax, ay, bx, by] = strip.unrolling;
                for (i, (depth, sector)) in depths.iter_mut().zip(sectors).enumerate() {
                    let dx = dx + i as f32 * strip.every;
                    *depth = strip.around.depth_at(dx, dy);
                    *sector = sector_of(ax * dx + ay * dy, bx * dx + by * dy, strip.sectors);
                }
            }
        }
        place(self, dx, dy, depths, sectors);
    }
}

/// The columns of each product of a family, in the order of the slots. A slot without a product has columns beyond the
/// last one.
type Pairs = [(usize, usize); SLOTS];

const fn pairs_of(set: u16) -> Pairs {
    let mut pairs = [(COLUMNS, COLUMNS); SLOTS];
    let (mut slot, mut j) = (0, 0);
    while j < COLUMNS {
        let mut i = 0;
        while i <= j {
            if set >> i & set >> j & 1 == 1 {
                pairs[slot] = (i, j);
                slot += 1;
            }
            i += 1;
        }
        j += 1;
    }
    pairs
}

/// Sums the products of the pixels' columns for each sector, for a family. Returns the columns of each product.
fn add_up<F: Family>(
    pixels: Block<'_>,
    starts: &[usize],
    model: &Prepared,
    levels: &[[f32; LEVELS]; MAX_SECTORS],
    sums: &mut [[f32; SLOTS]; MAX_SECTORS],
) -> &'static Pairs {
    run(AddUp::<F> { pixels, starts, model, levels, sums, family: PhantomData });
    const { &pairs_of(F::SET) }
}

/// The arguments of [`add_up`].
struct AddUp<'a, F> {
    pixels: Block<'a>,
    starts: &'a [usize],
    model: &'a Prepared,
    levels: &'a [[f32; LEVELS]; MAX_SECTORS],
    sums: &'a mut [[f32; SLOTS]; MAX_SECTORS],
    family: PhantomData<F>,
}

impl<F: Family> Summing for AddUp<'_, F> {
    #[inline(always)]
    fn run(self, fold: impl Fn(&[Lanes; LANES]) -> Lanes + Copy) {
        let Self { pixels, starts, model, levels, sums, .. } = self;
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
                model.fill::<F>(&mut columns, block, &levels[k]);
                let n = to - from;
                add_eight::<F, 0>(&columns, n, sums, fold);
                add_eight::<F, 1>(&columns, n, sums, fold);
                add_eight::<F, 2>(&columns, n, sums, fold);
                add_eight::<F, 3>(&columns, n, sums, fold);
                add_eight::<F, 4>(&columns, n, sums, fold);
                add_eight::<F, 5>(&columns, n, sums, fold);
                add_eight::<F, 6>(&columns, n, sums, fold);
                add_eight::<F, 7>(&columns, n, sums, fold);
                add_eight::<F, 8>(&columns, n, sums, fold);
                add_eight::<F, 9>(&columns, n, sums, fold);
                add_eight::<F, 10>(&columns, n, sums, fold);
                add_eight::<F, 11>(&columns, n, sums, fold);
                add_eight::<F, 12>(&columns, n, sums, fold);
                add_eight::<F, 13>(&columns, n, sums, fold);
            }
        }
    }
}

/// Adds the products of the slots `8 E..8 E + 8` of the first `n` elements of the columns, in whole vectors.
#[inline(always)]
fn add_eight<F: Family, const E: usize>(
    columns: &Columns,
    n: usize,
    sums: &mut [f32; SLOTS],
    fold: impl Fn(&[Lanes; LANES]) -> Lanes,
) {
    let pairs: [(usize, usize); LANES] = const {
        let (all, mut pairs) = (pairs_of(F::SET), [(COLUMNS, COLUMNS); LANES]);
        let mut k = 0;
        while k < LANES {
            pairs[k] = all[E * LANES + k];
            k += 1;
        }
        pairs
    };
    if pairs[0].1 == COLUMNS {
        return;
    }
    let n = n.min(BLOCK);
    let mut lanes: [Lanes; LANES] = [[0.0; LANES]; LANES];
    for at in (0..n).step_by(LANES) {
        for k in 0..LANES {
            let (i, j) = pairs[k];
            if j < COLUMNS {
                let (a, b) = (&columns[i][at..at + LANES], &columns[j][at..at + LANES]);
                for l in 0..LANES {
                    lanes[k][l] += a[l] * b[l];
                }
            }
        }
    }
    sums[E * LANES..][..LANES].iter_mut().zip(fold(&lanes)).for_each(|(sum, part)| *sum += part);
}
