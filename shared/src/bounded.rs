//! Reads files up to a limit, because a path may lead to an endless device.
//!
//! [`read`] and [`text`] limit the file. A table may have any size, so [`BoundedLines`] limits its lines, and
//! [`BoundedRows`] the rows of a CSV table, in which a quoted cell may have line breaks.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use thiserror::Error;

/// Longest line of a table, in bytes: a thousand times the longest that Plumb writes.
pub const LONGEST_LINE: usize = 1 << 20;

/// Longest piece that is read of a table at once, in bytes: less than [`LONGEST_LINE`], so that no piece holds a whole
/// line that is longer.
const PIECE: usize = 64 << 10;

/// Why a file was not read.
#[derive(Debug, Error)]
pub enum BoundedError {
    /// The system reported an error.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is larger than its limit.
    #[error("larger than {} MiB", .limit >> 20)]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
}

impl From<BoundedError> for io::Error {
    fn from(error: BoundedError) -> Self {
        match error {
            BoundedError::Io(error) => error,
            BoundedError::TooLarge { .. } => Self::new(ErrorKind::FileTooLarge, error),
        }
    }
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`BoundedError`] if the file cannot be read or is larger.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, BoundedError> {
    let mut bytes = Vec::new();
    open(path, limit)?.file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(BoundedError::TooLarge { limit }) } else { Ok(bytes) }
}

/// Reads the text of a file of at most `limit` bytes.
///
/// # Errors
/// If the file cannot be read, is larger ([`ErrorKind::FileTooLarge`]) or is not UTF-8 ([`ErrorKind::InvalidData`]).
pub fn text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// Opens a file of at most `limit` bytes.
///
/// # Errors
/// Those of [`read`]. A device has no size, so one that holds more than `limit` bytes fails only while it is read.
pub fn open(path: &Path, limit: u64) -> Result<BoundedFile, BoundedError> {
    let file = File::open(path)?;
    if file.metadata()?.len() > limit {
        return Err(BoundedError::TooLarge { limit });
    }
    Ok(BoundedFile { file, at: 0, limit })
}

/// A file that returns an error when it is read beyond its limit.
#[derive(Debug)]
pub struct BoundedFile {
    file: File,
    at: u64,
    limit: u64,
}

impl Read for BoundedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.at += read as u64;
        if self.at > self.limit {
            return Err(io::Error::other(BoundedError::TooLarge { limit: self.limit }));
        }
        Ok(read)
    }
}

impl Seek for BoundedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

/// Text of any length that returns an error at a line of more than [`LONGEST_LINE`] bytes.
#[derive(Debug)]
pub struct BoundedLines<R> {
    text: R,
    /// Bytes since the last line break.
    line: usize,
}

impl<R: Read> BoundedLines<R> {
    /// Reads this text, which begins with a line.
    pub fn new(text: R) -> Self {
        Self { text, line: 0 }
    }
}

impl<R: Read> Read for BoundedLines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(PIECE);
        let read = self.text.read(&mut buffer[..length])?;
        let piece = &buffer[..read];
        let longest = self.line + piece.iter().position(|byte| *byte == b'\n').unwrap_or(read);
        self.line = match piece.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => read - last - 1,
            None => longest,
        };
        if longest > LONGEST_LINE {
            let wrong = format!("it has a line of more than {} MiB", LONGEST_LINE >> 20);
            return Err(io::Error::new(ErrorKind::FileTooLarge, wrong));
        }
        Ok(read)
    }
}

/// A CSV table of any length that returns an error at a row of more than [`LONGEST_LINE`] bytes.
#[derive(Debug)]
pub struct BoundedRows<R> {
    text: R,
    at: Place,
    /// Bytes since the last row.
    row: usize,
}

/// Where in a row of a CSV table a byte is (RFC 4180, as the `csv` crate reads it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// In quotes.
    Quoted,
    /// Behind a quote that ends the cell, or is one half of a quote in it.
    Behind,
}

impl Place {
    /// The place of the next byte, and whether this byte ends the row.
    fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Quoted, b'"') => (Self::Behind, false),
            (Self::Quoted, _) | (Self::Start | Self::Behind, b'"') => (Self::Quoted, false),
            (_, b'\n' | b'\r') => (Self::Start, true),
            (_, b',') => (Self::Start, false),
            _ => (Self::Plain, false),
        }
    }
}

impl<R: Read> BoundedRows<R> {
    /// Reads this table, which begins with a row.
    pub fn new(text: R) -> Self {
        Self { text, at: Place::Start, row: 0 }
    }
}

impl<R: Read> Read for BoundedRows<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(PIECE);
        let read = self.text.read(&mut buffer[..length])?;
        for byte in &buffer[..read] {
            let (at, is_end) = self.at.after(*byte);
            (self.at, self.row) = (at, if is_end { 0 } else { self.row + 1 });
            if self.row > LONGEST_LINE {
                let size = LONGEST_LINE >> 20;
                let wrong = match at {
                    Place::Quoted => {
                        format!("it has a row of more than {size} MiB: is the quote of a cell not closed?")
                    }
                    _ => format!("it has a line of more than {size} MiB"),
                };
                return Err(io::Error::new(ErrorKind::FileTooLarge, wrong));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn file(bytes: u64) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![7; bytes as usize]).unwrap();
        file
    }

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        assert_eq!(read(file(5_000).path(), 5_000).unwrap(), [7; 5_000]);
        assert!(matches!(read(file(5_001).path(), 5_000), Err(BoundedError::TooLarge { limit: 5_000 })));
        assert!(matches!(read(Path::new("/no/such/file"), 5_000), Err(BoundedError::Io(_))));
    }

    #[test]
    fn an_endless_device_ends_at_the_bound() {
        let refused = read(Path::new("/dev/zero"), 3 << 20).unwrap_err();
        assert_eq!(refused.to_string(), "larger than 3 MiB");
        let refused = text(Path::new("/dev/zero"), 3 << 20).unwrap_err();
        assert_eq!((refused.kind(), refused.to_string()), (ErrorKind::FileTooLarge, "larger than 3 MiB".into()));
        let mut opened = open(Path::new("/dev/zero"), 3 << 20).unwrap();
        let error = io::copy(&mut opened, &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "larger than 3 MiB");
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_ends_at_the_bound() {
        let mut growing = file(10);
        let mut opened = open(growing.path(), 20).unwrap();
        growing.write_all(&[8; 30]).unwrap();
        assert!(io::copy(&mut opened, &mut io::sink()).is_err());
        assert_eq!(opened.seek(SeekFrom::Start(15)).unwrap(), 15);
        let mut few = [0; 5];
        opened.read_exact(&mut few).unwrap();
        assert_eq!(few, [8; 5]);
    }

    #[test]
    fn a_text_that_is_not_utf_8_is_refused() {
        let mut file = file(0);
        file.write_all("\u{e9}".as_bytes()).unwrap();
        assert_eq!(text(file.path(), 5).unwrap(), "\u{e9}");
        file.write_all(b"\xff").unwrap();
        assert_eq!(text(file.path(), 5).unwrap_err().to_string(), "it is not UTF-8 text");
    }

    #[test]
    fn a_line_without_an_end_ends_at_the_bound() {
        let (mut endless, mut taken) = (BoundedLines::new(File::open("/dev/zero").unwrap()), Vec::new());
        let error = endless.read_to_end(&mut taken).unwrap_err();
        assert_eq!(error.to_string(), "it has a line of more than 1 MiB");
        assert!((LONGEST_LINE - PIECE..=LONGEST_LINE).contains(&taken.len()), "{}", taken.len());
    }

    #[test]
    fn a_quoted_cell_without_an_end_ends_at_the_bound() {
        for endless in [&b"\n"[..], b"\"\"\n", b",\r\n"] {
            let text = b"frame,note\n1,\"".chain(io::Cursor::new(endless.repeat(LONGEST_LINE)));
            let error = BoundedRows::new(text).read_to_end(&mut Vec::new()).unwrap_err().to_string();
            assert_eq!(error, "it has a row of more than 1 MiB: is the quote of a cell not closed?");
        }
        let error = BoundedRows::new(File::open("/dev/zero").unwrap()).read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "it has a line of more than 1 MiB");
        // Closed quotes, and quotes within a cell, do not reach over the rows.
        for row in ["\"a\nb\",2\n", "5\" disc,2\n", "\"\"\"a\"\"\",\"\"\r\n"] {
            let text = row.repeat(2 * LONGEST_LINE / row.len());
            let mut taken = String::new();
            BoundedRows::new(text.as_bytes()).read_to_string(&mut taken).unwrap();
            assert!(taken == text, "{row}");
        }
    }

    proptest! {
        #[test]
        fn rows_end_where_the_csv_crate_ends_them(text in "[a,\"\n\r]{0,40}") {
            let mut starts = vec![0];
            let mut at = Place::Start;
            for (place, byte) in text.bytes().enumerate() {
                let (next, is_end) = at.after(byte);
                at = next;
                starts.extend(is_end.then_some(place as u64 + 1));
            }
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            for record in reader.byte_records() {
                let start = record.unwrap().position().unwrap().byte();
                prop_assert!(starts.contains(&start), "{start} in {starts:?}");
            }
        }
    }

    proptest! {
        // Each text takes some megabytes.
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_text_is_read_unchanged_if_no_line_is_too_long(
            lines in prop::collection::vec(prop_oneof![0..200_usize, LONGEST_LINE - 2..LONGEST_LINE + 3], 0..5),
            step in 1..200_000_usize,
        ) {
            let written: Vec<_> = lines.iter().map(|line| "a".repeat(*line)).collect();
            let written = written.join("\n");
            let mut reader = BoundedLines::new(written.as_bytes());
            let (mut taken, mut buffer) = (Vec::new(), vec![0; step.max(500)]);
            let outcome = loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break Ok(()),
                    Ok(read) => taken.extend_from_slice(&buffer[..read]),
                    Err(error) => break Err(error),
                }
            };
            prop_assert_eq!(outcome.is_ok(), lines.iter().all(|line| *line <= LONGEST_LINE));
            prop_assert!(outcome.is_err() || taken == written.as_bytes());
        }
    }
}
