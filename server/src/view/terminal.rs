//! A row a frame, and a summary a session.

use std::sync::Once;

use shared::shell::rows::Rows;

use crate::report::SessionReport;
use crate::score::error::ErrorFigures;
use crate::score::summary::Tally;
use crate::score::{FrameScore, Outcome, Truth};
use crate::view::View;

const HEADER: &str =
    "   frame    actual x    actual y  estimate x  estimate y   error px  cumulative px  latency ms  session";

/// Prints rows.
#[derive(Debug)]
pub struct TerminalView {
    rows: Rows,
    headed: Once,
}

impl TerminalView {
    /// Prints into `rows`.
    pub fn new(rows: Rows) -> Self {
        Self { rows, headed: Once::new() }
    }
}

impl View for TerminalView {
    fn scored(&self, session: u64, score: &FrameScore, _tally: &Tally) {
        self.headed.call_once(|| self.rows.row(HEADER.into()));
        self.rows.row(row(session, score));
    }

    fn ended(&self, report: &SessionReport) {
        self.rows.summary(summary(report));
    }
}

fn row(session: u64, score: &FrameScore) -> String {
    let actual = match score.truth {
        Truth::Ball { circle, .. } => format!("{:>10.3}  {:>10.3}", circle.x, circle.y),
        Truth::Empty => format!("{:>22}", "no ball"),
        Truth::Unknown => format!("{:>22}", "unknown"),
    };
    let estimate = match score.outcome {
        Outcome::Circle { estimate, .. } => format!("{:>10.3}  {:>10.3}", estimate.x, estimate.y),
        Outcome::NoCircle => format!("{:>22}", "none"),
        Outcome::Dropped => format!("{:>22}", "dropped"),
        Outcome::Lost => format!("{:>22}", "lost"),
        Outcome::Unresolved => format!("{:>22}", "unresolved"),
    };
    let error = score.error.map_or_else(|| "-".into(), |error| format!("{:.4}", error.l1()));
    let latency = score.latency.map_or_else(|| "-".into(), |latency| milliseconds(latency.total_us));
    let FrameScore { id, cumulative_l1_px, .. } = score;
    format!("{id:>8}  {actual}  {estimate}  {error:>9}  {cumulative_l1_px:>13.3}  {latency:>10}  {session:>7}")
}

/// A session's figures, for people.
pub fn summary(report: &SessionReport) -> String {
    let client = report.client.as_ref().map_or_else(
        || "no client".into(),
        |client| format!("{} {} at {}", client.info.name, client.info.version, client.address),
    );
    let counts = report.figures.frames.counts;
    let mut lines = vec![
        format!("session {} with {client}: {}", report.session, report.end.describe()),
        format!(
            "  frames   {} sent: {} circle, {} none, {} dropped, {} lost, {} unresolved; {} ticks skipped",
            counts.sent,
            counts.circle,
            counts.no_circle,
            counts.dropped,
            counts.lost,
            counts.unresolved,
            counts.skipped,
        ),
    ];
    if counts.lost > 0 {
        lines.push(format!("  lost     {}", counts.lost_by.describe()));
    }
    let strays = [(counts.late, "late"), (counts.duplicate, "duplicate"), (counts.invalid, "invalid")];
    let strays: Vec<_> = strays.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !strays.is_empty() {
        lines.push(format!("  answers  {} beside those", strays.join(", ")));
    }
    let error = &report.figures.error_px;
    if let (Some(mean), Some(p50), Some(p99), Some(max)) = (error.l1.mean, error.l1.p50, error.l1.p99, error.l1.max) {
        lines.push(format!(
            "  error    L1 mean {mean:.5} px, p50 {p50:.5}, p99 {p99:.5}, max {max:.5}, cumulative {:.3} px",
            error.l1.sum
        ));
    }
    if let (Some(x), Some(y), Some(rms)) = (error.bias.x, error.bias.y, error.l2.rms) {
        lines.push(format!("           bias ({x:+.5}, {y:+.5}) px, L2 rms {rms:.5} px"));
    }
    if let Some(limit) = limit(error) {
        lines.push(format!("           {limit}"));
    }
    if counts.empty > 0 {
        lines.push(format!(
            "  empty    {} frames without a ball: {} false positives",
            counts.empty, counts.false_positive
        ));
    }
    let latency = &report.figures.latency_us;
    if let (Some(p50), Some(p95), Some(p99), Some(max)) =
        (latency.total.p50, latency.total.p95, latency.total.p99, latency.total.max)
    {
        let [p50, p95, p99, max] = [p50, p95, p99, max].map(milliseconds);
        lines.push(format!("  latency  p50 {p50} ms, p95 {p95}, p99 {p99}, max {max}"));
        lines.push(format!("           p50 by stage: {}", stages(report)));
    }
    if let (Some(sent), Some(answered)) = (report.figures.fps.sent, report.figures.fps.answered) {
        lines.push(format!("  rate     {sent:.2} frames/s sent, {answered:.2} answered"));
    }
    lines.join("\n")
}

/// How near the errors are to what the frames allow.
fn limit(error: &ErrorFigures) -> Option<String> {
    let (mean, limit) = (error.l1.mean?, error.limit?);
    let (efficiency, kind) = (error.efficiency?, error.limit_kind?.describe());
    let nees = error.nees.map_or_else(String::new, |nees| format!("; own covariance: NEES {nees:.2}"));
    Some(format!("{mean:.5} px, {efficiency:.2} x {kind} of {limit:.5} px{nees}"))
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

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;

    use super::*;
    use crate::camera::Limit;
    use crate::score::error::PixelError;
    use crate::score::latency::FrameLatency;

    #[test]
    fn rows_stand_under_their_header() {
        let ball = Circle { x: 320.25, y: 100.5, radius: 20.0 };
        let estimate = Circle { x: 320.2504, y: 100.4995, radius: 20.0 };
        let latency = FrameLatency {
            total_us: 812,
            encode_us: 1,
            to_client_us: None,
            queue_us: None,
            detect_us: None,
            back_us: None,
        };
        let score = FrameScore {
            id: 41,
            truth: Truth::Ball { circle: ball, limit: Limit::Unknown },
            outcome: Outcome::Circle { estimate, covariance: None },
            error: Some(PixelError::of(estimate, ball)),
            cumulative_l1_px: 0.123456,
            latency: Some(latency),
        };
        let expected =
            "      41     320.250     100.500     320.250     100.499     0.0009          0.123       0.812        1";
        assert_eq!(row(1, &score), expected);
        assert_eq!(expected.len(), HEADER.len());
        let lost = FrameScore { outcome: Outcome::Lost, error: None, latency: None, ..score };
        assert_eq!(row(1, &lost).len(), HEADER.len());
    }
}
