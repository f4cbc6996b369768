//! The radii looked for, in cells.

use super::reduce::Cells;
use crate::pipeline::radii::RadiusRange;

/// The range of radii in cells, widened by half a cell and limited by the frame.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct RadiiInCells {
    pub(crate) min: f32,
    pub(crate) max: f32,
}

impl RadiiInCells {
    /// Converts `range` into cells of this size.
    pub(crate) fn new(cells: &Cells, range: RadiusRange) -> Self {
        let factor = cells.factor as f64;
        let diagonal = (cells.width + cells.height) as f64;
        let min = (range.min() / factor - 0.5).max(1.0).min(diagonal);
        let max = (range.max() / factor + 0.5).min(diagonal);
        Self { min: min as f32, max: max as f32 }
    }
}
