//! Frames as CSV (RFC 4180): one row per frame, with the columns that all tasks share and the task's own.
//!
//! Numbers have as many digits as they need to be read back exactly; unknown values are empty.

use std::io;
use std::path::Path;

use shared::shell::stop::Stop;

use super::error::OutputError;
use super::place;
use super::seam::Output;
use super::whole_rows::WholeRows;
use crate::score::cells::{Cell, Cells};
use crate::score::record::{FrameRecord, Outcome};
use crate::task::TaskName;

/// The columns before the task's own.
const BEFORE: [&str; 6] = ["session", "frame", "source_index", "captured_us", "outcome", "lost_by"];

/// The columns after the task's own.
const AFTER: [&str; 6] = ["latency_us", "encode_us", "to_client_us", "queue_us", "detect_us", "back_us"];

/// Writes one row per frame.
pub struct CsvOutput {
    place: String,
    task: TaskName,
    writer: csv::Writer<WholeRows>,
}

impl CsvOutput {
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
        let header = BEFORE.into_iter().chain(self.task.columns().all().map(|column| column.name)).chain(AFTER);
        self.writer.write_record(header)?;
        // Moves the rows that `csv` buffers to the gathered rows, and those to the file.
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
    let lost_by = match record.outcome {
        Outcome::Lost(cause) => cause.name(),
        _ => "",
    };
    let [session, id, index, captured] = [session, record.id, record.source_index, record.captured.0];
    for number in [session, id, index, captured] {
        writer.write_field(number.to_string())?;
    }
    writer.write_field(record.outcome.name())?;
    writer.write_field(lost_by)?;
    let columns = task.columns();
    let empty = Cells::new();
    let answer = record.answer.as_ref().unwrap_or(&empty);
    let groups = [(columns.truth, &record.truth_cells), (columns.answer, answer), (columns.residual, &record.residual)];
    for (columns, cells) in groups {
        for place in 0..columns.len() {
            writer.write_field(cells.get(place).copied().unwrap_or(Cell::Empty).to_string())?;
        }
    }
    for stage in stages(record) {
        writer.write_field(stage.map_or_else(String::new, |us| us.to_string()))?;
    }
    // Ends the row.
    writer.write_record(None::<&[u8]>)
}

/// Latency and stages, in the order of [`AFTER`].
fn stages(record: &FrameRecord) -> [Option<u64>; 6] {
    let Some(latency) = record.latency else { return [None; 6] };
    let known = [latency.total_us, latency.encode_us].map(Some);
    let placed = [latency.to_client_us, latency.queue_us, latency.detect_us, latency.back_us];
    [known[0], known[1], placed[0], placed[1], placed[2], placed[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::record;
    use crate::score::record::LossCause;

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
            let columns = BEFORE.len() + task.columns().all().count() + AFTER.len();
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
        assert_eq!(row, "3,7,7,700,lost,incomplete,,,,,,,");
    }
}
