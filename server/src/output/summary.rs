//! A session's summary in text.

use shared::protocol::encoding::StreamEncoding;
use shared::text::Escaped;

use super::report::{EncodingReport, SessionReport};
use crate::score::latency::Percentiles;

/// The session's summary: several lines, without a final `\n`.
pub fn summary(report: &SessionReport) -> String {
    let client = report.client.as_ref().map_or_else(
        || "no client".into(),
        |client| {
            let (name, version) = (Escaped(&client.info.name), Escaped(&client.info.version));
            format!("{name} {version} at {}", client.at.address)
        },
    );
    let mut lines = vec![format!("session {} with {client}: {}", report.session, Escaped(report.end.describe()))];
    let own = &report.figures.own;
    let labelled = gates(report)
        .chain(delivery(report))
        .chain(encoding(report))
        .chain(own.lines.clone())
        .chain(latency(report))
        .chain(warnings(report));
    lines.extend(labelled.map(|(label, text)| format!("  {label:<8} {text}")));
    lines.join("\n")
}

/// The verdicts on the gates.
fn gates(report: &SessionReport) -> impl Iterator<Item = (&'static str, String)> {
    report.gates.iter().enumerate().map(|(place, gate)| {
        let label = if place == 0 { "gates" } else { "" };
        (label, format!("{}: {}", gate.verdict.describe(), gate.message))
    })
}

/// What the doctor says.
fn warnings(report: &SessionReport) -> impl Iterator<Item = (&'static str, String)> {
    report.warnings.iter().map(|warning| ("warning", format!("{}: {}", warning.message, warning.advice)))
}

fn delivery(report: &SessionReport) -> Vec<(&'static str, String)> {
    let counts = report.figures.frames.counts;
    let answered = &report.figures.own.answered;
    let mut lines = vec![(
        "frames",
        format!(
            "{} sent: {answered}, {} dropped, {} lost, {} unresolved; {} ticks skipped",
            counts.sent, counts.dropped, counts.lost, counts.unresolved, counts.skipped
        ),
    )];
    if let Some(us) = report.figures.latency_us.standstill.filter(|_| counts.skipped > 0) {
        lines.push(("", format!("longest standstill, from a skipped tick to the next frame: {} ms", milliseconds(us))));
    }
    if counts.lost > 0 {
        lines.push(("lost", counts.lost_by.describe()));
    }
    let strays = [(counts.late, "late"), (counts.duplicate, "duplicate"), (counts.invalid, "invalid")];
    let strays: Vec<_> = strays.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !strays.is_empty() {
        lines.push(("answers", format!("{} beside those", strays.join(", "))));
    }
    lines
}

/// A line if the pipeline's frames were not as asked for, or not as rendered.
fn encoding(report: &SessionReport) -> Option<(&'static str, String)> {
    let EncodingReport { asked, used, lossy } = report.encoding;
    let text = match lossy {
        true => format!("{used} loses something: the pipeline saw other pixels, so no limit is known"),
        false if used == asked || asked == StreamEncoding::Auto => return None,
        false => format!("{used} instead of {asked}, which the client does not say that it reads"),
    };
    Some(("encoding", text))
}

fn latency(report: &SessionReport) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let figures = &report.figures.latency_us;
    if let Some(total) = percentiles(&figures.total) {
        lines.push(("latency", total));
        let skipped = report.figures.frames.counts.skipped > 0;
        lines.extend(
            percentiles(&figures.corrected).filter(|_| skipped).map(|all| ("", format!("{all} with skipped ticks"))),
        );
        lines.push(("", format!("p50 by stage: {}", stages(report))));
    }
    if let (Some(sent), Some(answered)) = (report.figures.fps.sent, report.figures.fps.answered) {
        lines.push(("rate", format!("{sent:.2} frames/s sent, {answered:.2} answered")));
    }
    lines
}

fn percentiles(of: &Percentiles) -> Option<String> {
    let [p50, p95, p99, max] = [of.p50?, of.p95?, of.p99?, of.max?].map(milliseconds);
    Some(format!("p50 {p50} ms, p95 {p95}, p99 {p99}, max {max}"))
}

fn stages(report: &SessionReport) -> String {
    let stages = &report.figures.latency_us.stages;
    let named = [
        ("encode", &stages.encode),
        ("to client", &stages.to_client),
        ("queue", &stages.queue),
        ("detect", &stages.detect),
        ("back", &stages.back),
    ];
    let known = named.iter().filter_map(|(name, stage)| Some(format!("{name} {}", milliseconds(stage.p50?))));
    known.collect::<Vec<_>>().join(", ") + " ms"
}

fn milliseconds(us: u64) -> String {
    format!("{:.3}", us as f64 / 1e3)
}
