//! The panel of the server's window: how well the client does, as sections of figures.

use shared::canvas::face::Section;
use shared::canvas::figure::{error_pixels, milliseconds, per_second, pixels};
use shared::canvas::history::History;
use shared::canvas::mark::Mark;
use shared::canvas::theme::Tone;
use shared::geometry::Circle;

/// One frame with its final score; `None` is what it has not. Lengths in px, times in µs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Its id.
    pub id: u64,
    /// Where the disc was.
    pub truth: Option<Circle>,
    /// Where the client saw it.
    pub estimate: Option<Circle>,
    /// L1 distance of the two centres, in px.
    pub error_px: Option<f64>,
    /// From the last pixel rendered to the answer decoded, in µs.
    pub latency_us: Option<u64>,
}

/// Figures over the session so far; `None` is what is not known yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
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
    /// How many frames met which end.
    pub counts: Counts,
}

/// Frames by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

impl Frame {
    /// What stands on its picture.
    pub fn marks(&self) -> Vec<Mark> {
        [self.truth.map(Mark::Truth), self.estimate.map(Mark::Estimate)].into_iter().flatten().collect()
    }
}

/// The whole panel: the frame shown, the session so far, and the errors of its last frames in px.
pub fn sections(frame: Option<&Frame>, figures: &Figures, errors_px: &History) -> Vec<Section> {
    let latency_us = frame.and_then(|frame| frame.latency_us);
    vec![
        frame_section(frame),
        session_section(figures, latency_us),
        counts_section(&figures.counts, figures.fps),
        Section::new("FRAME ERROR", "").chart(errors_px.chart("px", "without estimate")),
    ]
}

fn frame_section(frame: Option<&Frame>) -> Section {
    let heading = frame.map_or("FRAME".into(), |frame| format!("FRAME {}", frame.id));
    let Frame { truth, estimate, error_px, .. } = frame.copied().unwrap_or_default();
    let place = |circle: Option<Circle>| [circle.map(|c| pixels(c.x)), circle.map(|c| pixels(c.y))];
    Section::new(heading, "x, y in px")
        .row("Actual", place(truth), Tone::Truth)
        .row("Estimated", place(estimate), Tone::Estimate)
        .row("Frame error px", [error_px.map(error_pixels)], Tone::Plain)
}

fn session_section(figures: &Figures, latency_us: Option<u64>) -> Section {
    let limit = figures.efficiency.map_or("the limit", |(_, limit)| limit);
    let efficiency = figures.efficiency.map(|(ratio, _)| format!("{ratio:.2}"));
    Section::new("SESSION", "")
        .row("Cumulative error px", [figures.cumulative_error_px.map(pixels)], Tone::Plain)
        .row("Mean error px", [figures.mean_error_px.map(error_pixels)], Tone::Plain)
        .row(format!("x {limit}"), [efficiency], Tone::Plain)
        .row("Latency ms, p50", [figures.latency_p50_us.map(milliseconds)], Tone::Plain)
        .row("Latency ms, last", [latency_us.map(milliseconds)], Tone::Plain)
}

fn counts_section(counts: &Counts, fps: Option<f64>) -> Section {
    Section::new("FRAMES", per_second(fps))
        .count("Sent", counts.sent)
        .count("Circle", counts.circle)
        .bad_count("No circle", counts.no_circle)
        .bad_count("Dropped", counts.dropped)
        .bad_count("Lost", counts.lost)
}

#[cfg(test)]
mod tests {
    use shared::canvas::face::Face;
    use shared::canvas::header::Status;
    use shared::canvas::layout::Layout;
    use shared::canvas::mark::Legend;
    use shared::geometry::Size;

    use super::*;

    #[test]
    fn absurd_figures_are_drawn() {
        let wild = Some(Circle { x: f64::NAN, y: -1e300, radius: f64::INFINITY });
        let (error_px, latency_us) = (Some(f64::INFINITY), Some(u64::MAX));
        let shown = Frame { id: u64::MAX, truth: wild, estimate: wild, error_px, latency_us };
        let counts = Counts { sent: u64::MAX, circle: u64::MAX, no_circle: 1, dropped: 2, lost: u64::MAX };
        let mut errors_px = History::default();
        [Some(f64::NAN), None].into_iter().for_each(|error| errors_px.push(error));
        let layout = Layout::new(Size { width: 64, height: 64 });
        let face = Face {
            title: "Plumb server",
            status: Status::new("session 1", Tone::Good),
            frame: layout.frame,
            image: None,
            marks: shown.marks(),
            legend: Legend::Both,
            sections: sections(Some(&shown), &Figures { counts, ..Figures::default() }, &errors_px),
        };
        face.draw(&layout, &mut layout.canvas());
    }

    #[test]
    fn the_panel_has_the_same_rows_before_anything_is_known() {
        let (figures, errors_px) = (Figures::default(), History::default());
        let known = Frame { id: 7, error_px: Some(0.5), ..Frame::default() };
        let [before, after] = [None, Some(&known)].map(|frame| sections(frame, &figures, &errors_px));
        assert_ne!(before[0], after[0]);
        assert_eq!(before[1..], after[1..]);
        assert!(known.marks().is_empty(), "neither truth nor estimate");
    }
}
