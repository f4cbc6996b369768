//! Reads the rows of `frames.csv`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use csv::{Reader, StringRecord};

use super::error::RenewError;
use crate::output::table;
use crate::score::cells::{Cell, Column};
use crate::score::record::FrameRecord;
use crate::task::{LimitKind, TaskName};

/// Size of the steps in which the end of the last whole row is searched, in bytes: more than a row takes.
const STEP: u64 = 4096;

/// Cuts off an incomplete row after the last line break. Returns its number of bytes.
pub(super) fn cut_torn(path: &Path) -> io::Result<u64> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let length = file.metadata()?.len();
    let whole = whole_rows(&mut file, length)?;
    if whole < length {
        file.set_len(whole)?;
        file.sync_all()?;
    }
    Ok(length - whole)
}

/// Where the last line break of the file ends.
fn whole_rows(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take(end - start).read_to_end(&mut bytes)?;
        if let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// A row: a frame of a session.
pub(super) struct Row {
    pub(super) session: u64,
    pub(super) record: FrameRecord,
}

/// The rows of a file, in order.
pub(super) struct Rows {
    path: PathBuf,
    task: TaskName,
    limit: LimitKind,
    columns: Vec<Column>,
    reader: Reader<BufReader<File>>,
    record: StringRecord,
}

impl Rows {
    /// Opens the file, whose header must be that of the task.
    pub(super) fn open(path: &Path, task: TaskName, limit: LimitKind) -> Result<Self, RenewError> {
        let failed = |error| RenewError::Io { path: path.into(), error };
        let file = File::open(path).map_err(failed)?;
        let is_empty = file.metadata().map_err(failed)?.len() == 0;
        let reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(file));
        let columns: Vec<_> = table::columns(task).collect();
        let mut rows = Self { path: path.into(), task, limit, columns, reader, record: StringRecord::new() };
        // A run that broke off at once has no header.
        if !is_empty {
            rows.check_header()?;
        }
        Ok(rows)
    }

    fn check_header(&mut self) -> Result<(), RenewError> {
        let is_ours = match self.reader.headers() {
            Ok(header) => header.iter().eq(self.columns.iter().map(|column| column.name)),
            Err(_) => false,
        };
        if is_ours { Ok(()) } else { Err(self.wrong(1, "it has other columns")) }
    }

    fn wrong(&self, line: u64, wrong: &str) -> RenewError {
        RenewError::Row { path: self.path.clone(), line, task: self.task.name(), wrong: wrong.to_owned() }
    }

    fn row(&self) -> Result<Row, String> {
        if self.record.len() != self.columns.len() {
            return Err(format!("it has {} fields instead of {}", self.record.len(), self.columns.len()));
        }
        let fields = self.record.iter().zip(&self.columns);
        let cells = fields.map(|(text, column)| {
            Cell::read(text, column.kind).ok_or_else(|| format!("its {} is not a value of that column", column.name))
        });
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        match table::frame(self.task, &cells, self.limit) {
            Some((session, record)) => Ok(Row { session, record }),
            None => Err("session, frame, outcome and warmup do not go together".into()),
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row, RenewError>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.reader.read_record(&mut self.record);
        let line = self.record.position().map_or(0, csv::Position::line);
        match read {
            Ok(false) => None,
            Ok(true) => Some(self.row().map_err(|wrong| self.wrong(line, &wrong))),
            Err(error) => Some(Err(self.wrong(self.reader.position().line(), &error.to_string()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(content: &str) -> (u64, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        std::fs::write(&path, content).unwrap();
        let torn = cut_torn(&path).unwrap();
        (torn, std::fs::read_to_string(path).unwrap())
    }

    #[test]
    fn a_torn_last_row_is_cut_off_and_whole_rows_stay() {
        assert_eq!(cut("a,b\n1,2\n3"), (1, "a,b\n1,2\n".into()));
        assert_eq!(cut("a,b\n1,2\n"), (0, "a,b\n1,2\n".into()));
        assert_eq!(cut("a,"), (2, String::new()));
        assert_eq!(cut(""), (0, String::new()));
        let long = "7".repeat(3 * STEP as usize);
        assert_eq!(cut(&format!("a\n{long}")), (long.len() as u64, "a\n".into()));
    }

    #[test]
    fn a_wrong_row_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        let columns: Vec<_> = table::columns(TaskName::ack()).map(|column| column.name).collect();
        let said = |row: &str| {
            std::fs::write(&path, format!("{}\n1,0,0,0,dropped,,,,,,,,,0\n{row}\n", columns.join(","))).unwrap();
            let rows = Rows::open(&path, TaskName::ack(), LimitKind::Bound).unwrap();
            rows.map(|row| row.map(|row| row.session)).last().unwrap().map_err(|wrong| wrong.to_string())
        };
        assert_eq!(said("2,0,0,0,dropped,,,,,,,,,0").unwrap(), 2);
        for (row, wrong) in [
            ("1,0", "it has 2 fields instead of 14"),
            ("1,0,0,0,eaten,,,,,,,,,0", "its outcome is not a value of that column"),
            ("1,0,0,0,lost,,,,,,,,,0", "session, frame, outcome and warmup do not go together"),
            ("1,-1,0,0,dropped,,,,,,,,,0", "session, frame, outcome and warmup do not go together"),
            ("1,0,0,0,dropped,,,,,,,,,", "session, frame, outcome and warmup do not go together"),
            ("1,0,0,x,dropped,,,,,,,,,0", "its captured_us is not a value of that column"),
        ] {
            let said = said(row).unwrap_err();
            assert!(said.contains("line 3 is not a row of the task ack") && said.contains(wrong), "{row}: {said}");
        }
    }

    #[test]
    fn a_table_of_another_task_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        std::fs::write(&path, "session,frame\n").unwrap();
        let refused = Rows::open(&path, TaskName::ack(), LimitKind::Bound).err().unwrap().to_string();
        assert!(refused.contains("line 1") && refused.contains("it has other columns"), "{refused}");
    }
}
