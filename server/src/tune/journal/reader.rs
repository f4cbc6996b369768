//! Reads a journal as it grows.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::PathBuf;

use shared::bounded::BoundedLines;
use shared::text::Escaped;

use super::{Format, Known, line};
use crate::output::regular;
use crate::sweep::SweepError;

/// A journal, and how much of it is known.
pub(super) struct Reader {
    path: PathBuf,
    file: File,
    /// Bytes of the lines that were read.
    whole: u64,
    lines: usize,
}

impl Reader {
    /// Opens a journal. `None` if it is absent.
    ///
    /// # Errors
    /// If it cannot be opened, or is no file.
    pub(super) fn open(path: PathBuf) -> Result<Option<Self>, SweepError> {
        match regular::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SweepError::at(&path)(error)),
            Ok(file) => Ok(Some(Self::of(path, file))),
        }
    }

    /// Reads this file from its start.
    pub(super) fn of(path: PathBuf, file: File) -> Self {
        Self { path, file, whole: 0, lines: 0 }
    }

    /// Bytes of the lines that were read. Behind them there is at most a part of a line.
    pub(super) fn whole(&self) -> u64 {
        self.whole
    }

    /// Notes the lines that were added since the last call. Returns whether there are any. A part of a line is left for
    /// later.
    ///
    /// # Errors
    /// If the file cannot be read, belongs to another plan or another version, or has a line that holds no block.
    pub(super) fn news(&mut self, format: &Format, known: &mut Known) -> Result<bool, SweepError> {
        let (at, mut bytes) = (SweepError::at(&self.path), Vec::new());
        self.file.seek(SeekFrom::Start(self.whole)).map_err(&at)?;
        BoundedLines::new(&self.file).read_to_end(&mut bytes).map_err(&at)?;
        // A kill, or a slow disk, may have cut the first line short.
        let is_ours =
            self.lines > 0 || bytes.starts_with(format.head.as_bytes()) || format.head.as_bytes().starts_with(&bytes);
        if !is_ours {
            return Err(SweepError::Usage(format!(
                "{} has the trials of another plan or of another version of Plumb: name another folder; if its first line was \
                 damaged, copy it from another journal",
                Escaped(self.path.display())
            )));
        }
        bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.whole += line.len() as u64;
            self.lines += 1;
            if self.lines == 1 {
                continue;
            }
            let text = str::from_utf8(line).map_err(|wrong| wrong.to_string());
            text.and_then(|text| line::note(text, format.conditions, known)).map_err(|wrong| {
                let wrong = format!(
                    "line {} holds no trial ({wrong}): delete this line, and run the same command again",
                    self.lines
                );
                at(io::Error::other(Escaped(wrong).to_string()))
            })?;
        }
        Ok(!bytes.is_empty())
    }
}
