//! Why a figure has no value: the column "null" of docs/report.md, in words.

use serde_json::Value;

use super::path::{count, number};

/// The first matching start of a path gives the reason.
const REASONS: [(&str, &str); 15] = [
    ("error_px.nees", "no answer had a covariance that is positive definite"),
    ("error_px.limit", "no frame has a known limit, as with JPEG"),
    ("error_px.efficiency", "no frame has a known limit, as with JPEG"),
    ("error_px", "no frame with a ball was answered with a circle"),
    ("latency_us.stages", "no answer had the times of this stage"),
    ("latency_us.standstill", "no tick of the frame rate went without a frame"),
    ("latency_us", "with --fps max there are no ticks"),
    ("fps", "there were fewer than two frames"),
    ("count", "no frame with a known truth was answered with a number"),
    ("image.psnr_db", "no image could be compared, or all equal their frames"),
    ("clock", "the client answered no ping"),
    ("connect_us", "the client sent no hello, or needed none"),
    ("first_score_us", "no frame had a final outcome"),
    ("pipeline_errors", "the server does not see exceptions on the client's side of a link"),
    ("run.config", "the option was not given and has no default"),
];

/// Why the figure of `session` at `path` is `null`.
pub fn reason(session: &Value, path: &str) -> String {
    if let Some(reason) = without_frames(session, path) {
        return reason;
    }
    let known = REASONS.iter().find(|(start, _)| path.starts_with(start));
    known.map_or("docs/report.md says when it is null", |(_, reason)| reason).into()
}

/// The reason, if it lies in the task, the source or the answers.
fn without_frames(session: &Value, path: &str) -> Option<String> {
    let task = session["task"].as_str().unwrap_or("another");
    let is_of = |group: &str| path.starts_with(group);
    if (is_of("error_px") || is_of("frames")) && task != "circle" {
        return Some(format!("the task is {task}"));
    }
    if is_of("error_px") && count(session, "frames.circle").unwrap_or(0) == 0 {
        return Some("no frame was answered with a circle".into());
    }
    if is_of("error_px") && session["error_px"].is_null() {
        return Some("the source knows no truth".into());
    }
    let is_unanswered = is_of("latency_us") && number(session, "latency_us.max").is_none();
    is_unanswered.then(|| "no frame was answered in time".into())
}
