//! Rows in the terminal: a row a frame, in the columns the task shows, and a summary a session.
//!
//! What the terminal did not take is counted by [`Rows`], whose owner says so at the end.

use shared::shell::rows::Rows;

use super::error::OutputError;
use super::report::SessionReport;
use super::seam::Output;
use super::summary::summary;
use crate::score::cells::{Cell, Column};
use crate::score::record::{FrameRecord, Outcome};
use crate::task::TaskName;
use crate::truth::Truth;

/// Between two columns.
const GAP: &str = "  ";

/// Prints rows, or summaries alone.
#[derive(Debug)]
pub struct RowsOutput {
    rows: Rows,
    /// Absent where only summaries are printed.
    table: Option<Table>,
}

/// The rows of a run's task.
#[derive(Debug)]
struct Table {
    task: TaskName,
    is_headed: bool,
}

impl RowsOutput {
    /// Prints a row a frame of this task, and summaries.
    pub fn of_frames(rows: Rows, task: TaskName) -> Self {
        Self { rows, table: Some(Table { task, is_headed: false }) }
    }

    /// Prints summaries alone.
    pub fn of_summaries(rows: Rows) -> Self {
        Self { rows, table: None }
    }
}

impl Output for RowsOutput {
    fn name(&self) -> String {
        "rows".into()
    }

    fn frame(&mut self, session: u64, record: &FrameRecord) -> Result<(), OutputError> {
        if let Some(table) = &mut self.table {
            if !std::mem::replace(&mut table.is_headed, true) {
                self.rows.row(header(table.task));
            }
            self.rows.row(row(table.task, session, record));
        }
        Ok(())
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        self.rows.summary(summary(report));
        Ok(())
    }
}

fn header(task: TaskName) -> String {
    let headings = task.columns().all().filter_map(|column| column.heading);
    let own = headings.map(|heading| format!("{:>width$}", heading.text, width = heading.width));
    let columns = std::iter::once(format!("{:>8}", "frame")).chain(own);
    let columns = columns.chain([format!("{:>10}", "latency ms"), format!("{:>7}", "session")]);
    columns.collect::<Vec<_>>().join(GAP)
}

fn row(task: TaskName, session: u64, record: &FrameRecord) -> String {
    let columns = task.columns();
    let truth = group(columns.truth, &record.truth_cells, truth_word(record.truth));
    let answer = group(columns.answer, record.answer.as_deref().unwrap_or_default(), answer_word(record));
    let residual = cells(columns.residual, &record.residual);
    let latency = record.latency.map_or_else(|| "-".into(), |latency| milliseconds(latency.total_us));
    let own = truth.into_iter().chain(answer).chain(residual);
    let columns = std::iter::once(format!("{:>8}", record.id)).chain(own);
    let columns = columns.chain([format!("{latency:>10}"), format!("{session:>7}")]);
    columns.collect::<Vec<_>>().join(GAP)
}

/// The shown cells of a group; a word across all of them where none has a value. Nothing for a group that shows none.
fn group(columns: &[Column], values: &[Cell], word: &str) -> Option<String> {
    let shown: Vec<_> = columns.iter().enumerate().filter(|(_, column)| column.heading.is_some()).collect();
    if shown.is_empty() {
        return None;
    }
    if shown.iter().any(|(place, _)| values.get(*place).is_some_and(|cell| *cell != Cell::Empty)) {
        return Some(cells(columns, values).collect::<Vec<_>>().join(GAP));
    }
    let widths = shown.iter().filter_map(|(_, column)| Some(column.heading?.width));
    let width = widths.sum::<usize>() + (shown.len() - 1) * GAP.len();
    Some(format!("{word:>width$}"))
}

fn cells<'a>(columns: &'a [Column], values: &'a [Cell]) -> impl Iterator<Item = String> + 'a {
    columns.iter().enumerate().filter_map(move |(place, column)| {
        let heading = column.heading?;
        let text = values.get(place).copied().unwrap_or_default().rounded(heading.decimals);
        Some(format!("{text:>width$}", width = heading.width))
    })
}

fn truth_word(truth: Truth) -> &'static str {
    match truth {
        Truth::Ball { .. } => "ball",
        Truth::Empty => "no ball",
        Truth::Unknown => "unknown",
    }
}

/// What to say of a frame whose answer shows no value: the answer's own word, else what became of the frame.
fn answer_word(record: &FrameRecord) -> &'static str {
    let own = record.answer.iter().flatten().find_map(|cell| match cell {
        Cell::Word(word) => Some(*word),
        _ => None,
    });
    match record.outcome {
        Outcome::Answered if own == Some("none") && matches!(record.truth, Truth::Ball { .. }) => "missed",
        Outcome::Answered => own.unwrap_or("answered"),
        other => other.name(),
    }
}

fn milliseconds(us: u64) -> String {
    format!("{:.3}", us as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use shared::geometry::Circle;
    use shared::protocol::message::{FoundCircle, Payload, Value};

    use super::*;
    use crate::output::report::tests::record;
    use crate::score::record::LossCause;
    use crate::truth::Limit;

    fn scored(task: TaskName, truth: Truth, payload: &Payload<'_>) -> FrameRecord {
        let mut scorer = task.scorer();
        let answer = scorer.read(payload).unwrap();
        let scored = scorer.score(truth, Outcome::Answered, Some(&answer));
        FrameRecord { truth, truth_cells: scored.truth, answer: Some(answer), residual: scored.residual, ..record(7) }
    }

    #[test]
    fn rows_stand_under_their_header() {
        let task = TaskName::default();
        let circle = Circle { x: 320.1234, y: 9.5, radius: 20.0 };
        let truth = Truth::Ball { circle, limit: Limit::Unknown };
        let found = FoundCircle { circle: Circle { x: 320.1236, ..circle }, covariance: None };
        let header = header(task);
        let expected =
            "   frame    actual x    actual y  estimate x  estimate y   error px  cumulative px  latency ms  session";
        assert_eq!(header, expected);
        let found = row(task, 2, &scored(task, truth, &FoundCircle::write(Some(found))));
        assert_eq!(
            found,
            "       7     320.123       9.500     320.124       9.500     0.0002          0.000       0.050        2"
        );
        let none = row(task, 2, &scored(task, Truth::Empty, &FoundCircle::write(None)));
        assert_eq!(none.len(), header.len());
        assert!(none.contains("no ball") && none.contains("none"), "{none}");
        let missed = row(task, 2, &scored(task, truth, &FoundCircle::write(None)));
        assert!(missed.len() == header.len() && missed.contains("  missed  "), "{missed}");
        let lost = FrameRecord {
            outcome: Outcome::Lost(LossCause::Unanswered),
            answer: None,
            latency: None,
            ..scored(task, truth, &FoundCircle::write(None))
        };
        let lost = row(task, 2, &lost);
        assert_eq!(lost.len(), header.len());
        assert!(lost.contains("  lost  "), "{lost}");
    }

    #[test]
    fn a_task_without_truth_has_rows_of_its_own() {
        let task = TaskName::ack();
        assert_eq!(header(task), "   frame        code  latency ms  session");
        let payload = Payload::new("ack").with("code", Value::Integer(-3));
        assert_eq!(row(task, 1, &scored(task, Truth::Unknown, &payload)), "       7          -3       0.050        1");
        let dropped = FrameRecord { outcome: Outcome::Dropped, answer: None, ..record(7) };
        assert_eq!(row(task, 1, &dropped), "       7     dropped       0.050        1");
    }
}
