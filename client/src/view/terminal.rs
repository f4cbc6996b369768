//! Prints one row per frame, then a summary.

use shared::shell::rows::Rows;

use crate::pipeline::Answers;
use crate::session::Detection;
use crate::tally::Tally;
use crate::view::seam::{View, Views};

/// Prints the rows.
#[derive(Debug)]
pub struct TerminalView {
    rows: Rows,
    headed: bool,
    /// Number of the session, where there may be several.
    session: Option<u64>,
}

impl TerminalView {
    /// Creates a view that prints into `rows`.
    pub fn new(rows: Rows) -> Self {
        Self { rows, headed: false, session: None }
    }

    /// Adds the session's column to a row, where there may be several sessions.
    fn with_session(&self, row: String, session: impl FnOnce(u64) -> String) -> String {
        match self.session {
            Some(number) => format!("{row}  {:>7}", session(number)),
            None => row,
        }
    }
}

impl Views for Rows {
    fn of(&self, session: u64) -> Box<dyn View> {
        Box::new(TerminalView { session: Some(session), ..TerminalView::new(self.clone()) })
    }
}

impl View for TerminalView {
    fn detected(&mut self, detection: &Detection, tally: &Tally) {
        if !self.headed {
            self.headed = true;
            self.rows.row(self.with_session(header(tally.answers()), |_| "session".into()));
        }
        self.rows.row(self.with_session(row(detection, tally.answers()), |number| number.to_string()));
    }

    fn ended(&mut self, tally: &Tally) {
        self.rows.summary(summary(tally, self.session));
    }
}

/// The summary of a session, with its number where there may be several.
pub(super) fn summary(tally: &Tally, session: Option<u64>) -> String {
    session.map_or_else(|| tally.to_string(), |number| format!("session {number}: {tally}"))
}

fn header(answers: &dyn Answers) -> String {
    format!("   frame  {}", answers.header())
}

fn row(detection: &Detection, answers: &dyn Answers) -> String {
    let answer = answers.row(&detection.payload);
    if detection.payload.is_dropped() {
        // No pipeline processed it, so there is no time to show.
        return format!("{:>8}  {answer}", detection.frame);
    }
    let work_ms = detection.finished.since(detection.started) as f64 / 1e3;
    format!("{:>8}  {answer}  {work_ms:>9.3}", detection.frame)
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::protocol::message::{FoundCircle, Payload, Value};
    use shared::time::Micros;

    use super::*;
    use crate::pipeline::PipelineChoice;

    fn answers(task: &str) -> &'static dyn Answers {
        PipelineChoice::auto().for_task(task).expect("a pipeline").answers()
    }

    fn detection(payload: Payload<'static>) -> Detection {
        Detection { frame: 7, received: Micros(0), started: Micros(100), finished: Micros(350), payload }
    }

    #[test]
    fn rows_are_aligned_with_their_header() {
        let (answers, circle) = (answers("circle"), Circle { x: 320.1234, y: 9.5, radius: 20.0 });
        let row = |payload| row(&detection(payload), answers);
        let found = row(FoundCircle::write(Some(FoundCircle { circle: circle.into(), covariance: None })));
        assert_eq!(header(answers), "   frame  estimate x  estimate y    radius  detect ms");
        assert_eq!(found, "       7     320.123       9.500    20.000      0.250");
        assert_eq!(found.len(), header(answers).len());
        assert_eq!(row(FoundCircle::write(None)).len(), header(answers).len());
        assert_eq!(row(Payload::dropped()), format!("       7  {:>32}", "dropped"));
    }

    #[test]
    fn answers_of_other_pipelines_have_rows_too() {
        let answers = answers("ack");
        let row = |payload| row(&detection(payload), answers);
        let acknowledged = row(Payload::new("ack").with("code", Value::Integer(0)));
        assert_eq!(header(answers), "   frame                    answer  answer ms");
        assert_eq!(acknowledged, "       7                ack code 0      0.250");
        assert_eq!(row(Payload::dropped()), "       7                   dropped");
    }
}
