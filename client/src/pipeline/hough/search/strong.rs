//! Finds the cells with a strong gradient. They are few, so whole vectors of cells are tested at once.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use crate::pipeline::hough::machine::has_avx2;

/// Appends the cells whose strength is at least `least`.
pub(crate) fn strong_cells(strengths: &[i16], least: i16, strong: &mut Vec<u32>) {
    #[cfg(target_arch = "x86_64")]
    if has_avx2() {
        // SAFETY: the machine has AVX2.
        let done = unsafe { avx2::strong_cells(strengths, least, strong) };
        return strong_cells_one_by_one(&strengths[done..], done, least, strong);
    }
    strong_cells_one_by_one(strengths, 0, least, strong);
}

/// Tests one group of cells after the other. `first` is the number of the first cell.
fn strong_cells_one_by_one(strengths: &[i16], first: usize, least: i16, strong: &mut Vec<u32>) {
    // A maximum compiles to vector code, a search does not.
    let any = |strengths: &[i16]| strengths.iter().fold(i16::MIN, |most, &strength| most.max(strength)) >= least;
    for (group, strengths) in strengths.chunks(16).enumerate().filter(|(_, strengths)| any(strengths)) {
        for (i, _) in strengths.iter().enumerate().filter(|(_, strength)| **strength >= least) {
            strong.push((first + 16 * group + i) as u32);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{_mm256_cmpgt_epi16, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi16};

    /// Finds the strong cells in whole vectors. Returns how many cells these vectors hold.
    #[target_feature(enable = "avx2")]
    pub(crate) fn strong_cells(strengths: &[i16], least: i16, strong: &mut Vec<u32>) -> usize {
        let (groups, _) = strengths.as_chunks::<16>();
        let below = _mm256_set1_epi16(least.saturating_sub(1));
        for (group, strengths) in groups.iter().enumerate() {
            // SAFETY: 32 bytes can be read, and the load needs no alignment.
            let strengths = unsafe { _mm256_loadu_si256(strengths.as_ptr().cast()) };
            // Two bits per cell.
            let mut mask = _mm256_movemask_epi8(_mm256_cmpgt_epi16(strengths, below)) as u32;
            while mask != 0 {
                let bit = mask.trailing_zeros();
                strong.push(16 * group as u32 + bit / 2);
                mask &= !(0b11 << bit);
            }
        }
        16 * groups.len()
    }
}

#[cfg(test)]
mod tests {
    use crate::pipeline::testing::Random;

    use super::*;

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
}
