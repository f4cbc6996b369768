//! The panel of the client's window: sections of figures about the answers and their times.

use std::fmt::Display;

use shared::canvas::face::Section;
use shared::canvas::figure::{milliseconds, per_second};
use shared::canvas::history::History;
use shared::canvas::theme::Tone;
use shared::protocol::message::{Meta, MetaValue, Payload};
use shared::text::Brief;

use crate::pipeline::{AnswerKind, Answers};
use crate::tally::Tally;

/// An answered frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The frame's id.
    pub id: u64,
    /// The answer.
    pub payload: Payload<'static>,
    /// How long the pipeline took, in µs.
    pub work_us: u64,
}

/// Figures over the session so far. `None` means not known yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Median time the pipeline took for a frame, in µs.
    pub work_p50_us: Option<u64>,
    /// Number of frames received.
    pub received: u64,
    /// Number of frames per kind of answer.
    pub counts: Vec<(&'static AnswerKind, u64)>,
    /// Number of frames answered as dropped.
    pub dropped: u64,
}

impl Figures {
    /// Takes the figures from a tally.
    pub fn of(tally: &Tally) -> Self {
        Self {
            work_p50_us: tally.work_percentile_us(50.0),
            received: tally.received,
            counts: tally.counts().collect(),
            dropped: tally.dropped,
        }
    }
}

/// Builds the whole panel: the frame shown, the figures of the session with the rate of received frames in Hz, and the
/// times of the last frames in µs.
pub fn sections(
    answers: &dyn Answers,
    frame: Option<&Frame>,
    figures: &Figures,
    received_hz: Option<f64>,
    work_us: &History,
) -> Vec<Section> {
    let work = answers.work();
    let p50 = figures.work_p50_us.map(milliseconds);
    vec![
        frame_section(answers, frame),
        Section::new("SESSION", "").row(format!("{} ms, p50", capitalised(work)), [p50], Tone::Plain),
        frames_section(figures, received_hz),
        Section::new(format!("{} TIME", work.to_uppercase()), "").chart(work_us.chart("µs", answers.gap())),
    ]
}

/// Maximum number of rows of the section about the source. With its heading it takes 90 px. The other sections take 280
/// px, and the chart gets the rest of the panel's usual 496 px.
const SOURCE_ROWS: usize = 3;

/// Maximum number of characters of a name, and of a value: both fit side by side into the panel's width of 320 px.
const SOURCE_CHARACTERS: usize = 16;

/// The section with the stream's metadata: the first keys, and the number of further ones. `None` without metadata.
pub fn source_section(meta: &Meta) -> Option<Section> {
    let more = match meta.len().saturating_sub(SOURCE_ROWS) {
        0 => String::new(),
        more => format!("and {more} more"),
    };
    let brief = |text: &dyn Display| Brief(text, SOURCE_CHARACTERS).to_string();
    let row = |section: Section, (key, value): (&String, &MetaValue)| {
        section.row(brief(key), [Some(brief(value))], Tone::Plain)
    };
    let rows = meta.iter().take(SOURCE_ROWS);
    (!meta.is_empty()).then(|| rows.fold(Section::new("SOURCE", more), row))
}

fn frame_section(answers: &dyn Answers, frame: Option<&Frame>) -> Section {
    let heading = frame.map_or("FRAME".into(), |frame| format!("FRAME {}", frame.id));
    let label = format!("{} ms", capitalised(answers.work()));
    let work_ms = frame.map(|frame| milliseconds(frame.work_us));
    answers.frame_section(heading, frame.map(|frame| &frame.payload)).row(label, [work_ms], Tone::Plain)
}

fn frames_section(figures: &Figures, received_hz: Option<f64>) -> Section {
    let section = Section::new("FRAMES", per_second(received_hz)).count("Received", figures.received);
    let counted = |section: Section, (kind, count): &(&AnswerKind, u64)| match kind.is_bad {
        true => section.bad_count(kind.label, *count),
        false => section.count(kind.label, *count),
    };
    figures.counts.iter().fold(section, counted).bad_count("Dropped", figures.dropped)
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::PipelineChoice;

    fn answers(task: &str) -> &'static dyn Answers {
        PipelineChoice::auto().for_task(task).expect("a pipeline").answers()
    }

    fn shown(task: &str, payload: &Payload<'static>) -> Vec<Section> {
        let answers = answers(task);
        let frame = Frame { id: 7, payload: payload.clone(), work_us: 250 };
        sections(answers, Some(&frame), &Figures::of(&Tally::of(answers)), None, &History::default())
    }

    #[test]
    fn the_panel_of_circles_is_about_circles() {
        let panel = shown("circle", &Payload::new("none"));
        let frame = Section::new("FRAME 7", "x, y in px")
            .row("Centre", [None, None], Tone::Estimate)
            .row("Radius px", [None], Tone::Estimate)
            .row("Detection ms", [Some("0.25".into())], Tone::Plain);
        let frames = Section::new("FRAMES", "").count("Received", 0).count("Circle", 0);
        assert_eq!(panel[0], frame);
        assert_eq!(panel[1], Section::new("SESSION", "").row("Detection ms, p50", [None], Tone::Plain));
        assert_eq!(panel[2], frames.bad_count("No circle", 0).bad_count("Dropped", 0));
        let chart = History::default().chart("µs", "without circle");
        assert_eq!(panel[3], Section::new("DETECTION TIME", "").chart(chart));
    }

    #[test]
    fn texts_of_the_source_are_cut_and_counted() {
        assert_eq!(source_section(&Meta::new()), None);
        let text = |text: &str| MetaValue::Text(text.into());
        let mut meta = Meta::from([("camera".into(), text("left\u{1b}")), ("gain".into(), MetaValue::Real(2.5))]);
        let section = |note: &str| {
            Section::new("SOURCE", note).row("camera", [Some("left\\u{1b}".into())], Tone::Plain).row(
                "gain",
                [Some("2.5".into())],
                Tone::Plain,
            )
        };
        assert_eq!(source_section(&meta), Some(section("")));
        meta.extend([("place".into(), text(&"x".repeat(40))), ("type".into(), text("mono"))]);
        let cut = section("and 1 more").row("place", [Some(format!("{}..", "x".repeat(14)))], Tone::Plain);
        assert_eq!(source_section(&meta), Some(cut));
    }

    #[test]
    fn any_other_panel_shows_the_answer_unchanged() {
        let panel = shown("ack", &Payload::new("ack"));
        let frame = Section::new("FRAME 7", "").row("Answer", [Some("ack".into())], Tone::Estimate).row(
            "Answer ms",
            [Some("0.25".into())],
            Tone::Plain,
        );
        assert_eq!(panel[0], frame);
        let frames = Section::new("FRAMES", "").count("Received", 0).count("Acknowledged", 0);
        assert_eq!(panel[2], frames.bad_count("Dropped", 0));
    }
}
