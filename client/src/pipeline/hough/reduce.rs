//! Box reduction: the frame as means over square cells, which is where circles are first sought.
//!
//! A cell is `factor` x `factor` pixels. Reducing removes noise (a 4x cell has a quarter of its pixels' sigma) and
//! leaves a sixteenth of the work to the stages that look everywhere. Cell (i, j) has its centre at pixel
//! `factor * i + (factor - 1) / 2`; the pixels right of and below the last whole cell are left out.

use super::simd;

/// Cell values are in sixteenths of a gray level: exact for 4x cells, and 16 * 255 leaves Sobel sums within `i16`.
pub(super) const UNITS_PER_GRAY: f32 = 16.0;

const EVEN_BYTES: u64 = 0x00FF_00FF_00FF_00FF;
const EVEN_PAIRS: u64 = 0x0000_FFFF_0000_FFFF;

/// The reduced frame, with a margin of one cell repeated around it so that every cell has neighbours.
#[derive(Default)]
pub(super) struct Cells {
    /// Cells across, margin excluded.
    pub(super) width: usize,
    /// Cells down, margin excluded.
    pub(super) height: usize,
    /// Pixels along a cell's side: 1, 2, 4 or 8.
    pub(super) factor: usize,
    values: Vec<i16>,
}

/// The reduction that leaves the smallest radius sought two cells or more.
///
/// 8x only from 24 px, three cells: there it saves time, and smaller rings lose their centre to the coarser grid.
pub(super) fn factor_for(min_radius_px: f64) -> usize {
    match min_radius_px {
        r if r >= 16.0 => 8,
        r if r >= 8.0 => 4,
        r if r >= 4.0 => 2,
        _ => 1,
    }
}

impl Cells {
    /// Reduces `pixels`, row-major and `width` wide, by `factor`.
    pub(super) fn reduce(&mut self, pixels: &[u8], width: usize, factor: usize) {
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

    /// Row `y` of cells with its margin: element `x + 1` is cell `x`. `y` runs from -1 to `height`, given plus one.
    pub(super) fn padded_row(&self, y_plus_one: usize) -> &[i16] {
        &self.values[y_plus_one * self.stride()..][..self.stride()]
    }

    /// Pixel coordinate of a cell coordinate, both with integers at centres.
    pub(super) fn to_px(&self, cell: f32) -> f32 {
        let factor = self.factor as f32;
        factor * cell + (factor - 1.0) / 2.0
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
        8 => simd::reduce_by_8(band, width, out),
        4 => simd::reduce_by_4(band, width, out),
        _ => 0,
    };
    // The rest, less than a vector of the fast factors: as written.
    let scale = 16 / (factor * factor).min(16);
    let divisor = (factor * factor / 16).max(1);
    for (i, cell) in out.iter_mut().enumerate().skip(done) {
        let rows = band.chunks_exact(width).map(|row| &row[i * factor..][..factor]);
        let sum: usize = rows.flatten().map(|&p| usize::from(p)).sum();
        *cell = (sum * scale / divisor) as i16;
    }
}

/// Four rows, eight pixels a word: bytes are added in pairs, pairs in fours, all lanes of a word at once.
///
/// Plain integer arithmetic that compilers turn into vector code on every target. Returns the cells written.
pub(super) fn reduce_by_4_in_words(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    let (a, rest) = band.split_at(width);
    let (b, rest) = rest.split_at(width);
    let (c, d) = rest.split_at(width);
    let rows = words(a).zip(words(b)).zip(words(c).zip(words(d)));
    for (cells, ((a, b), (c, d))) in out.chunks_exact_mut(2).zip(rows) {
        let fours = sum_pairs(sum_bytes(a) + sum_bytes(b) + sum_bytes(c) + sum_bytes(d));
        cells[0] = fours as i16;
        cells[1] = (fours >> 32) as i16;
    }
    out.len() / 2 * 2
}

/// Eight rows, eight pixels a word, one cell a word. Returns the cells written: all.
pub(super) fn reduce_by_8_in_words(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    for (i, cell) in out.iter_mut().enumerate() {
        let word = |row: &[u8]| words(&row[8 * i..8 * i + 8]).next().map_or(0, sum_bytes);
        let fours = sum_pairs(band.chunks_exact(width).map(word).sum());
        *cell = (((fours + (fours >> 32)) & 0xFFFF) / 4) as i16;
    }
    out.len()
}

fn words(row: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let (words, _) = row.as_chunks::<8>();
    words.iter().map(|&word| u64::from_le_bytes(word))
}

fn sum_bytes(word: u64) -> u64 {
    (word & EVEN_BYTES) + ((word >> 8) & EVEN_BYTES)
}

fn sum_pairs(word: u64) -> u64 {
    (word & EVEN_PAIRS) + ((word >> 16) & EVEN_PAIRS)
}
