//! The report's text, kept so that adding a session formats only that session.

use std::collections::VecDeque;
use std::io;

use serde::Serialize;

use crate::gate::Worst;
use crate::output::report::{KEPT_SESSIONS, Run, SCHEMA, SessionReport};

/// The text of a report.
#[derive(Debug)]
pub(super) struct Document {
    run: String,
    worst: Worst,
    sessions: VecDeque<String>,
    omitted: u64,
}

impl Document {
    /// The report of a run without sessions.
    pub(super) fn new(run: &Run) -> io::Result<Self> {
        let worst = Worst::new(&run.config.conditions());
        Ok(Self { run: indented(run, 1)?, worst, sessions: VecDeque::new(), omitted: 0 })
    }

    /// Adds a session; if there are too many, the first is removed.
    pub(super) fn add(&mut self, session: &SessionReport) -> io::Result<()> {
        let text = indented(session, 2)?;
        if self.sessions.len() == KEPT_SESSIONS {
            self.sessions.pop_front();
            self.omitted += 1;
        }
        self.sessions.push_back(text);
        self.worst.add(&session.gates);
        Ok(())
    }

    /// Number of sessions that have ended.
    pub(super) fn ended(&self) -> u64 {
        self.sessions.len() as u64 + self.omitted
    }

    /// The whole text: [`Report`](crate::output::report::Report) as `serde_json` prints it.
    pub(super) fn text(&self) -> String {
        let length = self.run.len() + self.sessions.iter().map(|session| session.len() + OVERHEAD_BYTES).sum::<usize>();
        let mut text = String::with_capacity(length + OVERHEAD_BYTES * 2);
        // Names, texts and numbers always have a JSON form.
        let gates = indented(&self.worst.gates(), 1).unwrap_or_else(|_| "[]".into());
        text.extend(["{\n  \"schema\": ", &SCHEMA.to_string(), ",\n  \"run\": ", &self.run]);
        text.extend([",\n  \"gates\": ", &gates, ",\n  \"sessions\": ["]);
        for (place, session) in self.sessions.iter().enumerate() {
            text.extend([if place > 0 { "," } else { "" }, "\n    ", session]);
        }
        text.push_str(if self.sessions.is_empty() { "]" } else { "\n  ]" });
        text.extend([",\n  \"sessions_omitted\": ", &self.omitted.to_string(), "\n}\n"]);
        text
    }
}

/// Upper bound of the text around each session, and half of the upper bound of the text around all of them, in bytes.
const OVERHEAD_BYTES: usize = 64;

/// Prints a value indented to this depth. Strings contain no line breaks, because JSON escapes them.
fn indented(value: &impl Serialize, depth: usize) -> io::Result<String> {
    Ok(serde_json::to_string_pretty(value)?.replace('\n', &format!("\n{}", "  ".repeat(depth))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::Report;
    use crate::output::report::tests::{run, session};

    #[test]
    fn the_text_is_that_of_the_documented_type() {
        let mut document = Document::new(&run()).unwrap();
        for count in 0..3 {
            let sessions = (1..=count).map(session).collect();
            let printed = serde_json::to_string_pretty(&Report::new(run(), sessions, 0)).unwrap() + "\n";
            assert_eq!(document.text(), printed);
            document.add(&session(count + 1)).unwrap();
        }
    }

    #[test]
    fn the_latest_sessions_are_kept_and_the_others_counted() {
        let mut document = Document::new(&run()).unwrap();
        let more = 3;
        (1..=KEPT_SESSIONS as u64 + more).for_each(|number| document.add(&session(number)).unwrap());
        let report: serde_json::Value = serde_json::from_str(&document.text()).unwrap();
        let sessions = report["sessions"].as_array().unwrap();
        assert_eq!((sessions.len(), &sessions[0]["session"]), (KEPT_SESSIONS, &(more + 1).into()));
        assert_eq!(report["sessions_omitted"], more);
    }
}
