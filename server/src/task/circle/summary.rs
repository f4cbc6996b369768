//! The lines of the task `circle` in a session's summary.

use crate::scene::Radii;
use crate::task::schema1::{CircleCounts, ErrorFigures};

/// The summary lines: a label, empty on a continuation line, and the text.
pub(super) fn lines(
    counts: CircleCounts,
    error: Option<&ErrorFigures>,
    missed_px: Option<Radii>,
) -> Vec<(&'static str, String)> {
    let mut lines = error.map(error_lines).unwrap_or_default();
    if let (0, Some(Radii { min, max })) = (counts.circle, missed_px) {
        let radii = if min == max { format!("{min:.1}") } else { format!("{min:.1} to {max:.1}") };
        lines.push((
            "missed",
            format!("every ball, of radius {radii} px: does the client look for this radius? Its summary says so."),
        ));
        lines.push(("", "`--radius` here, or `--min-radius` and `--max-radius` there change that".into()));
    }
    if counts.empty > 0 {
        let CircleCounts { empty, false_positive, .. } = counts;
        lines.push(("empty", format!("{empty} frames without a ball: {false_positive} false positives")));
    }
    lines
}

fn error_lines(error: &ErrorFigures) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let (Some(mean), Some(p50), Some(p99), Some(max)) = (error.l1.mean, error.l1.p50, error.l1.p99, error.l1.max) {
        let sum = error.l1.sum;
        let text = format!("L1 mean {mean:.5} px, p50 {p50:.5}, p99 {p99:.5}, max {max:.5}, cumulative {sum:.3} px");
        lines.push(("error", text));
    }
    if let (Some(x), Some(y), Some(rms)) = (error.bias.x, error.bias.y, error.l2.rms) {
        lines.push(("", format!("bias ({x:+.5}, {y:+.5}) px, L2 rms {rms:.5} px")));
    }
    lines.extend(limit(error).map(|text| ("", text)));
    lines
}

/// The line that compares the mean error with the limit.
fn limit(error: &ErrorFigures) -> Option<String> {
    let (mean, limit) = (error.l1.mean?, error.limit?);
    let (efficiency, kind) = (error.efficiency?, error.limit_kind?.describe());
    let nees = error.nees.map_or_else(String::new, |nees| format!("; own covariance: NEES {nees:.2}"));
    Some(format!("{mean:.5} px, {efficiency:.2} x {kind} of {limit:.5} px{nees}"))
}
