//! Judges conditions on a report in JSON, from a run or from a file.

use serde_json::{Number, Value, json};
use thiserror::Error;

use super::absent::reason;
use super::condition::Condition;
use super::early::ended_early;
use super::known::{all, check_path};
use super::lost::lost;
use super::needed;
use super::path::{Found, count, find, number};
use super::unknown::unknown;
use super::verdict::{GateVerdict, Verdict};
use super::words::group;
use crate::score::bounds::Bound;

/// A condition that does not fit the report.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct GateError(String);

/// Judges each condition on each session of a report that sent a frame. A figure of the run itself is judged once.
///
/// # Errors
/// [`GateError`] if a path leads to nothing, or to something else than a number.
pub fn judge_report(report: &Value, conditions: &[Condition]) -> Result<Vec<Vec<GateVerdict>>, GateError> {
    conditions.iter().try_for_each(|condition| check_in(report, &condition.path))?;
    Ok(conditions.iter().map(|condition| judged(report, condition)).collect())
}

/// Judges a condition on a session that sent a frame.
pub(super) fn judge_session(report: &Value, session: &Value, condition: &Condition, place: &str) -> GateVerdict {
    let named = count(session, "session");
    let (node, is_of_session) = match find(session, &condition.path) {
        Found::Nothing => (report, false),
        _ => (session, true),
    };
    let why = || ended_early(report, session).or_else(|| lost(report, session, &condition.path));
    let missing = is_of_session.then(why).flatten();
    let no_data = |why: &str| {
        let what = if condition.wants_share() { "share" } else { "value" };
        let place = if place.is_empty() { " in this report" } else { place };
        let message = format!("{} has no {what}{place} ({why})", condition.path);
        GateVerdict::without_data(condition, named, message)
    };
    if let Some(why) = missing {
        return no_data(&why);
    }
    match find(node, &condition.path) {
        Found::Number(number) => compared(session, number, condition, place, is_of_session)
            .map(|verdict| GateVerdict { session: named, ..verdict })
            .unwrap_or_else(|| no_data("no frame was sent")),
        _ if is_of_session => no_data(&reason(session, &condition.path)),
        _ => no_data(&reason(&Value::Null, &condition.path)),
    }
}

/// Judges a condition on a figure that is in no report. `place` says where it is, in words.
pub(crate) fn judge_figure(condition: &Condition, value: f64, bound: Option<Bound>, place: &str) -> GateVerdict {
    let shown = format!("{}{place}", condition.shown(value));
    against(&Value::Null, condition, value, bound, &shown)
}

fn judged(report: &Value, condition: &Condition) -> Vec<GateVerdict> {
    let sessions = report["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_of_session = sessions.iter().any(|session| find(session, &condition.path) != Found::Nothing);
    let is_of_report = !is_of_session && find(report, &condition.path) != Found::Nothing;
    if is_of_report {
        return vec![judge_session(report, &json!({}), condition, "")];
    }
    let several = sessions.len() > 1;
    let sent = sessions.iter().filter(|session| count(session, "frames.sent") != Some(0));
    let judged: Vec<_> = sent
        .map(|session| {
            let number = count(session, "session").map_or_else(|| "?".into(), |number| number.to_string());
            let place = if several { format!(" in session {number}") } else { String::new() };
            judge_session(report, session, condition, &place)
        })
        .collect();
    if !judged.is_empty() {
        return judged;
    }
    let what = if condition.wants_share() { "share" } else { "value" };
    let why = if sessions.is_empty() { "no session" } else { "no frame was sent" };
    let message = format!("{} has no {what} in this report ({why})", condition.path);
    vec![GateVerdict::without_data(condition, None, message)]
}

/// Compares a figure; `None` if it is a share and no frame was sent.
fn compared(
    session: &Value,
    figure: &Number,
    condition: &Condition,
    place: &str,
    is_of_session: bool,
) -> Option<GateVerdict> {
    let value = figure.as_f64().filter(|value| value.is_finite())?;
    if condition.wants_share() {
        let sent = count(session, "frames.sent").filter(|sent| *sent > 0)?;
        let share = value / sent as f64;
        let bound = figure.as_u64().and_then(|hits| Bound::of_share(hits, sent));
        let shown = format!("{figure}, {} of {sent} frames sent{place}", condition.shown(share));
        return Some(against(session, condition, share, bound, &shown));
    }
    let bound = is_of_session.then(|| bound(session, &condition.path)).flatten();
    let whole = figure.as_u64().map(i128::from).or(figure.as_i64().map(i128::from));
    let shown = match whole.filter(|_| condition.unit.is_none()) {
        Some(whole) => format!("{whole}{place}"),
        None => format!("{}{place}", condition.shown(value)),
    };
    if let (Some(whole), None) = (whole, bound) {
        return Some(exact(condition, value, condition.holds_for_whole(whole), &shown));
    }
    Some(against(session, condition, value, bound, &shown))
}

/// Compares a figure and its bounds with the limit.
fn against(session: &Value, condition: &Condition, value: f64, bound: Option<Bound>, shown: &str) -> GateVerdict {
    let is_share = condition.unit == Some(super::condition::Unit::Percent)
        || condition.path.ends_with("_rate")
        || condition.path.ends_with("_share");
    // No number of frames can show that something never happens, or always happens.
    let is_at_the_end = is_share && !(0.0 < condition.limit() && condition.limit() < 1.0);
    let Some(bound) = bound.filter(|_| !condition.operator.is_exact() && !is_at_the_end) else {
        return exact(condition, value, condition.holds(value), shown);
    };
    let (worse, better) = if condition.operator.is_upper() { (bound.high, bound.low) } else { (bound.low, bound.high) };
    let passes = worse.is_some_and(|end| condition.holds(end)) && condition.holds(value);
    let fails = better.is_some_and(|end| !condition.holds(end)) && !condition.holds(value);
    let (verdict, needed) = match (passes, fails) {
        (true, _) => (Verdict::Pass, None),
        (false, true) => (Verdict::Fail, None),
        (false, false) => {
            let samples = if is_share {
                needed::samples_of_share(condition, value, &bound)
            } else {
                needed::samples(condition, value, &bound)
            };
            (Verdict::Inconclusive, samples.map(|samples| needed::frames(samples, session, &bound)))
        }
    };
    let mut judged = exact(condition, value, verdict != Verdict::Fail, shown);
    judged.message = match verdict {
        Verdict::Inconclusive => inconclusive(condition, &bound, shown, needed),
        _ => format!("{} ({})", judged.message, ends(condition, &bound)),
    };
    GateVerdict {
        verdict,
        low: bound.low,
        high: bound.high,
        samples: Some(bound.samples),
        frames_needed: needed,
        ..judged
    }
}

/// The verdict on a figure that is exact.
fn exact(condition: &Condition, value: f64, holds: bool, shown: &str) -> GateVerdict {
    let is = if holds { "is" } else { "is not" };
    let message = format!("{} is {shown}, which {is} {}", condition.path, condition.operator_and_limit());
    let verdict = if holds { Verdict::Pass } else { Verdict::Fail };
    GateVerdict { verdict, value: Some(value), ..GateVerdict::without_data(condition, None, message) }
}

fn inconclusive(condition: &Condition, bound: &Bound, shown: &str, needed: Option<u64>) -> String {
    let (path, limit, ends) = (&condition.path, condition.operator_and_limit(), ends(condition, bound));
    let advice = match needed {
        Some(frames) => format!("about {frames} frames would decide"),
        None => "the figure is too near to the limit for any number of frames to decide".into(),
    };
    format!("{path} is {shown} ({ends}), which does not decide {limit}: {advice}")
}

/// The bounds in words.
fn ends(condition: &Condition, bound: &Bound) -> String {
    let shown = |end: f64| condition.shown(end);
    match (bound.low, bound.high) {
        (Some(low), Some(high)) => format!("95 %: at least {}, at most {}", shown(low), shown(high)),
        (Some(low), None) => format!("95 %: at least {}", shown(low)),
        (None, Some(high)) => format!("95 %: at most {}", shown(high)),
        (None, None) => "too few frames for a bound".into(),
    }
}

/// The bounds that a session's report has for a figure.
fn bound(session: &Value, path: &str) -> Option<Bound> {
    let found = session["bounds"].get(path)?;
    let samples = count(found, "samples")?;
    Some(Bound { low: number(found, "low"), high: number(found, "high"), samples })
}

/// Checks that a path leads to a number, in this report or in any.
fn check_in(report: &Value, path: &str) -> Result<(), GateError> {
    let sessions = report["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let nodes = sessions.iter().chain([report]);
    let found = nodes.map(|node| find(node, path)).find(|found| *found != Found::Nothing);
    match found {
        Some(Found::Other(value)) => Err(GateError(no_number(path, value))),
        Some(_) => Ok(()),
        // The session that has this figure may be still to come.
        None if check_path(path, None).is_ok() => Ok(()),
        None => {
            let mut known = Vec::new();
            sessions.iter().take(1).chain([report]).for_each(|node| paths(node, "", &mut known));
            known.extend(all());
            Err(GateError(unknown(path, &known)))
        }
    }
}

/// The message for a path that leads to something else than a number.
fn no_number(path: &str, value: &Value) -> String {
    let what = match value {
        Value::Object(_) => {
            let mut inner = Vec::new();
            members(value, &format!("{path}."), &mut inner);
            return group(path, &inner);
        }
        Value::Array(_) => "a list".into(),
        other => other.to_string().replace('"', "'"),
    };
    format!("{path} is {what}; a condition compares a figure, which is a number")
}

fn members(value: &Value, start: &str, names: &mut Vec<String>) {
    names.extend(value.as_object().into_iter().flatten().map(|(name, _)| format!("{start}{name}")));
}

/// Collects the paths of all figures under a value.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(values) => values.iter().for_each(|(name, value)| {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if !matches!(inner.as_str(), "bounds" | "gates") {
                paths(value, &inner, found);
            }
        }),
        Value::Null | Value::Number(_) => found.push(path.to_owned()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(sessions: Vec<Value>) -> Value {
        json!({"schema": 1, "run": {"seed": 7, "config": {"frames": 300}}, "sessions": sessions, "sessions_omitted": 0})
    }

    fn session(number: u64) -> Value {
        let bound = |low: f64, high: f64| json!({"low": low, "high": high, "samples": 300});
        json!({
            "session": number, "task": "circle", "end": {"kind": "finished"},
            "frames": {"sent": 300, "missed": 0, "unresolved": 0, "lost_rate": 0.0},
            "error_px": {"l1": {"mean": 0.05, "max": 0.2}, "nees": null},
            "latency_us": {"p99": 19_000, "max": 25_000},
            "bounds": {
                "error_px.l1.mean": bound(0.049, 0.051),
                "latency_us.p99": json!({"low": 18_000.0, "high": null, "samples": 300}),
                "frames.lost_rate": bound(0.0, 0.0099),
            },
        })
    }

    fn judge(condition: &str) -> GateVerdict {
        let judged = judge_report(&report(vec![session(1)]), &[condition.parse().unwrap()]).unwrap();
        judged.concat().remove(0)
    }

    #[test]
    fn a_figure_with_bounds_passes_or_fails_only_with_its_bound() {
        for (condition, verdict) in [
            ("error_px.l1.mean <= 0.052", Verdict::Pass),
            ("error_px.l1.mean <= 0.051", Verdict::Pass),
            ("error_px.l1.mean < 0.051", Verdict::Inconclusive),
            ("error_px.l1.mean <= 0.0505", Verdict::Inconclusive),
            ("error_px.l1.mean <= 0.0495", Verdict::Inconclusive),
            ("error_px.l1.mean <= 0.049", Verdict::Inconclusive),
            ("error_px.l1.mean < 0.049", Verdict::Fail),
            ("error_px.l1.mean <= 0.04", Verdict::Fail),
            ("error_px.l1.mean >= 0.04", Verdict::Pass),
            ("error_px.l1.mean >= 0.0495", Verdict::Inconclusive),
            ("error_px.l1.mean >= 0.06", Verdict::Fail),
            ("latency_us.p99 <= 20ms", Verdict::Inconclusive),
            ("latency_us.p99 <= 17ms", Verdict::Fail),
            ("latency_us.p99 >= 17ms", Verdict::Pass),
        ] {
            assert_eq!(judge(condition).verdict, verdict, "{condition}: {}", judge(condition).message);
        }
    }

    #[test]
    fn counts_and_exact_figures_are_judged_as_they_are() {
        for (condition, verdict) in [
            ("frames.sent == 300", Verdict::Pass),
            ("frames.sent != 300", Verdict::Fail),
            ("frames.missed <= 0", Verdict::Pass),
            ("error_px.l1.max <= 0.2", Verdict::Pass),
            ("latency_us.max <= 24.999ms", Verdict::Fail),
            ("error_px.l1.mean == 0.05", Verdict::Pass),
            ("run.seed == 7", Verdict::Pass),
            ("sessions_omitted > 0", Verdict::Fail),
            ("frames.lost_rate <= 0%", Verdict::Pass),
            ("frames.missed <= 0%", Verdict::Pass),
        ] {
            assert_eq!(judge(condition).verdict, verdict, "{condition}");
        }
    }

    #[test]
    fn a_share_of_the_frames_is_judged_by_its_exact_binomial_bound() {
        let judged = judge("frames.missed <= 0.1%");
        assert_eq!((judged.verdict, judged.frames_needed), (Verdict::Inconclusive, Some(2_995)));
        assert_eq!(
            judged.message,
            "frames.missed is 0, 0 % of 300 frames sent (95 %: at least 0 %, at most 0.99361 %), which does not decide \
             <= 0.1 %: about 2995 frames would decide"
        );
        assert_eq!(judge("frames.missed <= 1%").verdict, Verdict::Pass);
        assert_eq!(judge("frames.lost_rate <= 0.1%").verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_figure_without_a_value_never_passes() {
        for operator in ["<", "<=", ">", ">=", "==", "!="] {
            let judged = judge(&format!("error_px.nees {operator} 1"));
            assert_eq!(judged.verdict, Verdict::NoData);
            let message = "error_px.nees has no value in this report (no frame was answered with a circle)";
            assert_eq!(judged.message, message);
        }
    }

    #[test]
    fn sessions_without_a_frame_are_not_judged_and_those_that_ended_early_have_no_data() {
        let condition = ["error_px.l1.mean <= 1".parse().unwrap()];
        let (mut empty, mut early) = (session(2), session(3));
        empty["frames"]["sent"] = 0.into();
        early["end"]["kind"] = "client_left".into();
        early["frames"]["sent"] = 7.into();
        let judged = judge_report(&report(vec![session(1), empty.clone(), early]), &condition).unwrap().concat();
        let found: Vec<_> = judged.iter().map(|judged| (judged.session, judged.verdict)).collect();
        assert_eq!(found, [(Some(1), Verdict::Pass), (Some(3), Verdict::NoData)]);
        assert!(
            judged[1].message.contains("in session 3 (the client left after 7 of 300 frames)"),
            "{}",
            judged[1].message
        );
        for sessions in [vec![], vec![empty]] {
            assert_eq!(judge_report(&report(sessions), &condition).unwrap()[0][0].verdict, Verdict::NoData);
        }
    }

    #[test]
    fn a_path_that_leads_to_no_number_is_an_error() {
        for (path, words) in [
            ("error_px.l1.maen", "the nearest are error_px.l1.mean"),
            ("error_px.l1", "is a group of 2 figures, so name one of them: error_px.l1.max, error_px.l1.mean"),
            ("task", "task is 'circle'; a condition compares a figure"),
        ] {
            let wrong =
                judge_report(&report(vec![session(1)]), &[format!("{path} <= 1").parse().unwrap()]).unwrap_err();
            assert!(wrong.to_string().contains(words), "{wrong}");
        }
        assert!(judge_report(&report(vec![]), &["error_px.l1.mean <= 1".parse().unwrap()]).is_ok());
    }
}
