//! Sobel differences of cells, in `i16`.

#![allow(unsafe_code, reason = "code for AVX2, chosen where the machine has it")]

use crate::pipeline::hough::machine::for_two_machines;

for_two_machines! {
    /// Computes |gx| + |gy| for a row of cells, from three rows with a margin of one cell.
    pub(crate) fn sobel_strengths(above: &[i16], here: &[i16], below: &[i16], strength: &mut [i16]) {
        let (above, here, below) = (shifted(above), shifted(here), shifted(below));
        for (((strength, (a, (b, c))), (d, (_, e))), (f, (g, h))) in strength.iter_mut().zip(above).zip(here).zip(below) {
            let (across, down) = sobel([*a, *b, *c], [*d, *e], [*f, *g, *h]);
            *strength = across.abs() + down.abs();
        }
    }
}

/// Each element together with the two that follow it.
#[inline(always)]
fn shifted(row: &[i16]) -> impl Iterator<Item = (&i16, (&i16, &i16))> {
    row.iter().zip(row[1..].iter().zip(&row[2..]))
}

/// Sobel responses gx and gy of a cell, from the three cells above, the two at its sides and the three below.
#[inline(always)]
pub(crate) fn sobel([a, b, c]: [i16; 3], [d, e]: [i16; 2], [f, g, h]: [i16; 3]) -> (i16, i16) {
    ((c - a) + 2 * (e - d) + (h - f), (f - a) + 2 * (g - b) + (h - c))
}

#[cfg(test)]
mod tests {
    use crate::pipeline::testing::Random;

    use super::*;

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
}
