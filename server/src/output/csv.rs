//! The table of frames as CSV (RFC 4180).
//!
//! Numbers have as many digits as they need to be read back exactly; unknown values are empty.

use std::fs::File;
use std::io;
use std::path::Path;

use shared::shell::stop::Stop;

use super::error::OutputError;
use super::place::{self, Place};
use super::seam::Output;
use super::table;
use super::whole_rows::WholeRows;
use crate::score::record::FrameRecord;
use crate::task::TaskName;

/// Writes one row per frame.
pub struct CsvOutput {
    place: String,
    task: TaskName,
    writer: csv::Writer<WholeRows>,
}

impl CsvOutput {
    /// Writes to this empty file.
    pub(super) fn of_file(file: File, path: &Path, task: TaskName) -> Self {
        let writer = csv::Writer::from_writer(WholeRows::new(Place::File(file)));
        Self { place: path.display().to_string(), task, writer }
    }

    /// Number of frames in the file.
    pub(super) fn frames(&self) -> u64 {
        self.writer.get_ref().rows().saturating_sub(1)
    }

    /// Opens the file and keeps its content until [`Output::begin`]. `None` if the run was stopped meanwhile.
    ///
    /// # Errors
    /// [`OutputError`] if the file cannot be written.
    pub(super) async fn open(path: &Path, task: TaskName, stop: &mut Stop) -> Result<Option<Self>, OutputError> {
        let place = path.display().to_string();
        let opened = match place::is_stdout(path) {
            true => Err(io::Error::new(io::ErrorKind::InvalidInput, "rows are on stdout already")),
            false => place::open(path, stop).await,
        };
        match opened {
            Ok(Some(open)) => Ok(Some(Self { place, task, writer: csv::Writer::from_writer(WholeRows::new(open)) })),
            Ok(None) => Ok(None),
            Err(error) => Err(OutputError { what: WHAT, place, error }),
        }
    }

    fn written(&self, result: Result<(), csv::Error>) -> Result<(), OutputError> {
        result.map_err(|error| OutputError { what: WHAT, place: self.place.clone(), error: error.into() })
    }

    fn begun(&mut self) -> Result<(), csv::Error> {
        self.writer.write_record(table::columns(self.task).map(|column| column.name))?;
        // Moves the rows in `csv`'s buffer to the gathered rows, and the gathered rows to the file.
        Ok(self.writer.flush()?)
    }
}

const WHAT: &str = "frames";

impl Output for CsvOutput {
    fn name(&self) -> String {
        format!("CSV file {}", self.place)
    }

    fn begin(&mut self) -> Result<(), OutputError> {
        let begun = self.begun();
        self.written(begun)
    }

    fn frame(&mut self, session: u64, record: &FrameRecord) -> Result<(), OutputError> {
        let mut written = write(&mut self.writer, self.task, session, record);
        if self.writer.get_ref().is_full() {
            written = written.and_then(|()| Ok(self.writer.flush()?));
        }
        self.written(written)
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        let flushed = self.writer.flush().map_err(csv::Error::from);
        self.written(flushed)
    }

    fn needs_every_frame(&self) -> bool {
        true
    }
}

fn write<W: io::Write>(
    writer: &mut csv::Writer<W>,
    task: TaskName,
    session: u64,
    record: &FrameRecord,
) -> Result<(), csv::Error> {
    for cell in table::row(task, session, record) {
        writer.write_field(cell.to_string())?;
    }
    // Ends the row.
    writer.write_record(None::<&[u8]>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::record;
    use crate::score::record::{LossCause, Outcome};

    fn rows(task: TaskName, records: &[FrameRecord]) -> Vec<String> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for record in records {
            write(&mut writer, task, 3, record).unwrap();
        }
        String::from_utf8(writer.into_inner().unwrap()).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_row_has_a_field_for_every_column() {
        for task in TaskName::all() {
            let columns = table::columns(task).count();
            for row in rows(task, &[record(7)]) {
                assert_eq!(row.split(',').count(), columns, "{task}: {row}");
            }
        }
    }

    #[test]
    fn a_lost_frame_says_why_and_has_no_latency() {
        let lost =
            FrameRecord { outcome: Outcome::Lost(LossCause::Incomplete), latency: None, answer: None, ..record(7) };
        let row = &rows(TaskName::ack(), &[lost])[0];
        assert_eq!(row, "3,7,7,700,lost,incomplete,,,,,,,,0");
    }
}
