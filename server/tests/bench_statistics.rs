//! The statistics of the detector's benchmark, whose own target has no place for tests.

#[path = "../benches/detector/statistics.rs"]
mod statistics;

use statistics::{mean, quantile, standard_error, upper_bound};

#[test]
fn nothing_has_no_figures() {
    assert_eq!((mean(&[]), quantile(&[], 0.5), standard_error(&[1.0])), (None, None, None));
}

#[test]
fn mean_and_its_error() {
    assert_eq!(mean(&[1.0, 2.0, 6.0]), Some(3.0));
    // Variance 7, of three values.
    assert!((standard_error(&[1.0, 2.0, 6.0]).expect("three values") - (7.0_f64 / 3.0).sqrt()).abs() < 1e-15);
}

#[test]
fn quantiles_are_values_of_the_sample() {
    let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
    assert_eq!(quantile(&values, 0.5), Some(50.0));
    assert_eq!(quantile(&values, 0.99), Some(99.0));
    assert_eq!(quantile(&values, 1.0), Some(100.0));
    assert_eq!(quantile(&values, 0.0), Some(1.0));
    assert_eq!(quantile(&[7.0], 0.99), Some(7.0));
}

#[test]
fn none_of_many_is_the_rule_of_three() {
    for n in [10, 1000, 50_000] {
        // (1 − p)ⁿ = 0.05, solved.
        let exact = 1.0 - 0.05_f64.powf(1.0 / n as f64);
        assert!((upper_bound(0, n) / exact - 1.0).abs() < 1e-9);
    }
    assert!((upper_bound(0, 10_000) * 10_000.0 - 3.0).abs() < 0.01);
}

#[test]
fn some_of_many_as_in_the_tables() {
    // One-sided 95 % for Poisson counts of 1, 5 and 100: 4.744, 10.513, 118.079; binomial of 1 in 20: 0.2161.
    for (hits, count) in [(1, 4.744), (5, 10.513), (100, 118.079)] {
        let n = 10_000_000;
        assert!((upper_bound(hits, n) * n as f64 - count).abs() < 0.001, "{hits}");
    }
    assert!((upper_bound(1, 20) - 0.216_11).abs() < 1e-5);
}

#[test]
fn all_or_nothing_bounds_nothing() {
    assert_eq!((upper_bound(0, 0), upper_bound(9, 9)), (1.0, 1.0));
    assert!((0.5..1.0).contains(&upper_bound(5000, 10_000)));
}
