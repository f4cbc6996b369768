//! The tables during a run: rows as text at once, and the same rows with types for the end.
//!
//! The text is the evidence. If it cannot be written, the run goes on, and missing rows are counted. The typed table is
//! then given up, which may free room on the disk. If only the typed table fails, it is made later from the text.

use std::io;
use std::path::{Path, PathBuf};

use tracing::error;

use super::claim::created;
use super::facts::Facts;
use super::parquet::ParquetFile;
use super::{FRAMES, TABLE};
use crate::output::csv::CsvOutput;
use crate::output::error::OutputError;
use crate::output::seam::Output;
use crate::output::table;
use crate::score::record::FrameRecord;
use crate::task::TaskName;

/// The tables, while they are written.
pub(super) struct Tables {
    folder: PathBuf,
    task: TaskName,
    text: CsvOutput,
    has_text_failed: bool,
    typed: Option<ParquetFile>,
    has_typed_failed: bool,
}

impl Tables {
    /// Begins the tables in a folder that has none.
    pub(super) fn begin(folder: &Path, task: TaskName) -> Result<Self, OutputError> {
        let failed = |name: &str, error| OutputError { what: "frames", place: path(folder, name), error };
        let file = created(&folder.join(FRAMES)).map_err(|error| failed(FRAMES, error))?;
        let mut text = CsvOutput::of_file(file, &folder.join(FRAMES), task);
        text.begin()?;
        let typed = ParquetFile::create(folder, task).map_err(|error| failed(TABLE, error))?;
        Ok(Self { folder: folder.into(), task, text, has_text_failed: false, typed, has_typed_failed: false })
    }

    /// Adds a frame, if nothing has failed so far.
    pub(super) fn add(&mut self, session: u64, record: &FrameRecord) {
        if self.has_text_failed {
            return;
        }
        let added = self.text.frame(session, record);
        self.check(added);
        if let Some(typed) = &mut self.typed {
            let added = typed.add(table::row(self.task, session, record));
            self.check_typed(added);
        }
    }

    /// Writes the text that is gathered.
    pub(super) fn flush(&mut self) {
        if !self.has_text_failed {
            let flushed = self.text.flush();
            self.check(flushed);
        }
    }

    /// Number of frames in the text.
    pub(super) fn frames(&self) -> u64 {
        self.text.frames()
    }

    /// Gives the typed table its name. Returns whether both tables are whole.
    pub(super) fn finish(&mut self, facts: Facts<'_>) -> bool {
        if let Some(typed) = self.typed.take() {
            let finished = typed.finish(facts);
            self.check_typed(finished);
        }
        !self.has_text_failed && !self.has_typed_failed
    }

    fn check(&mut self, result: Result<(), OutputError>) {
        if let Err(wrong) = result {
            error!("{wrong}; the run goes on, and the report counts the frames that are missing");
            self.has_text_failed = true;
            self.typed = None;
        }
    }

    fn check_typed(&mut self, result: io::Result<()>) {
        if let Err(wrong) = result {
            let (place, folder) = (path(&self.folder, TABLE), self.folder.display());
            error!(
                "cannot write the frames to {place}: {wrong}; the run goes on, and server report {folder} writes it later"
            );
            self.has_typed_failed = true;
            self.typed = None;
        }
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}
