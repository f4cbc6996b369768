//! Completes an interrupted recording: keeps its whole chunks and adds the index.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::Repaired;
use crate::recording::container::{Container, ContainerError, FileEnd, Found};
use crate::recording::record::Message;
use crate::recording::writer::Writer;

/// Bytes of a chunk, as in a recording.
const CHUNK_BYTES: usize = 1 << 20;

/// Completes the recording at this path. Writes a temporary file into the same folder, whose name has this prefix and
/// suffix, and renames it. `None` if the recording is already complete.
///
/// # Errors
/// If it cannot be read or written.
pub(in crate::output) fn repair(path: &Path, start: &str, end: &str) -> io::Result<Option<Repaired>> {
    let mut container = Container::open(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
    if container.skip_to_summary().map_err(io::Error::other)? {
        return Ok(None);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let part = tempfile::Builder::new().prefix(start).suffix(end).tempfile_in(folder)?;
    let repaired = copy(container, &part)?;
    part.as_file().set_permissions(std::fs::metadata(path)?.permissions())?;
    part.persist(path).map_err(|failed| failed.error)?;
    Ok(Some(repaired))
}

fn copy(mut container: Container<BufReader<File>>, part: &NamedTempFile) -> io::Result<Repaired> {
    let mut writer = Writer::begin(BufWriter::new(part.as_file()), concat!("plumb ", env!("CARGO_PKG_VERSION")))?;
    let mut repaired = Repaired::default();
    let mut gathered = 0;
    loop {
        let found = match container.next() {
            Ok(Some(found)) => found,
            Ok(None) => break,
            Err(ContainerError::Io(error)) => return Err(error),
            Err(_) => {
                repaired.damaged += 1;
                continue;
            }
        };
        if let Found::Message { data, .. } = &found {
            gathered += data.len();
            repaired.messages += 1;
        }
        write(&mut writer, found)?;
        if gathered >= CHUNK_BYTES {
            gathered = 0;
            writer.flush()?;
        }
    }
    repaired.cut_bytes = match container.end() {
        Some(FileEnd::Cut(at)) => container.length().saturating_sub(*at),
        _ => 0,
    };
    writer.finish()?;
    Ok(repaired)
}

fn write<W: Write>(writer: &mut Writer<W>, found: Found) -> io::Result<()> {
    match found {
        Found::Schema(schema) => writer.add_schema(schema),
        Found::Channel(channel) => writer.add_channel(channel),
        Found::Message { channel_id, sequence, times: [log_time, publish_time], data } => {
            writer.message(&Message { channel_id, sequence, log_time, publish_time, data: [&data, &[]] });
        }
        Found::Metadata(metadata) => return writer.metadata(&metadata),
    }
    Ok(())
}
