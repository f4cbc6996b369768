//! Figures that were lost when a run broke off. The report has a number in their place, which nobody measured.

use serde_json::{Value, json};

/// The report, or its head, with the note that these figures are lost.
pub(super) fn noted(mut report: Value, lost: &[String]) -> Value {
    report["incomplete"]["unknown"] = json!(lost);
    report
}

/// Why the figure of a session at this path has no value, if the report says that it is lost.
pub(super) fn lost(report: &Value, session: &Value, path: &str) -> Option<String> {
    let unknown = report["incomplete"]["unknown"].as_array()?;
    let is_in = |part: &str| path.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let is_lost = session["end"]["kind"] == "broken_off" && unknown.iter().filter_map(Value::as_str).any(is_in);
    is_lost.then(|| "the figure was lost when the run broke off".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_lost_if_it_or_its_group_is_listed_and_its_session_broke_off() {
        let report = noted(json!({"run": {}}), &["bytes".into(), "frames.skipped".into()]);
        let is_lost = |kind: &str, path: &str| lost(&report, &json!({"end": {"kind": kind}}), path).is_some();
        for path in ["bytes.frames_wire", "bytes", "frames.skipped"] {
            assert!(is_lost("broken_off", path) && !is_lost("finished", path), "{path}");
        }
        for path in ["frames.sent", "bytes_per_frame", "frames"] {
            assert!(!is_lost("broken_off", path), "{path}");
        }
        assert_eq!(lost(&json!({}), &json!({"end": {"kind": "broken_off"}}), "bytes"), None);
    }
}
