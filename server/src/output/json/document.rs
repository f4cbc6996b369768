//! The report's text, kept so that adding a session formats only that session.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use serde::Serialize;
use shared::json;

use crate::gate::Worst;
use crate::output::report::{Incomplete, KEPT_SESSIONS, KEPT_UNBEGUN_SESSIONS, Run, SCHEMA, SessionReport};

/// The text of a report.
#[derive(Debug)]
pub(in crate::output) struct Document {
    run: String,
    worst: Worst,
    sessions: VecDeque<Ended>,
    /// Running sessions, by their numbers.
    running: BTreeMap<u64, String>,
    omitted: u64,
    incomplete: Option<Incomplete>,
    /// How often the document was changed.
    changes: u64,
}

/// A session that has ended.
#[derive(Debug)]
struct Ended {
    text: String,
    /// Whether its client said hello.
    has_begun: bool,
}

impl Document {
    /// The report of a run without sessions.
    pub(in crate::output) fn new(run: &Run) -> io::Result<Self> {
        Ok(Self::of_text(indented(run, 1)?, Worst::new(&run.config.conditions()), 0))
    }

    /// Starts from the text of another report, with the verdicts on its gates and the number of sessions that it omits.
    pub(in crate::output) fn of_text(run: String, worst: Worst, omitted: u64) -> Self {
        let (sessions, running) = (VecDeque::new(), BTreeMap::new());
        Self { run, worst, sessions, running, omitted, incomplete: None, changes: 0 }
    }

    /// The run, as JSON.
    pub(in crate::output) fn run(&self) -> &str {
        &self.run
    }

    /// Adds a session that has ended; if there are too many, the first is removed.
    pub(in crate::output) fn add(&mut self, session: &SessionReport) -> io::Result<()> {
        let text = indented(session, 2)?;
        self.running.remove(&session.session);
        self.worst.add(&session.gates);
        let frames = &session.figures.frames;
        // Without the last report nobody knows when a client came, but frames are sent only after its hello.
        let has_begun = session.connect_us.is_some() || frames.counts.sent > 0 || frames.warmup > 0;
        if !has_begun {
            let unbegun: Vec<_> = (0..self.sessions.len()).filter(|at| !self.sessions[*at].has_begun).collect();
            if unbegun.len() == KEPT_UNBEGUN_SESSIONS {
                self.sessions.remove(unbegun[0]);
                self.omitted += 1;
            }
        }
        self.push(Ended { text, has_begun });
        Ok(())
    }

    /// Adds a session from the text of another report. Its verdicts are among those that were given to
    /// [`Self::of_text`].
    pub(in crate::output) fn add_text(&mut self, session: String) {
        self.push(Ended { text: session, has_begun: true });
    }

    fn push(&mut self, session: Ended) {
        if self.sessions.len() == KEPT_SESSIONS {
            self.sessions.pop_front();
            self.omitted += 1;
        }
        self.sessions.push_back(session);
        self.changes += 1;
    }

    /// Sets the current figures of a running session.
    pub(in crate::output) fn set_running(&mut self, session: &SessionReport) -> io::Result<()> {
        self.running.insert(session.session, indented(session, 2)?);
        self.changes += 1;
        Ok(())
    }

    /// Sets why something is missing; `None` if nothing is.
    pub(in crate::output) fn set_incomplete(&mut self, incomplete: Option<Incomplete>) {
        if self.incomplete != incomplete {
            self.incomplete = incomplete;
            self.changes += 1;
        }
    }

    /// How often the document was changed.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// The whole text: [`Report`](crate::output::report::Report) as [`json`] prints it.
    pub(in crate::output) fn text(&self) -> String {
        let length = self.run.len() + self.sessions().map(|session| session.len() + OVERHEAD_BYTES).sum::<usize>();
        let mut text = String::with_capacity(length + OVERHEAD_BYTES * 4);
        // Names, texts and numbers always have a JSON form.
        let gates = indented(&self.worst.gates(), 1).unwrap_or_else(|_| "[]".into());
        text.extend(["{\n  \"schema\": ", &SCHEMA.to_string(), ",\n  \"run\": ", &self.run]);
        text.extend([",\n  \"gates\": ", &gates, ",\n  \"sessions\": ["]);
        for (place, session) in self.sessions().enumerate() {
            text.extend([if place > 0 { "," } else { "" }, "\n    ", session]);
        }
        text.push_str(if self.sessions().next().is_none() { "]" } else { "\n  ]" });
        text.extend([",\n  \"sessions_omitted\": ", &self.omitted.to_string()]);
        // Names and numbers always have a JSON form.
        if let Some(Ok(incomplete)) = self.incomplete.as_ref().map(|incomplete| indented(incomplete, 1)) {
            text.extend([",\n  \"incomplete\": ", &incomplete]);
        }
        text.push_str("\n}\n");
        text
    }

    fn sessions(&self) -> impl Iterator<Item = &String> {
        self.sessions.iter().map(|session| &session.text).chain(self.running.values())
    }
}

/// Upper bound of the text around each session, and half of the upper bound of the text around all of them, in bytes.
const OVERHEAD_BYTES: usize = 64;

/// Prints a value indented to this depth. Strings contain no line breaks, because JSON escapes them.
pub(in crate::output) fn indented(value: &impl Serialize, depth: usize) -> io::Result<String> {
    Ok(json::to_string_pretty(value)?.replace('\n', &format!("\n{}", "  ".repeat(depth))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::{run, session};
    use crate::output::report::{IncompleteReason, Report};

    #[test]
    fn the_text_equals_the_documented_type_as_json() {
        let mut document = Document::new(&run()).unwrap();
        for count in 0..3 {
            let sessions = (1..=count).map(session).collect();
            let printed = serde_json::to_string_pretty(&Report::new(run(), sessions, 0)).unwrap() + "\n";
            assert_eq!(document.text(), printed);
            document.add(&session(count + 1)).unwrap();
        }
    }

    #[test]
    fn the_text_names_missing_frames_and_running_sessions_as_documented() {
        let mut document = Document::new(&run()).unwrap();
        let incomplete =
            Incomplete { reason: IncompleteReason::Running, not_written: 7, unknown: vec!["clock".into()] };
        document.set_incomplete(Some(incomplete.clone()));
        document.add(&session(2)).unwrap();
        document.set_running(&session(1)).unwrap();
        let report = Report::new(run(), vec![session(2), session(1)], 0).with_incomplete(incomplete);
        assert_eq!(document.text(), report.to_json().unwrap());
        document.add(&session(1)).unwrap();
        document.set_incomplete(None);
        assert_eq!(document.text(), Report::new(run(), vec![session(2), session(1)], 0).to_json().unwrap());
    }

    #[test]
    fn the_latest_sessions_are_kept_and_the_others_counted() {
        let mut document = Document::new(&run()).unwrap();
        let more = 3;
        let begun = |number| SessionReport { connect_us: Some(1000), ..session(number) };
        (1..=KEPT_SESSIONS as u64 + more).for_each(|number| document.add(&begun(number)).unwrap());
        let report: serde_json::Value = serde_json::from_str(&document.text()).unwrap();
        let sessions = report["sessions"].as_array().unwrap();
        assert_eq!((sessions.len(), &sessions[0]["session"]), (KEPT_SESSIONS, &(more + 1).into()));
        assert_eq!(report["sessions_omitted"], more);
    }

    #[test]
    fn sessions_without_a_hello_do_not_displace_the_others() {
        let mut document = Document::new(&run()).unwrap();
        let more = 3;
        document.add(&SessionReport { connect_us: Some(1000), ..session(1) }).unwrap();
        (2..=1 + KEPT_UNBEGUN_SESSIONS as u64 + more).for_each(|number| document.add(&session(number)).unwrap());
        let report: serde_json::Value = serde_json::from_str(&document.text()).unwrap();
        let sessions = report["sessions"].as_array().unwrap();
        let numbers = [0, 1].map(|place| sessions[place]["session"].as_u64());
        assert_eq!((sessions.len(), numbers), (1 + KEPT_UNBEGUN_SESSIONS, [Some(1), Some(2 + more)]));
        assert_eq!(report["sessions_omitted"], more);
    }

    #[test]
    fn a_session_that_sent_a_frame_counts_as_begun_although_nobody_knows_when() {
        let mut document = Document::new(&run()).unwrap();
        for number in 1..=KEPT_UNBEGUN_SESSIONS as u64 + 50 {
            let mut session = session(number);
            let frames = &mut session.figures.frames;
            (frames.counts.sent, frames.warmup) = if number % 2 == 0 { (1, 0) } else { (0, 1) };
            document.add(&session).unwrap();
        }
        let report: serde_json::Value = serde_json::from_str(&document.text()).unwrap();
        assert_eq!(report["sessions"].as_array().unwrap().len(), KEPT_UNBEGUN_SESSIONS + 50);
        assert_eq!(report["sessions_omitted"], 0);
    }
}
