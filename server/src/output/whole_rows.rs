//! A file that only ever holds whole rows, and reports when somebody else cut or deleted it.

use std::fs::File;
use std::io::{self, Write};

use super::intact;
use super::place::Place;

/// Size of the gathered rows at which they are written, in bytes: about 400 rows.
const GATHERED: usize = 64 << 10;

/// Gathers rows. Each [`Write::flush`] comes between two rows and writes the gathered ones. The first write empties the
/// file.
pub(super) struct WholeRows {
    place: Place,
    gathered: Vec<u8>,
    /// Where the last whole row in the file ends; `None` before the first write.
    end: Option<u64>,
    /// Number of rows in the file, the header among them.
    rows: u64,
}

impl WholeRows {
    /// Writes rows to this file or stream.
    pub(super) fn new(place: Place) -> Self {
        Self { place, gathered: Vec::new(), end: None, rows: 0 }
    }

    /// Number of rows in the file, the header among them.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether enough rows are gathered to be written.
    pub(super) fn is_full(&self) -> bool {
        self.gathered.len() >= GATHERED
    }
}

impl Write for WholeRows {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.gathered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // Nothing was written yet, for example when the writer is dropped early: leave the file's content alone.
        if self.end.is_none() && self.gathered.is_empty() {
            return Ok(());
        }
        let written = self.put();
        // Also after a failure: these rows must not follow a gap.
        self.gathered.clear();
        written
    }
}

impl WholeRows {
    fn put(&mut self) -> io::Result<()> {
        let file = match &mut self.place {
            Place::Stream(stream) => {
                stream.write_all(&self.gathered).and_then(|()| stream.flush())?;
                self.rows += count(&self.gathered);
                return Ok(());
            }
            Place::File(file) => file,
        };
        let end = match self.end {
            Some(end) => intact::check(file, end).map(|()| end)?,
            None => file.set_len(0).map(|()| 0)?,
        };
        append(file, end, &self.gathered).inspect_err(|(_, whole)| self.rows += whole).map_err(|(error, _)| error)?;
        let end = end + self.gathered.len() as u64;
        self.rows += count(&self.gathered);
        self.end = Some(end);
        intact::check(file, end)
    }
}

/// Appends rows. If a write fails, the rows that found room stay, but no partial row does; their number is with the
/// error.
fn append(file: &mut File, end: u64, rows: &[u8]) -> Result<(), (io::Error, u64)> {
    let mut written = 0;
    while written < rows.len() {
        let error = match file.write(&rows[written..]) {
            Ok(0) => io::ErrorKind::WriteZero.into(),
            Ok(more) => {
                written += more;
                continue;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => error,
        };
        // No field contains a line break. If cutting off fails too, the first failure is the one to report.
        let whole = rows[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let _ = file.set_len(end + whole as u64);
        return Err((error, count(&rows[..whole])));
    }
    Ok(())
}

fn count(rows: &[u8]) -> u64 {
    rows.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn created(path: &std::path::Path) -> File {
        File::options().append(true).create_new(true).open(path).unwrap()
    }

    #[test]
    fn a_file_that_is_deleted_or_cut_short_is_reported_at_the_next_row() {
        type Harm = fn(&std::path::Path) -> io::Result<()>;
        let harms: [(Harm, &str); 2] =
            [(|path| std::fs::remove_file(path), "deleted"), (|path| std::fs::write(path, ""), "cut short")];
        for (harm, word) in harms {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows");
            let mut rows = WholeRows::new(Place::File(created(&path)));
            rows.write_all(b"one\n").and_then(|()| rows.flush()).unwrap();
            harm(&path).unwrap();
            let told = rows.write_all(b"two\n").and_then(|()| rows.flush()).unwrap_err().to_string();
            assert!(told.contains(word), "{told}");
        }
    }

    #[test]
    fn a_file_that_is_moved_is_still_written() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("rows"), folder.path().join("moved"));
        let mut rows = WholeRows::new(Place::File(created(&path)));
        rows.write_all(b"one\n").and_then(|()| rows.flush()).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        rows.write_all(b"two\n").and_then(|()| rows.flush()).unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\ntwo\n");
    }
}
