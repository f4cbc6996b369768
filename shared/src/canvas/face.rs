//! The content of a window as data. Each program fills a face with what it has to show.

use std::sync::Arc;

use super::chart::Chart;
use super::colour::{Colours, Look};
use super::header::Status;
use super::layout::Layout;
use super::mark::{Legend, Mark};
use super::panel::Panel;
use super::surface::Canvas;
use super::theme::Tone;
use crate::geometry::Size;
use crate::image::Image;

/// The whole content of a window.
#[derive(Clone, Debug)]
pub struct Face {
    /// Title of the window.
    pub title: &'static str,
    /// Status of the session.
    pub status: Status,
    /// Size of the frames. The window's layout depends on it.
    pub frame: Size,
    /// The picture of a frame, with that size.
    pub image: Option<Arc<Image>>,
    /// How the picture is shown if it has 16 bits.
    pub look: Look,
    /// Marks on the picture.
    pub marks: Vec<Mark>,
    /// Legend of the marks that may appear.
    pub legend: Legend,
    /// Sections of the panel, from top to bottom.
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
    /// A section without figures. The note is at the right of the heading.
    pub fn new(heading: impl Into<String>, note: impl Into<String>) -> Self {
        Self { heading: heading.into(), note: note.into(), rows: Vec::new(), chart: None }
    }

    /// Adds a row: a label and up to two figures. A figure that is not known yet is `None`.
    pub fn row<const N: usize>(mut self, label: impl Into<String>, values: [Option<String>; N], tone: Tone) -> Self {
        self.rows.push(Row { label: label.into(), values: values.into(), tone });
        self
    }

    /// Adds a row with a neutral count.
    pub fn count(self, label: impl Into<String>, count: u64) -> Self {
        self.row(label, [Some(count.to_string())], Tone::Plain)
    }

    /// Adds a row with a count of failures, which stands out unless it is zero.
    pub fn bad_count(self, label: impl Into<String>, count: u64) -> Self {
        let tone = if count > 0 { Tone::Bad } else { Tone::Plain };
        self.row(label, [Some(count.to_string())], tone)
    }

    /// Adds a chart. It takes the rest of the panel, so it belongs in the last section.
    pub fn chart(self, chart: Chart) -> Self {
        Self { chart: Some(chart), ..self }
    }
}

impl Face {
    /// Draws everything onto a canvas of the layout's size.
    pub fn draw(&self, layout: &Layout, canvas: &mut Canvas) {
        canvas.header(self.title, &self.status);
        let colours = self.image.as_deref().and_then(|image| Colours::of(image, self.look));
        canvas.view(layout, self.image.as_deref(), colours.as_ref(), &self.marks);
        canvas.legend(layout, self.legend, colours.as_ref());
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
    use crate::canvas::colour::Colormap;
    use crate::canvas::theme;
    use crate::geometry::Circle;
    use crate::image::PixelFormat;

    const SIZES: [(u32, u32); 5] = [(16, 16), (640, 480), (1921, 1081), (8192, 16), (16, 8192)];

    fn blank(frame: Size, legend: Legend) -> Face {
        let status = Status::new("connected to 127.0.0.1:8080", Tone::Good);
        let look = Look::default();
        Face { title: "Plumb server", status, frame, image: None, look, marks: vec![], legend, sections: vec![] }
    }

    fn drawn(face: &Face) -> Canvas {
        let layout = Layout::opening(face.frame, Size { width: 1366, height: 768 });
        let mut canvas = layout.canvas();
        face.draw(&layout, &mut canvas);
        canvas
    }

    /// Number of pixels with exactly this colour.
    fn count(face: &Face, colour: Rgb888) -> usize {
        let packed = u32::from_be_bytes([0, colour.r(), colour.g(), colour.b()]);
        drawn(face).pixels().iter().filter(|&&pixel| pixel == packed).count()
    }

    #[test]
    fn the_legend_shows_the_marks_that_may_appear() {
        for (width, height) in SIZES {
            let size = Size { width, height };
            for (legend, truth, estimate) in
                [(Legend::Nothing, false, false), (Legend::Estimate, false, true), (Legend::Both, true, true)]
            {
                let face = blank(size, legend);
                let signs = [theme::TRUTH, theme::ESTIMATE].map(|colour| count(&face, colour));
                assert!(signs.iter().all(|&pixels| pixels < 60), "{size}: more than the signs of the legend");
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
            let both = with(vec![Mark::Truth(disc), Mark::Estimate(disc.into())]);
            let more = |face, than, colour| count(face, colour) - count(than, colour);
            // The cross of a mark alone has at least 10 pixels of its pure colour, at any scale.
            assert!(more(&both, &alone, theme::ESTIMATE) >= 10, "{frame}");
            assert!(more(&both, &without, theme::TRUTH) >= 10, "{frame}");
        }
    }

    #[test]
    fn a_picture_with_sixteen_bits_is_in_colour_and_the_legend_names_map_and_range() {
        let frame = Size { width: 640, height: 480 };
        let with = |image, range: &str| {
            let look = Look { range: range.parse().ok(), ..Look::default() };
            drawn(&Face { image: Some(Arc::new(image)), look, ..blank(frame, Legend::Nothing) })
        };
        let pixels = ndarray::Array2::from_elem((480, 640), 65_535_u16);
        let near = with(Image::Gray16(pixels.clone()), "500..4500");
        let far = with(Image::Gray16(pixels), "500..4501");
        let [r, g, b] = Colormap::Turbo.colour(255);
        let last = u32::from_be_bytes([0, r, g, b]);
        assert!(near.pixels().iter().filter(|pixel| **pixel == last).count() >= 640 * 480);
        assert_ne!(near, far, "only the legend tells them apart");
        let plain = |range| with(Image::zeros(frame, PixelFormat::Gray8), range);
        assert_eq!(plain("500..4500"), plain("500..4501"), "8 bits have no colours to name");
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
    fn sections_that_do_not_fit_are_cut_off_and_a_chart_takes_the_rest() {
        let size = Size { width: 64, height: 64 };
        let chart = Chart { values: vec![Some(f64::NAN), None, Some(1e300)], frames: 240, unit: "px", gap: "lost" };
        let long = |rows: u64| (0..rows).fold(Section::new("FRAME", ""), |section, row| section.count("Row", row));
        for rows in [0, 3, 100] {
            let sections = vec![long(rows), long(2).chart(chart.clone()), long(2)];
            drawn(&Face { sections, ..blank(size, Legend::Nothing) });
        }
    }
}
