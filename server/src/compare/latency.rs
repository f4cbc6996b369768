//! Latencies of rounds: the runs take turns in the order ABBA, and each round is one sample.
//!
//! The machine's speed changes over time, so two runs in a row differ by more than the spread of their frames suggests.
//! If the runs take turns, slow changes affect all of them. A paired t test compares the logarithms of the rounds'
//! medians. 12 rounds show a difference of 5 % with a power of 95 % (`simulation`).

use super::difference::Difference;
use super::estimate::{Estimate, Ratio};
use super::means;

/// The latencies that are compared, with their weights in Holm's correction.
pub(super) const LATENCIES: [(&str, f64); 7] = [
    ("latency_us.p50", 0.7),
    ("latency_us.p95", 0.1),
    ("latency_us.stages.encode.p50", 0.04),
    ("latency_us.stages.to_client.p50", 0.04),
    ("latency_us.stages.queue.p50", 0.04),
    ("latency_us.stages.detect.p50", 0.04),
    ("latency_us.stages.back.p50", 0.04),
];

/// Shorter times are compared as this time, in µs. Times are whole µs, so 0 means less than 1, and it has no logarithm.
const LEAST_US: f64 = 0.5;

/// The difference of a latency between two runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Latency {
    pub(super) path: &'static str,
    pub(super) weight: f64,
    pub(super) difference: Difference,
}

/// The difference of a latency, in µs, measured in rounds as (A, B). `None` without a round.
pub(super) fn compared(rounds: &[(f64, f64)]) -> Option<Difference> {
    let logarithms: Vec<_> = rounds.iter().map(|&(a, b)| (a.max(LEAST_US).ln(), b.max(LEAST_US).ln())).collect();
    let differences: Vec<_> = logarithms.iter().map(|(a, b)| b - a).collect();
    let estimate = means::of_rounds(&differences)?;
    let mean =
        |side: fn(&(f64, f64)) -> f64| (logarithms.iter().map(side).sum::<f64>() / logarithms.len() as f64).exp();
    let (a, b) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let times = |log: f64| a * (log.exp() - 1.0);
    let ratio =
        Ratio { value: estimate.difference.exp(), low: estimate.low.map(f64::exp), high: estimate.high.map(f64::exp) };
    let estimate = Estimate {
        difference: times(estimate.difference),
        low: estimate.low.map(times),
        high: estimate.high.map(times),
        ratio: Some(ratio),
        ..estimate
    };
    Some(Difference { a, b, estimate })
}

/// Whether this round runs the files in the order of the command line. Other rounds run them in reverse order.
pub(super) fn is_forward(round: usize) -> bool {
    round.is_multiple_of(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_percent_more_in_each_round_are_ten_percent() {
        let rounds: Vec<_> = (1..=12).map(|round| f64::from(1_000 + 10 * round)).map(|a| (a, 1.1 * a)).collect();
        let found = compared(&rounds).unwrap();
        assert!((found.estimate.ratio.unwrap().value - 1.1).abs() < 1e-9, "{found:?}");
        assert!((found.estimate.difference - (found.b - found.a)).abs() < 1e-6 && found.estimate.p_larger < 1e-6);
        assert_eq!(compared(&[]), None);
        assert!(compared(&[(0.0, 0.0); 3]).unwrap().estimate.difference == 0.0);
    }

    #[test]
    fn the_weights_add_up_and_the_turns_are_abba() {
        assert!((LATENCIES.iter().map(|(_, weight)| weight).sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!([0, 1, 2, 3].map(is_forward), [true, false, true, false]);
    }
}
