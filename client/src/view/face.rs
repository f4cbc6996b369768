//! What the client's window shows: the frame received, the circle found in it, and how long that took.

use shared::canvas::Canvas;
use shared::canvas::chart::Series;
use shared::canvas::dashboard::{Layout, Mark, Status};
use shared::canvas::panel::{Panel, milliseconds, per_second, pixels};
use shared::canvas::theme;
use shared::geometry::Circle;
use shared::image::Image;

/// Frames the chart spans: four seconds at 60 fps.
pub const CHART_FRAMES: usize = 240;

/// Everything the window shows; `None` is what is not known yet. Lengths in px, times in µs.
#[derive(Clone, Debug)]
pub struct Face<'a> {
    /// Whether the server is there.
    pub status: Status,
    /// The frame and what was found in it.
    pub frame: Frame<'a>,
    /// The session so far.
    pub session: Session,
    /// Detection time of each of the last frames in µs, oldest first; `None` for a frame without a circle.
    pub detect_us: &'a [Option<f64>],
}

/// One frame: picture and estimate belong together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// Its id.
    pub id: Option<u64>,
    /// The picture received.
    pub image: Option<&'a Image>,
    /// The circle found in it.
    pub estimate: Option<Circle>,
    /// How long that took, in µs.
    pub detect_us: Option<u64>,
}

/// Figures over the session so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    /// Median detection time, in µs.
    pub detect_p50_us: Option<u64>,
    /// Frames received in all.
    pub received: u64,
    /// Answered with a circle.
    pub circle: u64,
    /// Answered with none.
    pub no_circle: u64,
    /// Answered as dropped.
    pub dropped: u64,
    /// Frames received per second.
    pub fps: Option<f64>,
}

/// Draws the whole window onto a canvas of the layout's size.
pub fn draw(canvas: &mut Canvas, layout: &Layout, face: &Face<'_>) {
    canvas.header("Plumb client", &face.status);
    let marks: Vec<Mark> = face.frame.estimate.map(Mark::Estimate).into_iter().collect();
    canvas.view(layout, face.frame.image, &marks);
    canvas.legend(layout, false);
    canvas.panel(layout, |mut panel| {
        draw_frame(&mut panel, &face.frame);
        draw_session(&mut panel, &face.session);
        draw_chart(panel, face.detect_us);
    });
}

fn draw_frame(panel: &mut Panel<'_>, frame: &Frame<'_>) {
    let Frame { id, estimate, detect_us, .. } = *frame;
    let centre = [estimate.map(|c| pixels(c.x)), estimate.map(|c| pixels(c.y))];
    panel.heading(&id.map_or("FRAME".into(), |id| format!("FRAME {id}")), "x, y in px");
    panel.row("Centre", &centre, theme::ESTIMATE);
    panel.row("Radius px", &[estimate.map(|c| pixels(c.radius))], theme::ESTIMATE);
    panel.row("Detection ms", &[detect_us.map(milliseconds)], theme::TEXT);
}

fn draw_session(panel: &mut Panel<'_>, session: &Session) {
    panel.heading("SESSION", "");
    panel.row("Detection ms, p50", &[session.detect_p50_us.map(milliseconds)], theme::TEXT);
    panel.heading("FRAMES", &per_second(session.fps));
    let mut row = |label: &str, count: u64, colour| panel.row(label, &[Some(count.to_string())], colour);
    let notable = |count| if count > 0 { theme::BAD } else { theme::TEXT };
    row("Received", session.received, theme::TEXT);
    row("Circle", session.circle, theme::TEXT);
    row("No circle", session.no_circle, notable(session.no_circle));
    row("Dropped", session.dropped, notable(session.dropped));
}

fn draw_chart(mut panel: Panel<'_>, detect_us: &[Option<f64>]) {
    panel.heading("DETECTION TIME", "");
    let series =
        Series { values: detect_us, frames: CHART_FRAMES, unit: "µs", gap: "without circle", colour: theme::SERIES };
    panel.chart(&series);
}

#[cfg(test)]
mod tests {
    use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
    use shared::canvas::dashboard::Tone;
    use shared::geometry::Size;
    use shared::image::PixelFormat;

    use super::*;

    const SIZES: [(u32, u32); 5] = [(16, 16), (640, 480), (1921, 1081), (8192, 16), (16, 8192)];

    fn status() -> Status {
        Status { text: "connected to 127.0.0.1:8080".into(), tone: Tone::Good }
    }

    /// Pixels of exactly this colour.
    fn count(canvas: &Canvas, colour: Rgb888) -> usize {
        let packed = u32::from_be_bytes([0, colour.r(), colour.g(), colour.b()]);
        canvas.pixels().iter().filter(|&&pixel| pixel == packed).count()
    }

    fn drawn(size: Size, frame: Frame<'_>) -> Canvas {
        let layout = Layout::new(size);
        let mut canvas = layout.canvas();
        let session = Session { received: u64::MAX, ..Session::default() };
        draw(&mut canvas, &layout, &Face { status: status(), frame, session, detect_us: &[None, Some(900.0)] });
        canvas
    }

    #[test]
    fn a_circle_found_adds_its_mark_and_figures() {
        for (width, height) in SIZES {
            let size = Size { width, height };
            let image = Image::zeros(size, PixelFormat::Bgr8);
            let disc = Circle { x: f64::from(width) / 2.0, y: f64::from(height) / 2.0, radius: 6.0 };
            let without = drawn(size, Frame { image: Some(&image), ..Frame::default() });
            let with = drawn(size, Frame { image: Some(&image), estimate: Some(disc), ..Frame::default() });
            assert!(count(&with, theme::ESTIMATE) > count(&without, theme::ESTIMATE) + 100, "{size}");
            assert_eq!(count(&with, theme::TRUTH), 0);
        }
    }
}
