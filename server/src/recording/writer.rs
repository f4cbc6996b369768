//! Writes an MCAP file in whole chunks, with the index and checksums.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::{self, Write};

use super::record::{Channel, Chunk, Fields, MAGIC, Message, Metadata, Schema, op};

/// A file that is being written.
pub(crate) struct Writer<W> {
    file: W,
    /// Bytes written, and their checksum.
    at: u64,
    crc: crc32fast::Hasher,
    chunk: OpenChunk,
    /// By their ids.
    schemas: BTreeMap<u16, Schema>,
    channels: BTreeMap<u16, Channel>,
    chunks: Vec<ChunkIndex>,
    /// Records of the index of attachments and of metadata.
    attachments: Vec<Vec<u8>>,
    metadata: Vec<Vec<u8>>,
    /// Messages by channel.
    counts: BTreeMap<u16, u64>,
    times: Option<(u64, u64)>,
}

/// The chunk that gathers messages.
#[derive(Default)]
struct OpenChunk {
    records: Vec<u8>,
    times: Option<(u64, u64)>,
    /// Time and position of each message, by channel.
    index: BTreeMap<u16, Vec<(u64, u64)>>,
}

/// Where a chunk is.
struct ChunkIndex {
    times: (u64, u64),
    at: u64,
    length: u64,
    /// Position of the message index of each channel.
    index_at: Vec<(u16, u64)>,
    index_length: u64,
    size: u64,
}

fn with(times: Option<(u64, u64)>, time: u64) -> Option<(u64, u64)> {
    Some(times.map_or((time, time), |(first, last)| (first.min(time), last.max(time))))
}

impl<W: Write> Writer<W> {
    /// Starts a file. `library` names this program.
    pub(crate) fn begin(file: W, program: &str) -> io::Result<Self> {
        let mut writer = Self {
            file,
            at: 0,
            crc: crc32fast::Hasher::new(),
            chunk: OpenChunk::default(),
            schemas: BTreeMap::new(),
            channels: BTreeMap::new(),
            chunks: Vec::new(),
            attachments: Vec::new(),
            metadata: Vec::new(),
            counts: BTreeMap::new(),
            times: None,
        };
        writer.put(&MAGIC)?;
        writer.put(&Fields::default().text("").text(program).record(op::HEADER))?;
        Ok(writer)
    }

    /// The id of the schema with this name, which is added to the chunk if it is new.
    pub(crate) fn schema(&mut self, name: &str, encoding: &str, data: &[u8]) -> u16 {
        if let Some(known) = self.schemas.values().find(|schema| schema.name == name) {
            return known.id;
        }
        // A recording has five schemas. The id 0 means none.
        let id = self.schemas.len() as u16 + 1;
        let (name, encoding, data) = (name.to_owned(), encoding.to_owned(), data.to_vec());
        self.add_schema(Schema { id, name, encoding, data });
        id
    }

    /// Adds a schema to the chunk, unless there is one with its id. Returns whether it is new.
    pub(crate) fn add_schema(&mut self, schema: Schema) -> bool {
        let Entry::Vacant(place) = self.schemas.entry(schema.id) else { return false };
        self.chunk.records.extend(schema.record());
        place.insert(schema);
        true
    }

    /// Adds a channel to the chunk, unless there is one with its id. Returns whether it is new.
    pub(crate) fn add_channel(&mut self, channel: Channel) -> bool {
        let Entry::Vacant(place) = self.channels.entry(channel.id) else { return false };
        self.chunk.records.extend(channel.record());
        place.insert(channel);
        true
    }

    /// Adds a message of a known channel to the chunk.
    pub(crate) fn message(&mut self, message: &Message<'_>) {
        let place = (message.log_time, self.chunk.records.len() as u64);
        self.chunk.index.entry(message.channel_id).or_default().push(place);
        self.chunk.times = with(self.chunk.times, message.log_time);
        self.times = with(self.times, message.log_time);
        *self.counts.entry(message.channel_id).or_default() += 1;
        message.append_to(&mut self.chunk.records);
    }

    /// Writes the chunk unless it is empty.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.chunk.records.is_empty() {
            self.write_chunk()?;
            self.chunk.records.clear();
            (self.chunk.times, self.chunk.index) = (None, BTreeMap::new());
        }
        self.file.flush()
    }

    fn write_chunk(&mut self) -> io::Result<()> {
        let records = std::mem::take(&mut self.chunk.records);
        let (start_time, end_time) = self.chunk.times.unwrap_or_default();
        let (at, size) = (self.at, records.len() as u64);
        let crc = crc32fast::hash(&records);
        let chunk = Chunk { start_time, end_time, unpacked_size: size, crc, compression: "", records: &records };
        self.put(&chunk.head())?;
        self.put(&records)?;
        // Keep the memory for the next chunk.
        self.chunk.records = records;
        let length = self.at - at;
        let mut index_at = Vec::new();
        for (channel, mut messages) in std::mem::take(&mut self.chunk.index) {
            index_at.push((channel, self.at));
            messages.sort_unstable();
            let list = messages.iter().fold(Fields::default(), |list, (time, place)| list.u64(*time).u64(*place));
            self.put(&Fields::default().u16(channel).bytes(&list.done()).record(op::MESSAGE_INDEX))?;
        }
        let (times, index_length) = ((start_time, end_time), self.at - at - length);
        self.chunks.push(ChunkIndex { times, at, length, index_at, index_length, size });
        Ok(())
    }

    /// Writes the chunk, then metadata.
    pub(crate) fn metadata(&mut self, metadata: &Metadata) -> io::Result<()> {
        self.flush()?;
        let (at, record) = (self.at, metadata.record());
        self.put(&record)?;
        let index = Fields::default().u64(at).u64(record.len() as u64).text(&metadata.name);
        self.metadata.push(index.record(op::METADATA_INDEX));
        Ok(())
    }

    /// Writes the chunk, then an attachment with this name and media type.
    pub(crate) fn attach(&mut self, name: &str, media_type: &str, data: &[u8]) -> io::Result<()> {
        self.flush()?;
        let time = self.times.map_or(0, |(_, last)| last);
        let fields = Fields::default().u64(time).u64(time).text(name).text(media_type).long_bytes(data).done();
        let crc = crc32fast::hash(&fields);
        let (at, record) = (self.at, Fields::default().raw(&fields).u32(crc).record(op::ATTACHMENT));
        self.put(&record)?;
        let index = Fields::default().u64(at).u64(record.len() as u64).u64(time).u64(time).u64(data.len() as u64);
        self.attachments.push(index.text(name).text(media_type).record(op::ATTACHMENT_INDEX));
        Ok(())
    }

    /// Writes the chunk and the index, and returns the file.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        let crc = self.crc.clone().finalize();
        self.put(&Fields::default().u32(crc).record(op::DATA_END))?;
        self.crc = crc32fast::Hasher::new();
        let summary_at = self.at;
        let groups = [
            (op::SCHEMA, self.schemas.values().map(Schema::record).collect::<Vec<_>>()),
            (op::CHANNEL, self.channels.values().map(Channel::record).collect()),
            (op::STATISTICS, vec![self.statistics()]),
            (op::CHUNK_INDEX, self.chunks.iter().map(ChunkIndex::record).collect()),
            (op::ATTACHMENT_INDEX, self.attachments.clone()),
            (op::METADATA_INDEX, self.metadata.clone()),
        ];
        let mut offsets = Vec::new();
        for (opcode, records) in groups.into_iter().filter(|(_, records)| !records.is_empty()) {
            let at = self.at;
            records.iter().try_for_each(|record| self.put(record))?;
            offsets.push(Fields::default().u8(opcode).u64(at).u64(self.at - at).record(op::SUMMARY_OFFSET));
        }
        let offsets_at = self.at;
        offsets.iter().try_for_each(|record| self.put(record))?;
        // The checksum covers everything before it, including the head of its own record.
        self.put(&Fields::default().u8(op::FOOTER).u64(20).u64(summary_at).u64(offsets_at).done())?;
        let crc = self.crc.clone().finalize();
        self.put(&crc.to_le_bytes())?;
        self.put(&MAGIC)?;
        self.file.flush()?;
        Ok(self.file)
    }

    /// Number of bytes of the open chunk.
    pub(crate) fn open_bytes(&self) -> usize {
        self.chunk.records.len()
    }

    /// Number of bytes of the file.
    pub(crate) fn written(&self) -> u64 {
        self.at
    }

    /// Returns the file, and discards the open chunk.
    pub(crate) fn into_inner(self) -> W {
        self.file
    }

    fn statistics(&self) -> Vec<u8> {
        let (first, last) = self.times.unwrap_or_default();
        let counts =
            self.counts.iter().fold(Fields::default(), |list, (channel, count)| list.u16(*channel).u64(*count));
        // None of them comes near 2^32.
        Fields::default()
            .u64(self.counts.values().sum())
            .u16(self.schemas.len() as u16)
            .u32(self.channels.len() as u32)
            .u32(self.attachments.len() as u32)
            .u32(self.metadata.len() as u32)
            .u32(self.chunks.len() as u32)
            .u64(first)
            .u64(last)
            .bytes(&counts.done())
            .record(op::STATISTICS)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.crc.update(bytes);
        self.at += bytes.len() as u64;
        Ok(())
    }
}

impl ChunkIndex {
    fn record(&self) -> Vec<u8> {
        let list = self.index_at.iter().fold(Fields::default(), |list, (channel, at)| list.u16(*channel).u64(*at));
        let fields = Fields::default().u64(self.times.0).u64(self.times.1).u64(self.at).u64(self.length);
        let fields = fields.bytes(&list.done()).u64(self.index_length).text("").u64(self.size).u64(self.size);
        fields.record(op::CHUNK_INDEX)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::container::{Container, FileEnd, Found};
    use super::super::record::HEAD;
    use super::*;

    fn message(sequence: u32) -> Message<'static> {
        Message { channel_id: 1, sequence, log_time: 100 - u64::from(sequence), publish_time: 3, data: [b"123", b"45"] }
    }

    fn file(finish: bool) -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new(), "test").unwrap();
        writer.metadata(&Metadata { name: "m".into(), metadata: BTreeMap::new() }).unwrap();
        for sequence in 0..10 {
            let schema_id = writer.schema("s", "jsonschema", b"{}");
            let (topic, encoding) = ("/t".to_owned(), "json".to_owned());
            writer.add_channel(Channel { id: 1, schema_id, topic, encoding, metadata: BTreeMap::new() });
            writer.message(&message(sequence));
            if sequence % 4 == 3 {
                writer.flush().unwrap();
            }
        }
        writer.attach("a", "text/plain", b"hello").unwrap();
        if finish { writer.finish().unwrap() } else { writer.into_inner() }
    }

    fn all(bytes: Vec<u8>) -> (Vec<u32>, FileEnd) {
        let mut container = Container::open(Cursor::new(bytes)).unwrap();
        let mut sequences = Vec::new();
        while let Some(found) = container.next().unwrap() {
            if let Found::Message { sequence, data, .. } = found {
                assert_eq!(data, b"12345");
                sequences.push(sequence);
            }
        }
        (sequences, container.end().cloned().unwrap())
    }

    #[test]
    fn a_whole_file_is_read_back_and_has_a_summary() {
        let bytes = file(true);
        assert_eq!(all(bytes.clone()), ((0..10).collect(), FileEnd::Whole));
        let mut container = Container::open(Cursor::new(bytes)).unwrap();
        assert!(container.skip_to_summary().unwrap());
        let summary: Vec<_> = std::iter::from_fn(|| container.next().unwrap()).collect();
        assert!(matches!(&summary[..], [Found::Schema(_), Found::Channel(_)]), "{summary:?}");
    }

    #[test]
    fn a_file_cut_anywhere_is_read_to_its_last_whole_chunk() {
        let bytes = file(false);
        let (mut most, first) = (0, MAGIC.len());
        for end in first..bytes.len() {
            let (sequences, cut) = all(bytes[..end].to_vec());
            assert!(sequences.len() >= most && [0, 4, 8, 10].contains(&sequences.len()), "{end}");
            assert!(matches!(cut, FileEnd::Cut(at) if at as usize <= end));
            most = sequences.len();
        }
        assert_eq!(most, 10);
    }

    #[test]
    fn zeros_behind_the_last_whole_chunk_are_no_records() {
        let bytes = file(false);
        let mut padded = bytes.clone();
        padded.resize(bytes.len() + 50_000_000, 0);
        assert_eq!(all(padded), ((0..10).collect(), FileEnd::Cut(bytes.len() as u64)));
    }

    #[test]
    fn bytes_that_were_overwritten_are_reported_with_what_is_lost() {
        let whole = file(true);
        let chunks = chunks(&whole);
        let mut zeroed = whole.clone();
        zeroed[chunks[1]..chunks[2] + 20].fill(0);
        let said = format!("no record begins at byte {}, where one should", chunks[1]);
        let (sequences, wrong) = with_errors(zeroed);
        assert_eq!(sequences, [0, 1, 2, 3]);
        assert!(wrong.len() == 1 && wrong[0].starts_with(&said), "{wrong:?}");
        // Another type hides a chunk, and the file says how many there are.
        let mut hidden = whole;
        hidden[chunks[1]] = 0x55;
        let (sequences, wrong) = with_errors(hidden);
        assert_eq!(sequences, [0, 1, 2, 3, 8, 9]);
        assert!(wrong.len() == 1 && wrong[0].ends_with("1 of 3 chunks are missing"), "{wrong:?}");
    }

    /// Where the chunks of a file begin.
    fn chunks(bytes: &[u8]) -> Vec<usize> {
        let (mut at, mut found) = (MAGIC.len(), Vec::new());
        while at + HEAD < bytes.len() {
            found.extend((bytes[at] == op::CHUNK).then_some(at));
            at += HEAD + u64::from_le_bytes(bytes[at + 1..at + HEAD].try_into().unwrap()) as usize;
        }
        found
    }

    #[test]
    fn a_damaged_chunk_is_reported_and_the_rest_is_read() {
        let mut bytes = file(true);
        let place = bytes.windows(5).position(|bytes| bytes == b"12345").unwrap();
        bytes[place] ^= 1;
        let (sequences, wrong) = with_errors(bytes);
        // The channel is in the lost chunk too, and again in the summary.
        assert_eq!(sequences, (4..10).collect::<Vec<_>>());
        assert!(wrong.len() == 1 && wrong[0].ends_with("its checksum is wrong"), "{wrong:?}");
    }

    fn with_errors(bytes: Vec<u8>) -> (Vec<u32>, Vec<String>) {
        let mut container = Container::open(Cursor::new(bytes)).unwrap();
        let mut sequences = Vec::new();
        let mut wrong = Vec::new();
        loop {
            match container.next() {
                Ok(Some(Found::Message { sequence, .. })) => sequences.push(sequence),
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => wrong.push(error.to_string()),
            }
        }
        (sequences, wrong)
    }
}
