//! The table of frames: one row per frame, with the columns that all tasks share and the task's own.

use shared::time::Micros;

use crate::score::cells::{Cell, Cells, Column};
use crate::score::latency::FrameLatency;
use crate::score::record::{FrameRecord, LossCause, Outcome};
use crate::task::{LimitKind, TaskName};

/// The columns before the task's own. Only the last may be empty.
const BEFORE: [Column; 6] = [
    Column::integer("session"),
    Column::integer("frame"),
    Column::integer("source_index"),
    Column::integer("captured_us"),
    Column::word("outcome", Outcome::NAMES),
    Column::word("lost_by", LossCause::NAMES),
];

/// The columns after the task's own. All but the last are empty for a frame without an answer.
const AFTER: [Column; 7] = [
    Column::integer("latency_us"),
    Column::integer("encode_us"),
    Column::integer("to_client_us"),
    Column::integer("queue_us"),
    Column::integer("detect_us"),
    Column::integer("back_us"),
    Column::integer("warmup"),
];

/// The columns of the table of a task.
pub fn columns(task: TaskName) -> impl Iterator<Item = Column> {
    BEFORE.into_iter().chain(task.columns().all().copied()).chain(AFTER)
}

/// A frame's row: one cell for each of [`columns`].
pub fn row(task: TaskName, session: u64, record: &FrameRecord) -> impl Iterator<Item = Cell> {
    before(session, record).into_iter().chain(own(task, record)).chain(after(record))
}

/// The number of columns, the first ones, that are never empty.
pub const NEVER_EMPTY: usize = BEFORE.len() - 1;

/// A frame read back from its row: the inverse of [`row`]. Limits are of this kind. `None` if the row is not one that
/// [`row`] makes.
pub fn frame(task: TaskName, cells: &[Cell], limit: LimitKind) -> Option<(u64, FrameRecord)> {
    let columns = task.columns();
    let own = columns.truth.len() + columns.answer.len() + columns.residual.len();
    if cells.len() != BEFORE.len() + own + AFTER.len() {
        return None;
    }
    let (before, cells) = cells.split_at(BEFORE.len());
    let (truth, cells) = cells.split_at(columns.truth.len());
    let (answer, cells) = cells.split_at(columns.answer.len());
    let (residual, after) = cells.split_at(columns.residual.len());
    let &[session, id, source_index, captured, Cell::Word(outcome), lost_by] = before else { return None };
    let cause = match lost_by {
        Cell::Word(cause) => Some(cause),
        _ => None,
    };
    let outcome = Outcome::named(outcome, cause)?;
    let (&warmup, latencies) = after.split_last()?;
    let record = FrameRecord {
        id: number(id)?,
        source_index: number(source_index)?,
        captured: Micros(number(captured)?),
        truth: task.truth(truth, limit),
        outcome,
        warmup: number(warmup)? > 0,
        latency: latency(latencies),
        truth_cells: Cells::from_slice(truth),
        answer: (outcome == Outcome::Answered).then(|| Cells::from_slice(answer)),
        residual: Cells::from_slice(residual),
    };
    Some((number(session)?, record))
}

fn latency(cells: &[Cell]) -> Option<FrameLatency> {
    let [total_us, encode_us, to_client_us, queue_us, detect_us, back_us] = *cells else { return None };
    Some(FrameLatency {
        total_us: number(total_us)?,
        encode_us: number(encode_us)?,
        to_client_us: number(to_client_us),
        queue_us: number(queue_us),
        detect_us: number(detect_us),
        back_us: number(back_us),
    })
}

fn number(cell: Cell) -> Option<u64> {
    match cell {
        Cell::Integer(number) => u64::try_from(number).ok(),
        _ => None,
    }
}

fn before(session: u64, record: &FrameRecord) -> [Cell; 6] {
    let [session, id, index, captured] =
        [session, record.id, record.source_index, record.captured.0].map(|number| whole(Some(number)));
    let lost_by = match record.outcome {
        Outcome::Lost(cause) => Cell::Word(cause.name()),
        _ => Cell::Empty,
    };
    [session, id, index, captured, Cell::Word(record.outcome.name()), lost_by]
}

fn own(task: TaskName, record: &FrameRecord) -> impl Iterator<Item = Cell> {
    let columns = task.columns();
    let answer = record.answer.as_deref().unwrap_or_default();
    let groups =
        [(columns.truth, &record.truth_cells[..]), (columns.answer, answer), (columns.residual, &record.residual)];
    groups
        .into_iter()
        .flat_map(|(columns, cells)| (0..columns.len()).map(|place| cells.get(place).copied().unwrap_or(Cell::Empty)))
}

fn after(record: &FrameRecord) -> [Cell; 7] {
    let of = |us: fn(&FrameLatency) -> Option<u64>| whole(record.latency.as_ref().and_then(us));
    [
        of(|latency| Some(latency.total_us)),
        of(|latency| Some(latency.encode_us)),
        of(|latency| latency.to_client_us),
        of(|latency| latency.queue_us),
        of(|latency| latency.detect_us),
        of(|latency| latency.back_us),
        Cell::Integer(i64::from(record.warmup)),
    ]
}

/// No frame number, and no time in µs of this millennium, is above the largest `i64`.
fn whole(number: Option<u64>) -> Cell {
    number.map_or(Cell::Empty, |number| Cell::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::record;

    #[test]
    fn a_frame_of_the_warm_up_is_read_back_as_one() {
        for warmup in [false, true] {
            let kept = FrameRecord { warmup, ..record(7) };
            let cells: Vec<_> = row(TaskName::ack(), 3, &kept).collect();
            let (session, read) = frame(TaskName::ack(), &cells, LimitKind::Bound).unwrap();
            assert_eq!((session, read.warmup, read.latency), (3, warmup, kept.latency));
        }
    }

    #[test]
    fn a_row_has_a_cell_for_every_column() {
        for task in TaskName::all() {
            let (columns, cells): (Vec<_>, Vec<_>) = (columns(task).collect(), row(task, 3, &record(7)).collect());
            assert_eq!(cells.len(), columns.len(), "{task}");
            assert!(cells.iter().zip(&columns).all(|(cell, column)| cell.is_of(column.kind)), "{task}: {cells:?}");
        }
    }
}
