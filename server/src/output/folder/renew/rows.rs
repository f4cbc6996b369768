//! Reads the rows of `frames.csv`.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use csv::{Reader, StringRecord};
use shared::bounded::{BoundedRows, LONGEST_LINE};
use shared::text::Brief;

use super::error::RenewError;
use super::possible::is_possible;
use crate::output::table;
use crate::score::cells::{Cell, Column};
use crate::score::record::FrameRecord;
use crate::task::{LimitKind, TaskName};

/// Size of the steps in which the end of the last whole row is searched, in bytes: more than a row takes.
const STEP: u64 = 4096;

/// Maximum number of characters of a wrong name that an error repeats.
const SHOWN_CHARACTERS: usize = 40;

/// Where the whole rows of a file end. Behind them may be a row that was torn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    whole: u64,
    length: u64,
}

impl Extent {
    /// Finds the last line break of the file.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self { whole: whole_rows(&mut file, length)?, length })
    }

    /// Number of bytes of the torn row.
    pub(super) fn torn_bytes(self) -> u64 {
        self.length - self.whole
    }

    /// Cuts off the torn row. Called once every whole row was read: what is no table of frames stays as it is.
    pub(super) fn cut(self, path: &Path) -> io::Result<()> {
        if self.torn_bytes() > 0 {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(self.whole)?;
            file.sync_all()?;
        }
        Ok(())
    }
}

/// Where the last line break of the file ends.
fn whole_rows(file: &mut File, length: u64) -> io::Result<u64> {
    let mut end = length;
    while end > 0 {
        // After a power cut, blocks of zeros may follow the last row: far fewer than this.
        if length - end > LONGEST_LINE as u64 {
            let wrong = format!("its last {} MiB have no line break", LONGEST_LINE >> 20);
            return Err(io::Error::new(ErrorKind::InvalidData, wrong));
        }
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
    /// Its line in the file, from 1.
    pub(super) line: u64,
    pub(super) session: u64,
    pub(super) record: FrameRecord,
}

/// The rows of a file, in order.
pub(super) struct Rows {
    path: PathBuf,
    task: TaskName,
    limit: LimitKind,
    columns: Vec<Column>,
    /// The field of each column; none if the build that wrote the file did not have the column yet.
    fields: Vec<Option<usize>>,
    reader: Reader<BufReader<BoundedRows<Take<File>>>>,
    record: StringRecord,
}

impl Rows {
    /// Opens the file, whose header must be one that this or an earlier build wrote for the task. A torn last row is
    /// left out.
    pub(super) fn open(path: &Path, extent: Extent, task: TaskName, limit: LimitKind) -> Result<Self, RenewError> {
        let failed = |error| RenewError::Io { path: path.into(), error };
        let file = File::open(path).map_err(failed)?;
        let whole = BoundedRows::new(file.take(extent.whole));
        let reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(whole));
        let columns = table::columns(task).collect();
        let (fields, record) = (Vec::new(), StringRecord::new());
        let mut rows = Self { path: path.into(), task, limit, columns, fields, reader, record };
        // A run that broke off at once has no header, or a torn one.
        let header = if extent.whole > 0 { rows.read_header() } else { rows.torn_header().map(|()| Vec::new()) };
        rows.fields = header.map_err(|wrong| rows.wrong(1, &wrong))?;
        Ok(rows)
    }

    /// Checks that a file without a line break begins like a header.
    fn torn_header(&self) -> Result<(), String> {
        // A header is shorter than this.
        let mut begun = Vec::new();
        let read = File::open(&self.path).and_then(|file| file.take(STEP).read_to_end(&mut begun));
        read.map_err(|error| error.to_string())?;
        let begun = String::from_utf8_lossy(&begun);
        let mut names: Vec<_> = begun.split(',').collect();
        let last = names.pop().unwrap_or_default();
        let is_known = |name: &str| self.columns.iter().any(|column| column.name == name);
        let is_begun = self.columns.iter().any(|column| column.name.starts_with(last));
        match names.into_iter().find(|name| !is_known(name)).or(Some(last).filter(|_| !is_begun)) {
            Some(unknown) => Err(not_a_column(unknown)),
            None => Ok(()),
        }
    }

    /// Finds the columns by name. Columns are never removed, but later builds add some to the truth.
    fn read_header(&mut self) -> Result<Vec<Option<usize>>, String> {
        let header = self.reader.headers().map_err(|error| error.to_string())?;
        if let Some(unknown) = header.iter().find(|name| self.columns.iter().all(|column| column.name != *name)) {
            return Err(not_a_column(unknown));
        }
        let may_be_missing = self.task.columns().truth;
        let field = |column: &Column| match header.iter().position(|name| name == column.name) {
            None if !may_be_missing.contains(column) => Err(format!("it lacks the column {}", column.name)),
            field => Ok(field),
        };
        self.columns.iter().map(field).collect()
    }

    /// The error for a row.
    pub(super) fn wrong(&self, line: u64, wrong: &str) -> RenewError {
        RenewError::Row { path: self.path.clone(), line, task: self.task.name(), wrong: wrong.to_owned() }
    }

    fn row(&self) -> Result<Row, String> {
        let width = self.fields.iter().flatten().count();
        if self.record.len() != width {
            return Err(format!("it has {} fields instead of {width}", self.record.len()));
        }
        let cells = self.fields.iter().zip(&self.columns).map(|(field, column)| {
            let text = field.and_then(|field| self.record.get(field)).unwrap_or_default();
            let cell = Cell::read(text, column.kind).filter(|cell| is_possible(column, *cell));
            cell.ok_or_else(|| format!("its {} is not a value of that column", column.name))
        });
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        match table::frame(self.task, &cells, self.limit) {
            Some((session, record)) => {
                Ok(Row { line: self.record.position().map_or(0, csv::Position::line), session, record })
            }
            None => Err("session, frame, outcome and warmup do not go together".into()),
        }
    }
}

fn not_a_column(name: &str) -> String {
    format!("it has the column {}, which this version does not know", Brief(name, SHOWN_CHARACTERS))
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
        let extent = Extent::of(&path).unwrap();
        extent.cut(&path).unwrap();
        (extent.torn_bytes(), std::fs::read_to_string(path).unwrap())
    }

    fn opened(path: &Path, task: TaskName) -> Result<Rows, RenewError> {
        Rows::open(path, Extent::of(path).unwrap(), task, LimitKind::Bound)
    }

    #[test]
    fn a_file_without_a_line_break_is_a_torn_header_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        let header = table::columns(TaskName::ack()).map(|column| column.name).collect::<Vec<_>>().join(",");
        for end in 0..=header.len() {
            std::fs::write(&path, &header[..end]).unwrap();
            assert_eq!(opened(&path, TaskName::ack()).unwrap().count(), 0, "{}", &header[..end]);
        }
        let binary = [&b"\x7fELF\x02"[..], &[0xff; 10_000]].concat();
        for other in [&binary[..], b"a note", b"session,frames", b"session,,", b"1"] {
            std::fs::write(&path, other).unwrap();
            let said = opened(&path, TaskName::ack()).err().unwrap().to_string();
            assert!(said.contains("line 1") && said.contains("does not know") && said.len() < 300, "{said}");
        }
    }

    #[test]
    fn a_torn_last_row_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        let header = table::columns(TaskName::ack()).map(|column| column.name).collect::<Vec<_>>().join(",");
        std::fs::write(&path, format!("{header}\n1,0,0,0,dropped,,,,,,,,,0\n1,1,0,0,dro")).unwrap();
        let rows: Vec<_> = opened(&path, TaskName::ack()).unwrap().map(|row| row.unwrap().session).collect();
        assert_eq!(rows, [1]);
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
    fn a_file_that_ends_in_a_terabyte_without_a_line_break_is_refused_soon() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "a,b\n1,2\n").unwrap();
        file.as_file().set_len(1 << 40).unwrap();
        let said = Extent::of(file.path()).unwrap_err().to_string();
        assert_eq!(said, "its last 1 MiB have no line break");
    }

    #[test]
    fn a_wrong_row_is_named_by_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        let columns: Vec<_> = table::columns(TaskName::ack()).map(|column| column.name).collect();
        let said = |row: &str| {
            std::fs::write(&path, format!("{}\n1,0,0,0,dropped,,,,,,,,,0\n{row}\n", columns.join(","))).unwrap();
            let rows = opened(&path, TaskName::ack()).unwrap();
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
    fn a_table_of_an_earlier_build_is_read_without_the_columns_that_were_added_to_its_truth() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        let task = TaskName::default();
        let (early, late) = task.columns().truth.split_at(5);
        assert!(!late.is_empty());
        let columns = table::columns(task).filter(|column| !late.contains(column));
        let columns: Vec<_> = columns.map(|column| column.name).collect();
        let truth = ["ball", "320.5", "240.25", "20", "0.0139"];
        let value = |name: &str| match early.iter().position(|column| column.name == name) {
            Some(at) => truth[at],
            None if name == "outcome" => "dropped",
            None if ["session", "frame", "source_index", "captured_us", "warmup"].contains(&name) => "0",
            None => "",
        };
        let row: Vec<_> = columns.iter().map(|name| value(name)).collect();
        std::fs::write(&path, format!("{}\n{}\n", columns.join(","), row.join(","))).unwrap();
        let rows = opened(&path, task).unwrap();
        let rows: Vec<_> = rows.map(|row| row.unwrap().record).collect();
        let (ball, _) = rows[0].truth.ball().unwrap();
        assert_eq!((rows.len(), ball.x, ball.y), (1, 320.5, 240.25));
        assert_eq!(rows[0].truth_cells.len(), task.columns().truth.len());
    }

    #[test]
    fn a_table_of_another_task_or_of_a_later_build_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.csv");
        let refused = |header: &str| {
            std::fs::write(&path, format!("{header}\n")).unwrap();
            opened(&path, TaskName::ack()).err().unwrap().to_string()
        };
        let said = refused("session,frame");
        assert!(said.contains("line 1") && said.contains("it lacks the column source_index"), "{said}");
        let said = refused("session,frame,truth\u{7}");
        assert!(said.contains("it has the column truth\\u{7}, which this version does not know"), "{said}");
    }
}
