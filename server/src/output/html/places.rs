//! The residual by the ball's place in the picture.

use super::timeline::Sum;

/// Cells along the longer side.
const CELLS: usize = 16;

/// Cells of the picture.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) columns: usize,
    pub(super) rows: usize,
    pub(super) width: f64,
    pub(super) height: f64,
    cells: Vec<Sum>,
}

impl Places {
    /// Cells that are about square, of a picture of this size.
    pub(super) fn new(width: f64, height: f64) -> Self {
        let cell = (width.max(height) / CELLS as f64).max(1.0);
        let along = |side: f64| ((side / cell).round() as usize).max(1);
        let (columns, rows) = (along(width), along(height));
        Self { columns, rows, width, height, cells: vec![Sum::default(); columns * rows] }
    }

    pub(super) fn add(&mut self, [x, y]: [f64; 2], residual: f64) {
        // The picture reaches from half a pixel before the first centre to half a pixel after the last one.
        let place =
            |at: f64, side: f64, cells: usize| (((at + 0.5) / side * cells as f64).max(0.0) as usize).min(cells - 1);
        let cell = place(y, self.height, self.rows) * self.columns + place(x, self.width, self.columns);
        self.cells[cell].add(residual);
    }

    /// Column, row and content of each cell.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, usize, &Sum)> {
        self.cells.iter().enumerate().map(|(place, sum)| (place % self.columns, place / self.columns, sum))
    }
}
