//! The progress line of a run.

use std::time::{Duration, Instant};

use shared::shell::status::Status;

use super::state::{Active, Goal, State};
use crate::gate::Verdict;
use crate::session::Progress;
use crate::task::Figure;

/// The line before the first session and between sessions.
const WAITING: &str = "waiting for a client";

/// Maximum number of figures of the task in a line: error and efficiency.
const FIGURES: usize = 2;

/// The line about the run at `now`.
pub(super) fn status(state: &State, now: Instant) -> Status {
    let mut active = state.active.iter();
    let (done, parts) = match (active.next(), active.next()) {
        (None, _) => (None, [waiting(state.ended)].into_iter().chain(gates(state)).collect()),
        (Some((number, session)), None) => one(*number, session, state, now),
        (Some(_), Some(_)) => (None, several(state)),
    };
    Status { done, text: parts.join(", ") }
}

fn waiting(ended: u64) -> String {
    match ended {
        0 => WAITING.into(),
        1 => format!("1 session, {WAITING}"),
        ended => format!("{ended} sessions, {WAITING}"),
    }
}

/// The line for a single session. The most important parts come first, because a terminal may be too narrow for the
/// rest.
fn one(number: u64, session: &Active, state: &State, now: Instant) -> (Option<(u64, u64)>, Vec<String>) {
    let Some(progress) = &session.progress else {
        return (None, vec![format!("session {number} begins")]);
    };
    let (goal, captured) = (state.goal, progress.captured);
    let number = if number == 1 { String::new() } else { format!("session {number}: ") };
    let of = goal.frames.map_or_else(String::new, |frames| format!("/{frames}"));
    let rate = progress.sent_fps.map(|fps| format!("{fps:.1} fps"));
    let left = left(progress, goal, now.saturating_duration_since(session.since));
    let eta = left.map(|left| format!("ETA {}", humantime::format_duration(left)));
    let lost = lost(progress.counts.lost, progress.counts.sent);
    let parts = [format!("{number}{captured}{of} frames")].into_iter().chain(rate).chain(eta).chain([lost]);
    let done = goal.frames.map(|frames| (captured, frames));
    (done, parts.chain(gates(state)).chain(figures(&progress.sums)).collect())
}

/// Sums over several sessions.
fn several(state: &State) -> Vec<String> {
    let known = || state.active.values().filter_map(|session| session.progress.as_ref());
    let captured: u64 = known().map(|progress| progress.captured).sum();
    // A sum of nothing is -0.0.
    let fps = 0.0 + known().filter_map(|progress| progress.sent_fps).sum::<f64>();
    let sum = |of: fn(&Progress) -> u64| known().map(of).sum();
    let frames = format!("{} sessions: {captured} frames", state.active.len());
    let lost = lost(sum(|progress| progress.counts.lost), sum(|progress| progress.counts.sent));
    [frames, format!("{fps:.1} fps"), lost].into_iter().chain(gates(state)).collect()
}

/// Time until the session reaches the first of its limits, in whole seconds.
fn left(progress: &Progress, goal: Goal, elapsed: Duration) -> Option<Duration> {
    let by_frames = goal.frames.zip(progress.sent_fps).and_then(|(frames, fps)| {
        let left = frames.saturating_sub(progress.captured) as f64 / fps;
        // With a rate near zero the time would be meaningless.
        Duration::try_from_secs_f64(left.ceil()).ok()
    });
    let by_time = goal.duration.map(|duration| Duration::from_secs(duration.saturating_sub(elapsed).as_secs()));
    by_frames.into_iter().chain(by_time).min()
}

/// The task's figures that have a single value, except sums, which only grow.
fn figures(sums: &[Figure]) -> Vec<String> {
    let known = sums.iter().filter(|figure| figure.values.len() == 1 && !figure.label.starts_with("Cumulative"));
    let shown = known.filter_map(|figure| Some(shown(&figure.label, figure.values.first()?.as_deref()?)));
    shown.take(FIGURES).collect()
}

/// `Mean error px`, `0.031` is `mean error 0.031 px`; `x the limit`, `1.05` is `1.05 x the limit`.
fn shown(label: &str, value: &str) -> String {
    if label.starts_with("x ") {
        return format!("{value} {label}");
    }
    let (label, unit) = match label.rsplit_once(' ') {
        Some((label, unit @ ("px" | "%" | "dB"))) => (label, format!(" {unit}")),
        _ => (label, String::new()),
    };
    let mut letters = label.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{} {value}{unit}", letters.as_str())
}

fn lost(lost: u64, sent: u64) -> String {
    match lost {
        0 => "0 lost".into(),
        _ => format!("{lost} lost ({:.1} %)", 100.0 * lost as f64 / sent.max(1) as f64),
    }
}

/// The current verdicts on the gates, the worst first.
fn gates(state: &State) -> Option<String> {
    let count = |verdict| state.gates.iter().filter(|gate| gate.verdict == verdict).count();
    let verdicts = [
        (Verdict::Fail, Verdict::Fail.describe()),
        (Verdict::NoData, Verdict::NoData.describe()),
        // More frames may decide it.
        (Verdict::Inconclusive, "open"),
        (Verdict::Pass, Verdict::Pass.describe()),
    ];
    let counted = verdicts.into_iter().map(|(verdict, what)| (count(verdict), what)).filter(|(count, _)| *count > 0);
    let counted = counted.map(|(count, what)| format!("{count} {what}")).collect::<Vec<_>>();
    (!counted.is_empty()).then(|| format!("gates: {}", counted.join(" + ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::TaskName;

    fn progress(captured: u64) -> Progress {
        let mut progress = Progress::of_nothing(TaskName::default());
        (progress.captured, progress.counts.sent, progress.sent_fps) = (captured, captured, Some(60.0));
        progress.sums = vec![
            Figure::one("Cumulative error px", Some("9".into())),
            Figure::one("Mean error px", Some("0.031".into())),
            Figure::two("Bias x, y px", [None, None]),
            Figure::one("x the limit", Some("1.05".into())),
        ];
        progress
    }

    fn state(goal: Goal, sessions: &[u64], now: Instant) -> State {
        let active = |number: &u64| (*number, Active { since: now, progress: Some(progress(600 * number)) });
        State { goal, active: sessions.iter().map(active).collect(), ..State::default() }
    }

    #[test]
    fn the_line_of_one_session_has_frames_rate_time_left_figures_and_losses() {
        let (now, goal) = (Instant::now(), Goal { frames: Some(6000), duration: None });
        let said = status(&state(goal, &[1], now), now);
        assert_eq!(said.done, Some((600, 6000)));
        let expected = "600/6000 frames, 60.0 fps, ETA 1m 30s, 0 lost, mean error 0.031 px, 1.05 x the limit";
        assert_eq!(said.text, expected);
        assert!(status(&state(goal, &[3], now), now).text.starts_with("session 3: 1800/6000 frames, "));
    }

    #[test]
    fn the_first_limit_decides_the_time_left_and_without_a_limit_no_time_is_shown() {
        let now = Instant::now();
        let both = Goal { frames: Some(6000), duration: Some(Duration::from_secs(45)) };
        assert!(status(&state(both, &[1], now), now).text.contains("ETA 45s"));
        assert!(status(&state(both, &[1], now), now + Duration::from_secs(50)).text.contains("ETA 0s"));
        let said = status(&state(Goal::default(), &[1], now), now);
        assert!(said.text.starts_with("600 frames, 60.0 fps, 0 lost, mean") && said.done.is_none(), "{said:?}");
        let mut still = state(both, &[1], now);
        still.active.values_mut().for_each(|session| session.progress.as_mut().unwrap().sent_fps = Some(0.0));
        assert!(status(&still, now).text.contains("ETA 45s"), "with a rate of 0 only the duration counts");
    }

    #[test]
    fn the_status_sums_up_several_sessions_and_without_any_waits_for_a_client() {
        let now = Instant::now();
        let mut state = state(Goal::default(), &[1, 2], now);
        state.active.values_mut().for_each(|session| session.progress.as_mut().unwrap().counts.lost = 9);
        assert_eq!(status(&state, now).text, "2 sessions: 1800 frames, 120.0 fps, 18 lost (1.0 %)");
        state.active.clear();
        assert_eq!(status(&state, now).text, "waiting for a client");
        state.ended = 2;
        assert_eq!(status(&state, now).text, "2 sessions, waiting for a client");
    }
}
