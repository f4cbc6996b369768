//! Tells the pages what happens in the sessions.

use std::sync::Arc;

use super::Pages;
use crate::output::report::SessionReport;
use crate::output::{Output, OutputError, Picture, SessionStart};
use crate::score::record::FrameRecord;

/// The pages' output, on the outputs' thread.
#[derive(Debug)]
pub struct PagesOutput(Arc<Pages>);

impl PagesOutput {
    /// Tells these pages.
    pub fn new(pages: Arc<Pages>) -> Self {
        Self(pages)
    }
}

impl Output for PagesOutput {
    fn name(&self) -> String {
        "pages".into()
    }

    fn started(&mut self, start: SessionStart) -> Result<(), OutputError> {
        self.0.change(|state| state.started(start.session));
        Ok(())
    }

    fn picture(&mut self, session: u64, id: u64, picture: &Picture) -> Result<(), OutputError> {
        if self.0.watched.shows(session) {
            // Shown once the frame's outcome is final.
            self.0.state().picture(session, id, picture.clone());
        }
        Ok(())
    }

    fn frame(&mut self, session: u64, record: &FrameRecord) -> Result<(), OutputError> {
        if self.0.watched.shows(session) {
            self.0.change(|state| state.frame(session, record));
        }
        Ok(())
    }

    fn running(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        if self.0.watched.shows(report.session) {
            self.0.change(|state| state.running(report));
        }
        Ok(())
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        self.0.change(|state| state.ended(report));
        Ok(())
    }
}
