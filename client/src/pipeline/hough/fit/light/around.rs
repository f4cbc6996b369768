//! The ground around a disc, measured in the cells of the reduced frame.

use super::samples::{Picture, Ring, sum_up};
use super::surface::{Fitted, Surface};
use crate::pipeline::hough::chance::PIXEL_SIGMAS;
use crate::pipeline::hough::fit::equations::sums::ROUNDING_VARIANCE;
use crate::pipeline::hough::fit::pixels::rims::Rims;
use crate::pipeline::hough::ring;
use crate::pipeline::hough::search::reduce::{Cells, UNITS_PER_GRAY};

/// The ring's distance from the circle, in pixels and in sigmas of the edge, besides a cell; and the ring's width.
/// Beyond 2.5 sigmas, an edge changes the ground by less than 0.6 % of the contrast. The width is four of the largest
/// cells.
const CLEAR_PX: f64 = 2.0;
const CLEAR_SIGMAS: f64 = 2.5;
const WIDTH_PX: f64 = 32.0;

/// How far ground may differ from the level at the disc, as a fraction of the contrast. Once a surface is known: how
/// far cells may differ from it, in sigmas and, for frames without noise, in gray levels.
pub(super) const NEAR_OF_CONTRAST: f64 = 0.15;
const NEAR_GRAY: f64 = 0.55;

/// Fewest cells of the ring that must lie in the frame: five for each term of a surface.
const MIN_CELLS: f64 = 30.0;

/// χ² with five degrees of freedom by which a surface must fit better than a level for the ground to count as uneven.
/// Chance exceeds it once in 100.
const UNEVEN_CHI2: f64 = 15.0;

/// Smallest fraction of the ring that must be ground, except for one cell: a corner of an occluder, a shape of clutter
/// or the end of a long motion looks like a slope. Chance leaves out one cell in 16,000.
const MIN_SHARE: f64 = 0.998;

/// Largest variance of the residuals: as a multiple of the frame's noise variance, or in gray levels squared.
///
/// The multiple allows for five sigmas of a χ² of 600 cells, and for the uncertainty of the noise itself. The gray
/// levels allow for whole levels, which are steps in a frame without noise. Anything else in the ring leaves larger
/// residuals.
const MAX_NOISE_RATIO: f64 = 1.35;
const MAX_ROUNDING: f64 = 0.09;

/// Widest edge around which the ring is clear of the disc, as a fraction of the radius or in px. A disc with a wider
/// edge moved by its own width.
const WIDEST_EDGE: f64 = 0.1;
const WIDEST_EDGE_PX: f64 = 1.5;

/// The ground around a disc.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ground {
    /// The surface in gray levels. Positions are relative to the circle's centre, in units of `unit_px`.
    pub(super) surface: Surface,
    pub(super) unit_px: f64,
    /// Variances of the slopes, in (gray levels / unit)².
    pub(super) spread: [f64; 2],
}

/// Returns the ground around a circle if it is uneven. `noise_gray` is the sigma of the frame's pixels.
pub(super) fn uneven_ground(
    cells: &Cells,
    circle: ring::Ring,
    edge_sigma: f64,
    rims: Rims,
    noise_gray: f64,
) -> Option<Ground> {
    if edge_sigma > WIDEST_EDGE_PX.max(WIDEST_EDGE * f64::from(circle.radius)) {
        return None;
    }
    let factor = cells.factor as f64;
    let ring = ring_of(cells, circle, edge_sigma);
    let noise = noise_of_cells(noise_gray, factor);
    let near = NEAR_OF_CONTRAST * f64::from((rims.inside - rims.outside).abs()) + PIXEL_SIGMAS * noise.sqrt();
    let most = MAX_ROUNDING.max(MAX_NOISE_RATIO * noise);
    let mut found: Option<Fitted> = None;
    let (mut surface, mut near) = (Surface::even(f64::from(rims.outside)), near as f32);
    for _ in 0..3 {
        let (moments, all) = sum_up(&InCells(cells), &ring, &surface, near);
        if moments.count() < MIN_CELLS.max(MIN_SHARE * all - 1.0) {
            return None;
        }
        let fitted = moments.fit()?;
        let variance = fitted.variance().max(noise_of_cells(0.0, factor));
        if fitted.even - fitted.left < UNEVEN_CHI2 * variance {
            return None;
        }
        (surface, near) = (fitted.surface, (PIXEL_SIGMAS * noise.sqrt() + NEAR_GRAY) as f32);
        found = Some(fitted);
        if moments.count() == all && fitted.variance() < most {
            break;
        }
    }
    let fitted = found.filter(|found| found.variance() < most)?;
    let variance = fitted.variance().max(noise);
    Some(Ground { surface, unit_px: ring.unit * factor, spread: fitted.spread.map(|spread| spread * variance) })
}

/// Distance from the circle to the ring for an edge with this sigma, in pixels, besides a cell.
pub(crate) fn clear_px(edge_sigma: f64) -> f64 {
    CLEAR_PX + CLEAR_SIGMAS * edge_sigma
}

/// Variance of a cell's level, from noise and rounding.
fn noise_of_cells(noise_gray: f64, factor: f64) -> f64 {
    (noise_gray * noise_gray + ROUNDING_VARIANCE) / (factor * factor)
}

fn ring_of(cells: &Cells, circle: ring::Ring, edge_sigma: f64) -> Ring {
    let factor = cells.factor as f64;
    let to_cell = |px: f32| (f64::from(px) - (factor - 1.0) / 2.0) / factor;
    // The corner of a cell is 0.71 of its side from its centre.
    let inner = (f64::from(circle.radius) + clear_px(edge_sigma)) / factor + 0.71;
    let outer = inner + WIDTH_PX / factor;
    Ring { x: to_cell(circle.x), y: to_cell(circle.y), inner, outer, unit: outer, step: 1 }
}

/// The cells of the reduced frame.
struct InCells<'a>(&'a Cells);

impl Picture for InCells<'_> {
    fn size(&self) -> (usize, usize) {
        (self.0.width, self.0.height)
    }

    #[inline(always)]
    fn values<const N: usize>(&self, row: usize, from: usize) -> [f32; N] {
        let cells = &self.0.padded_row(row + 1)[from + 1..];
        match cells.first_chunk::<N>() {
            Some(cells) => cells.map(|cell| f32::from(cell) * (1.0 / UNITS_PER_GRAY)),
            None => std::array::from_fn(|lane| cells.get(lane).map_or(0.0, |&cell| f32::from(cell) / UNITS_PER_GRAY)),
        }
    }
}
