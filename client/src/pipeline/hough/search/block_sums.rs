//! Sums over whole blocks, from which the 4x and the 8x reduction are made.
//!
//! Each exists twice, for any machine and for machines with AVX2, and is chosen at run time. Both give the same
//! numbers.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use crate::pipeline::hough::machine::has_avx2;

#[cfg(target_arch = "x86_64")]
mod avx2;

const EVEN_BYTES: u64 = 0x00FF_00FF_00FF_00FF;
const EVEN_PAIRS: u64 = 0x0000_FFFF_0000_FFFF;

/// Makes the 4x reduction of four rows. Returns the number of cells written.
pub(crate) fn reduce_by_4(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::reduce_by_4(band, width, out) };
    }
    reduce_by_4_in_words(band, width, out)
}

/// Makes the 8x reduction of eight rows. Returns the number of cells written.
pub(crate) fn reduce_by_8(band: &[u8], width: usize, out: &mut [i16]) -> usize {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the machine has AVX2.
        return unsafe { avx2::reduce_by_8(band, width, out) };
    }
    reduce_by_8_in_words(band, width, out)
}

/// Reduces four rows, eight pixels per word. Bytes are added in pairs and pairs in fours, in all lanes of a word at
/// once.
///
/// Plain integer arithmetic, which compilers turn into vector code on every target. Returns the number of cells
/// written.
fn reduce_by_4_in_words(band: &[u8], width: usize, out: &mut [i16]) -> usize {
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

/// Reduces eight rows, eight pixels and one cell per word. Returns the number of cells written, which is all of them.
fn reduce_by_8_in_words(band: &[u8], width: usize, out: &mut [i16]) -> usize {
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

#[cfg(test)]
mod tests {
    use crate::pipeline::testing::Random;

    use super::*;

    type Reduce = fn(&[u8], usize, &mut [i16]) -> usize;

    /// Both paths of a reduction: the one this machine takes, and the one for any machine.
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
}
