//! Judges the sessions of a run as they end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

use super::condition::Condition;
use super::judge::judge_session;
use super::lost::noted;
use super::verdict::{GateVerdict, Worst};
use crate::doctor;
use crate::output::report::SessionReport;
use crate::session::End;

/// The gates of a run.
#[derive(Debug)]
pub struct Judge {
    conditions: Vec<Condition>,
    /// The report without its sessions.
    report: Value,
    worst: Mutex<Worst>,
}

impl Judge {
    /// A judge with these conditions, whose paths were checked. `run` is the part of that name in the report.
    pub fn new(run: &impl Serialize, conditions: Vec<Condition>) -> Self {
        // Names, texts and numbers always have a JSON form.
        let report = json!({ "run": serde_json::to_value(run).unwrap_or_default(), "sessions_omitted": 0 });
        let worst = Mutex::new(Worst::new(&conditions));
        Self { conditions, report, worst }
    }

    /// The same judge, for sessions that broke off and lost these figures.
    #[must_use]
    pub fn without(self, lost: &[String]) -> Self {
        Self { report: noted(self.report, lost), ..self }
    }

    /// Writes the verdicts into the report of a session, and keeps the worst.
    ///
    /// A session that sent no frame, or that is still running, is not judged.
    pub fn judge(&self, session: &mut SessionReport) {
        let has_nothing = session.figures.frames.counts.sent == 0 || session.end == End::Running;
        if self.conditions.is_empty() || has_nothing {
            return;
        }
        let figures = serde_json::to_value(&*session).unwrap_or_default();
        let judged = |condition| judge_session(&self.report, &figures, condition, "");
        session.gates = self.conditions.iter().map(judged).collect();
        let gated = self.conditions.iter().map(|condition| &condition.path);
        session.warnings.extend(doctor::few(&session.figures.bounds, gated));
        self.locked().add(&session.gates);
    }

    /// The worst verdict on each gate if the running session of this report ended now.
    pub fn standing(&self, session: &SessionReport) -> Vec<GateVerdict> {
        let mut worst = self.locked().clone();
        if session.figures.frames.counts.sent > 0 {
            let figures = SessionReport { end: End::Finished, ..session.clone() };
            let figures = serde_json::to_value(figures).unwrap_or_default();
            let judged: Vec<_> =
                self.conditions.iter().map(|condition| judge_session(&self.report, &figures, condition, "")).collect();
            worst.add(&judged);
        }
        worst.gates().to_vec()
    }

    /// Whether there is nothing to judge.
    pub fn is_idle(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The worst verdict on each gate.
    pub fn verdicts(&self) -> Vec<GateVerdict> {
        self.locked().gates().to_vec()
    }

    fn locked(&self) -> MutexGuard<'_, Worst> {
        // The verdicts of a session are added in one step.
        self.worst.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Verdict;
    use crate::output::report::tests::{run, session};

    fn judge(conditions: &[&str]) -> Judge {
        Judge::new(&run(), conditions.iter().map(|condition| condition.parse().unwrap()).collect())
    }

    #[test]
    fn a_run_without_gates_judges_nothing() {
        let (judge, mut session) = (judge(&[]), session(1));
        session.figures.frames.counts.sent = 300;
        judge.judge(&mut session);
        assert!(session.gates.is_empty() && judge.verdicts().is_empty());
    }

    #[test]
    fn a_session_without_a_frame_leaves_the_gates_without_data() {
        let (judge, mut session) = (judge(&["frames.lost == 0"]), session(1));
        judge.judge(&mut session);
        assert!(session.gates.is_empty());
        assert_eq!(judge.verdicts()[0].verdict, Verdict::NoData);
        session.figures.frames.counts.sent = 300;
        judge.judge(&mut session);
        assert_eq!((session.gates[0].verdict, session.gates[0].session), (Verdict::Pass, Some(1)));
        assert_eq!(judge.verdicts(), session.gates);
    }

    #[test]
    fn a_running_session_is_judged_and_nothing_is_kept() {
        let (judge, mut session) = (judge(&["frames.lost == 0"]), session(1));
        session.end = End::Running;
        assert_eq!(judge.standing(&session)[0].verdict, Verdict::NoData);
        session.figures.frames.counts.sent = 300;
        assert_eq!(judge.standing(&session)[0].verdict, Verdict::Pass);
        session.figures.frames.counts.lost = 1;
        assert_eq!(judge.standing(&session)[0].verdict, Verdict::Fail);
        assert_eq!(judge.verdicts()[0].verdict, Verdict::NoData);
    }

    #[test]
    fn a_figure_that_is_lost_never_passes() {
        let conditions = ["frames.skipped == 0", "bytes.frames_wire <= 10", "frames.sent == 300"];
        let conditions = conditions.iter().map(|condition| condition.parse().unwrap()).collect();
        // All frames that were asked for were sent, so the session did not end early.
        let judge = Judge::new(&json!({"config": {"frames": 300}}), conditions);
        let judge = judge.without(&["frames.skipped".into(), "bytes".into()]);
        let mut session = session(1);
        session.end = End::BrokenOff;
        session.figures.frames.counts.sent = 300;
        judge.judge(&mut session);
        let verdicts: Vec<_> = session.gates.iter().map(|gate| (gate.verdict, gate.value)).collect();
        assert_eq!(verdicts, [(Verdict::NoData, None), (Verdict::NoData, None), (Verdict::Pass, Some(300.0))]);
        assert!(session.gates[0].message.contains("lost when the run broke off"), "{}", session.gates[0].message);
    }
}
