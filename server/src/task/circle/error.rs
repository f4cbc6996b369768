//! Errors in px: of one frame, and over a session.

use hdrhistogram::Histogram;
use shared::geometry::{CircleEstimate, Covariance};

use super::efficiency::LimitStats;
use crate::score::batches::Batches;
use crate::score::bounds::{Bound, Bounds};
use crate::score::sum::Sum;
use crate::task::schema1::{Bias, ErrorFigures, L1Figures, L2Figures, LimitKind};
use crate::truth::Limit;

/// Resolution of the percentiles, in px.
const UNIT_PX: f64 = 1e-6;

/// Digits that the histogram keeps. Errors up to 0.26 px are exact to the micropixel, larger ones to five significant
/// digits. The histogram takes at most 15 MB however long the session is (1 MB while errors stay below 0.26 px).
const SIGNIFICANT_DIGITS: u8 = 5;

/// Largest error in percentiles, in px: larger errors count as this (never in mean, sum and max). The largest image
/// side is 8,192 px.
const LARGEST_PX: f64 = 1e5;

/// Largest normalised squared error: larger ones count as this, so that the squares of their sums, from which the bounds
/// of their mean follow, stay far from the largest number. It is that of an error as long as the largest image side, 2¹³
/// px, with a standard deviation of the last bit of a coordinate there, 2⁻⁴⁰ px: 2¹⁰⁶ ≈ 10³². No real error is larger.
const LARGEST_NORMALISED: f64 = 1e32;

/// Estimate minus truth, in px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PixelError {
    /// Error along x, positive to the right.
    pub dx: f64,
    /// Error along y, positive downwards.
    pub dy: f64,
}

impl PixelError {
    /// The error of an estimate of `truth`.
    pub fn of(estimate: CircleEstimate, truth: CircleEstimate) -> Self {
        Self { dx: estimate.x - truth.x, dy: estimate.y - truth.y }
    }

    /// |dx| + |dy|, in px.
    pub fn l1(self) -> f64 {
        self.dx.abs() + self.dy.abs()
    }

    /// √(dx² + dy²), in px.
    pub fn l2(self) -> f64 {
        self.dx.hypot(self.dy)
    }

    /// Normalised squared error eᵀ Σ⁻¹ e / 2 for the covariance Σ that came with the estimate. Its mean is 1 if the
    /// covariance is right. At most 10³². `None` if Σ is not a covariance (not positive definite).
    pub fn normalised_squared(self, covariance: Covariance) -> Option<f64> {
        let Covariance { xx, xy, yy } = covariance;
        let is_positive = xx > 0.0 && yy > 0.0;
        // With each axis in a unit near its standard deviation, a power of two, no product of a small covariance is
        // rounded to 0, and all digits stay the same.
        let [in_x, in_y] = [xx, yy].map(|variance| libm::frexp(variance).1.div_euclid(2));
        let (xx, yy) = (libm::ldexp(xx, -2 * in_x), libm::ldexp(yy, -2 * in_y));
        let xy = libm::ldexp(xy, -in_x - in_y);
        let (dx, dy) = (libm::ldexp(self.dx, -in_x), libm::ldexp(self.dy, -in_y));
        let determinant = xx * yy - xy * xy;
        let squared = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / determinant / 2.0;
        // If the squares are too large for a number, their difference may be none: `min` then gives the largest.
        (is_positive && determinant > 0.0).then(|| squared.min(LARGEST_NORMALISED))
    }
}

/// Gathers the errors of a session, in frame order, in bounded memory.
#[derive(Clone, Debug)]
pub struct ErrorStats {
    count: u64,
    l1: Sum,
    l2: Sum,
    l2_squared: Sum,
    dx: Sum,
    dy: Sum,
    max_l1_px: f64,
    l1_histogram: Histogram<u32>,
    limits: LimitStats,
    /// L1 error, L2 error and its square, dx, dy.
    batches: Batches<5>,
    /// L1 errors and their squares.
    l1_batches: Batches<2>,
    normalised_batches: Batches<1>,
    /// Sum of the normalised squared errors of the answers with a covariance.
    normalised: Sum,
    normalised_count: u64,
}

impl Default for ErrorStats {
    fn default() -> Self {
        Self {
            count: 0,
            l1: Sum::default(),
            l2: Sum::default(),
            l2_squared: Sum::default(),
            dx: Sum::default(),
            dy: Sum::default(),
            max_l1_px: 0.0,
            // invariant: `new` only checks that the digits are in 0..=5, and they are a constant in that range.
            l1_histogram: Histogram::new(SIGNIFICANT_DIGITS).expect("0 to 5 digits"),
            limits: LimitStats::default(),
            batches: Batches::default(),
            l1_batches: Batches::default(),
            normalised_batches: Batches::default(),
            normalised: Sum::default(),
            normalised_count: 0,
        }
    }
}

impl ErrorStats {
    /// Adds a frame's error, its limit, and the covariance that came with the estimate.
    pub fn add(&mut self, error: PixelError, limit: Limit, covariance: Option<Covariance>) {
        self.count += 1;
        self.limits.add(error.l1(), limit);
        if let Some(normalised) = covariance.and_then(|covariance| error.normalised_squared(covariance)) {
            self.normalised.add(normalised);
            self.normalised_count += 1;
            self.normalised_batches.add([normalised]);
        }
        self.l1.add(error.l1());
        self.l2.add(error.l2());
        self.l2_squared.add(error.dx * error.dx + error.dy * error.dy);
        self.dx.add(error.dx);
        self.dy.add(error.dy);
        let (l1, l2) = (error.l1(), error.l2());
        self.batches.add([l1, l2, l2 * l2, error.dx, error.dy]);
        self.l1_batches.add([l1, l1 * l1]);
        self.max_l1_px = self.max_l1_px.max(error.l1());
        let units = (error.l1().min(LARGEST_PX) / UNIT_PX).round() as u64;
        // The histogram grows as needed, so recording cannot fail below 2^63.
        let _ = self.l1_histogram.record(units);
    }

    /// Sum of L1 errors, in px.
    pub fn sum_l1_px(&self) -> f64 {
        self.l1.value()
    }

    /// Mean L1 error, in px; `None` before the first error.
    pub fn mean_l1_px(&self) -> Option<f64> {
        self.mean(self.l1)
    }

    /// Mean error along each axis, in px; `None` before the first answer.
    pub fn bias(&self) -> Bias {
        Bias { x: self.mean(self.dx), y: self.mean(self.dy) }
    }

    /// Mean L1 error divided by the limit, and the kind of the limit; `None` while no frame's limit is known.
    pub fn efficiency(&self) -> Option<(f64, LimitKind)> {
        Some((self.limits.efficiency()?, self.limits.kind()?))
    }

    /// The figures for the report.
    pub fn figures(&self) -> ErrorFigures {
        ErrorFigures {
            l1: L1Figures {
                mean: self.mean_l1_px(),
                p50: self.percentile(50.0),
                p95: self.percentile(95.0),
                p99: self.percentile(99.0),
                max: (self.count > 0).then_some(self.max_l1_px),
                sum: self.l1.value(),
            },
            l2: L2Figures { mean: self.mean(self.l2), rms: self.mean(self.l2_squared).map(f64::sqrt) },
            bias: self.bias(),
            limit: self.limits.mean_px(),
            limit_kind: self.limits.kind(),
            efficiency: self.limits.efficiency(),
            nees: (self.normalised_count > 0).then(|| self.normalised.value() / self.normalised_count as f64),
        }
    }

    /// The bounds of the report's figures, by path.
    pub(crate) fn bounds(&self) -> Bounds {
        let mean = |sum: Sum, at: usize| Bound::of_mean(self.mean(sum)?, &self.batches, |values| values[at]);
        let independent = self.l1_batches.independent();
        let percentile = |percent| {
            let value = |units: u64| (units as f64 * UNIT_PX).min(self.max_l1_px);
            Bound::of_percentile(&self.l1_histogram, percent, independent, value)
        };
        // A mean of squares is not negative, but its lower bound may be.
        let rms = mean(self.l2_squared, 2).map(|bound| bound.map(|square| square.max(0.0).sqrt()));
        let nees = self.normalised.value() / self.normalised_count as f64;
        let bounds = [
            ("l1.mean", mean(self.l1, 0)),
            ("l1.p50", percentile(50.0)),
            ("l1.p95", percentile(95.0)),
            ("l1.p99", percentile(99.0)),
            ("l2.mean", mean(self.l2, 1)),
            ("l2.rms", rms),
            ("bias.x", mean(self.dx, 3)),
            ("bias.y", mean(self.dy, 4)),
            ("efficiency", self.limits.efficiency_bound()),
            ("nees", Bound::of_mean(nees, &self.normalised_batches, |[value]| *value)),
        ];
        bounds.into_iter().filter_map(|(name, bound)| Some((format!("error_px.{name}"), bound?))).collect()
    }

    fn mean(&self, sum: Sum) -> Option<f64> {
        (self.count > 0).then(|| sum.value() / self.count as f64)
    }

    fn percentile(&self, percent: f64) -> Option<f64> {
        let units = || self.l1_histogram.value_at_percentile(percent) as f64;
        (self.count > 0).then(|| (units() * UNIT_PX).min(self.max_l1_px))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gathered(errors: &[(f64, f64)]) -> ErrorFigures {
        let mut stats = ErrorStats::default();
        for &(dx, dy) in errors {
            stats.add(PixelError { dx, dy }, Limit::Unknown, None);
        }
        stats.figures()
    }

    #[test]
    fn the_figures_of_two_known_errors_are_exact() {
        let figures = gathered(&[(3.0, -4.0), (0.0, 1.0)]);
        assert_eq!(figures.l1.mean, Some(4.0));
        assert_eq!((figures.l1.sum, figures.l1.max), (8.0, Some(7.0)));
        assert_eq!(figures.l2.mean, Some(3.0));
        assert_eq!(figures.l2.rms, Some(13f64.sqrt()));
        assert_eq!(figures.bias, Bias { x: Some(1.5), y: Some(-1.5) });
    }

    #[test]
    fn without_frames_all_figures_are_missing_and_the_sum_is_zero() {
        let figures = gathered(&[]);
        assert_eq!((figures.l1.mean, figures.l1.p50, figures.l1.max, figures.l1.sum), (None, None, None, 0.0));
    }

    #[test]
    fn the_limit_is_the_mean_over_the_frames_with_a_known_limit() {
        let mut stats = ErrorStats::default();
        let error = |dx| PixelError { dx, dy: 0.0 };
        stats.add(error(0.5), Limit::Unknown, None);
        assert_eq!((stats.figures().limit, stats.figures().limit_kind, stats.efficiency()), (None, None, None));
        stats.add(error(0.02), Limit::Bound(0.01), None);
        stats.add(error(0.04), Limit::Bound(0.03), None);
        let figures = stats.figures();
        assert_eq!((figures.limit, figures.limit_kind), (Some(0.02), Some(LimitKind::Bound)));
        assert!((figures.efficiency.unwrap() - 1.5).abs() < 1e-12);
        stats.add(error(0.04), Limit::Reference(0.03), None);
        assert_eq!(stats.figures().limit_kind, Some(LimitKind::Reference));
    }

    #[test]
    fn nees_compares_the_covariances_with_the_errors() {
        let covariance = |xx, xy, yy| Some(Covariance { xx, xy, yy });
        let mut stats = ErrorStats::default();
        stats.add(PixelError { dx: 1.0, dy: 1.0 }, Limit::Unknown, None);
        assert_eq!(stats.figures().nees, None);
        // An error of one standard deviation along each axis, then one of two along x.
        stats.add(PixelError { dx: 0.2, dy: -0.1 }, Limit::Unknown, covariance(0.04, 0.0, 0.01));
        assert!((stats.figures().nees.unwrap() - 1.0).abs() < 1e-12);
        stats.add(PixelError { dx: 0.4, dy: 0.0 }, Limit::Unknown, covariance(0.04, 0.0, 0.01));
        assert!((stats.figures().nees.unwrap() - 1.5).abs() < 1e-12);
        // Singular and negative covariances do not count.
        stats.add(PixelError { dx: 9.0, dy: 0.0 }, Limit::Unknown, covariance(1.0, 1.0, 1.0));
        stats.add(PixelError { dx: 9.0, dy: 0.0 }, Limit::Unknown, covariance(-1.0, 0.0, -1.0));
        assert!((stats.figures().nees.unwrap() - 1.5).abs() < 1e-12);
    }

    #[test]
    fn a_covariance_is_as_small_as_it_says_however_small_it_is() {
        let normalised = |dx, dy, xx, xy, yy| PixelError { dx, dy }.normalised_squared(Covariance { xx, xy, yy });
        // One standard deviation along each axis, from 2^-500 px to 8 px.
        for exponent in -500..=3 {
            let sigma = libm::ldexp(1.0, exponent);
            assert_eq!(normalised(sigma, -sigma, sigma * sigma, 0.0, sigma * sigma), Some(1.0), "{exponent}");
        }
        // Axes of very different length, correlated by 0.5: an error of 0.5 and 2 standard deviations.
        let (long, short) = (4.0, libm::ldexp(1.0, -400));
        let xy = 0.5 * long * short;
        let found = normalised(0.5 * long, 2.0 * short, long * long, xy, short * short);
        // (0.25 - 2 · 0.5 · 0.5 · 2 + 4) / (1 - 0.25) / 2.
        assert!((found.unwrap() - 3.25 / 0.75 / 2.0).abs() < 1e-12, "{found:?}");
        for tiny in [1e-100, 1e-155, 1e-300, f64::from_bits(1)] {
            assert_eq!(normalised(0.3, -0.1, tiny, 0.0, tiny), Some(LARGEST_NORMALISED), "{tiny}");
            assert_eq!(normalised(0.3, -0.1, tiny, tiny, tiny), None, "{tiny} is singular");
        }
        // The squares of this error are infinite in each term.
        let correlated = libm::ldexp(1.0, -1_060);
        assert_eq!(normalised(9e5, 9e5, correlated, 0.5 * correlated, correlated), Some(LARGEST_NORMALISED));
    }

    #[test]
    fn the_bounds_of_nees_are_known_however_small_the_covariances_are() {
        let condition: crate::gate::Condition = "error_px.nees <= 2".parse().unwrap();
        for tiny in [1e-20, 1e-80, 1e-155, 1e-300] {
            let mut stats = ErrorStats::default();
            for frame in 0..600 {
                let error = PixelError { dx: 0.1 + f64::from(frame % 7), dy: 0.2 };
                stats.add(error, Limit::Unknown, Some(Covariance { xx: tiny, xy: 0.0, yy: tiny }));
            }
            let (nees, bound) = (stats.figures().nees.unwrap(), stats.bounds()["error_px.nees"]);
            assert!(bound.low.is_some_and(|low| low > 1e15) && bound.high.is_some(), "{tiny}: {bound:?}");
            let judged = crate::gate::judge_figure(&condition, nees, Some(bound), "");
            assert_eq!(judged.verdict, crate::gate::Verdict::Fail, "{tiny}: {}", judged.message);
        }
    }

    proptest! {
        #[test]
        fn percentiles_are_exact_to_a_micropixel_below_a_quarter_pixel(
            errors in proptest::collection::vec(0.0..0.26f64, 1..200),
        ) {
            let figures = gathered(&errors.iter().map(|&e| (e, 0.0)).collect::<Vec<_>>());
            let mut sorted = errors;
            sorted.sort_by(f64::total_cmp);
            for (percent, found) in [(50, figures.l1.p50), (95, figures.l1.p95), (99, figures.l1.p99)] {
                let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
                prop_assert!((found.unwrap() - sorted[rank]).abs() <= 0.500_001e-6);
            }
        }

        #[test]
        fn large_errors_keep_five_digits(error in 0.26..1e5f64) {
            let found = gathered(&[(error, 0.0), (2e5, 0.0)]).l1.p50.unwrap();
            prop_assert!((found - error).abs() <= error * 1e-5 + 1e-6);
        }
    }
}
