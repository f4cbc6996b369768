//! Box reduction: the frame as means over square cells, in which circles are searched first.
//!
//! A cell is `factor` x `factor` pixels. Reducing removes noise (a 4x cell has a quarter of its pixels' sigma) and
//! leaves a sixteenth of the work to the stages that search the whole frame. Cell (i, j) has its centre at pixel
//! `factor * i + (factor - 1) / 2`, and likewise for j. Pixels right of and below the last whole cell are ignored.

use super::block_sums;

/// Units of cell values: sixteenths of a gray level. This is exact for 4x cells, and with 16 * 255 the Sobel sums fit
/// `i16`.
pub(crate) const UNITS_PER_GRAY: f32 = 16.0;

/// The reduced frame. A margin of one cell is repeated around it, so that every cell has neighbours.
#[derive(Default)]
pub(crate) struct Cells {
    /// Cells per row, without the margin.
    pub(crate) width: usize,
    /// Number of rows, without the margin.
    pub(crate) height: usize,
    /// Pixels along a cell's side: 1, 2, 4 or 8.
    pub(crate) factor: usize,
    values: Vec<i16>,
}

/// The largest reduction that leaves the smallest radius sought at least two cells.
pub(crate) fn factor_for(min_radius_px: f64) -> usize {
    match min_radius_px {
        r if r >= 16.0 => 8,
        r if r >= 8.0 => 4,
        r if r >= 4.0 => 2,
        _ => 1,
    }
}

impl Cells {
    /// Reduces `pixels`, row-major and `width` wide, by `factor`.
    pub(crate) fn reduce(&mut self, pixels: &[u8], width: usize, factor: usize) {
        let height = pixels.len() / width.max(1);
        (self.width, self.height, self.factor) = (width / factor, height / factor, factor);
        self.values.resize(self.stride() * (self.height + 2), 0);
        if self.width == 0 || self.height == 0 {
            return;
        }
        let stride = self.stride();
        let bands = pixels.chunks_exact(width * factor);
        for (band, row) in bands.zip(self.values.chunks_exact_mut(stride).skip(1)) {
            reduce_band(band, width, factor, &mut row[1..=width / factor]);
            row[0] = row[1];
            row[stride - 1] = row[stride - 2];
        }
        self.repeat_margin_rows();
    }

    /// Returns row `y` of cells with its margin. Element `x + 1` is cell `x`. `y` runs from -1 to `height` and is
    /// passed plus one.
    pub(crate) fn padded_row(&self, y_plus_one: usize) -> &[i16] {
        &self.values[y_plus_one * self.stride()..][..self.stride()]
    }

    /// Pixel coordinate of a cell coordinate. Both have integers at the centres.
    pub(crate) fn to_px(&self, cell: f32) -> f32 {
        let factor = self.factor as f32;
        factor * cell + (factor - 1.0) / 2.0
    }

    /// Cell coordinate of a pixel coordinate.
    pub(crate) fn to_cell(&self, px: f32) -> f32 {
        let factor = self.factor as f32;
        (px - (factor - 1.0) / 2.0) / factor
    }

    fn stride(&self) -> usize {
        self.width + 2
    }

    fn repeat_margin_rows(&mut self) {
        let (stride, last) = (self.stride(), self.height);
        self.values.copy_within(stride..2 * stride, 0);
        self.values.copy_within(last * stride..(last + 1) * stride, (last + 1) * stride);
    }
}

fn reduce_band(band: &[u8], width: usize, factor: usize, out: &mut [i16]) {
    let done = match factor {
        8 => block_sums::reduce_by_8(band, width, out),
        4 => block_sums::reduce_by_4(band, width, out),
        _ => 0,
    };
    // The rest of the row, shorter than a vector of the fast loops, one by one.
    let scale = 16 / (factor * factor).min(16);
    let divisor = (factor * factor / 16).max(1);
    for (i, cell) in out.iter_mut().enumerate().skip(done) {
        let rows = band.chunks_exact(width).map(|row| &row[i * factor..][..factor]);
        let sum: usize = rows.flatten().map(|&p| usize::from(p)).sum();
        *cell = (sum * scale / divisor) as i16;
    }
}
