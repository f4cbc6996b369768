//! A chart of the last frames: a line, its mean and its gaps.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::axes::{Axes, Summary, round_up, short};
use super::surface::Canvas;
use super::text::{Font, Side};
use super::theme;

/// Pixels between the top of the area and the plot: a line of notes and a margin.
const ABOVE_PX: u32 = 20;

/// Pixels between the plot and the bottom of the area: a line of notes and a margin.
const BELOW_PX: u32 = 20;

/// Height of the mark for a frame without a value, in px.
const GAP_MARK_PX: u32 = 4;

/// Content of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The value of each frame, the oldest first. Values are not negative; a frame without a value has `None`.
    pub values: Vec<Option<f64>>,
    /// Frames across the whole width. Fewer values leave the left part empty; of more values only the last are shown.
    pub frames: usize,
    /// Unit, written after numbers.
    pub unit: &'static str,
    /// Word after the number of frames without a value, for example "lost".
    pub gap: &'static str,
}

impl Chart {
    fn shown(&self) -> &[Option<f64>] {
        &self.values[self.values.len().saturating_sub(self.frames)..]
    }
}

impl Canvas {
    /// Draws a chart. The vertical axis goes from 0 to a round number above the largest value; that number is written
    /// at its top. The mean is a dashed line with its number. Red marks at the bottom show frames without a value.
    pub fn chart(&mut self, area: Rectangle, chart: &Chart) {
        let plot = Rectangle::new(
            area.top_left + Point::new(0, ABOVE_PX as i32),
            Extent::new(area.size.width, area.size.height.saturating_sub(ABOVE_PX + BELOW_PX)),
        );
        let summary = Summary::of(chart.shown());
        self.draw_frame(plot);
        self.draw_notes(area, chart, summary.as_ref());
        self.draw_gaps(plot, chart);
        if let Some(summary) = summary {
            let axes = Axes { plot, frames: chart.frames, top: round_up(summary.max) };
            self.draw_series(&axes, chart);
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

    fn draw_notes(&mut self, area: Rectangle, chart: &Chart, summary: Option<&Summary>) {
        let Rectangle { top_left: Point { x: left, y: top }, size } = area;
        let (right, below) = (left + size.width as i32, top + size.height as i32 - Font::Note.height() as i32);
        let mut note = |text: &str, x, y, side, colour| self.text(text, Point::new(x, y), side, Font::Note, colour);
        if let Some(Summary { max, mean }) = summary {
            let scale = format!("{} {}", short(round_up(*max)), chart.unit);
            note(&scale, left, top, Side::Left, theme::MUTED);
            note(&format!("mean {} {}", short(*mean), chart.unit), right, top, Side::Right, theme::TEXT);
        }
        note(&format!("last {} frames", chart.frames), left, below, Side::Left, theme::MUTED);
        let gaps = chart.shown().iter().filter(|value| value.is_none()).count();
        if gaps > 0 {
            note(&format!("{gaps} {}", chart.gap), right, below, Side::Right, theme::BAD);
        }
    }

    fn draw_gaps(&mut self, plot: Rectangle, chart: &Chart) {
        let axes = Axes { plot, frames: chart.frames, top: 1.0 };
        for (index, _) in chart.shown().iter().enumerate().filter(|(_, value)| value.is_none()) {
            let (x, y) = axes.point(chart.shown().len(), index, 0.0);
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

    fn draw_series(&mut self, axes: &Axes, chart: &Chart) {
        let shown = chart.shown();
        let point = |index: usize| shown[index].map(|value| axes.point(shown.len(), index, value));
        for index in 0..shown.len() {
            match (index.checked_sub(1).and_then(point), point(index)) {
                (Some(from), Some(to)) => self.line(from, to, 1.2, theme::SERIES),
                (None, Some(only)) => self.line(only, only, 1.2, theme::SERIES),
                (_, None) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Rectangle = Rectangle::new(Point::new(2, 1), Extent::new(101, 91));

    fn drawn(values: &[Option<f64>]) -> Canvas {
        let mut canvas = Canvas::new(105, 93);
        canvas.chart(AREA, &Chart { values: values.to_vec(), frames: 11, unit: "px", gap: "lost" });
        canvas
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
        tiny.chart(Rectangle::zero(), &Chart { values: vec![Some(1.0)], frames: 0, unit: "px", gap: "lost" });
    }
}
