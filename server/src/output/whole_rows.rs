//! A file that holds whole rows alone, and notices when it is none any more.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use super::place::Place;

/// Rows gathered at most before they are written, in bytes: some 400.
const GATHERED: usize = 64 << 10;

/// Gathers rows; each [`Write::flush`] stands between two of them and writes what there is. What was in a file before
/// goes with the first of them.
pub(super) struct WholeRows {
    place: Place,
    gathered: Vec<u8>,
    /// Where the last whole row of a file ends; `None` before the first.
    end: Option<u64>,
}

impl WholeRows {
    /// Rows for this place.
    pub(super) fn new(place: Place) -> Self {
        Self { place, gathered: Vec::new(), end: None }
    }

    /// Whether as much is gathered as should be.
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
        // Nobody has written yet: so it is when a writer is let go of before its time.
        if self.end.is_none() && self.gathered.is_empty() {
            return Ok(());
        }
        let written = self.put();
        // Also what failed: it must not come after what was cut off.
        self.gathered.clear();
        written
    }
}

impl WholeRows {
    fn put(&mut self) -> io::Result<()> {
        let file = match &mut self.place {
            Place::Stream(stream) => return stream.write_all(&self.gathered).and_then(|()| stream.flush()),
            Place::File(file) => file,
        };
        let end = match self.end {
            Some(end) => check(file, end).map(|()| end)?,
            None => file.set_len(0).map(|()| 0)?,
        };
        append(file, end, &self.gathered)?;
        self.end = Some(end + self.gathered.len() as u64);
        Ok(())
    }
}

/// What is written into a file without a name is lost, and what others cut off is gone.
fn check(file: &File, end: u64) -> io::Result<()> {
    let now = file.metadata()?;
    if is_deleted(&now) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "it was deleted meanwhile"));
    }
    if now.len() < end {
        return Err(io::Error::other("it was cut short meanwhile"));
    }
    Ok(())
}

/// A write that fails leaves the rows that found room, and no half one.
fn append(file: &mut File, end: u64, rows: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(end))?;
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
        // No field has a line break of its own. The failure is what counts, also where this fails too.
        let whole = rows[..written].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        let _ = file.set_len(end + whole as u64);
        return Err(error);
    }
    Ok(())
}

#[cfg(unix)]
fn is_deleted(file: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(file) == 0
}

#[cfg(not(unix))]
fn is_deleted(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_deleted_or_cut_short_is_told_at_the_next_row() {
        type Harm = fn(&std::path::Path) -> io::Result<()>;
        let harms: [(Harm, &str); 2] =
            [(|path| std::fs::remove_file(path), "deleted"), (|path| std::fs::write(path, ""), "cut short")];
        for (harm, word) in harms {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows");
            let mut rows = WholeRows::new(Place::File(File::create(&path).unwrap()));
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
        let mut rows = WholeRows::new(Place::File(File::create(&path).unwrap()));
        rows.write_all(b"one\n").and_then(|()| rows.flush()).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        rows.write_all(b"two\n").and_then(|()| rows.flush()).unwrap();
        assert_eq!(std::fs::read_to_string(&moved).unwrap(), "one\ntwo\n");
    }
}
