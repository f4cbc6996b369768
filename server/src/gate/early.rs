//! Sessions that ended before all their frames were sent. Their figures are not those of the run that was asked for.

use serde_json::Value;

use super::path::{count, number};

/// Why a report is not of the whole run that was asked for; `None` if it is. Unlike [`ended_early`], this holds also for
/// a run that was stopped on purpose, or whose source had too few frames.
pub(crate) fn fell_short(report: &Value) -> Option<String> {
    if let Some(reason) = report["incomplete"]["reason"].as_str() {
        return Some(format!("it is incomplete ({reason})"));
    }
    let sessions = report["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has_frames = |session: &&Value| count(session, "frames.sent").is_some_and(|sent| sent > 0);
    let Some(first) = sessions.iter().find(has_frames) else { return Some("it sent no frame".into()) };
    // A server for many clients is stopped in the middle of its last session.
    sessions.iter().find_map(|session| ended_early(report, session)).or_else(|| cut_short(report, first))
}

/// Why a session of a report has no data, if it ended too soon. A session that was stopped on purpose has data, and so
/// has a session without a planned end whose client left.
pub(crate) fn ended_early(report: &Value, session: &Value) -> Option<String> {
    let what = match kind(session) {
        "client_left" if has_planned_end(report) => "the client left",
        "client_gone" => "the client disappeared",
        "source_failed" => "the source failed",
        "rejected" => "the client was rejected",
        "broken_off" => "the server ended",
        "running" => "the session is still running",
        _ => return None,
    };
    unless_all_sent(report, session, what)
}

/// Why a session that ended well has fewer frames than were asked for.
fn cut_short(report: &Value, session: &Value) -> Option<String> {
    let what = match kind(session) {
        "stopped" if has_planned_end(report) => "the run was stopped",
        "finished" if has_planned_end(report) && ran_out(report, session) => "the source had no more",
        _ => return None,
    };
    unless_all_sent(report, session, what)
}

fn unless_all_sent(report: &Value, session: &Value, what: &str) -> Option<String> {
    let of = |name: &str| count(session, &format!("frames.{name}")).unwrap_or(0);
    // A report that was changed may have any counts.
    let done = of("sent").saturating_add(of("warmup")).saturating_sub(of("unresolved"));
    let asked = asked(report);
    let of_asked = asked.map_or_else(String::new, |asked| format!(" of {asked}"));
    let has_all = asked.is_some_and(|asked| done >= asked);
    (!has_all).then(|| format!("{what} after {done}{of_asked} frames"))
}

/// Whether the source ended a session that ended well. Without a duration, nothing else can have ended it too early:
/// reports of earlier versions do not say it.
fn ran_out(report: &Value, session: &Value) -> bool {
    session["source"]["ran_out"] == true || duration(report).is_none()
}

fn kind(session: &Value) -> &str {
    session["end"]["kind"].as_str().unwrap_or_default()
}

fn has_planned_end(report: &Value) -> bool {
    asked(report).is_some() || duration(report).is_some()
}

/// Frames that the run asks for.
fn asked(report: &Value) -> Option<u64> {
    count(report, "run.config.frames")
}

/// How long the run should last, in µs.
fn duration(report: &Value) -> Option<f64> {
    number(report, "run.config.duration_us")
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

    #[test]
    fn impossible_counts_are_no_fault_of_ours() {
        let report = json!({"run": {"config": {"frames": 600}}});
        let session = json!({"end": {"kind": "client_left"}, "frames": {"sent": u64::MAX, "warmup": 1}});
        assert_eq!(ended_early(&report, &session), None);
    }

    #[test]
    fn a_run_that_was_stopped_or_whose_source_ended_is_not_the_whole_run() {
        let why = |config: Value, kinds: &[&str], sent: u64| {
            let session = |kind: &&str| json!({"end": {"kind": kind}, "frames": {"sent": sent}});
            let sessions: Vec<_> = kinds.iter().map(session).collect();
            fell_short(&json!({"run": {"config": config}, "sessions": sessions}))
        };
        let frames = || json!({"frames": 600, "duration_us": null});
        let either = || json!({"frames": 600, "duration_us": 5_000_000});
        let endless = || json!({"frames": null, "duration_us": null});
        assert_eq!(why(frames(), &["stopped"], 42).unwrap(), "the run was stopped after 42 of 600 frames");
        assert_eq!(why(either(), &["stopped"], 42).unwrap(), "the run was stopped after 42 of 600 frames");
        assert_eq!(why(frames(), &["finished"], 10).unwrap(), "the source had no more after 10 of 600 frames");
        assert_eq!(why(frames(), &["client_left"], 10).unwrap(), "the client left after 10 of 600 frames");
        assert_eq!(why(frames(), &["finished"], 0).unwrap(), "it sent no frame");
        for (config, kinds, sent) in [
            (frames(), &["stopped"][..], 600),
            (frames(), &["finished"], 600),
            (either(), &["finished"], 10),
            (endless(), &["stopped"], 42),
            (endless(), &["client_left", "stopped"], 42),
        ] {
            assert_eq!(why(config, kinds, sent), None, "{kinds:?}");
        }
        let broken = json!({"incomplete": {"reason": "broken_off"}, "run": {"config": frames()}, "sessions": []});
        assert_eq!(fell_short(&broken).unwrap(), "it is incomplete (broken_off)");
    }

    #[test]
    fn a_source_that_ended_before_the_duration_makes_a_run_fall_short_unless_all_frames_were_sent() {
        let why = |frames: Value, duration_us: Value, source: Value| {
            let session = json!({"end": {"kind": "finished"}, "frames": {"sent": 30}, "source": source});
            let config = json!({"frames": frames, "duration_us": duration_us});
            fell_short(&json!({"run": {"config": config}, "sessions": [session]}))
        };
        let (over, time) = (|| json!({"ran_out": true}), || json!(20_000_000));
        assert_eq!(why(Value::Null, time(), over()).unwrap(), "the source had no more after 30 frames");
        assert_eq!(why(600.into(), time(), over()).unwrap(), "the source had no more after 30 of 600 frames");
        for (frames, duration_us, source) in [
            (30.into(), time(), over()),
            (Value::Null, Value::Null, over()),
            (Value::Null, time(), json!({})),
            (600.into(), time(), json!({})),
            (Value::Null, time(), Value::Null),
        ] {
            assert_eq!(why(frames, duration_us, source), None);
        }
    }
}
