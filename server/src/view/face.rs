//! What the server's window shows: the frame with truth and estimate, and how well the client does.

use shared::canvas::Canvas;
use shared::canvas::chart::Series;
use shared::canvas::dashboard::{Layout, Mark, Status};
use shared::canvas::panel::{Panel, error_pixels, milliseconds, per_second, pixels};
use shared::canvas::theme;
use shared::geometry::Circle;
use shared::image::Image;

/// Frames the chart spans: four seconds at 60 fps.
pub const CHART_FRAMES: usize = 240;

/// Everything the window shows; `None` is what is not known yet. Lengths in px, times in µs.
#[derive(Clone, Debug)]
pub struct Face<'a> {
    /// Whether a client is there.
    pub status: Status,
    /// The frame and its scores.
    pub frame: Frame<'a>,
    /// The session's sums.
    pub session: Session,
    /// How many frames met which end.
    pub counts: Counts,
    /// L1 error of each of the last frames, oldest first; `None` for a frame without an estimate.
    pub errors_px: &'a [Option<f64>],
}

/// One frame: picture, truth, estimate and score all belong to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// Its id.
    pub id: Option<u64>,
    /// The picture that was sent.
    pub image: Option<&'a Image>,
    /// Where the disc was.
    pub truth: Option<Circle>,
    /// Where the client saw it.
    pub estimate: Option<Circle>,
    /// L1 distance of the two centres, in px.
    pub error_px: Option<f64>,
    /// From the last pixel rendered to the answer decoded, in µs.
    pub latency_us: Option<u64>,
}

/// Figures over the session so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Session {
    /// Sum of the L1 errors, in px.
    pub cumulative_error_px: Option<f64>,
    /// Mean L1 error of the frames answered with a circle, in px.
    pub mean_error_px: Option<f64>,
    /// That mean over the least that the frames allow, and what that is called.
    pub efficiency: Option<(f64, &'static str)>,
    /// Median latency, in µs.
    pub latency_p50_us: Option<u64>,
    /// Frames sent per second.
    pub fps: Option<f64>,
}

/// Frames by outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// Sent in all.
    pub sent: u64,
    /// Answered with a circle.
    pub circle: u64,
    /// Answered with none.
    pub no_circle: u64,
    /// Answered as dropped by the client.
    pub dropped: u64,
    /// Not answered in time.
    pub lost: u64,
}

/// Draws the whole window onto a canvas of the layout's size.
pub fn draw(canvas: &mut Canvas, layout: &Layout, face: &Face<'_>) {
    let Frame { image, truth, estimate, .. } = face.frame;
    let marks: Vec<Mark> = [truth.map(Mark::Truth), estimate.map(Mark::Estimate)].into_iter().flatten().collect();
    canvas.header("Plumb server", &face.status);
    canvas.view(layout, image, &marks);
    canvas.legend(layout, true);
    canvas.panel(layout, |mut panel| {
        draw_frame(&mut panel, &face.frame);
        draw_session(&mut panel, &face.session, face.frame.latency_us);
        draw_counts(&mut panel, &face.counts, face.session.fps);
        draw_chart(panel, face.errors_px);
    });
}

fn draw_frame(panel: &mut Panel<'_>, frame: &Frame<'_>) {
    let place = |circle: Option<Circle>| [circle.map(|c| pixels(c.x)), circle.map(|c| pixels(c.y))];
    panel.heading(&frame.id.map_or("FRAME".into(), |id| format!("FRAME {id}")), "x, y in px");
    panel.row("Actual", &place(frame.truth), theme::TRUTH);
    panel.row("Estimated", &place(frame.estimate), theme::ESTIMATE);
    panel.row("Frame error px", &[frame.error_px.map(error_pixels)], theme::TEXT);
}

fn draw_session(panel: &mut Panel<'_>, session: &Session, latency_us: Option<u64>) {
    panel.heading("SESSION", "");
    panel.row("Cumulative error px", &[session.cumulative_error_px.map(pixels)], theme::TEXT);
    panel.row("Mean error px", &[session.mean_error_px.map(error_pixels)], theme::TEXT);
    let limit = session.efficiency.map_or("the limit", |(_, limit)| limit);
    panel.row(&format!("x {limit}"), &[session.efficiency.map(|(ratio, _)| format!("{ratio:.2}"))], theme::TEXT);
    panel.row("Latency ms, p50", &[session.latency_p50_us.map(milliseconds)], theme::TEXT);
    panel.row("Latency ms, last", &[latency_us.map(milliseconds)], theme::TEXT);
}

fn draw_counts(panel: &mut Panel<'_>, counts: &Counts, fps: Option<f64>) {
    panel.heading("FRAMES", &per_second(fps));
    let mut row = |label: &str, count: u64, colour| panel.row(label, &[Some(count.to_string())], colour);
    let notable = |count| if count > 0 { theme::BAD } else { theme::TEXT };
    row("Sent", counts.sent, theme::TEXT);
    row("Circle", counts.circle, theme::TEXT);
    row("No circle", counts.no_circle, notable(counts.no_circle));
    row("Dropped", counts.dropped, notable(counts.dropped));
    row("Lost", counts.lost, notable(counts.lost));
}

fn draw_chart(mut panel: Panel<'_>, errors_px: &[Option<f64>]) {
    panel.heading("FRAME ERROR", "");
    let series =
        Series { values: errors_px, frames: CHART_FRAMES, unit: "px", gap: "without estimate", colour: theme::SERIES };
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

    fn blank() -> Face<'static> {
        let (frame, session, counts) = Default::default();
        Face { status: status(), frame, session, counts, errors_px: &[] }
    }

    fn drawn(size: Size, face: &Face<'_>) -> Canvas {
        let layout = Layout::new(size);
        let mut canvas = layout.canvas();
        draw(&mut canvas, &layout, face);
        canvas
    }

    #[test]
    fn a_window_is_drawn_before_anything_is_known() {
        for (width, height) in SIZES {
            let canvas = drawn(Size { width, height }, &blank());
            // The legend's crosses alone.
            assert!((1..60).contains(&count(&canvas, theme::TRUTH)));
            assert!((1..60).contains(&count(&canvas, theme::ESTIMATE)));
        }
    }

    #[test]
    fn an_estimate_adds_its_marks_and_figures_and_leaves_the_truth_visible() {
        for (width, height) in SIZES {
            let size = Size { width, height };
            let image = Image::zeros(size, PixelFormat::Gray8);
            let disc = Circle { x: f64::from(width) / 2.0, y: f64::from(height) / 2.0, radius: 6.0 };
            let frame = Frame { id: Some(1), image: Some(&image), truth: Some(disc), ..Frame::default() };
            let alone = drawn(size, &Face { frame, ..blank() });
            let both = drawn(size, &Face { frame: Frame { estimate: Some(disc), ..frame }, ..blank() });
            assert!(count(&both, theme::ESTIMATE) > count(&alone, theme::ESTIMATE) + 100, "{size}");
            assert!(count(&both, theme::TRUTH) > count(&drawn(size, &blank()), theme::TRUTH) + 100, "{size}");
        }
    }

    #[test]
    fn absurd_figures_are_drawn() {
        let wild = Circle { x: f64::NAN, y: -1e300, radius: f64::INFINITY };
        let frame = Frame {
            id: Some(u64::MAX),
            truth: Some(wild),
            estimate: Some(wild),
            error_px: Some(f64::INFINITY),
            latency_us: Some(u64::MAX),
            ..Frame::default()
        };
        let counts = Counts { sent: u64::MAX, circle: u64::MAX, no_circle: 1, dropped: 2, lost: u64::MAX };
        drawn(Size { width: 64, height: 64 }, &Face { frame, counts, errors_px: &[Some(f64::NAN), None], ..blank() });
    }
}
