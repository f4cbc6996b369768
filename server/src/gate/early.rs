//! Sessions that ended before all their frames were sent. Their figures are not those of the run that was asked for.

use serde_json::Value;

use super::path::{count, number};

/// Why a session of a report has no data, if it ended too soon. A session that was stopped on purpose has data, and so
/// has a session without a planned end whose client left.
pub(crate) fn ended_early(report: &Value, session: &Value) -> Option<String> {
    let kind = session["end"]["kind"].as_str().unwrap_or_default();
    let of = |name: &str| count(session, &format!("frames.{name}")).unwrap_or(0);
    let done = (of("sent") + of("warmup")).saturating_sub(of("unresolved"));
    let asked = count(report, "run.config.frames");
    let has_all = asked.is_some_and(|asked| done >= asked);
    let has_end = asked.is_some() || number(report, "run.config.duration_us").is_some();
    let what = match kind {
        "client_left" if has_end => "the client left",
        "client_gone" => "the client disappeared",
        "source_failed" => "the source failed",
        "rejected" => "the client was rejected",
        "broken_off" => "the server ended",
        "running" => "the session is still running",
        _ => return None,
    };
    let of_asked = asked.map_or_else(String::new, |asked| format!(" of {asked}"));
    (!has_all).then(|| format!("{what} after {done}{of_asked} frames"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_that_leaves_before_the_end_has_no_data() {
        let ended = |kind: &str, frames: Value, sent: u64, warmup: u64| {
            let report = json!({"run": {"config": {"frames": frames, "duration_us": null}}});
            let frames = json!({"sent": sent, "unresolved": 1, "warmup": warmup});
            ended_early(&report, &json!({"end": {"kind": kind}, "frames": frames}))
        };
        assert_eq!(ended("client_left", 600.into(), 8, 0).unwrap(), "the client left after 7 of 600 frames");
        assert_eq!(ended("client_left", 600.into(), 581, 20), None, "the warm-up's frames count too");
        assert_eq!(ended("client_left", Value::Null, 8, 0), None);
        assert_eq!(ended("client_gone", Value::Null, 8, 0).unwrap(), "the client disappeared after 7 frames");
        assert_eq!(ended("client_gone", 600.into(), 601, 0), None);
        assert_eq!(ended("broken_off", Value::Null, 8, 0).unwrap(), "the server ended after 7 frames");
        assert_eq!(ended("running", 600.into(), 8, 0).unwrap(), "the session is still running after 7 of 600 frames");
        assert_eq!((ended("finished", 600.into(), 8, 0), ended("stopped", 600.into(), 8, 0)), (None, None));
    }
}
