//! A series over the last frames: a line, its mean and the gaps in it.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::axes::{Axes, Summary, short};
use super::surface::Canvas;
use super::text::{Font, Side};
use super::theme;

/// Pixels between the top of the area and the plot: a line of notes and some space.
const ABOVE_PX: u32 = 20;

/// Pixels between the plot and the bottom of the area: a line of notes and some space.
const BELOW_PX: u32 = 20;

/// Characters of space between two notes on one line.
const NOTES_APART: usize = 2;

/// Height of the mark for a frame without a value, or with a value far above the others, in px.
const GAP_MARK_PX: u32 = 4;

/// The contents of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Each frame's value, oldest first, not negative; `None` for a frame without one.
    pub values: Vec<Option<f64>>,
    /// Frames across the whole width. If there are fewer values, the left stays empty; if there are more, the last ones
    /// are shown.
    pub frames: usize,
    /// Unit, written after numbers.
    pub unit: &'static str,
    /// Word written after the number of frames without a value, for example "lost".
    pub gap: &'static str,
}

impl Chart {
    fn shown(&self) -> &[Option<f64>] {
        &self.values[self.values.len().saturating_sub(self.frames)..]
    }
}

impl Canvas {
    /// Draws a chart. The vertical axis goes from 0 to a round number, which is written at its top. The mean is a
    /// dashed line with its number. Red marks along the bottom show frames without a value. Values so far above the
    /// others that they would flatten them become marks along the top, with their number and the largest of them.
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
            let axes = Axes { plot, frames: chart.frames, top: summary.top };
            self.draw_series(&axes, chart);
            self.draw_mean(&axes, summary.mean);
            self.draw_far_out(&axes, chart);
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
        if let Some(Summary { mean, max, top: end, above }) = summary {
            let scale = format!("{} {}", short(*end), chart.unit);
            let mean = format!("mean {} {}", short(*mean), chart.unit);
            note(&scale, left, top, Side::Left, theme::MUTED);
            if *above > 0 {
                let taken = scale.chars().count() + mean.chars().count() + 2 * NOTES_APART;
                let room = ((size.width / Font::Note.advance()) as usize).saturating_sub(taken);
                let x = left + ((scale.chars().count() + NOTES_APART) as u32 * Font::Note.advance()) as i32;
                note(&above_note(*above, *max, room), x, top, Side::Left, theme::WAITING);
            }
            note(&mean, right, top, Side::Right, theme::TEXT);
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

    fn draw_far_out(&mut self, axes: &Axes, chart: &Chart) {
        let shown = chart.shown();
        for (index, _) in shown.iter().enumerate().filter(|(_, value)| value.is_some_and(|value| value > axes.top)) {
            let (x, y) = axes.point(shown.len(), index, axes.top);
            let at = Point::new(x.round() as i32 - 1, y.round() as i32);
            self.fill(Rectangle::new(at, Extent::new(3, GAP_MARK_PX)), theme::WAITING);
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

/// Says how many values lie above the scale, and the largest of them if that fits in so many characters.
fn above_note(above: usize, max: f64, room: usize) -> String {
    let short_note = format!("{above} above");
    let note = format!("{short_note}, to {}", short(max));
    if note.chars().count() <= room { note } else { short_note }
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
    fn the_largest_value_is_left_out_of_its_note_when_it_would_touch_the_mean() {
        assert_eq!(above_note(10, 52426.0, 19), "10 above, to 52426");
        assert_eq!(above_note(10, 52426.0, 17), "10 above");
    }

    #[test]
    fn a_value_far_above_the_others_is_a_mark_and_leaves_them_their_height() {
        let packed = |colour: embedded_graphics::pixelcolor::Rgb888| {
            use embedded_graphics::pixelcolor::RgbColor;
            u32::from_be_bytes([0, colour.r(), colour.g(), colour.b()])
        };
        let count = |canvas: &Canvas, colour| canvas.pixels().iter().filter(|pixel| **pixel == packed(colour)).count();
        let usual: Vec<_> = [1.0, 1.2, 0.8, 1.1, 0.9, 1.0, 1.2, 0.8, 1.1].map(Some).to_vec();
        let with_one = drawn(&[&[Some(340.0)], &usual[..]].concat());
        assert!(count(&with_one, theme::WAITING) >= 12, "a mark and a note");
        assert_eq!(count(&drawn(&usual), theme::WAITING), 0);
        // The series is drawn as it is without that frame.
        let right = |canvas: &Canvas| -> Vec<u32> {
            canvas.pixels().chunks(105).skip(24).take(40).flat_map(|row| row[40..].to_vec()).collect()
        };
        assert_eq!(
            right(&with_one).iter().filter(|pixel| **pixel == packed(theme::SERIES)).count(),
            right(&drawn(&usual)).iter().filter(|pixel| **pixel == packed(theme::SERIES)).count()
        );
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
