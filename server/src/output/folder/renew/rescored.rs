//! Scores rows again: what a row says of its frame's error must follow from its truth and its answer.

use crate::score::cells::{Cell, Column};
use crate::score::record::FrameRecord;
use crate::task::{Scorer, TaskName};

/// The column of the error that is summed.
const ERROR: &str = "l1";

/// The beginning of columns that depend on earlier rows, some of which may be missing.
const CUMULATIVE: &str = "cumulative_";

/// The scorer of a table's rows.
#[derive(Debug)]
pub(super) struct Rescored {
    columns: &'static [Column],
    scorer: Box<dyn Scorer>,
}

impl Rescored {
    pub(super) fn new(task: TaskName) -> Self {
        Self { columns: task.columns().residual, scorer: task.scorer() }
    }

    /// Checks a row. Returns its error, if the task has one that is summed.
    ///
    /// # Errors
    /// The first value that does not follow from truth and answer.
    pub(super) fn check(&mut self, record: &FrameRecord) -> Result<Option<f64>, String> {
        let scored = self.scorer.score(record.truth, record.outcome, record.answer.as_deref());
        let mut error = None;
        for (place, column) in self.columns.iter().enumerate() {
            let of = |cells: &[Cell]| cells.get(place).copied().unwrap_or(Cell::Empty);
            let (kept, follows) = (of(&record.residual), of(&scored.residual));
            if kept != follows && !column.name.starts_with(CUMULATIVE) {
                return Err(format!(
                    "its {} is {}, and its truth and answer give {}",
                    column.name,
                    shown(kept),
                    shown(follows)
                ));
            }
            if column.name == ERROR {
                error = kept.number();
            }
        }
        Ok(error)
    }
}

fn shown(cell: Cell) -> String {
    match cell.number() {
        Some(number) => shared::text::Figure(number).to_string(),
        None => "empty".into(),
    }
}
