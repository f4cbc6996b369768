//! The panel of a window: headings, rows of figures and a chart, from top to bottom.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::chart::Series;
use super::dashboard::Layout;
use super::text::{Font, Side, UNKNOWN, figure};
use super::{Canvas, theme};

/// Air between the panel's edges and what it holds.
const INSET: Point = Point::new(16, 8);
/// From one row of figures to the next.
const ROW_PX: i32 = 20;
/// Characters of a figure, so that `8191.999` and its sign fit; a column is one wider.
const FIGURE: usize = 9;

impl Canvas {
    /// Draws the panel: what fills it starts at the top, and what does not fit is cut off.
    pub fn panel(&mut self, layout: &Layout, fill: impl FnOnce(Panel<'_>)) {
        let Rectangle { top_left, size } = layout.panel;
        let (left, right) = (top_left.x + INSET.x, top_left.x + size.width as i32 - INSET.x);
        let (top, bottom) = (top_left.y + INSET.y, top_left.y + size.height as i32 - INSET.y);
        self.within(layout.panel, |canvas| {
            canvas.fill(layout.panel, theme::PANEL);
            fill(Panel { canvas, left, right, y: top, bottom });
        });
    }
}

/// A panel being filled from the top: headings, rows of figures and charts.
#[derive(Debug)]
pub struct Panel<'a> {
    canvas: &'a mut Canvas,
    left: i32,
    right: i32,
    y: i32,
    bottom: i32,
}

impl Panel<'_> {
    /// A heading, with a note at the right, over a rule.
    pub fn heading(&mut self, text: &str, note: &str) {
        self.y += 6;
        self.canvas.text(text, Point::new(self.left, self.y), Side::Left, Font::Note, theme::MUTED);
        self.canvas.text(note, Point::new(self.right, self.y), Side::Right, Font::Note, theme::MUTED);
        let rule = Rectangle::new(Point::new(self.left, self.y + 17), Extent::new((self.right - self.left) as u32, 1));
        self.canvas.fill(rule, theme::RULE);
        self.y += 24;
    }

    /// A label and its figures in right-aligned columns; `None` where one is unknown.
    pub fn row(&mut self, label: &str, figures: &[Option<String>], colour: Rgb888) {
        self.canvas.text(label, Point::new(self.left, self.y), Side::Left, Font::Label, theme::MUTED);
        let column = ((FIGURE + 1) as u32 * Font::Figure.advance()) as i32;
        for (place, figure) in figures.iter().rev().enumerate() {
            let at = Point::new(self.right - place as i32 * column, self.y);
            let (text, colour) = figure.as_deref().map_or((UNKNOWN, theme::MUTED), |text| (text, colour));
            self.canvas.text(text, at, Side::Right, Font::Figure, colour);
        }
        self.y += ROW_PX;
    }

    /// A chart in what is left of the panel.
    pub fn chart(self, series: &Series<'_>) {
        let size = Extent::new((self.right - self.left) as u32, (self.bottom - self.y).max(0) as u32);
        self.canvas.chart(Rectangle::new(Point::new(self.left, self.y), size), series);
    }
}

/// A length in px, to a thousandth.
pub fn pixels(value: f64) -> String {
    figure(value, 3, FIGURE)
}

/// An error in px, to a hundred-thousandth: clean frames are answered to 0.0005 px.
pub fn error_pixels(value: f64) -> String {
    figure(value, 5, FIGURE)
}

/// A time in µs as milliseconds, to a hundredth.
pub fn milliseconds(value_us: u64) -> String {
    figure(value_us as f64 / 1000.0, 2, FIGURE)
}

/// A rate in Hz, in words; nothing while it is unknown.
pub fn per_second(rate_hz: Option<f64>) -> String {
    rate_hz.map_or(String::new(), |rate| format!("{} per second", figure(rate, 1, FIGURE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Size;

    #[test]
    fn figures_fit_their_columns() {
        for value in [0.0, -8191.9996, 123_456_789.0, -1e300, f64::MIN_POSITIVE, f64::NEG_INFINITY, f64::NAN] {
            assert!(pixels(value).len() <= FIGURE, "{}", pixels(value));
            assert!(error_pixels(value).len() <= FIGURE, "{}", error_pixels(value));
        }
        for value in [0, 999_999_999, u64::MAX] {
            assert!(milliseconds(value).len() <= FIGURE, "{}", milliseconds(value));
        }
        assert_eq!(pixels(320.25), "320.250");
        assert_eq!(error_pixels(0.000_48), "0.00048");
        assert_eq!(milliseconds(2_310), "2.31");
        assert_eq!(per_second(Some(59.94)), "59.9 per second");
        assert_eq!(per_second(None), "");
    }

    #[test]
    fn rows_and_charts_stay_inside_the_panel() {
        let layout = Layout::new(Size { width: 64, height: 64 });
        let mut canvas = layout.canvas();
        canvas.panel(&layout, |mut panel| {
            panel.heading("FRAME 18446744073709551615", "x, y in px");
            for _ in 0..40 {
                panel.row("Estimated", &[Some(pixels(-1e300)), Some(pixels(-1e300))], theme::ESTIMATE);
            }
            let values = [Some(1.0), None];
            panel.chart(&Series { values: &values, frames: 5, unit: "px", gap: "lost", colour: theme::SERIES });
        });
        canvas.fill(layout.panel, Rgb888::new(0, 0, 0));
        assert!(canvas.pixels().iter().all(|&pixel| pixel == 0));
    }
}
