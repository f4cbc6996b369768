//! Rows in the terminal: one row per frame, with the columns that the task shows, and one summary per session.
//!
//! [`Rows`] counts what the terminal did not take; its owner reports the count at the end.

use shared::shell::rows::Rows;

use super::error::OutputError;
use super::report::SessionReport;
use super::seam::Output;
use super::summary::summary;
use crate::score::cells::{Cell, Column, Heading};
use crate::score::record::{FrameRecord, Outcome};
use crate::task::TaskName;
use crate::truth::Truth;

/// How rows are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// With space between columns.
    Wide,
    /// For lines of 80 characters.
    Narrow,
}

/// Prints rows and summaries, or only summaries.
#[derive(Debug)]
pub struct RowsOutput {
    rows: Rows,
    /// Absent if only summaries are printed.
    table: Option<Table>,
}

/// The table of frames, with the columns of the run's task.
#[derive(Debug)]
struct Table {
    task: TaskName,
    form: Form,
    is_headed: bool,
}

impl RowsOutput {
    /// Prints one row per frame of this task, and summaries.
    pub fn of_frames(rows: Rows, task: TaskName) -> Self {
        let form = Form::fitting(task, rows.target().columns());
        Self { rows, table: Some(Table { task, form, is_headed: false }) }
    }

    /// Prints only summaries.
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
                self.rows.row(table.form.header(table.task));
            }
            self.rows.row(table.form.row(table.task, session, record));
        }
        Ok(())
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        self.rows.summary(summary(report));
        Ok(())
    }
}

impl Form {
    /// The wide layout if a line has room for it, else the narrow one.
    fn fitting(task: TaskName, columns: usize) -> Self {
        if Self::Wide.header(task).len() <= columns { Self::Wide } else { Self::Narrow }
    }

    /// The gap between two columns.
    fn gap(self) -> &'static str {
        match self {
            Self::Wide => "  ",
            Self::Narrow => " ",
        }
    }

    /// A column's heading and width.
    fn heading(self, heading: Heading) -> (&'static str, usize) {
        match self {
            Self::Wide => (heading.text, heading.width),
            Self::Narrow => heading.narrow,
        }
    }

    /// The columns that all tasks share: frame, latency, session.
    fn common(self) -> [(&'static str, usize); 3] {
        match self {
            Self::Wide => [("frame", 8), ("latency ms", 10), ("session", 7)],
            Self::Narrow => [("frame", 7), ("lat. ms", 8), ("session", 7)],
        }
    }

    fn header(self, task: TaskName) -> String {
        let [frame, latency, session] = self.common();
        let own = task.columns().all().filter_map(|column| column.heading).map(|heading| self.heading(heading));
        let columns = std::iter::once(frame).chain(own).chain([latency, session]);
        columns.map(|(text, width)| format!("{text:>width$}")).collect::<Vec<_>>().join(self.gap())
    }

    fn row(self, task: TaskName, session: u64, record: &FrameRecord) -> String {
        let [(_, frame_width), (_, latency_width), (_, session_width)] = self.common();
        let columns = task.columns();
        let truth = self.group(columns.truth, &record.truth_cells, truth_word(record.truth));
        let answer = self.group(columns.answer, record.answer.as_deref().unwrap_or_default(), answer_word(record));
        let residual = self.cells(columns.residual, &record.residual);
        let latency = record.latency.map_or_else(|| "-".into(), |latency| milliseconds(latency.total_us));
        let own = truth.into_iter().chain(answer).chain(residual);
        let columns = std::iter::once(format!("{:>frame_width$}", record.id)).chain(own);
        let columns = columns.chain([format!("{latency:>latency_width$}"), format!("{session:>session_width$}")]);
        columns.collect::<Vec<_>>().join(self.gap())
    }

    /// The cells of a group that are shown, or `word` across all of them if none has a value. `None` for a group that
    /// shows no columns.
    fn group(self, columns: &[Column], values: &[Cell], word: &str) -> Option<String> {
        let shown: Vec<_> = columns.iter().enumerate().filter(|(_, column)| column.heading.is_some()).collect();
        if shown.is_empty() {
            return None;
        }
        if shown.iter().any(|(place, _)| values.get(*place).is_some_and(|cell| *cell != Cell::Empty)) {
            return Some(self.cells(columns, values).collect::<Vec<_>>().join(self.gap()));
        }
        let widths = shown.iter().filter_map(|(_, column)| Some(self.heading(column.heading?).1));
        let width = widths.sum::<usize>() + (shown.len() - 1) * self.gap().len();
        Some(format!("{word:>width$}"))
    }

    fn cells<'a>(self, columns: &'a [Column], values: &'a [Cell]) -> impl Iterator<Item = String> + 'a {
        columns.iter().enumerate().filter_map(move |(place, column)| {
            let heading = column.heading?;
            let (_, width) = self.heading(heading);
            Some(format!("{:>width$}", values.get(place).copied().unwrap_or_default().rounded(heading.decimals)))
        })
    }
}

fn truth_word(truth: Truth) -> &'static str {
    match truth {
        Truth::Ball { .. } | Truth::Projected { .. } | Truth::Centre { .. } => "ball",
        Truth::Balls(_) => "balls",
        Truth::Empty => "no ball",
        Truth::Unknown => "unknown",
    }
}

/// The word for a frame whose answer shows no value: the answer's own word, else the frame's outcome.
fn answer_word(record: &FrameRecord) -> &'static str {
    let own = record.answer.iter().flatten().find_map(|cell| match cell {
        Cell::Word(word) => Some(*word),
        _ => None,
    });
    match record.outcome {
        Outcome::Answered if own == Some("none") && record.truth.ball().is_some() => "missed",
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
    fn rows_are_aligned_with_their_header() {
        let task = TaskName::default();
        let circle = Circle { x: 320.1234, y: 9.5, radius: 20.0 };
        let truth = Truth::Ball { circle, limit: Limit::Unknown };
        let found = FoundCircle { circle: Circle { x: 320.1236, ..circle }.into(), covariance: None };
        let header = Form::Wide.header(task);
        let expected =
            "   frame    actual x    actual y  estimate x  estimate y   error px  cumulative px  latency ms  session";
        assert_eq!(header, expected);
        let found = Form::Wide.row(task, 2, &scored(task, truth, &FoundCircle::write(Some(found))));
        assert_eq!(
            found,
            "       7     320.123       9.500     320.124       9.500     0.0002          0.000       0.050        2"
        );
        let none = Form::Wide.row(task, 2, &scored(task, Truth::Empty, &FoundCircle::write(None)));
        assert_eq!(none.len(), header.len());
        assert!(none.contains("no ball") && none.contains("none"), "{none}");
        let missed = Form::Wide.row(task, 2, &scored(task, truth, &FoundCircle::write(None)));
        assert!(missed.len() == header.len() && missed.contains("  missed  "), "{missed}");
        let lost = FrameRecord {
            outcome: Outcome::Lost(LossCause::Unanswered),
            answer: None,
            latency: None,
            ..scored(task, truth, &FoundCircle::write(None))
        };
        let lost = Form::Wide.row(task, 2, &lost);
        assert_eq!(lost.len(), header.len());
        assert!(lost.contains("  lost  "), "{lost}");
    }

    #[test]
    fn rows_fit_80_columns_and_have_more_room_where_there_is_more() {
        for task in TaskName::all() {
            let form = Form::fitting(task, 80);
            let header = form.header(task);
            assert!(header.len() <= 80, "{}: {header}", header.len());
            assert_eq!(form.row(task, 1, &record(7)).len(), header.len());
            assert_eq!(Form::fitting(task, 120), Form::Wide);
        }
        let circle = Circle { x: 8191.999, y: 8191.999, radius: 20.0 };
        let found = FoundCircle { circle: circle.into(), covariance: None };
        let largest = Truth::Ball { circle, limit: Limit::Unknown };
        let payload = FoundCircle::write(Some(found));
        let row = Form::Narrow.row(TaskName::default(), 9_999_999, &scored(TaskName::default(), largest, &payload));
        assert_eq!(row, "      7 8191.999 8191.999 8191.999 8191.999   0.0000     0.000    0.050 9999999");
        let header = "  frame actual x actual y estim. x estim. y error px  total px  lat. ms session";
        assert_eq!(Form::Narrow.header(TaskName::default()), header);
    }

    #[test]
    fn a_task_without_truth_has_rows_of_its_own() {
        let task = TaskName::ack();
        assert_eq!(Form::Wide.header(task), "   frame        code  latency ms  session");
        let payload = Payload::new("ack").with("code", Value::Integer(-3));
        assert_eq!(
            Form::Wide.row(task, 1, &scored(task, Truth::Unknown, &payload)),
            "       7          -3       0.050        1"
        );
        let dropped = FrameRecord { outcome: Outcome::Dropped, answer: None, ..record(7) };
        assert_eq!(Form::Wide.row(task, 1, &dropped), "       7     dropped       0.050        1");
    }
}
