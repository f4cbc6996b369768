//! The table of frames, column by column.

use std::collections::VecDeque;

use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyList;
use server::output::table;
use server::score::cells::{Cell, ColumnKind};
use server::score::record::FrameRecord;
use server::task::TaskName;

/// Maximum number of rows, the latest ones: some 300 MB.
pub(crate) const MAX_ROWS: usize = 1_000_000;

/// The rows of frames.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    task: TaskName,
    columns: Vec<(&'static str, Values)>,
}

/// The values of a column. A missing number is NaN, and a missing word is an empty text.
#[derive(Clone, Debug)]
enum Values {
    Words(VecDeque<&'static str>),
    Numbers(VecDeque<f64>),
}

impl Table {
    /// A table of a task, without rows.
    pub(crate) fn new(task: TaskName) -> Self {
        let values = |kind| match kind {
            ColumnKind::Word(_) => Values::Words(VecDeque::new()),
            ColumnKind::Integer | ColumnKind::Real => Values::Numbers(VecDeque::new()),
        };
        Self { task, columns: table::columns(task).map(|column| (column.name, values(column.kind))).collect() }
    }

    /// Adds a frame. If there are too many, the oldest is removed.
    pub(crate) fn add(&mut self, session: u64, record: &FrameRecord) {
        for ((_, values), cell) in self.columns.iter_mut().zip(table::row(self.task, session, record)) {
            values.add(cell);
        }
    }

    /// Names and values of the columns: lists of str, arrays of float64.
    pub(crate) fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let columns = self.columns.iter().map(|(name, values)| Ok((*name, values.to_python(py)?)));
        PyList::new(py, columns.collect::<PyResult<Vec<_>>>()?)
    }
}

impl Values {
    fn add(&mut self, cell: Cell) {
        match (self, cell) {
            (Self::Words(words), Cell::Word(word)) => add(words, word),
            (Self::Words(words), _) => add(words, ""),
            (Self::Numbers(numbers), cell) => add(numbers, cell.number().unwrap_or(f64::NAN)),
        }
    }

    fn to_python<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(match self {
            Self::Words(words) => PyList::new(py, words)?.into_any(),
            Self::Numbers(numbers) => numbers.iter().copied().collect::<Vec<_>>().into_pyarray(py).into_any(),
        })
    }
}

fn add<T>(values: &mut VecDeque<T>, value: T) {
    if values.len() == MAX_ROWS {
        values.pop_front();
    }
    values.push_back(value);
}
