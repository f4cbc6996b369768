//! Chooses how people follow a run: in rows, in a line at the bottom of their terminal, or in the log.

use std::sync::Arc;

use shared::shell::rows::Target;
use shared::shell::status::StatusLine;
use shared::shell::window::Place;

use crate::cli::Local;
use crate::gate::Judge;
use crate::metrics::Metrics;
use crate::output::Output;
use crate::output::progress::gates::StandingGates;
use crate::output::progress::{Form, Goal, ProgressOutput, Shared, Ticker};
use crate::run::RunSpec;

/// How people follow a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Live {
    /// Whether a row is printed for each frame.
    pub(super) frames: bool,
    /// The form of the progress, if it is shown.
    form: Option<Form>,
}

impl Live {
    /// Chooses by this machine's options and terminals. `rows` is where rows would go.
    pub(super) fn of(local: &Local, rows: Target, place: Place, is_quiet: bool) -> Self {
        let has_line = StatusLine::is_possible() && !is_quiet;
        Self::fitting(local.rows, rows.is_terminal(), has_line, place)
    }

    /// Rows and a line do not share a terminal. If stdout is redirected, rows go there.
    fn fitting(asks_for_rows: bool, rows_to_terminal: bool, has_line: bool, place: Place) -> Self {
        if place == Place::Window {
            return Self { frames: false, form: None };
        }
        let frames = asks_for_rows || !rows_to_terminal || !has_line;
        let form = match (has_line, frames && rows_to_terminal) {
            (true, false) => Some(Form::Line),
            (_, true) => None,
            (false, false) => Some(Form::Log),
        };
        Self { frames, form }
    }

    /// The outputs that show the progress of the run.
    pub(super) fn outputs(self, spec: &RunSpec, judge: &Arc<Judge>, metrics: &Arc<Metrics>) -> Vec<Box<dyn Output>> {
        let progress = Shared::new(Goal::of(spec));
        let mut outputs: Vec<Box<dyn Output>> = Vec::new();
        if !judge.is_idle() {
            metrics.judged(&judge.verdicts());
            outputs.push(Box::new(StandingGates::new(judge.clone(), metrics.clone(), progress.clone())));
        }
        if let Some(form) = self.form {
            let ticker = Ticker::start(form, progress.clone());
            outputs.push(Box::new(ProgressOutput::new(progress, ticker)));
        }
        outputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_a_line_and_everything_else_gets_rows() {
        let live = |rows, terminal, line| Live::fitting(rows, terminal, line, Place::Rows);
        assert_eq!(live(false, true, true), Live { frames: false, form: Some(Form::Line) });
        assert_eq!(live(true, true, true), Live { frames: true, form: None });
        assert_eq!(live(false, false, true), Live { frames: true, form: Some(Form::Line) }, "rows in a file");
        assert_eq!(live(false, false, false), Live { frames: true, form: Some(Form::Log) });
        assert_eq!(live(false, true, false), Live { frames: true, form: None }, "TERM=dumb, --quiet or 2> log");
        let beside_a_window = Live::fitting(true, true, true, Place::Window);
        assert_eq!(beside_a_window, Live { frames: false, form: None });
    }
}
