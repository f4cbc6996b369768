//! A file that tells the truth of a source: CSV with a header, one row per frame.
//!
//! `frame,x,y,radius` is for the task `circle` (the radius may be empty), `frame,count` for the task `count`. `frame` is
//! the index at the source, from 0. Rows may come in any order; a frame without a row has no truth.

use std::io;
use std::path::Path;

use shared::bounded::{self, BoundedError};
use shared::geometry::Circle;
use shared::protocol::message::COORDINATE_LIMIT;
use shared::text::{Brief, Escaped};
use thiserror::Error;

use crate::run::say_if_slow;
use crate::task::TaskName;
use crate::truth::{Limit, Truth};

/// Size of the largest file that is read: a row of 40 bytes for each frame of 7 hours at 60 frames per second.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// How much of a value to show: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// Why the file was refused: which file, where, what was wrong and what would be right.
#[derive(Debug, Error)]
pub enum TruthError {
    /// The file cannot be read.
    #[error("--truth: \"{path}\" cannot be read ({error}): write the name of a CSV file")]
    Read {
        /// The file.
        path: String,
        /// What failed.
        error: io::Error,
    },
    /// The file is too large.
    #[error("{path} is larger than {} MiB: a file of truth has one short row per frame", MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: String,
    },
    /// The file is not text.
    #[error("{path}: line {line} is not UTF-8 text: write CSV, starting with the line {HEADERS}")]
    NotText {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
    },
    /// The first line is not a header that is known.
    #[error("{path}: line 1: \"{got}\" is not the header of a file of truth: write {HEADERS}")]
    Header {
        /// The file.
        path: String,
        /// The first line.
        got: String,
    },
    /// A row has too few or too many columns.
    #[error("{path}: line {line} has {got} columns: write {}, as the header says", header.len())]
    Columns {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// Number of its columns.
        got: usize,
        /// The header.
        header: &'static [&'static str],
    },
    /// A value is wrong.
    #[error("{path}: line {line}, column {column}: \"{got}\" is not {right}")]
    Value {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// Name of the column.
        column: &'static str,
        /// The value.
        got: String,
        /// What would be right.
        right: &'static str,
    },
    /// The system has no memory for the rows.
    #[error("{path}: there is no memory for more than {rows} rows: give this process more memory (ulimit -v)")]
    Memory {
        /// The file.
        path: String,
        /// Rows that fit.
        rows: usize,
    },
    /// A frame has two rows.
    #[error("{path}: line {line}, column frame: frame {frame} is in line {first} too: write one row per frame")]
    Twice {
        /// The file.
        path: String,
        /// The second line, from 1.
        line: u64,
        /// The frame.
        frame: u64,
        /// The first line.
        first: u64,
    },
}

/// What a coordinate is.
const COORDINATE: &str = "a number of px from -1000000 to 1000000; leave the row out if the truth is not known";

const HEADERS: &str = "frame,x,y,radius (task circle) or frame,count (task count)";

/// What a file's rows give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A circle.
    Circle,
    /// A number of balls.
    Count,
}

impl Kind {
    /// The file's header.
    pub(super) fn header(self) -> &'static [&'static str] {
        match self {
            Self::Circle => &["frame", "x", "y", "radius"],
            Self::Count => &["frame", "count"],
        }
    }

    /// The task that these rows are for.
    pub(super) fn task(self) -> TaskName {
        match self {
            Self::Circle => TaskName::default(),
            Self::Count => TaskName::count(),
        }
    }
}

/// The truth of frames by their index.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TruthFile {
    pub(super) kind: Kind,
    /// Sorted by frame.
    rows: Vec<Row>,
}

/// What a line says, in few bytes: a file may have seven million lines.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Row {
    frame: u64,
    /// x, y and radius, which is 0 if it is not known; or the number of balls.
    told: [f64; 3],
    /// The line, from 1. A file has fewer bytes than this type has numbers.
    line: u32,
}

impl Row {
    fn truth(&self, kind: Kind) -> Truth {
        let [x, y, radius] = self.told;
        match kind {
            // It was read as a `u32`.
            Kind::Count => Truth::Balls(x as u32),
            Kind::Circle if radius > 0.0 => Truth::Ball { circle: Circle { x, y, radius }, limit: Limit::Unknown },
            Kind::Circle => Truth::Centre { x, y },
        }
    }
}

impl TruthFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`TruthError`] names the first thing that is wrong.
    pub(super) fn read(path: &Path) -> Result<Self, TruthError> {
        let name = Escaped(path.display()).to_string();
        let bytes = say_if_slow(path, || bounded::read(path, MAX_FILE_BYTES)).map_err(|error| match error {
            BoundedError::Io(error) => TruthError::Read { path: name.clone(), error },
            BoundedError::TooLarge { .. } => TruthError::TooLarge { path: name.clone() },
        })?;
        parse(&name, &bytes)
    }

    /// The place of a frame's row, and its truth.
    pub(super) fn find(&self, frame: u64) -> Option<(usize, Truth)> {
        let place = self.rows.binary_search_by_key(&frame, |row| row.frame).ok()?;
        Some((place, self.rows[place].truth(self.kind)))
    }

    /// The frames that have a row, in ascending order.
    pub(super) fn frames(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().map(|row| row.frame)
    }
}

/// Checks the bytes of a file, for the fuzzer.
///
/// # Errors
/// [`TruthError`] names the first thing that is wrong.
pub(crate) fn check(bytes: &[u8]) -> Result<(), TruthError> {
    parse("it", bytes).map(drop)
}

fn parse(path: &str, bytes: &[u8]) -> Result<TruthFile, TruthError> {
    // Spreadsheets write a byte order mark.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let header = reader.records().next().transpose().map_err(|error| unreadable(path, &error))?.unwrap_or_default();
    let kind = [Kind::Circle, Kind::Count].into_iter().find(|kind| header.iter().eq(kind.header().iter().copied()));
    let got = || brief(&header.iter().collect::<Vec<_>>().join(","));
    let kind = kind.ok_or_else(|| TruthError::Header { path: path.to_owned(), got: got() })?;
    let mut rows = Vec::new();
    let read = read_rows(path, kind, reader, &mut rows);
    rows.sort_unstable_by_key(|row| (row.frame, row.line));
    let twice = rows.windows(2).filter(|pair| pair[0].frame == pair[1].frame).min_by_key(|pair| pair[1].line);
    if let Some(&[Row { line: first, .. }, Row { frame, line, .. }]) = twice {
        // It comes before whatever else is wrong, because no line after that was read.
        let (line, first) = (line.into(), first.into());
        return Err(TruthError::Twice { path: path.to_owned(), line, frame, first });
    }
    read?;
    rows.shrink_to_fit();
    Ok(TruthFile { kind, rows })
}

/// Reads the lines after the header, up to the first that is wrong.
fn read_rows(path: &str, kind: Kind, mut reader: csv::Reader<&[u8]>, rows: &mut Vec<Row>) -> Result<(), TruthError> {
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| unreadable(path, &error))? {
        let line = Line { path, line: record.position().map_or(0, csv::Position::line), kind, record: &record };
        if rows.try_reserve(1).is_err() {
            return Err(TruthError::Memory { path: path.to_owned(), rows: rows.len() });
        }
        rows.push(line.read()?);
    }
    Ok(())
}

/// One line of the file.
struct Line<'a> {
    path: &'a str,
    line: u64,
    kind: Kind,
    record: &'a csv::StringRecord,
}

impl Line<'_> {
    fn read(&self) -> Result<Row, TruthError> {
        let (path, line, header) = (self.path.to_owned(), self.line, self.kind.header());
        if self.record.len() != header.len() {
            return Err(TruthError::Columns { path, line, got: self.record.len(), header });
        }
        let frame = self.value(0, "the index of a frame, a whole number from 0", |text| text.parse().ok())?;
        let told = match self.kind {
            Kind::Circle => self.circle()?,
            Kind::Count => {
                let balls: u32 = self.value(1, "a whole number from 0", |text| text.parse().ok())?;
                [balls.into(), 0.0, 0.0]
            }
        };
        Ok(Row { frame, told, line: u32::try_from(line).unwrap_or(u32::MAX) })
    }

    /// x, y and radius, which is 0 if it is empty.
    fn circle(&self) -> Result<[f64; 3], TruthError> {
        let [x, y] = [1, 2].map(|column| self.value(column, COORDINATE, within));
        let (x, y) = (x?, y?);
        let radius = self.value(3, "a number of px over 0 and up to 1000000, nor empty", |text| match text {
            "" => Some(0.0),
            text => within(text).filter(|radius| *radius > 0.0),
        })?;
        Ok([x, y, radius])
    }

    fn value<T>(&self, column: usize, right: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, TruthError> {
        let text = self.record.get(column).unwrap_or_default();
        read(text).ok_or_else(|| TruthError::Value {
            path: self.path.to_owned(),
            line: self.line,
            column: self.kind.header()[column],
            got: brief(text),
            right,
        })
    }
}

/// A number within the limit of answers, so that errors and their squares stay finite.
fn within(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.abs() <= COORDINATE_LIMIT)
}

fn brief(text: &str) -> String {
    Brief(text, SHOWN_CHARACTERS).to_string()
}

/// The error for bytes that are not UTF-8, the only ones that the reader refuses.
fn unreadable(path: &str, error: &csv::Error) -> TruthError {
    let line = error.position().map_or(1, csv::Position::line);
    TruthError::NotText { path: path.to_owned(), line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: impl AsRef<[u8]>) -> String {
        parse("t.csv", text.as_ref()).unwrap_err().to_string()
    }

    fn truths(file: &TruthFile) -> Vec<(u64, Truth)> {
        file.rows.iter().map(|row| (row.frame, row.truth(file.kind))).collect()
    }

    #[test]
    fn circles_are_read_with_or_without_a_radius_in_any_order() {
        let file = parse("t.csv", b"\xef\xbb\xbfframe,x,y,radius\r\n7, 1.5 ,2,\r\n\r\n0,-3,4e1,\"10\"\r\n").unwrap();
        let circle = Circle { x: -3.0, y: 40.0, radius: 10.0 };
        let ball = Truth::Ball { circle, limit: Limit::Unknown };
        assert_eq!(truths(&file), [(0, ball), (7, Truth::Centre { x: 1.5, y: 2.0 })]);
        assert_eq!((file.find(7).map(|(place, _)| place), file.find(1)), (Some(1), None));
        assert_eq!(file.kind.task(), TaskName::default());
    }

    #[test]
    fn counts_are_read_and_a_header_alone_is_a_file_without_rows() {
        let file = parse("t.csv", b"frame,count\n3,0\n1,12").unwrap();
        assert_eq!(
            (truths(&file), file.kind.task()),
            (vec![(1, Truth::Balls(12)), (3, Truth::Balls(0))], TaskName::count())
        );
        assert_eq!(truths(&parse("t.csv", b"frame,count\n").unwrap()), []);
    }

    #[test]
    fn a_row_takes_forty_bytes_so_that_the_largest_file_takes_a_few_hundred_megabytes() {
        assert_eq!(size_of::<Row>(), 40);
        let mut text = String::from("frame,count\n");
        (0..100_000).rev().for_each(|frame| text += &format!("{frame},{}\n", frame % 7));
        let file = parse("t.csv", text.as_bytes()).unwrap();
        assert_eq!(file.rows.capacity(), 100_000);
        assert_eq!(file.find(99_999), Some((99_999, Truth::Balls(4))));
    }

    #[test]
    fn the_first_line_that_is_wrong_is_named_also_where_a_frame_comes_twice() {
        let line =
            |rows: &str| refused(format!("frame,count\n{rows}")).split(',').next().unwrap_or_default().to_owned();
        assert_eq!(line("1,1\n2,1\n2,1\n1,1\n"), "t.csv: line 4");
        assert_eq!(line("1,1\n1,1\n3,x\n"), "t.csv: line 3");
        assert_eq!(line("1,1\n3,x\n1,1\n"), "t.csv: line 3");
        assert!(refused("frame,count\n1,1\n3,x\n1,1\n").contains("\"x\""));
    }

    #[test]
    fn a_wrong_header_is_answered_with_the_right_ones() {
        for header in ["", "x,y", "frame,x,y", "Frame,Count", "frame;count", "0,1,2,3", "count,frame", "\0"] {
            let said = refused(format!("{header}\n0,1\n"));
            assert!(said.starts_with("t.csv: line 1: \"") && said.ends_with(&format!("write {HEADERS}")), "{said}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_by_line_and_column() {
        let circle = |row: &str| refused(format!("frame,x,y,radius\n0,1,2,3\n{row}\n"));
        for (row, column, got) in [
            ("1,NaN,2,3", "x", "NaN"),
            ("1,inf,2,3", "x", "inf"),
            ("1,2,1e999,3", "y", "1e999"),
            ("1,1e308,2,3", "x", "1e308"),
            ("1,-1000001,2,3", "x", "-1000001"),
            ("1,2,3,1e300", "radius", "1e300"),
            ("1,,2,3", "x", ""),
            ("1,2,3,0", "radius", "0"),
            ("1,2,3,-1", "radius", "-1"),
            ("-1,2,3,4", "frame", "-1"),
            ("1.5,2,3,4", "frame", "1.5"),
            ("99999999999999999999,2,3,4", "frame", "99999999999999999999"),
            ("1,2 px,3,4", "x", "2 px"),
        ] {
            let said = circle(row);
            assert!(said.starts_with(&format!("t.csv: line 3, column {column}: \"{got}\" is not ")), "{said}");
        }
        assert_eq!(circle("1,2,3"), "t.csv: line 3 has 3 columns: write 4, as the header says");
        assert_eq!(circle("1,2,3,4,5"), "t.csv: line 3 has 5 columns: write 4, as the header says");
        let said = circle("0,2,3,4");
        assert_eq!(said, "t.csv: line 3, column frame: frame 0 is in line 2 too: write one row per frame");
        let said = refused("frame,count\n0,1.5\n");
        assert_eq!(said, "t.csv: line 2, column count: \"1.5\" is not a whole number from 0");
        assert!(refused("frame,count\n0,-1\n").contains("\"-1\""));
    }

    #[test]
    fn bytes_that_are_not_text_are_named_by_line_and_control_characters_are_escaped() {
        let said = refused(b"frame,count\n0,1\n1,\xff\n");
        assert!(said.starts_with("t.csv: line 3 is not UTF-8 text"), "{said}");
        assert!(refused(b"\xff\xfe").starts_with("t.csv: line 1 is not UTF-8 text"));
        assert!(refused("frame,count\n\u{1b}[2J,1\n").contains("\"\\u{1b}[2J\""));
    }

    #[test]
    fn a_file_that_cannot_be_read_or_is_endless_is_refused() {
        let refused = |path: &str| TruthFile::read(Path::new(path)).unwrap_err().to_string();
        assert!(refused("/no/such.csv").starts_with("--truth: \"/no/such.csv\" cannot be read"));
        assert_eq!(
            refused("/dev/zero"),
            "/dev/zero is larger than 64 MiB: a file of truth has one short row per frame"
        );
    }
}
