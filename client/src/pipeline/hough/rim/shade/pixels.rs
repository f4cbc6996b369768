//! The pixels around an outline, and the sums of their columns by sector.

use super::columns::{COLUMNS, IN, LEVELS, Model, OUT, Prepared, STROKE, WIDTH};
use super::{Beginning, MAX_SECTORS, MIN_PIXELS, Sums};
use crate::pipeline::hough::fit::equations::profile::PIXEL_VARIANCE;
use crate::pipeline::hough::frame::Frame;
use crate::pipeline::hough::machine::for_two_machines;
use crate::pipeline::hough::sectors::sector_of;

/// Distance from the edge, in its sigmas, beyond which a pixel counts for the first levels.
const CLEAR_SIGMAS: f64 = 1.5;

/// Sums of the products of the columns of one sector, as the pixels are added.
type SectorSums = [[f32; COLUMNS]; COLUMNS];

/// Pixels within reach of an outline.
pub(crate) struct Pixels {
    pub(crate) sums: Box<Sums>,
    /// Number of pixels of each sector.
    pub(crate) counts: [f64; MAX_SECTORS],
    pub(crate) sectors: usize,
    /// Positions relative to the origin.
    x: Vec<f32>,
    y: Vec<f32>,
    gray: Vec<f32>,
    sector: Vec<u8>,
    origin: (f64, f64),
    reach: f64,
    added: Box<[SectorSums; MAX_SECTORS]>,
}

impl Default for Pixels {
    fn default() -> Self {
        Self {
            sums: Box::new([[[0.0; COLUMNS]; COLUMNS]; MAX_SECTORS]),
            counts: [0.0; MAX_SECTORS],
            sectors: 0,
            x: Vec::new(),
            y: Vec::new(),
            gray: Vec::new(),
            sector: Vec::new(),
            origin: (0.0, 0.0),
            reach: 0.0,
            added: Box::new([[[0.0; COLUMNS]; COLUMNS]; MAX_SECTORS]),
        }
    }
}

impl Pixels {
    /// Collects the pixels of a frame. `None` if they are too few.
    pub(crate) fn gather(&mut self, frame: Frame<'_>, from: &Beginning) -> Option<()> {
        let axes = from.around.axes()?;
        for column in [&mut self.x, &mut self.y, &mut self.gray] {
            column.clear();
        }
        self.sector.clear();
        self.counts = [0.0; MAX_SECTORS];
        (self.sectors, self.origin, self.reach) = (from.sectors, (from.around.x, from.around.y), from.reach_px);
        let most = axes.a + from.reach_px + 1.0;
        let span = |at: f64, end: usize| {
            let first = (at - most).ceil().max(0.0) as usize;
            first.min(end)..((at + most).floor().max(-1.0) + 1.0).min(end as f64) as usize
        };
        for row in span(from.around.y, frame.height) {
            let pixels = frame.row(row);
            for column in span(from.around.x, frame.width) {
                let (depth, _) = from.around.depth(column as f64, row as f64, 1.0);
                if depth.abs() > from.reach_px {
                    continue;
                }
                let (dx, dy) = (column as f64 - self.origin.0, row as f64 - self.origin.1);
                let (u, v) = axes.unrolled(dx, dy);
                let sector = sector_of(u as f32, v as f32, from.sectors);
                if from.active >> sector & 1 == 1 {
                    self.x.push(dx as f32);
                    self.y.push(dy as f32);
                    self.gray.push(f32::from(pixels[column]));
                    self.sector.push(sector);
                    self.counts[usize::from(sector)] += 1.0;
                }
            }
        }
        (self.x.len() >= MIN_PIXELS).then_some(())
    }

    /// The model that a fit begins with. Its levels are the means of what lies clear of the edge in each sector.
    pub(crate) fn first_model(&self, from: &Beginning) -> Model {
        let clear = 0.5 * from.stroke_px.unwrap_or(0.0) + CLEAR_SIGMAS * from.edge_variance.sqrt();
        let mut sums = [[(0.0f32, 0.0f32); 3]; MAX_SECTORS];
        for i in 0..self.x.len() {
            let at = (self.origin.0 + f64::from(self.x[i]), self.origin.1 + f64::from(self.y[i]));
            let (depth, _) = from.oval.depth(at.0, at.1, 1.0);
            let side = usize::from(depth > clear) + 2 * usize::from(depth.abs() <= clear);
            let slot = &mut sums[usize::from(self.sector[i])][side];
            *slot = (slot.0 + self.gray[i], slot.1 + 1.0);
        }
        let mean = |(sum, n): (f32, f32)| if n > 0.0 { sum / n } else { 0.0 };
        let mut levels = [[0.0; LEVELS]; MAX_SECTORS];
        for (levels, [outside, inside, between]) in levels.iter_mut().zip(sums) {
            (levels[OUT - 1], levels[IN - 1]) = (mean(outside), mean(inside));
            if from.stroke_px.is_some() {
                levels[STROKE - 1] = mean(between) - 0.5 * (levels[OUT - 1] + levels[IN - 1]);
            }
        }
        let variance = from.edge_variance.max(f64::from(PIXEL_VARIANCE));
        Model { oval: from.oval, variance, stroke: from.stroke_px, levels }
    }

    /// Sums up the products of the columns at a model.
    pub(crate) fn sum_up(&mut self, model: &Model) {
        let pixels = Arrays { x: &self.x, y: &self.y, gray: &self.gray, sector: &self.sector };
        add_up(&pixels, &Prepared::new(model, self.origin, self.reach), &model.levels, &mut self.added);
        for (sums, added) in self.sums.iter_mut().zip(self.added.iter()) {
            for (sums, added) in sums.iter_mut().zip(added) {
                sums.iter_mut().zip(added).for_each(|(sum, added)| *sum = f64::from(*added));
            }
        }
    }
}

/// The pixels' arrays.
#[derive(Clone, Copy)]
struct Arrays<'a> {
    x: &'a [f32],
    y: &'a [f32],
    gray: &'a [f32],
    sector: &'a [u8],
}

for_two_machines! {
    /// Sums the products of the pixels' columns for each sector.
    fn add_up(
        pixels: &Arrays<'_>,
        model: &Prepared,
        levels: &[[f32; LEVELS]; MAX_SECTORS],
        sums: &mut [SectorSums; MAX_SECTORS],
    ) {
        sums.iter_mut().for_each(|sums| *sums = [[0.0; COLUMNS]; COLUMNS]);
        for i in 0..pixels.x.len() {
            let sector = usize::from(pixels.sector[i]) % MAX_SECTORS;
            let row = model.columns(pixels.x[i], pixels.y[i], pixels.gray[i], &levels[sector]);
            for (own, sums) in row.iter().zip(sums[sector].iter_mut()).take(WIDTH + 1) {
                for (sum, other) in sums.iter_mut().zip(&row) {
                    *sum += own * other;
                }
            }
        }
    }
}
