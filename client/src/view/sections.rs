//! The panel of the client's window: what was found, and how long that took, as sections of figures.

use shared::canvas::face::Section;
use shared::canvas::figure::{milliseconds, per_second, pixels};
use shared::canvas::history::History;
use shared::canvas::theme::Tone;
use shared::geometry::Circle;

use crate::tally::Tally;

/// One frame that was answered. Times in µs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Frame {
    /// Its id.
    pub id: u64,
    /// The circle found in it.
    pub estimate: Option<Circle>,
    /// How long that took, in µs.
    pub detect_us: u64,
}

/// Figures over the session so far; `None` is what is not known yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
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
}

impl Figures {
    /// What a tally says.
    pub fn of(tally: &Tally) -> Self {
        Self {
            detect_p50_us: tally.detect_percentile_us(50.0),
            received: tally.received,
            circle: tally.circle,
            no_circle: tally.no_circle,
            dropped: tally.dropped,
        }
    }
}

/// The whole panel: the frame shown, the session so far with its frames received per second, and the detection times of
/// its last frames in µs.
pub fn sections(
    frame: Option<&Frame>,
    figures: &Figures,
    received_hz: Option<f64>,
    detect_us: &History,
) -> Vec<Section> {
    vec![
        frame_section(frame),
        Section::new("SESSION", "").row("Detection ms, p50", [figures.detect_p50_us.map(milliseconds)], Tone::Plain),
        Section::new("FRAMES", per_second(received_hz))
            .count("Received", figures.received)
            .count("Circle", figures.circle)
            .bad_count("No circle", figures.no_circle)
            .bad_count("Dropped", figures.dropped),
        Section::new("DETECTION TIME", "").chart(detect_us.chart("µs", "without circle")),
    ]
}

fn frame_section(frame: Option<&Frame>) -> Section {
    let heading = frame.map_or("FRAME".into(), |frame| format!("FRAME {}", frame.id));
    let circle = frame.and_then(|frame| frame.estimate);
    Section::new(heading, "x, y in px")
        .row("Centre", [circle.map(|c| pixels(c.x)), circle.map(|c| pixels(c.y))], Tone::Estimate)
        .row("Radius px", [circle.map(|c| pixels(c.radius))], Tone::Estimate)
        .row("Detection ms", [frame.map(|frame| milliseconds(frame.detect_us))], Tone::Plain)
}
