//! The loops that take the time, each compiled twice: for any machine, and for those with AVX2, chosen at run time.
//!
//! Same source and no fused operations: both give the same numbers.

use multiversion::multiversion;

use super::annulus::Annulus;
use super::model::Model;
use super::products::{fold, sum_sectors};
use super::sums::{STILL_SLOTS, SectorSums, Waves};

/// Adds a sector's products times 1, x, y, x², xy, y² of its direction.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn add_waves(own: &[f64; STILL_SLOTS], (x, y): (f64, f64), waves: &mut Waves) {
    for (wave, factor) in waves.iter_mut().zip([1.0, x, y, x * x, x * y, y * y]) {
        wave.iter_mut().zip(own).for_each(|(sum, own)| *sum += factor * own);
    }
}

/// See [`sum_sectors`].
pub(super) fn sum_annulus(annulus: &Annulus, model: &Model, per_sigma: f32, sums: &mut [SectorSums]) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::sum_annulus(annulus, model, per_sigma, sums) };
    }
    sum_sectors(annulus, model, per_sigma, sums, fold);
}

/// The 4x reduction of four rows; returns the cells written.
pub(super) fn reduce_by_4(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::reduce_by_4(band, width, out) };
    }
    super::reduce::reduce_by_4_in_words(band, width, out)
}

/// The 8x reduction of eight rows; returns the cells written.
pub(super) fn reduce_by_8(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::reduce_by_8(band, width, out) };
    }
    super::reduce::reduce_by_8_in_words(band, width, out)
}

/// What compilers don't find by themselves: bytes added in pairs by one instruction.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_cmpgt_epi16,
        _mm256_hadd_epi32, _mm256_hadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_movemask_epi8, _mm256_packs_epi32, _mm256_permute2f128_ps,
        _mm256_permute4x64_epi64, _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_setr_epi32,
        _mm256_srai_epi32, _mm256_storeu_ps, _mm256_storeu_si256,
    };

    use crate::pipeline::hough::annulus::{Annulus, LANES};
    use crate::pipeline::hough::model::Model;
    use crate::pipeline::hough::products::{Lanes, sum_sectors};
    use crate::pipeline::hough::sums::SectorSums;

    #[target_feature(enable = "avx2")]
    pub(super) fn sum_annulus(annulus: &Annulus, model: &Model, per_sigma: f32, sums: &mut [SectorSums]) {
        sum_sectors(annulus, model, per_sigma, sums, |lanes| fold(lanes));
    }

    /// Sums the lanes of eight vectors: neighbours, then pairs, then halves.
    #[target_feature(enable = "avx2")]
    fn fold(lanes: &[Lanes; LANES]) -> Lanes {
        // SAFETY: eight lanes are there, and neither load nor store needs alignment.
        let [a, b, c, d, e, f, g, h] = lanes.each_ref().map(|lanes| unsafe { _mm256_loadu_ps(lanes.as_ptr()) });
        let left = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
        let right = _mm256_hadd_ps(_mm256_hadd_ps(e, f), _mm256_hadd_ps(g, h));
        let low = _mm256_permute2f128_ps::<0x20>(left, right);
        let high = _mm256_permute2f128_ps::<0x31>(left, right);
        let mut sums = [0.0; LANES];
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), _mm256_add_ps(low, high)) };
        sums
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn reduce_by_4(band: &[u8], width: usize, out: &mut [i16]) -> usize {
        let (a, rest) = band.split_at(width);
        let (b, rest) = rest.split_at(width);
        let (c, d) = rest.split_at(width);
        let columns = a.as_chunks::<64>().0.iter().zip(b.as_chunks::<64>().0);
        let columns = columns.zip(c.as_chunks::<64>().0.iter().zip(d.as_chunks::<64>().0));
        let (cells, _) = out.as_chunks_mut::<16>();
        let mut written = 0;
        for (cells, ((a, b), (c, d))) in cells.iter_mut().zip(columns) {
            // The four rows below, which come next: at the end of a page machines don't read ahead by themselves.
            for row in [a, b, c, d] {
                _mm_prefetch::<_MM_HINT_T0>(row.as_ptr().wrapping_add(4 * width).cast());
            }
            let fours = |half: usize| fours([a, b, c, d].map(|row| load(row, half)));
            // Packing works in halves of 128 bits; the permutation puts the four quarters in order.
            let packed = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(fours(0), fours(1)));
            store(cells, packed);
            written += 16;
        }
        written
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn reduce_by_8(band: &[u8], width: usize, out: &mut [i16]) -> usize {
        let (upper, lower) = band.split_at(4 * width);
        let (cells, _) = out.as_chunks_mut::<16>();
        let mut written = 0;
        for (i, cells) in cells.iter_mut().enumerate() {
            let quarters = |quarter: usize| {
                let at = 128 * i + 32 * quarter;
                let row = |rows: &[u8], row: usize| load32(&rows[row * width + at..]);
                let four = |rows: &[u8]| fours([row(rows, 0), row(rows, 1), row(rows, 2), row(rows, 3)]);
                _mm256_add_epi32(four(upper), four(lower))
            };
            // Neighbours add up to cells; halves come out interleaved by 64 bits.
            let left = _mm256_hadd_epi32(quarters(0), quarters(1));
            let right = _mm256_hadd_epi32(quarters(2), quarters(3));
            let packed = _mm256_packs_epi32(_mm256_srai_epi32::<2>(left), _mm256_srai_epi32::<2>(right));
            store(cells, _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
            written += 16;
        }
        written
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn strong_cells(strengths: &[i16], least: i16, strong: &mut Vec<u32>) {
        let (groups, rest) = strengths.as_chunks::<16>();
        let below = _mm256_set1_epi16(least.saturating_sub(1));
        for (group, strengths) in groups.iter().enumerate() {
            // SAFETY: 32 bytes are there, and the load needs no alignment.
            let strengths = unsafe { _mm256_loadu_si256(strengths.as_ptr().cast()) };
            // Two bits a cell.
            let mut mask = _mm256_movemask_epi8(_mm256_cmpgt_epi16(strengths, below)) as u32;
            while mask != 0 {
                let bit = mask.trailing_zeros();
                strong.push(16 * group as u32 + bit / 2);
                mask &= !(0b11 << bit);
            }
        }
        super::strong_cells_one_by_one(rest, 16 * groups.len(), least, strong);
    }

    /// Sums over four rows and four neighbouring bytes.
    #[target_feature(enable = "avx2")]
    fn fours(rows: [__m256i; 4]) -> __m256i {
        let [a, b, c, d] = rows.map(|row| _mm256_maddubs_epi16(row, _mm256_set1_epi8(1)));
        let pairs = _mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(c, d));
        _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))
    }

    #[target_feature(enable = "avx2")]
    fn load(row: &[u8; 64], half: usize) -> __m256i {
        load32(&row[32 * half..])
    }

    #[target_feature(enable = "avx2")]
    fn load32(bytes: &[u8]) -> __m256i {
        let bytes = &bytes[..32];
        // SAFETY: 32 bytes are there, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[target_feature(enable = "avx2")]
    fn store(cells: &mut [i16; 16], value: __m256i) {
        // SAFETY: 32 bytes are there, and the store needs no alignment.
        unsafe { _mm256_storeu_si256(cells.as_mut_ptr().cast(), value) }
    }
}

/// |gx| + |gy| of a row of cells, from three rows with a margin of one cell.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn sobel_strengths(above: &[i16], here: &[i16], below: &[i16], strength: &mut [i16]) {
    let (above, here, below) = (shifted(above), shifted(here), shifted(below));
    for (((strength, (a, (b, c))), (d, (_, e))), (f, (g, h))) in strength.iter_mut().zip(above).zip(here).zip(below) {
        let (across, down) = sobel([*a, *b, *c], [*d, *e], [*f, *g, *h]);
        *strength = across.abs() + down.abs();
    }
}

/// Each element with the two that follow it.
#[inline(always)]
fn shifted(row: &[i16]) -> impl Iterator<Item = (&i16, (&i16, &i16))> {
    row.iter().zip(row[1..].iter().zip(&row[2..]))
}

/// Sobel responses, gx and gy, of a cell with these three above, one on each side, and three below.
#[inline(always)]
pub(super) fn sobel([a, b, c]: [i16; 3], [d, e]: [i16; 2], [f, g, h]: [i16; 3]) -> (i16, i16) {
    ((c - a) + 2 * (e - d) + (h - f), (f - a) + 2 * (g - b) + (h - c))
}

/// Appends the cells whose strength is at least `least`.
pub(super) fn strong_cells(strengths: &[i16], least: i16, strong: &mut Vec<u32>) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::strong_cells(strengths, least, strong) };
    }
    strong_cells_one_by_one(strengths, 0, least, strong);
}

/// The same, of cells of which `first` is the first.
fn strong_cells_one_by_one(strengths: &[i16], first: usize, least: i16, strong: &mut Vec<u32>) {
    // The maximum, unlike a search, is vector code.
    let any = |strengths: &[i16]| strengths.iter().fold(i16::MIN, |most, &strength| most.max(strength)) >= least;
    for (group, strengths) in strengths.chunks(16).enumerate().filter(|(_, strengths)| any(strengths)) {
        for (i, _) in strengths.iter().enumerate().filter(|(_, strength)| **strength >= least) {
            strong.push((first + 16 * group + i) as u32);
        }
    }
}

/// Sums over 3x3 cells, zero beyond the border; `rows` is scratch.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn sum_3x3(votes: &[u16], width: usize, rows: &mut [u16], sums: &mut [u16]) {
    for (out, row) in rows.chunks_exact_mut(width).zip(votes.chunks_exact(width)) {
        let inner = out[1..width - 1].iter_mut().zip(row).zip(&row[1..]).zip(&row[2..]);
        for (((sum, left), here), right) in inner {
            *sum = left.saturating_add(*here).saturating_add(*right);
        }
        out[0] = row[0].saturating_add(row[1]);
        out[width - 1] = row[width - 2].saturating_add(row[width - 1]);
    }
    let height = votes.len() / width;
    for (y, out) in sums.chunks_exact_mut(width).enumerate() {
        let row = |y: usize| &rows[y * width..(y + 1) * width];
        let (above, below) = (row(y.saturating_sub(1)), row((y + 1).min(height - 1)));
        let (more, less) = (u16::from(y > 0), u16::from(y + 1 < height));
        for (((sum, here), above), below) in out.iter_mut().zip(row(y)).zip(above).zip(below) {
            *sum = here.saturating_add(above * more).saturating_add(below * less);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pipeline::hough::reduce::{reduce_by_4_in_words, reduce_by_8_in_words};
    use crate::pipeline::testing::Random;

    use super::*;

    type Reduce = fn(&[u8], usize, &mut [i16]) -> usize;

    /// Each path of a reduction: the one this machine takes, and that of every machine.
    const PATHS: [(usize, Reduce); 4] =
        [(4, reduce_by_4), (4, reduce_by_4_in_words), (8, reduce_by_8), (8, reduce_by_8_in_words)];

    fn bytes(n: usize, random: &mut Random) -> Vec<u8> {
        (0..n).map(|_| random.uniform(0.0, 256.0) as u8).collect()
    }

    #[test]
    fn every_path_reduces_to_the_same_means_at_any_width() {
        let mut random = Random::new(1);
        for (factor, reduce) in PATHS {
            for width in factor..300 {
                let band = bytes(width * factor, &mut random);
                let mut cells = vec![-1; width / factor];
                let written = reduce(&band, width, &mut cells);
                assert!(written <= cells.len());
                for (i, &cell) in cells.iter().enumerate() {
                    let pixels =
                        (0..factor * factor).map(|k| usize::from(band[k / factor * width + factor * i + k % factor]));
                    let sixteenths = 16 * pixels.sum::<usize>() / (factor * factor);
                    let expected = if i < written { sixteenths as i16 } else { -1 };
                    assert_eq!(cell, expected, "cell {i} of {factor}x at width {width}");
                }
            }
        }
    }

    #[test]
    fn the_brightest_cells_do_not_overflow() {
        for (factor, reduce) in PATHS {
            let mut cells = vec![0; 32];
            let written = reduce(&vec![255; 32 * factor * factor], 32 * factor, &mut cells);
            assert_eq!(cells[..written], vec![16 * 255; written], "{factor}x");
        }
    }

    #[test]
    fn sobel_strengths_are_those_of_weighted_differences() {
        let mut random = Random::new(2);
        for n in [1, 2, 15, 16, 17, 100] {
            let rows: [Vec<i16>; 3] =
                std::array::from_fn(|_| (0..n + 2).map(|_| random.uniform(0.0, 4081.0) as i16).collect());
            let mut strength = vec![0; n];
            sobel_strengths(&rows[0], &rows[1], &rows[2], &mut strength);
            for x in 0..n {
                let weigh = |row: usize, column: usize, weight: i16| weight * rows[row][x + column];
                let across: i16 = [(0, 1), (1, 2), (2, 1)].iter().map(|&(r, w)| weigh(r, 2, w) - weigh(r, 0, w)).sum();
                let down: i16 = [(0, 1), (1, 2), (2, 1)].iter().map(|&(c, w)| weigh(2, c, w) - weigh(0, c, w)).sum();
                assert_eq!(strength[x], across.abs() + down.abs(), "{x} of {n}");
                let at = |row: usize, column: usize| rows[row][x + column];
                let around = [[at(0, 0), at(0, 1), at(0, 2)], [at(2, 0), at(2, 1), at(2, 2)]];
                assert_eq!(sobel(around[0], [at(1, 0), at(1, 2)], around[1]), (across, down), "{x} of {n}");
            }
        }
    }

    #[test]
    fn every_path_finds_the_same_strong_cells() {
        let mut random = Random::new(4);
        for n in [0, 1, 15, 16, 17, 33, 1_000] {
            for most in [2.0, 100.0, 32_767.0] {
                let strengths: Vec<i16> = (0..n).map(|_| random.uniform(-1.0, most) as i16).collect();
                for least in [i16::MIN, 0, 1, 50, i16::MAX] {
                    let strong = (0..n as u32).filter(|&cell| strengths[cell as usize] >= least);
                    let expected: Vec<u32> = strong.collect();
                    let (mut here, mut anywhere) = (Vec::new(), Vec::new());
                    strong_cells(&strengths, least, &mut here);
                    strong_cells_one_by_one(&strengths, 0, least, &mut anywhere);
                    assert_eq!((&here, &anywhere), (&expected, &expected), "{n} cells, at least {least}");
                }
            }
        }
    }

    #[test]
    fn sums_over_neighbours_end_at_the_border_and_saturate() {
        let mut random = Random::new(3);
        for (width, height) in [(3, 3), (4, 1), (17, 5), (40, 33)] {
            // Every tenth cell is large enough to overflow with another.
            let most = [65_536.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0, 99.0];
            let votes: Vec<u16> = (0..width * height).map(|i| random.uniform(0.0, most[i % 10]) as u16).collect();
            let (mut rows, mut sums) = (vec![0; votes.len()], vec![0; votes.len()]);
            sum_3x3(&votes, width, &mut rows, &mut sums);
            for (cell, &sum) in sums.iter().enumerate() {
                let (x, y) = (cell % width, cell / width);
                let near = |other: &usize| (other % width).abs_diff(x) < 2 && (other / width).abs_diff(y) < 2;
                let expected: u32 = (0..votes.len()).filter(near).map(|other| u32::from(votes[other])).sum();
                assert_eq!(u32::from(sum), expected.min(65_535), "({x}, {y}) of {width}x{height}");
            }
        }
    }
}
