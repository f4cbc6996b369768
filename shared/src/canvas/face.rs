//! What a window shows, as data: whoever has something to show fills a face.

use std::sync::Arc;

use super::chart::Chart;
use super::header::Status;
use super::layout::Layout;
use super::mark::{Legend, Mark};
use super::panel::Panel;
use super::surface::Canvas;
use super::theme::Tone;
use crate::geometry::Size;
use crate::image::Image;

/// Everything that a window shows.
#[derive(Clone, Debug)]
pub struct Face {
    /// The window's title.
    pub title: &'static str,
    /// How things stand.
    pub status: Status,
    /// Size of the frames, which the window is laid out for.
    pub frame: Size,
    /// The picture of a frame, of that size.
    pub image: Option<Arc<Image>>,
    /// The marks on it.
    pub marks: Vec<Mark>,
    /// Which marks there may be.
    pub legend: Legend,
    /// The panel of figures, from top to bottom.
    pub sections: Vec<Section>,
}

/// Figures under one heading.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    heading: String,
    note: String,
    rows: Vec<Row>,
    chart: Option<Chart>,
}

/// A label and its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    label: String,
    values: Vec<Option<String>>,
    tone: Tone,
}

impl Section {
    /// A section without figures; the note stands at the right of the heading.
    pub fn new(heading: impl Into<String>, note: impl Into<String>) -> Self {
        Self { heading: heading.into(), note: note.into(), rows: Vec::new(), chart: None }
    }

    /// Adds a row: a label and up to two figures, `None` where one is not known yet.
    pub fn row<const N: usize>(mut self, label: impl Into<String>, values: [Option<String>; N], tone: Tone) -> Self {
        self.rows.push(Row { label: label.into(), values: values.into(), tone });
        self
    }

    /// Adds a row with a count that tells of nothing bad.
    pub fn count(self, label: impl Into<String>, count: u64) -> Self {
        self.row(label, [Some(count.to_string())], Tone::Plain)
    }

    /// Adds a row with a count of something bad, which stands out unless it is zero.
    pub fn bad_count(self, label: impl Into<String>, count: u64) -> Self {
        let tone = if count > 0 { Tone::Bad } else { Tone::Plain };
        self.row(label, [Some(count.to_string())], tone)
    }

    /// Adds a chart, which takes what is left of the panel: it belongs into the last section.
    pub fn chart(self, chart: Chart) -> Self {
        Self { chart: Some(chart), ..self }
    }
}

impl Face {
    /// Draws everything onto a canvas of the layout's size.
    pub fn draw(&self, layout: &Layout, canvas: &mut Canvas) {
        canvas.header(self.title, &self.status);
        canvas.view(layout, self.image.as_deref(), &self.marks);
        canvas.legend(layout, self.legend);
        canvas.panel(layout, |mut panel| self.sections.iter().for_each(|section| section.draw(&mut panel)));
    }
}

impl Section {
    fn draw(&self, panel: &mut Panel<'_>) {
        panel.heading(&self.heading, &self.note);
        for Row { label, values, tone } in &self.rows {
            panel.row(label, values, *tone);
        }
        if let Some(chart) = &self.chart {
            panel.chart(chart);
        }
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::{Rgb888, RgbColor};

    use super::*;
    use crate::canvas::theme;
    use crate::geometry::Circle;
    use crate::image::PixelFormat;

    const SIZES: [(u32, u32); 5] = [(16, 16), (640, 480), (1921, 1081), (8192, 16), (16, 8192)];

    fn blank(frame: Size, legend: Legend) -> Face {
        let status = Status::new("connected to 127.0.0.1:8080", Tone::Good);
        Face { title: "Plumb server", status, frame, image: None, marks: vec![], legend, sections: vec![] }
    }

    fn drawn(face: &Face) -> Canvas {
        let layout = Layout::opening(face.frame, Size { width: 1366, height: 768 });
        let mut canvas = layout.canvas();
        face.draw(&layout, &mut canvas);
        canvas
    }

    /// Pixels of exactly this colour.
    fn count(face: &Face, colour: Rgb888) -> usize {
        let packed = u32::from_be_bytes([0, colour.r(), colour.g(), colour.b()]);
        drawn(face).pixels().iter().filter(|&&pixel| pixel == packed).count()
    }

    #[test]
    fn the_legend_shows_the_marks_there_may_be() {
        for (width, height) in SIZES {
            let size = Size { width, height };
            for (legend, truth, estimate) in
                [(Legend::Nothing, false, false), (Legend::Estimate, false, true), (Legend::Both, true, true)]
            {
                let face = blank(size, legend);
                let signs = [theme::TRUTH, theme::ESTIMATE].map(|colour| count(&face, colour));
                assert!(signs.iter().all(|&pixels| pixels < 60), "{size}: the signs of the legend alone");
                assert_eq!(signs.map(|pixels| pixels > 0), [truth, estimate], "{size}");
            }
        }
    }

    #[test]
    fn an_estimate_leaves_the_truth_visible() {
        for (width, height) in SIZES {
            let frame = Size { width, height };
            let disc = Circle { x: f64::from(width) / 2.0, y: f64::from(height) / 2.0, radius: 6.0 };
            let image = Some(Arc::new(Image::zeros(frame, PixelFormat::Gray8)));
            let without = blank(frame, Legend::Both);
            let with = |marks| Face { image: image.clone(), marks, ..without.clone() };
            let alone = with(vec![Mark::Truth(disc)]);
            let both = with(vec![Mark::Truth(disc), Mark::Estimate(disc)]);
            let more = |face, than, colour| count(face, colour) - count(than, colour);
            // The crosses alone have as much of the pure colour, at any scale.
            assert!(more(&both, &alone, theme::ESTIMATE) >= 10, "{frame}");
            assert!(more(&both, &without, theme::TRUTH) >= 10, "{frame}");
        }
    }

    #[test]
    fn a_count_of_something_bad_stands_out_unless_it_is_zero() {
        let with = |lost| {
            let sections = vec![Section::new("FRAMES", "").count("Sent", 8).bad_count("Lost", lost)];
            Face { sections, ..blank(Size { width: 64, height: 64 }, Legend::Nothing) }
        };
        assert_eq!(count(&with(0), theme::BAD), 0);
        assert!(count(&with(8), theme::BAD) > 20);
    }

    #[test]
    fn more_sections_than_fit_are_cut_off_and_a_chart_takes_what_is_left() {
        let size = Size { width: 64, height: 64 };
        let chart = Chart { values: vec![Some(f64::NAN), None, Some(1e300)], frames: 240, unit: "px", gap: "lost" };
        let long = |rows: u64| (0..rows).fold(Section::new("FRAME", ""), |section, row| section.count("Row", row));
        for rows in [0, 3, 100] {
            let sections = vec![long(rows), long(2).chart(chart.clone()), long(2)];
            drawn(&Face { sections, ..blank(size, Legend::Nothing) });
        }
    }
}
