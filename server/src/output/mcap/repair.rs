//! Completes an interrupted recording: keeps its whole chunks and adds the index.
//!
//! A recording that has anything else wrong is left as it is: the new file would lack what cannot be read now. So is one
//! with a record that Plumb does not write: damage may have made it one, and it may hide chunks.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::Repaired;
use crate::recording::container::{Container, ContainerError, FileEnd, Found};
use crate::recording::described::Described;
use crate::recording::record::Message;
use crate::recording::writer::Writer;

/// Bytes of a chunk, as in a recording.
const CHUNK_BYTES: usize = 1 << 20;

/// Completes the recording at this path. Writes a temporary file into the same folder, whose name has this prefix and
/// suffix, and renames it. `None` if the recording is already complete.
///
/// # Errors
/// If it cannot be read or written, or if a part of it other than its end cannot be read. The file is then as it was.
pub(in crate::output) fn repair(path: &Path, start: &str, end: &str) -> io::Result<Option<Repaired>> {
    let mut container = Container::open(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
    if container.skip_to_summary().map_err(io::Error::other)? {
        return Ok(None);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let part = tempfile::Builder::new().prefix(start).suffix(end).tempfile_in(folder)?;
    let repaired = copy(container.only_ours(), &part)?;
    part.as_file().set_permissions(std::fs::metadata(path)?.permissions())?;
    part.as_file().sync_all()?;
    part.persist(path).map_err(|failed| failed.error)?;
    Ok(Some(repaired))
}

fn copy(mut container: Container<BufReader<File>>, part: &NamedTempFile) -> io::Result<Repaired> {
    let mut writer = Writer::begin(BufWriter::new(part.as_file()), concat!("plumb ", env!("CARGO_PKG_VERSION")))?;
    let (mut repaired, mut described) = (Repaired::default(), Described::default());
    while let Some(found) = container.next().map_err(lacking)? {
        repaired.messages += u64::from(matches!(found, Found::Message { .. }));
        write(&mut writer, found, &mut described)?;
        // Counts what was written rather than the messages' data: there may be very many messages without any.
        if writer.open_bytes() >= CHUNK_BYTES {
            writer.flush()?;
        }
    }
    if let Some(&FileEnd::Cut(at)) = container.end() {
        repaired.cut_bytes = container.length().saturating_sub(at);
    }
    writer.finish()?;
    Ok(repaired)
}

/// Says why nothing is completed.
fn lacking(error: ContainerError) -> io::Error {
    match error {
        ContainerError::Io(error) => error,
        error => io::Error::other(format!("{error}; a completed file would lack this part")),
    }
}

fn write<W: Write>(writer: &mut Writer<W>, found: Found, described: &mut Described) -> io::Result<()> {
    let texts = match found {
        Found::Message { channel_id, sequence, times: [log_time, publish_time], data } => {
            writer.message(&Message { channel_id, sequence, log_time, publish_time, data: [&data, &[]] });
            return Ok(());
        }
        Found::Schema(schema) => {
            let texts = schema.text_bytes();
            writer.add_schema(schema).then_some(texts)
        }
        Found::Channel(channel) => {
            let texts = channel.text_bytes();
            writer.add_channel(channel).then_some(texts)
        }
        Found::Metadata(metadata) => {
            writer.metadata(&metadata)?;
            // The index has its name.
            Some(metadata.name.len())
        }
    };
    texts.map_or(Ok(()), |texts| described.add(texts)).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::recording::record::{Channel, Chunk, HEAD, MAGIC, Metadata, op};

    fn channel(id: u16, topic: &str) -> Channel {
        Channel { id, schema_id: 0, topic: topic.into(), encoding: "json".into(), metadata: BTreeMap::new() }
    }

    fn message(data: &[u8]) -> Message<'_> {
        Message { channel_id: 1, sequence: 0, log_time: 0, publish_time: 0, data: [data, &[]] }
    }

    /// The start of a recording: two chunks, and no index.
    fn interrupted() -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), "test").unwrap();
        for data in [b"first", b"other"] {
            writer.add_channel(channel(1, "/t"));
            writer.message(&message(data));
            writer.flush().unwrap();
        }
        writer.into_inner()
    }

    /// Completes a file of these bytes. Returns the result and the file as it is then.
    fn repaired(bytes: &[u8]) -> (io::Result<Option<Repaired>>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.mcap");
        fs::write(&path, bytes).unwrap();
        let result = repair(&path, ".run.mcap.", ".part");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        (result, fs::read(&path).unwrap())
    }

    #[test]
    fn an_interrupted_recording_keeps_its_whole_chunks_and_gets_an_index() {
        let bytes = interrupted();
        let cut = &bytes[..bytes.len() - 3];
        let (result, after) = repaired(cut);
        assert!(matches!(result, Ok(Some(Repaired { messages: 2, .. }))), "{result:?}");
        assert!(after.ends_with(&MAGIC) && after.windows(5).any(|bytes| bytes == b"other"));
        // Cut anywhere in the second chunk.
        let second = bytes.windows(5).position(|bytes| bytes == b"other").unwrap();
        for end in (second - 200..second + 5).filter(|end| *end > chunks_of(&bytes)[1]) {
            let result = repaired(&bytes[..end]).0;
            assert!(matches!(result, Ok(Some(Repaired { messages: 1, .. }))), "{end}: {result:?}");
        }
        assert!(matches!(repaired(&after), (Ok(None), same) if same == after));
    }

    #[test]
    fn a_recording_with_a_part_that_cannot_be_read_is_left_as_it_is() {
        let mut damaged = interrupted();
        let place = damaged.windows(5).position(|bytes| bytes == b"first").unwrap();
        damaged[place] ^= 1;
        let chunk = Chunk { start_time: 0, end_time: 0, unpacked_size: 4, crc: 0, compression: "xz", records: b"1234" };
        let packed = [interrupted(), chunk.head(), chunk.records.to_vec()].concat();
        let mut overwritten = interrupted();
        let second = overwritten.windows(5).position(|bytes| bytes == b"other").unwrap();
        overwritten[place + 5..second].fill(0);
        let mut longer = interrupted();
        let first = chunks_of(&longer)[0];
        longer[first + 8] = 1;
        for (bytes, why) in [
            (longer, "is damaged: its length is wrong; a completed file would lack this part"),
            (damaged, "its checksum is wrong; a completed file would lack this part"),
            (packed, "has the compression xz: only lz4, zstd and none are supported; a completed file"),
            (overwritten, "the file was overwritten there, and what follows is lost; a completed file"),
        ] {
            let (result, after) = repaired(&bytes);
            let said = result.unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
            assert!(after == bytes, "{why}");
        }
    }

    /// Where the chunks of a file begin.
    fn chunks_of(bytes: &[u8]) -> Vec<usize> {
        let (mut at, mut chunks) = (MAGIC.len(), Vec::new());
        while at + HEAD < bytes.len() {
            chunks.extend((bytes[at] == op::CHUNK).then_some(at));
            at += HEAD + u64::from_le_bytes(bytes[at + 1..at + HEAD].try_into().unwrap()) as usize;
        }
        chunks
    }

    /// A recording of three chunks with two messages each, on two channels, with metadata before and a report behind.
    /// Returns it with where each record begins, and where it ends.
    fn long() -> (Vec<u8>, Vec<usize>) {
        let mut writer = Writer::begin(Vec::new(), "test").unwrap();
        writer.metadata(&Metadata { name: "plumb.run".into(), metadata: BTreeMap::new() }).unwrap();
        for _ in 0..3 {
            for channel_id in [1, 2] {
                writer.add_channel(channel(channel_id, "/t"));
                writer.message(&Message { channel_id, ..message(b"data") });
            }
            writer.flush().unwrap();
        }
        writer.attach("report.json", "application/json", b"{}").unwrap();
        let bytes = writer.into_inner();
        let mut places = vec![MAGIC.len()];
        while let Some(&at) = places.last().filter(|at| **at < bytes.len()) {
            places.push(at + HEAD + u64::from_le_bytes(bytes[at + 1..at + HEAD].try_into().unwrap()) as usize);
        }
        // A header, metadata, three chunks with two indexes each, and a report.
        assert_eq!((places.len(), places.last()), (1 + 1 + 9 + 1 + 1, Some(&bytes.len())));
        (bytes, places)
    }

    /// Checks that a damaged file is left as it is, or completed with all these messages.
    fn assert_keeps(messages: u64, damaged: &[u8], what: &dyn std::fmt::Debug) {
        match repaired(damaged) {
            (Err(_), after) => assert!(after == damaged, "{what:?}"),
            (Ok(done), _) => assert_eq!(done.map(|done| done.messages), Some(messages), "{what:?}"),
        }
    }

    #[test]
    fn no_bit_of_a_record_s_head_costs_a_completed_recording_its_messages() {
        let (bytes, places) = long();
        // Cut before and behind the report, at the second index of the last chunk, and within that chunk.
        for (end, messages) in [(places[11], 6), (places[12], 6), (places[10] + 12, 6), (places[8] + 60, 4)] {
            let cut = &bytes[..end];
            let done = repaired(cut).0.unwrap();
            assert_eq!(done.map(|done| done.messages), Some(messages), "cut at {end}");
            for at in places.iter().copied().filter(|at| at + HEAD <= end) {
                for bit in 0..8 * HEAD {
                    let mut damaged = cut.to_vec();
                    damaged[at + bit / 8] ^= 1 << (bit % 8);
                    assert_keeps(messages, &damaged, &(end, at, bit));
                }
            }
        }
    }

    #[test]
    fn no_record_takes_the_place_of_those_that_follow_it() {
        let (bytes, places) = long();
        // Each record in turn ends where a later one does, or behind the file, as a record of any type.
        for (place, &at) in places.iter().enumerate().take(places.len() - 1) {
            for &end in places[place + 1..].iter().chain(&[bytes.len() + 1, bytes.len() + (1 << 24)]) {
                for opcode in (0..=0x16).chain([bytes[at]]) {
                    let mut damaged = bytes.clone();
                    damaged[at] = opcode;
                    damaged[at + 1..at + HEAD].copy_from_slice(&((end - at - HEAD) as u64).to_le_bytes());
                    assert_keeps(6, &damaged, &(at, end, opcode));
                }
            }
        }
    }

    #[test]
    fn zeros_are_cut_off_only_if_nothing_else_follows_them() {
        let (bytes, places) = long();
        let zeros = [0; 10_000];
        let (result, _) = repaired(&[&bytes[..places[11]], &zeros].concat());
        assert!(matches!(result, Ok(Some(Repaired { messages: 6, cut_bytes: 10_000 }))), "{result:?}");
        let mut damaged = [&bytes[..places[11]], &zeros].concat();
        damaged[places[5]] = 0;
        let (result, after) = repaired(&damaged);
        let said = result.unwrap_err().to_string();
        assert!(said.contains("what follows is lost; a completed file would lack this part"), "{said}");
        assert!(after == damaged);
    }

    #[test]
    fn messages_without_data_and_channels_fill_chunks_too() {
        let chunks = |add: &dyn Fn(&mut Vec<u8>, u16)| {
            let (mut records, mut bytes) = (Vec::new(), interrupted());
            (0..u16::MAX).for_each(|place| add(&mut records, place));
            let unpacked_size = records.len() as u64;
            let chunk = Chunk { start_time: 0, end_time: 0, unpacked_size, crc: 0, compression: "", records: &records };
            bytes.extend(chunk.head());
            bytes.extend(&records);
            let (result, after) = repaired(&bytes);
            result.unwrap();
            chunks_of(&after).len()
        };
        // 65,535 records of 31 bytes, and of about 40: more than one chunk each.
        assert_eq!(chunks(&|records, _| message(b"").append_to(records)), 2);
        assert!(chunks(&|records, id| records.extend(channel(id, &format!("/topic/{id}")).record())) > 2);
    }

    #[test]
    fn metadata_without_end_is_refused() {
        let mut bytes = interrupted();
        let one = Metadata { name: "m".into(), metadata: BTreeMap::new() }.record();
        // Each takes more than 256 bytes in the index.
        (0..(64 << 20) / 256).for_each(|_| bytes.extend(&one));
        let (result, after) = repaired(&bytes);
        assert!(result.unwrap_err().to_string().contains("take more than 64 MiB"));
        assert!(after == bytes);
    }
}
