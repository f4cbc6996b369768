//! Differences of percentiles over the same frames, by a block bootstrap.
//!
//! Each bootstrap sample consists of blocks of neighbouring frames, drawn with replacement, and gives a percentile for
//! each run (H. R. Künsch, Ann. Stat. 17, 1989). A block may wrap around the end (D. N. Politis and J. P. Romano,
//! 1992). The length of a block is the cube root of the number of frames. The draws depend only on the number of
//! frames, so results repeat.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

use super::estimate::Estimate;
use super::means::RISK;

/// Smallest and largest number of bootstrap samples. With the largest, the smallest possible p-value is 1 in 2,000.
const DRAWS: (usize, usize) = (199, 1_999);

/// Maximum number of frames in all samples together. They take a few tenths of a second.
const BUDGET: usize = 20_000_000;

/// Fewest frames for which percentiles are compared.
const FEWEST: usize = 20;

/// The difference of a percentile over pairs (A, B), in frame order. `share` is the percentile, from 0 to 1. `None`
/// with too few pairs.
pub(super) fn paired(pairs: &[(f64, f64)], share: f64) -> Option<Estimate> {
    let count = pairs.len();
    if count < FEWEST {
        return None;
    }
    let samples = count as u64;
    if pairs.iter().all(|(a, b)| a == b) {
        return Some(Estimate::of_equals(samples));
    }
    let mut columns = [pairs.iter().map(|pair| pair.0).collect(), pairs.iter().map(|pair| pair.1).collect()];
    let difference = between(&mut columns, share);
    let mut drawn = drawn(pairs, share);
    drawn.sort_by(f64::total_cmp);
    let draws = drawn.len();
    let of = |count: usize| (count as f64 + 1.0) / (draws as f64 + 1.0);
    let rank = ((draws as f64 + 1.0) * RISK).floor() as usize;
    Some(Estimate {
        difference,
        low: drawn.get(rank.saturating_sub(1)).map(|low| low.min(difference)),
        high: drawn.get(draws - rank).map(|high| high.max(difference)),
        p_larger: of(drawn.iter().filter(|drawn| **drawn <= 0.0).count()).min(1.0),
        p_smaller: of(drawn.iter().filter(|drawn| **drawn >= 0.0).count()).min(1.0),
        ratio: None,
        samples,
        can_show: true,
    })
}

/// The differences of the bootstrap samples.
fn drawn(pairs: &[(f64, f64)], share: f64) -> Vec<f64> {
    let count = pairs.len();
    let length = (count as f64).cbrt().ceil() as usize;
    let draws = (BUDGET / count).clamp(DRAWS.0, DRAWS.1);
    let mut random = ChaCha8Rng::seed_from_u64(count as u64);
    let mut columns = [Vec::with_capacity(count + length), Vec::with_capacity(count + length)];
    let one = |_| {
        columns.iter_mut().for_each(Vec::clear);
        while columns[0].len() < count {
            // The bias of the remainder is below 1 in 2^40.
            let start = (random.next_u64() % count as u64) as usize;
            for place in start..start + length {
                let (a, b) = pairs[place % count];
                columns[0].push(a);
                columns[1].push(b);
            }
        }
        columns.iter_mut().for_each(|column| column.truncate(count));
        between(&mut columns, share)
    };
    (0..draws).map(one).collect()
}

/// Percentile of B minus percentile of A.
fn between(columns: &mut [Vec<f64>; 2], share: f64) -> f64 {
    let [a, b] = columns;
    percentile(b, share) - percentile(a, share)
}

/// The percentile: the smallest value such that at least this share of the values is not larger.
pub(super) fn percentile(values: &mut [f64], share: f64) -> f64 {
    let rank = ((share * values.len() as f64).ceil() as usize).clamp(1, values.len().max(1)) - 1;
    if values.is_empty() {
        return f64::NAN;
    }
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudorandom numbers from 0 to 1.
    fn numbers(seed: u64) -> impl Iterator<Item = f64> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        std::iter::repeat_with(move || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64)
    }

    #[test]
    fn a_percentile_that_moves_is_found_and_one_that_stays_is_not() {
        let moved: Vec<_> = numbers(7).take(300).map(|value| (value, 1.2 * value + 0.01)).collect();
        let found = paired(&moved, 0.95).unwrap();
        assert!(found.p_larger <= 0.001 && found.low.unwrap() > 0.0, "{found:?}");
        let other: Vec<_> = numbers(7).zip(numbers(8)).take(300).collect();
        let same = paired(&other, 0.5).unwrap();
        assert!(same.low.unwrap() < 0.0 && same.high.unwrap() > 0.0, "{same:?}");
        assert_eq!(paired(&other, 0.5), Some(same), "the same frames always give the same");
    }

    #[test]
    fn equal_runs_and_too_few_frames_show_nothing() {
        let equal: Vec<_> = numbers(7).take(300).map(|value| (value, value)).collect();
        assert_eq!(paired(&equal, 0.5), Some(Estimate::of_equals(300)));
        assert_eq!(paired(&equal[..FEWEST - 1], 0.5), None);
    }

    #[test]
    fn a_percentile_equals_that_of_the_report() {
        let mut values = vec![3.0, 1.0, 2.0, 4.0];
        assert_eq!([0.0, 0.25, 0.5, 0.51, 1.0].map(|share| percentile(&mut values, share)), [1.0, 1.0, 2.0, 3.0, 4.0]);
    }
}
