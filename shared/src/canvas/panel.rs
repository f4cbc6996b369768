//! The panel of a window: headings, rows of figures and a chart, from top to bottom.

use embedded_graphics::prelude::{Point, Size as Extent};
use embedded_graphics::primitives::Rectangle;

use super::chart::Chart;
use super::figure::{CHARACTERS, UNKNOWN};
use super::layout::Layout;
use super::surface::Canvas;
use super::text::{Font, Side};
use super::theme::{self, Tone};

/// Margin between the panel's edges and its content, in px.
const INSET: Point = Point::new(16, 8);
/// Distance from one row of figures to the next.
const ROW_PX: i32 = 20;

impl Canvas {
    /// Draws the panel. `fill` adds its content from the top; content that does not fit is cut off.
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
    /// Adds a heading with a note at the right, and a rule below.
    pub fn heading(&mut self, text: &str, note: &str) {
        self.y += 6;
        self.canvas.text(text, Point::new(self.left, self.y), Side::Left, Font::Note, theme::MUTED);
        self.canvas.text(note, Point::new(self.right, self.y), Side::Right, Font::Note, theme::MUTED);
        let rule = Rectangle::new(Point::new(self.left, self.y + 17), Extent::new((self.right - self.left) as u32, 1));
        self.canvas.fill(rule, theme::RULE);
        self.y += 24;
    }

    /// Adds a row: a label, and its figures in right-aligned columns. An unknown figure is `None`.
    pub fn row(&mut self, label: &str, figures: &[Option<String>], tone: Tone) {
        self.canvas.text(label, Point::new(self.left, self.y), Side::Left, Font::Label, theme::MUTED);
        let column = ((CHARACTERS + 1) as u32 * Font::Figure.advance()) as i32;
        for (place, figure) in figures.iter().rev().enumerate() {
            let at = Point::new(self.right - place as i32 * column, self.y);
            let (text, colour) = figure.as_deref().map_or((UNKNOWN, theme::MUTED), |text| (text, tone.colour()));
            self.canvas.text(text, at, Side::Right, Font::Figure, colour);
        }
        self.y += ROW_PX;
    }

    /// Adds a chart that takes the rest of the panel.
    pub fn chart(&mut self, chart: &Chart) {
        let size = Extent::new((self.right - self.left) as u32, (self.bottom - self.y).max(0) as u32);
        self.canvas.chart(Rectangle::new(Point::new(self.left, self.y), size), chart);
        self.y = self.bottom;
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::Rgb888;

    use super::*;
    use crate::canvas::figure::pixels;
    use crate::geometry::Size;

    #[test]
    fn rows_and_charts_stay_inside_the_panel() {
        let layout = Layout::opening(Size { width: 64, height: 64 }, Size { width: 1366, height: 768 });
        let mut canvas = layout.canvas();
        canvas.panel(&layout, |mut panel| {
            panel.heading("FRAME 18446744073709551615", "x, y in px");
            for _ in 0..40 {
                panel.row("Estimated", &[Some(pixels(-1e300)), Some(pixels(-1e300))], Tone::Estimate);
            }
            panel.chart(&Chart { values: vec![Some(1.0), None], frames: 5, unit: "px", gap: "lost" });
        });
        canvas.fill(layout.panel, Rgb888::new(0, 0, 0));
        assert!(canvas.pixels().iter().all(|&pixel| pixel == 0));
    }
}
