//! The window's panel: the client's figures, in sections.

use shared::canvas::face::Section;
use shared::canvas::figure::{milliseconds, per_second};
use shared::canvas::history::History;
use shared::canvas::theme;

use crate::score::latency::FrameLatency;
use crate::score::record::{FrameRecord, Outcome};
use crate::session::Progress;
use crate::task::{Figure, TaskName, Tone};
use crate::truth::Truth;

/// The whole panel: the shown frame, the session so far, and the chart of its last frames.
pub(super) fn sections(
    task: TaskName,
    record: Option<&FrameRecord>,
    progress: Option<&Progress>,
    chart: &History,
) -> Vec<Section> {
    let nothing = Progress::of_nothing(task);
    let progress = progress.unwrap_or(&nothing);
    let latency_us = record.and_then(|record| record.latency).map(|FrameLatency { total_us, .. }| total_us);
    let shown = task.chart();
    vec![
        frame_section(task, record),
        session_section(progress, latency_us),
        counts_section(progress),
        Section::new(shown.heading, "").chart(chart.chart(shown.unit, shown.gap)),
    ]
}

fn frame_section(task: TaskName, record: Option<&FrameRecord>) -> Section {
    let heading = record.map_or("FRAME".into(), |record| format!("FRAME {}", record.id));
    let note = if task.has_places() { "x, y in px" } else { "" };
    let figures = record.map_or_else(|| task.frame_figures(&unknown()), |record| task.frame_figures(record));
    figures.iter().fold(Section::new(heading, note), with)
}

fn session_section(progress: &Progress, latency_us: Option<u64>) -> Section {
    let sums = progress.sums.iter().fold(Section::new("SESSION", ""), with);
    sums.row("Latency ms, p50", [progress.latency_p50_us.map(milliseconds)], theme::Tone::Plain).row(
        "Latency ms, last",
        [latency_us.map(milliseconds)],
        theme::Tone::Plain,
    )
}

fn counts_section(progress: &Progress) -> Section {
    let counts = progress.counts;
    let sent = Section::new("FRAMES", per_second(progress.sent_fps)).count("Sent", counts.sent);
    let answered = progress.answered.iter().fold(sent, with);
    answered.bad_count("Dropped", counts.dropped).bad_count("Lost", counts.lost)
}

fn with(section: Section, figure: &Figure) -> Section {
    let tone = match figure.tone {
        Tone::Plain => theme::Tone::Plain,
        Tone::Truth => theme::Tone::Truth,
        Tone::Estimate => theme::Tone::Estimate,
        Tone::Bad => theme::Tone::Bad,
    };
    let label = figure.label.clone();
    match &figure.values[..] {
        [first, second, ..] => section.row(label, [first.clone(), second.clone()], tone),
        [only] => section.row(label, [only.clone()], tone),
        [] => section.row(label, [None], tone),
    }
}

/// A frame about which nothing is known; the panel shows its rows before the first frame.
fn unknown() -> FrameRecord {
    FrameRecord {
        id: 0,
        source_index: 0,
        captured: shared::time::Micros(0),
        truth: Truth::Unknown,
        outcome: Outcome::Unresolved,
        warmup: false,
        latency: None,
        truth_cells: Default::default(),
        answer: None,
        residual: Default::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::record;

    #[test]
    fn the_panel_has_the_same_rows_before_anything_is_known() {
        for task in TaskName::all() {
            let chart = History::default();
            let [before, after] = [None, Some(&record(7))].map(|record| sections(task, record, None, &chart));
            assert_eq!(before.len(), after.len(), "{task}");
            assert_ne!(before[0], after[0], "{task}: the frame is named");
            assert_eq!(before[2..], after[2..], "{task}");
        }
    }
}
