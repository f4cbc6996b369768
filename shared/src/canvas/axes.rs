//! The numbers behind a chart: what a series sums up to, its axes, and how their figures are written.

use embedded_graphics::primitives::Rectangle;

use super::figure::figure;

/// Largest and mean of the values there are.
pub(super) struct Summary {
    pub(super) max: f64,
    pub(super) mean: f64,
}

impl Summary {
    pub(super) fn of(values: &[Option<f64>]) -> Option<Self> {
        let known = || values.iter().flatten();
        let count = known().count();
        (count > 0)
            .then(|| Self { max: known().copied().fold(0.0, f64::max), mean: known().sum::<f64>() / count as f64 })
    }
}

/// Where values go: the newest at the right edge, zero at the bottom.
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

/// The least of 1, 2 and 5 times a power of ten that is not below a value; 1 if there is none.
pub(super) fn round_up(value: f64) -> f64 {
    if !(value > 0.0 && value.is_finite()) {
        return 1.0;
    }
    let decade = 10.0_f64.powi(value.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step >= value).unwrap_or(value)
}

/// A number to three significant digits, or all of those before the point, without trailing zeros.
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
