//! Sums over each cell and its eight neighbours.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use crate::pipeline::hough::machine::for_two_machines;

for_two_machines! {
    /// Sums over 3x3 cells. Cells beyond the border count as zero. `rows` is scratch memory.
    pub(crate) fn sum_3x3(votes: &[u16], width: usize, rows: &mut [u16], sums: &mut [u16]) {
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
}

#[cfg(test)]
mod tests {
    use crate::pipeline::testing::Random;

    use super::*;

    #[test]
    fn sums_over_neighbours_end_at_the_border_and_saturate() {
        let mut random = Random::new(3);
        for (width, height) in [(3, 3), (4, 1), (17, 5), (40, 33)] {
            // Every tenth cell is so large that its sum with another one overflows.
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
