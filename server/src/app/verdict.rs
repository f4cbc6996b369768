//! The exit code of a run: reports everything that went wrong and picks one code for it.

use std::io;

use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use tracing::error;

use crate::gate::{GateVerdict, Verdict};
use crate::output::report::SessionReport;
use crate::run::RunSpec;
use crate::serve::{Ended, Served};
use crate::session::End;

/// The result of a run.
pub(super) struct RunResult {
    /// The result of serving.
    pub(super) served: io::Result<Served>,
    /// Whether every output has everything; if not, that was already reported.
    pub(super) all_written: bool,
    /// How the client of `--loopback` failed, if it did; it has reported that itself.
    pub(super) client_failed: Option<Exit>,
    /// The worst verdict on each gate.
    pub(super) gates: Vec<GateVerdict>,
    /// Whether an inconclusive gate counts as failed.
    pub(super) strict: bool,
}

impl RunResult {
    /// The result of a run that was stopped before it served.
    pub(super) fn stopped_early() -> Self {
        let served = Ok(Served { ended: Ended::Stopped, sessions: 0, source_failures: 0, faults: 0 });
        Self { served, all_written: true, client_failed: None, gates: Vec::new(), strict: false }
    }
}

/// Whether a run has only one session.
pub(super) fn is_once(spec: &RunSpec) -> bool {
    spec.delivered.once || spec.delivered.loopback
}

/// Reports what went wrong in a run and returns its exit code.
pub(super) fn exit(spec: &RunSpec, ran: &RunResult) -> Exit {
    let finished =
        matches!(&ran.served, Ok(Served { ended: Ended::Once(session), .. }) if session.end == End::Finished);
    // A session that finished has lost nothing, whatever happened to the client afterwards.
    let client = ran.client_failed.filter(|_| !finished);
    let known = client.into_iter().chain((!ran.all_written).then_some(Exit::Other));
    let reasons = reasons(spec, ran);
    reasons.iter().for_each(|(_, reason)| error!("{reason}"));
    Exit::of(known.chain(reasons.iter().map(|(exit, _)| *exit)))
}

/// What went wrong in a run and was not reported yet.
fn reasons(spec: &RunSpec, ran: &RunResult) -> Vec<(Exit, String)> {
    let served = match &ran.served {
        Ok(served) => served,
        Err(wrong) => return vec![(Exit::Other, format!("cannot start a thread: {}", with_advice(wrong)))],
    };
    let ended = match &served.ended {
        Ended::Once(session) => shortfall(spec, session).map(|reason| (Exit::NoPeer, reason)),
        Ended::NobodyCame(limit) => {
            let limit = humantime::format_duration(*limit);
            Some((Exit::NoPeer, format!("no client said hello within {limit} (--wait)")))
        }
        Ended::NotReached(wrong) => Some((Exit::NoPeer, wrong.clone())),
        // A server for many clients succeeds even if none came.
        Ended::Stopped if is_once(spec) && served.sessions == 0 && ran.client_failed.is_none() => {
            Some((Exit::NoPeer, "stopped before there was a session".into()))
        }
        // The fault is reported below.
        Ended::Lost | Ended::Stopped => None,
    };
    let failures = served.source_failures;
    let judged = ran.gates.iter().filter_map(|gate| gate_reason(gate, ran.strict));
    let source = (failures > 0).then(|| (Exit::Other, format!("the source failed in {failures} session(s)")));
    let faults = served.faults;
    let wrong = || format!("a fault of Plumb ended {faults} connection(s), as the log says: please report it");
    let fault = (faults > 0).then(|| (Exit::Other, wrong()));
    ended.into_iter().chain(source).chain(fault).chain(judged).collect()
}

/// How a gate ends the run with exit code 1, if it does.
fn gate_reason(gate: &GateVerdict, strict: bool) -> Option<(Exit, String)> {
    let session = gate.session.map_or_else(String::new, |session| format!(" in session {session}"));
    let what = match gate.verdict {
        Verdict::NoData => "has no data",
        Verdict::Inconclusive => "is inconclusive, and --strict asks for a decision",
        Verdict::Pass | Verdict::Fail => "failed",
    };
    let reason = || format!("the gate {} {what}{session}: {}", gate.condition, gate.message);
    gate.verdict.fails(strict).then(|| (Exit::GateFailed, reason()))
}

/// How a run's only session fell short of what was asked for; `None` if it did not. A session that was stopped did not
/// fall short, because somebody asked for its end.
fn shortfall(spec: &RunSpec, session: &SessionReport) -> Option<String> {
    let (counts, why) = (session.figures.frames.counts, session.end.describe());
    // In an interrupted session, the outcome of the frames in flight is unknown.
    let done = (counts.sent + session.figures.frames.warmup).saturating_sub(counts.unresolved);
    let is_source_over = session.source.as_ref().is_some_and(|source| source.ran_out);
    match (&session.end, spec.sent.frames, spec.sent.duration) {
        // After the end of a run, no session is still running.
        (End::Running | End::BrokenOff, ..) => None,
        // The failure of a source is reported separately.
        (End::Stopped | End::SourceFailed { .. }, ..) => None,
        (End::Finished, Some(asked), _) if done >= asked.get() => None,
        // The limit that is reached first ends a session, unless its source ends before.
        (End::Finished, asked, Some(duration)) if is_source_over => {
            let of_asked = asked.map_or_else(String::new, |asked| format!(" of {asked}"));
            let duration = humantime::format_duration(duration);
            Some(format!("{done}{of_asked} frames, but not for {duration}: the source has no more"))
        }
        (End::Finished, Some(asked), None) => Some(format!("{done} of {asked} frames: the source has no more")),
        (End::Finished, ..) => None,
        (_, Some(asked), _) if done < asked.get() => Some(format!("{done} of {asked} frames: {why}")),
        (_, None, Some(duration)) => {
            Some(format!("{done} frames, but not for {}: {why}", humantime::format_duration(duration)))
        }
        (End::ClientGone { .. } | End::Rejected { .. }, ..) => Some(why),
        (End::ClientLeft { .. }, ..) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::output::report::SourceReport;
    use crate::output::report::tests::session;

    fn spec(frames: Option<u64>, duration: Option<Duration>) -> RunSpec {
        let mut spec = crate::options::defaults::<RunSpec>();
        spec.sent.frames = frames.and_then(std::num::NonZeroU64::new);
        spec.sent.duration = duration;
        spec.delivered.once = true;
        spec
    }

    fn nothing_judged() -> RunResult {
        RunResult::stopped_early()
    }

    fn once(end: End, sent: u64, unresolved: u64) -> Ended {
        let mut session = session(1);
        session.end = end;
        session.figures.frames.counts.sent = sent;
        session.figures.frames.counts.unresolved = unresolved;
        Ended::Once(Box::new(session))
    }

    fn code(spec: &RunSpec, ended: Ended) -> Exit {
        let served = Served { sessions: 0, source_failures: 0, faults: 0, ended };
        exit(spec, &RunResult { served: Ok(served), all_written: true, client_failed: None, ..nothing_judged() })
    }

    fn left() -> End {
        End::ClientLeft { reason: String::new() }
    }

    #[test]
    fn fewer_frames_than_asked_for_are_a_failure() {
        let asked = spec(Some(600), None);
        assert_eq!(code(&asked, once(left(), 7, 0)), Exit::NoPeer);
        assert_eq!(code(&asked, once(left(), 600, 1)), Exit::NoPeer, "one was not answered yet");
        assert_eq!(code(&asked, once(left(), 600, 0)), Exit::Fine);
        assert_eq!(code(&asked, once(End::Finished, 600, 0)), Exit::Fine);
        assert_eq!(code(&asked, once(End::Finished, 40, 0)), Exit::NoPeer, "the source has no more");
        assert_eq!(code(&asked, once(End::Stopped, 7, 1)), Exit::Fine, "somebody wished so");
    }

    #[test]
    fn less_time_than_asked_for_is_a_failure() {
        let asked = spec(None, Some(Duration::from_secs(10)));
        assert_eq!(code(&asked, once(left(), 7, 0)), Exit::NoPeer);
        assert_eq!(code(&asked, once(End::Finished, 600, 0)), Exit::Fine);
        let either = spec(Some(600), Some(Duration::from_secs(1)));
        assert_eq!(code(&either, once(End::Finished, 60, 0)), Exit::Fine, "the time was over first");
    }

    #[test]
    fn a_source_that_ends_before_any_limit_is_a_failure() {
        let second = Some(Duration::from_secs(1));
        for (frames, duration, code_of_ten) in [
            (Some(600), second, Exit::NoPeer),
            (None, second, Exit::NoPeer),
            (Some(600), None, Exit::NoPeer),
            (Some(10), second, Exit::Fine),
            (None, None, Exit::Fine),
        ] {
            let Ended::Once(mut session) = once(End::Finished, 10, 0) else { unreachable!("it is the only session") };
            session.source = Some(SourceReport {
                read: 10,
                late: None,
                passed_over: 0,
                broken: 0,
                decode_us: crate::score::latency::Percentiles::default(),
                device: None,
                ran_out: true,
            });
            let spec = spec(frames, duration);
            let said = shortfall(&spec, &session);
            assert_eq!(code(&spec, Ended::Once(session)), code_of_ten, "{frames:?} {duration:?}");
            assert!(said.is_none_or(|said| said.ends_with("the source has no more")));
        }
    }

    #[test]
    fn a_client_may_leave_a_run_that_asks_for_no_end() {
        let endless = spec(None, None);
        assert_eq!(code(&endless, once(left(), 7, 0)), Exit::Fine);
        assert_eq!(code(&endless, once(End::ClientGone { reason: "silence".into() }, 7, 0)), Exit::NoPeer);
    }

    #[test]
    fn a_stop_before_the_only_session_is_a_failure_and_one_after_it_is_a_success() {
        let stopped = |spec: &RunSpec, sessions| {
            let served = Served { ended: Ended::Stopped, sessions, source_failures: 0, faults: 0 };
            exit(spec, &RunResult { served: Ok(served), all_written: true, client_failed: None, ..nothing_judged() })
        };
        let mut spec = spec(Some(600), None);
        assert_eq!((stopped(&spec, 0), stopped(&spec, 1)), (Exit::NoPeer, Exit::Fine));
        spec.delivered.once = false;
        assert_eq!(stopped(&spec, 0), Exit::Fine, "a server of many serves whoever comes");
    }

    #[test]
    fn another_failure_takes_precedence_over_a_lost_client() {
        let spec = spec(Some(600), None);
        let served = Served { ended: once(left(), 7, 0), sessions: 1, source_failures: 0, faults: 0 };
        let ran = RunResult { served: Ok(served.clone()), all_written: false, client_failed: None, ..nothing_judged() };
        assert_eq!(exit(&spec, &ran), Exit::Other);
        let served = Ok(Served { source_failures: 1, ..served });
        assert_eq!(
            exit(
                &spec,
                &RunResult { served, all_written: true, client_failed: Some(Exit::NoPeer), ..nothing_judged() }
            ),
            Exit::Other
        );
        let gone = Ended::NobodyCame(Duration::from_secs(1));
        assert_eq!(code(&spec, gone), Exit::NoPeer);
    }

    #[test]
    fn a_session_that_a_fault_of_ours_ended_is_a_failure_of_the_run() {
        let served = Served { ended: Ended::Stopped, sessions: 3, source_failures: 0, faults: 1 };
        let ran = RunResult { served: Ok(served), ..nothing_judged() };
        assert_eq!(exit(&spec(None, None), &ran), Exit::Other);
        let served = Served { ended: Ended::Lost, sessions: 0, source_failures: 0, faults: 1 };
        let ran = RunResult { served: Ok(served), ..nothing_judged() };
        assert_eq!(exit(&spec(Some(3), None), &ran), Exit::Other);
    }
}
