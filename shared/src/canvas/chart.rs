//! A series over the last frames: a line, its mean and the gaps in it.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::text::{Font, Side, figure};
use super::{Canvas, theme};

/// Pixels between the top of the area and the plot: a line of notes and some air.
const ABOVE_PX: u32 = 20;

/// Pixels between the plot and the bottom of the area, likewise.
const BELOW_PX: u32 = 20;

/// Height of the mark of a frame without a value, in px.
const GAP_MARK_PX: u32 = 4;

/// What a chart shows, oldest first; values are not negative.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// The value of each frame; `None` where a frame has none.
    pub values: &'a [Option<f64>],
    /// Frames across the whole width; fewer leave the left empty, of more the last ones are shown.
    pub frames: usize,
    /// Written after numbers.
    pub unit: &'static str,
    /// Written after the number of frames without a value, say "lost".
    pub gap: &'static str,
    /// Colour of the line.
    pub colour: Rgb888,
}

impl Series<'_> {
    fn shown(&self) -> &[Option<f64>] {
        &self.values[self.values.len().saturating_sub(self.frames)..]
    }
}

impl Canvas {
    /// Draws a series: the vertical axis from 0 to a round number above the largest value, which is written at
    /// its top; the mean as a dashed line with its number; red marks along the bottom where there is no value.
    pub fn chart(&mut self, area: Rectangle, series: &Series<'_>) {
        let plot = Rectangle::new(
            area.top_left + Point::new(0, ABOVE_PX as i32),
            Extent::new(area.size.width, area.size.height.saturating_sub(ABOVE_PX + BELOW_PX)),
        );
        let summary = Summary::of(series.shown());
        self.draw_frame(plot);
        self.draw_notes(area, series, summary.as_ref());
        self.draw_gaps(plot, series);
        if let Some(summary) = summary {
            let axes = Axes { plot, frames: series.frames, top: round_up(summary.max) };
            self.draw_series(&axes, series);
            self.draw_mean(&axes, summary.mean);
        }
    }

    fn draw_frame(&mut self, plot: Rectangle) {
        self.fill(plot, theme::MAT);
        for quarter in 0..=4 {
            let y = plot.top_left.y + (plot.size.height * quarter / 4) as i32;
            let colour = if quarter == 4 { theme::MUTED } else { theme::PANEL };
            self.fill(Rectangle::new(Point::new(plot.top_left.x, y), Extent::new(plot.size.width, 1)), colour);
        }
    }

    fn draw_notes(&mut self, area: Rectangle, series: &Series<'_>, summary: Option<&Summary>) {
        let Rectangle { top_left: Point { x: left, y: top }, size } = area;
        let (right, below) = (left + size.width as i32, top + size.height as i32 - Font::Note.height() as i32);
        let mut note = |text: &str, x, y, side, colour| self.text(text, Point::new(x, y), side, Font::Note, colour);
        if let Some(Summary { max, mean }) = summary {
            let scale = format!("{} {}", short(round_up(*max)), series.unit);
            note(&scale, left, top, Side::Left, theme::MUTED);
            note(&format!("mean {} {}", short(*mean), series.unit), right, top, Side::Right, theme::TEXT);
        }
        note(&format!("last {} frames", series.frames), left, below, Side::Left, theme::MUTED);
        let gaps = series.shown().iter().filter(|value| value.is_none()).count();
        if gaps > 0 {
            note(&format!("{gaps} {}", series.gap), right, below, Side::Right, theme::BAD);
        }
    }

    fn draw_gaps(&mut self, plot: Rectangle, series: &Series<'_>) {
        let axes = Axes { plot, frames: series.frames, top: 1.0 };
        for (index, _) in series.shown().iter().enumerate().filter(|(_, value)| value.is_none()) {
            let (x, y) = axes.point(series.shown().len(), index, 0.0);
            let at = Point::new(x.round() as i32, y.round() as i32 - GAP_MARK_PX as i32);
            self.fill(Rectangle::new(at, Extent::new(1, GAP_MARK_PX)), theme::BAD);
        }
    }

    fn draw_mean(&mut self, axes: &Axes, mean: f64) {
        let (_, y) = axes.point(1, 0, mean);
        let left = axes.plot.top_left.x;
        for x in (left..left + axes.plot.size.width as i32).step_by(8) {
            self.fill(Rectangle::new(Point::new(x, y.round() as i32), Extent::new(4, 1)), theme::TEXT);
        }
    }

    fn draw_series(&mut self, axes: &Axes, series: &Series<'_>) {
        let shown = series.shown();
        let point = |index: usize| shown[index].map(|value| axes.point(shown.len(), index, value));
        for index in 0..shown.len() {
            match (index.checked_sub(1).and_then(point), point(index)) {
                (Some(from), Some(to)) => self.line(from, to, 1.2, series.colour),
                (None, Some(only)) => self.line(only, only, 1.2, series.colour),
                (_, None) => {}
            }
        }
    }
}

/// Largest and mean of the values there are.
struct Summary {
    max: f64,
    mean: f64,
}

impl Summary {
    fn of(values: &[Option<f64>]) -> Option<Self> {
        let known = || values.iter().flatten();
        let count = known().count();
        (count > 0)
            .then(|| Self { max: known().copied().fold(0.0, f64::max), mean: known().sum::<f64>() / count as f64 })
    }
}

/// Where values go: the newest at the right edge, zero at the bottom.
struct Axes {
    plot: Rectangle,
    frames: usize,
    top: f64,
}

impl Axes {
    fn point(&self, count: usize, index: usize, value: f64) -> (f64, f64) {
        let Rectangle { top_left, size } = self.plot;
        let ago = (count - 1 - index) as f64 / self.frames.saturating_sub(1).max(1) as f64;
        let right = f64::from(top_left.x) + f64::from(size.width) - 1.0;
        let bottom = f64::from(top_left.y) + f64::from(size.height) - 1.0;
        let x = right - ago * (f64::from(size.width) - 1.0);
        (x, bottom - (value / self.top).clamp(0.0, 1.0) * (f64::from(size.height) - 1.0))
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below a value; 1 if there is none.
fn round_up(value: f64) -> f64 {
    if !(value > 0.0 && value.is_finite()) {
        return 1.0;
    }
    let decade = 10.0_f64.powi(value.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step >= value).unwrap_or(value)
}

/// A number to three significant digits, or all of those before the point, without trailing zeros.
fn short(value: f64) -> String {
    let magnitude = if value > 0.0 { value.log10().floor() } else { 0.0 };
    let text = figure(value, (2.0 - magnitude).clamp(0.0, 8.0) as usize, 10);
    let trimmed = if text.contains('.') && !text.contains('e') { text.trim_end_matches('0') } else { &text };
    trimmed.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rectangle = Rectangle::new(Point::new(2, 1), Extent::new(101, 91));

    fn drawn(values: &[Option<f64>]) -> Canvas {
        let mut canvas = Canvas::new(105, 93);
        canvas.chart(AREA, &Series { values, frames: 11, unit: "px", gap: "lost", colour: theme::SERIES });
        canvas
    }

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

    #[test]
    fn only_the_last_frames_are_shown() {
        let long: Vec<Option<f64>> = (0..40).map(|i| Some(f64::from(i % 7))).collect();
        assert_eq!(drawn(&long), drawn(&long[29..]));
    }

    #[test]
    fn empty_odd_and_infinite_series_are_drawn() {
        drawn(&[]);
        drawn(&[None, None]);
        drawn(&[Some(0.0), None, Some(0.0)]);
        drawn(&[Some(f64::INFINITY), Some(f64::NAN), Some(1e300)]);
        let mut tiny = Canvas::new(3, 3);
        tiny.chart(
            Rectangle::zero(),
            &Series { values: &[Some(1.0)], frames: 0, unit: "px", gap: "lost", colour: theme::SERIES },
        );
    }
}
