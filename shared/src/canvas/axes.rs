//! The numbers behind a chart: the summary of a series, its axes, and the format of its figures.

use embedded_graphics::primitives::Rectangle;

use super::figure::figure;

/// Distance above the upper quartile at which a value is far out, in interquartile ranges (Tukey, Exploratory Data
/// Analysis, 1977).
const FAR_OUT: f64 = 3.0;

/// Far-out values are left off the axis only if they would lengthen it by more than this factor. The end of the axis is
/// 1, 2 or 5 times a power of ten, so 2.5 is the largest single step. One step does not flatten the rest of the chart.
const MAX_AXIS_GROWTH: f64 = 2.5;

/// Summary of the known values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) mean: f64,
    pub(super) max: f64,
    /// End of the axis: a round number above all values that are not far out.
    pub(super) top: f64,
    /// Number of values above the end of the axis.
    pub(super) above: usize,
}

impl Summary {
    pub(super) fn of(values: &[Option<f64>]) -> Option<Self> {
        let mut known: Vec<f64> = values.iter().flatten().copied().collect();
        known.sort_by(f64::total_cmp);
        let max = known.last()?.max(0.0);
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        let (all, usual) = (round_up(max), round_up(usual(&known)));
        let top = if all > MAX_AXIS_GROWTH * usual { usual } else { all };
        Some(Self { mean, max, top, above: known.iter().filter(|value| **value > top).count() })
    }
}

/// The largest value that is not far out; `sorted` is in ascending order.
fn usual(sorted: &[f64]) -> f64 {
    let quartile = |quarters: usize| sorted[(sorted.len() - 1) * quarters / 4];
    let fence = quartile(3) + FAR_OUT * (quartile(3) - quartile(1));
    sorted.iter().copied().rfind(|value| *value <= fence).unwrap_or_default()
}

/// Positions of values: the newest at the right edge, zero at the bottom.
pub(super) struct Axes {
    pub(super) plot: Rectangle,
    pub(super) frames: usize,
    pub(super) top: f64,
}

impl Axes {
    pub(super) fn point(&self, count: usize, index: usize, value: f64) -> (f64, f64) {
        let Rectangle { top_left, size } = self.plot;
        let ago = (count - 1 - index) as f64 / self.frames.saturating_sub(1).max(1) as f64;
        let right = f64::from(top_left.x) + f64::from(size.width) - 1.0;
        let bottom = f64::from(top_left.y) + f64::from(size.height) - 1.0;
        let x = right - ago * (f64::from(size.width) - 1.0);
        (x, bottom - (value / self.top).clamp(0.0, 1.0) * (f64::from(size.height) - 1.0))
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not below a value; 1 if there is none.
pub(super) fn round_up(value: f64) -> f64 {
    if !(value > 0.0 && value.is_finite()) {
        return 1.0;
    }
    let decade = 10.0_f64.powi(value.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step >= value).unwrap_or(value)
}

/// Formats a number with three significant digits, or all digits before the point, without trailing zeros.
pub(super) fn short(value: f64) -> String {
    let magnitude = if value > 0.0 { value.log10().floor() } else { 0.0 };
    let text = figure(value, (2.0 - magnitude).clamp(0.0, 8.0) as usize, 10);
    let trimmed = if text.contains('.') && !text.contains('e') { text.trim_end_matches('0') } else { &text };
    trimmed.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use embedded_graphics::prelude::{Point, Size as Extent};

    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, top) in [(0.03, 0.05), (0.2, 0.2), (0.7, 1.0), (1.0, 1.0), (1.01, 2.0), (340.0, 500.0)] {
            assert!((round_up(value) - top).abs() < 1e-12, "{value}: {}", round_up(value));
        }
        assert_eq!(round_up(0.0), 1.0);
        assert_eq!(round_up(f64::INFINITY), 1.0);
    }

    #[test]
    fn one_slow_frame_does_not_stretch_the_axis() {
        let usual = (0..100).map(|index| Some(1.0 + f64::from(index % 10) / 10.0));
        let of = |values: Vec<Option<f64>>| Summary::of(&values).unwrap();
        let slow_first = of(std::iter::once(Some(340.0)).chain(usual.clone()).collect());
        assert_eq!((slow_first.top, slow_first.above, slow_first.max), (2.0, 1, 340.0));
        assert_eq!(of(usual.clone().collect()).top, 2.0);
        let somewhat_slower = of(usual.chain([Some(3.5)]).collect());
        assert_eq!((somewhat_slower.top, somewhat_slower.above), (5.0, 0), "one step of the axis flattens nothing");
        let spread = of((0..100).map(|index| Some(f64::from(index))).collect());
        assert_eq!((spread.top, spread.above), (100.0, 0));
        assert_eq!(of(vec![Some(340.0)]).top, 500.0);
        assert_eq!(of(vec![Some(340.0), Some(1.0), Some(1.0)]).above, 1, "from the third frame on");
        assert_eq!(Summary::of(&[None]), None);
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 0.05, 0.041_96, 1.0, 12.345, 2000.0, 1e-12, 3e12].map(short);
        assert_eq!(texts, ["0", "0.05", "0.042", "1", "12.3", "2000", "0", "3e12"]);
    }

    #[test]
    fn the_newest_value_is_at_the_right_and_zero_at_the_bottom() {
        let axes = Axes { plot: Rectangle::new(Point::new(10, 20), Extent::new(101, 51)), frames: 11, top: 2.0 };
        assert_eq!(axes.point(3, 2, 0.0), (110.0, 70.0));
        assert_eq!(axes.point(3, 0, 2.0), (90.0, 20.0));
        assert_eq!(axes.point(11, 0, 1.0), (10.0, 45.0));
        assert_eq!(axes.point(1, 0, 99.0), (110.0, 20.0));
    }
}
