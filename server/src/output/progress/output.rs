//! Keeps the state of the sessions for the thread that shows it.

use std::time::Instant;

use super::state::{Active, Shared};
use super::ticker::Ticker;
use crate::output::error::OutputError;
use crate::output::report::SessionReport;
use crate::output::seam::{Output, SessionStart};
use crate::session::Progress;

/// Passes progress to the [`Ticker`] that shows it.
#[derive(Debug)]
pub struct ProgressOutput {
    shared: Shared,
    /// Absent once the run is over.
    ticker: Option<Ticker>,
}

impl ProgressOutput {
    /// Shows the state in `shared` until the run is over.
    pub fn new(shared: Shared, ticker: Ticker) -> Self {
        Self { shared, ticker: Some(ticker) }
    }
}

impl Output for ProgressOutput {
    fn name(&self) -> String {
        "progress".into()
    }

    fn started(&mut self, start: SessionStart) -> Result<(), OutputError> {
        self.shared.locked().active.insert(start.session, Active { since: Instant::now(), progress: None });
        Ok(())
    }

    fn progress(&mut self, session: u64, progress: &Progress) -> Result<(), OutputError> {
        if let Some(active) = self.shared.locked().active.get_mut(&session) {
            active.progress = Some(progress.clone());
        }
        Ok(())
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        let mut state = self.shared.locked();
        let was_active = state.active.remove(&report.session).is_some();
        state.ended += u64::from(was_active);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        // Removes the line before the program prints its summary.
        self.ticker = None;
        Ok(())
    }

    fn wants_progress(&self) -> bool {
        true
    }
}
