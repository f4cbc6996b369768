//! The results of a server, for reports while it runs.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use server::output::report::{Report, Run, SessionReport};
use server::output::{Output, OutputError, SessionStart};
use server::score::record::FrameRecord;
use server::task::TaskName;

use crate::table::Table;

/// Maximum number of sessions, the latest ones: as many as a report file keeps.
const MAX_SESSIONS: usize = 10_000;

/// The results of a server so far, shared with the server's output.
#[derive(Clone, Debug)]
pub(crate) struct Collected(Arc<(Mutex<Results>, Condvar)>);

/// The results so far.
#[derive(Debug)]
pub(crate) struct Results {
    sessions: VecDeque<SessionReport>,
    omitted: u64,
    /// Number of sessions in progress.
    running: u64,
    pub(crate) table: Table,
}

impl Collected {
    /// Starts without results.
    pub(crate) fn new(task: TaskName) -> Self {
        let results = Results { sessions: VecDeque::new(), omitted: 0, running: 0, table: Table::new(task) };
        Self(Arc::new((Mutex::new(results), Condvar::new())))
    }

    /// The results so far.
    pub(crate) fn results(&self) -> MutexGuard<'_, Results> {
        // Each event changes the results in one step, so a panic leaves them consistent.
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits at most this long until no session is in progress. Returns whether none is.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let waited = self.0.1.wait_timeout_while(self.results(), limit, |results| results.running > 0);
        waited.is_ok_and(|(_, timeout)| !timeout.timed_out())
    }
}

impl Results {
    /// The report of the sessions that have ended.
    pub(crate) fn report(&self, run: Run) -> Report {
        Report::new(run, self.sessions.iter().cloned().collect(), self.omitted)
    }
}

impl Output for Collected {
    fn name(&self) -> String {
        "results".into()
    }

    fn started(&mut self, _: SessionStart) -> Result<(), OutputError> {
        self.results().running += 1;
        Ok(())
    }

    fn frame(&mut self, session: u64, record: &FrameRecord) -> Result<(), OutputError> {
        self.results().table.add(session, record);
        Ok(())
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        let mut results = self.results();
        if report.client.is_some() {
            results.running = results.running.saturating_sub(1);
        }
        if results.sessions.len() == MAX_SESSIONS {
            results.sessions.pop_front();
            results.omitted += 1;
        }
        results.sessions.push_back(report.clone());
        drop(results);
        self.0.1.notify_all();
        Ok(())
    }

    fn needs_every_frame(&self) -> bool {
        true
    }
}
