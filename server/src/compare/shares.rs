//! Differences of shares of frames, such as missed or lost ones.
//!
//! Paired frames are compared by McNemar's exact test (Q. McNemar, Psychometrika 12, 1947). Only pairs that differ
//! count. If the runs do not differ, half of them are expected on each side, with a binomial distribution. Frames that
//! are not paired are compared by Fisher's exact test.

use super::estimate::Estimate;
use super::means::RISK;
use crate::score::beta;
use crate::score::bounds::Bound;

/// Terms smaller than this share of the sum are left out: they would change no digit.
const NEGLIGIBLE: f64 = 1e-18;

/// From this standard deviation on, a number of hits is taken as normally distributed, with its skewness. The error is
/// below 10^-7 (compared with the exact sum, for runs of unequal lengths).
const WIDE: f64 = 1e3;

/// The difference of the share of hits over paired frames. `only_a` and `only_b` count the frames that are hits in one
/// run only.
pub(super) fn paired(only_a: u64, only_b: u64, frames: u64) -> Option<Estimate> {
    let differ = only_a + only_b;
    let never = Bound::of_share(0, frames)?.high;
    if differ == 0 {
        return Some(Estimate { low: never.map(|end| -end), high: never, ..Estimate::of_equals(frames) });
    }
    let share = differ as f64 / frames as f64;
    let side = Bound::of_share(only_b, differ)?;
    let scaled = |end: Option<f64>| end.map(|end| (2.0 * end - 1.0) * share);
    Some(Estimate {
        difference: (only_b as f64 - only_a as f64) / frames as f64,
        low: scaled(side.low),
        high: scaled(side.high),
        p_larger: half_at_least(only_b, differ),
        p_smaller: half_at_least(only_a, differ),
        ratio: None,
        samples: frames,
        can_show: 0.5_f64.powf(differ as f64) <= RISK,
    })
}

/// Probability of at least this many heads in `all` fair coin tosses.
fn half_at_least(hits: u64, all: u64) -> f64 {
    if hits == 0 { 1.0 } else { beta::regularised(hits as f64, (all - hits) as f64 + 1.0, 0.5) }
}

/// The difference of the share of hits between two runs whose frames are not paired. Each run is given as (hits,
/// frames).
pub(super) fn unpaired(a: (u64, u64), b: (u64, u64)) -> Option<Estimate> {
    let share = |(hits, all): (u64, u64)| hits as f64 / all as f64;
    let (in_a, in_b) = (Bound::of_share(a.0, a.1)?, Bound::of_share(b.0, b.1)?);
    let difference = share(b) - share(a);
    let [low, high] = ends(difference, (share(a), &in_a), (share(b), &in_b));
    let hits = a.0 + b.0;
    let estimate = Estimate {
        difference,
        low,
        high,
        p_larger: at_least(b.0, hits, a.1, b.1),
        p_smaller: at_least(a.0, hits, b.1, a.1),
        ratio: None,
        samples: a.1.min(b.1),
        can_show: true,
    };
    Some(Estimate { can_show: hits > 0 && hits < a.1 + b.1, ..estimate })
}

/// The bounds of the difference of two figures, from the bounds of each (G. Y. Zou and A. Donner, Stat. Med. 27, 2008).
pub(super) fn ends(difference: f64, a: (f64, &Bound), b: (f64, &Bound)) -> [Option<f64>; 2] {
    let away = |one: Option<f64>, other: Option<f64>, of: f64, and: f64| Some((of - one?).hypot(and - other?));
    let ((a, in_a), (b, in_b)) = (a, b);
    let [below, above] = [away(in_b.low, in_a.high, b, a), away(in_b.high, in_a.low, b, a)];
    [below.map(|below| difference - below), above.map(|above| difference + above)]
}

/// Probability that at least `hits` of `all_hits` are among the `frames` of one run, if they are distributed at random.
/// Counts are at most 2⁵³.
fn at_least(hits: u64, all_hits: u64, other_frames: u64, frames: u64) -> f64 {
    // At least this many hits must be in the run, because the other run has too few frames for them.
    if hits <= all_hits.saturating_sub(other_frames) {
        return 1.0;
    }
    let expected = all_hits as f64 * (frames as f64 / (frames + other_frames) as f64);
    if let Some(tail) = wide_tail(hits, all_hits, other_frames, frames, expected) {
        return tail;
    }
    if hits as f64 <= expected {
        // Below the mean there may be many terms, and above it they shrink.
        return 1.0 - at_least(all_hits - hits + 1, all_hits, frames, other_frames);
    }
    let mut sum = 0.0;
    for hit in hits..=all_hits.min(frames) {
        let term = log_probability(hit, all_hits, other_frames, frames).exp();
        sum += term;
        if term < NEGLIGIBLE * sum {
            break;
        }
    }
    sum.min(1.0)
}

/// The same probability by the first terms of Edgeworth's series. `None` if the distribution is not [`WIDE`].
fn wide_tail(hits: u64, all_hits: u64, other_frames: u64, frames: u64, expected: f64) -> Option<f64> {
    let (hits, all_hits, others, frames) = (hits as f64, all_hits as f64, other_frames as f64, frames as f64);
    let all = frames + others;
    let deviation = (expected * (others / all) * ((all - all_hits) / (all - 1.0))).sqrt();
    if deviation.is_nan() || deviation < WIDE {
        return None;
    }
    // Moments of the hypergeometric distribution. The factors are ordered so that no product is too large.
    let skewness = (all - 2.0 * all_hits) / all * ((all - 2.0 * frames) / all) / deviation;
    let distance = (hits - 0.5 - expected) / deviation;
    let density = (-distance * distance / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let tail = beta::below(-distance) + skewness / 6.0 * (distance * distance - 1.0) * density;
    Some(tail.clamp(0.0, 1.0))
}

/// Logarithm of the probability that exactly `hit` of `all_hits` are among the `frames` of one run.
fn log_probability(hit: u64, all_hits: u64, other_frames: u64, frames: u64) -> f64 {
    let (elsewhere, all) = (all_hits - hit, frames + other_frames);
    if (all as f64) < beta::LARGE {
        return choices(frames, hit) + choices(other_frames, elsewhere) - choices(all, all_hits);
    }
    // The hits of each run, given those of both: three binomial probabilities, in which the share cancels. A share near
    // 1 has too few digits, so the rarer of hits and misses is counted.
    let log = |hits: u64, frames: u64| {
        let (hits, misses, all_misses) = (hits as f64, (frames - hits) as f64, (all - all_hits) as f64);
        match all_hits as f64 <= all_misses {
            true => beta::log_term(hits, misses, all_hits as f64 / all as f64),
            false => beta::log_term(misses, hits, all_misses / all as f64),
        }
    };
    log(hit, frames) + log(elsewhere, other_frames) - log(all_hits, all)
}

/// Logarithm of the number of ways to choose `few` of `many`.
fn choices(many: u64, few: u64) -> f64 {
    let log_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    log_factorial(many) - log_factorial(few) - log_factorial(many - few)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paired_frames_have_the_probability_of_the_binomial() {
        // 1 / 2^10, and (45 + 10 + 1) / 2^10.
        let worse = paired(0, 10, 2_000).unwrap();
        assert!((worse.p_larger - 0.000_976_562_5).abs() < 1e-12 && worse.p_smaller == 1.0, "{worse:?}");
        assert!((paired(2, 8, 2_000).unwrap().p_larger - 0.054_687_5).abs() < 1e-9);
        assert!((worse.difference - 0.005).abs() < 1e-15);
        // Four frames that differ can never show a difference; five can.
        assert!(!paired(0, 4, 2_000).unwrap().can_show && paired(0, 5, 2_000).unwrap().can_show);
    }

    #[test]
    fn without_a_differing_frame_the_bound_is_that_of_0_of_n() {
        let same = paired(0, 0, 300).unwrap();
        assert_eq!((same.difference, same.can_show), (0.0, false));
        assert!((same.high.unwrap() - 0.009_936).abs() < 1e-6 && same.low.unwrap() < 0.0, "{same:?}");
        assert_eq!(paired(0, 0, 0), None);
    }

    #[test]
    fn unpaired_frames_have_the_probability_of_fisher() {
        // Computed with fractions: 8 or 9 of the 9 hits in the second run.
        let worse = unpaired((1, 300), (8, 300)).unwrap();
        assert!((worse.p_larger - 0.018_831_103_267_9).abs() < 1e-9, "{worse:?}");
        let better = unpaired((8, 300), (1, 300)).unwrap();
        assert!((better.p_smaller - worse.p_larger).abs() < 1e-9);
        assert!(!unpaired((0, 300), (0, 300)).unwrap().can_show);
        assert_eq!(unpaired((0, 0), (3, 10)), None);
    }

    #[test]
    fn runs_of_any_length_are_compared() {
        const MANY: u64 = 1_000_000_000_000_000;
        // Each of nine hits is in either run with probability 1/2, and so is each of nine misses.
        let expected = 0.5_f64.powi(9);
        let hits = unpaired((0, MANY), (9, MANY)).unwrap();
        let misses = unpaired((MANY - 9, MANY), (MANY, MANY)).unwrap();
        for found in [hits, misses] {
            assert!((found.p_larger - expected).abs() < 1e-9 && found.p_smaller == 1.0, "{found:?}");
        }
        let equal = unpaired((4 * MANY, 8 * MANY), (4 * MANY, 8 * MANY)).unwrap();
        assert!((equal.p_larger - 0.5).abs() < 1e-6 && (equal.p_smaller - 0.5).abs() < 1e-6, "{equal:?}");
        assert!(equal.low.unwrap() < 0.0 && equal.high.unwrap() < 1e-6, "{equal:?}");
    }

    #[test]
    fn a_wide_distribution_has_the_tails_of_the_exact_one() {
        // The standard deviation is 1,215.
        let (frames, others, all_hits) = (8_000_000, 24_000_000, 14_000_000);
        for hits in [3_499_000, 3_500_600, 3_503_500] {
            let wide = at_least(hits, all_hits, others, frames);
            // To 20 standard deviations above the mean.
            let exact: f64 = (hits..3_525_000).map(|hit| log_probability(hit, all_hits, others, frames).exp()).sum();
            assert!((wide - exact).abs() < 1e-6, "{hits}: {wide}, not {exact}");
        }
    }

    proptest! {
        #[test]
        fn the_bounds_contain_the_difference(only_a in 0..40_u64, only_b in 0..40_u64, more in 1..500_u64) {
            let estimate = paired(only_a, only_b, only_a + only_b + more).unwrap();
            prop_assert!(estimate.low.unwrap() <= estimate.difference + 1e-12);
            prop_assert!(estimate.high.unwrap() >= estimate.difference - 1e-12);
            prop_assert!((0.0..=1.0).contains(&estimate.p_larger) && (0.0..=1.0).contains(&estimate.p_smaller));
        }

        #[test]
        fn the_probabilities_of_both_sides_make_up_at_least_one(
            a in 0..30_u64, b in 0..30_u64, more in 1..100_u64,
        ) {
            let estimate = unpaired((a, a + more), (b, b + more)).unwrap();
            prop_assert!(estimate.p_larger + estimate.p_smaller >= 1.0 - 1e-9, "{estimate:?}");
        }
    }
}
