//! The records of MCAP, as in its specification (<https://mcap.dev/spec>). A record has one byte for its type, eight
//! bytes for its length, and then its fields, little-endian. A text is preceded by its length.
//!
//! The crate mcap 0.26 could read the format, but it brings sixteen other crates, one of which (paste) is no longer
//! maintained. This file and two others in this folder implement what a recording needs, and bound what a malicious
//! file can claim.

use std::collections::BTreeMap;

/// The first and the last bytes of a file.
pub(crate) const MAGIC: [u8; 8] = *b"\x89MCAP0\r\n";

/// Bytes of a record before its fields.
pub(crate) const HEAD: usize = 9;

/// Memory of a pair of texts in a map besides the texts, in bytes, with what the allocator adds.
const PAIR: usize = 128;

/// Types of records.
pub(crate) mod op {
    pub(crate) const HEADER: u8 = 0x01;
    pub(crate) const FOOTER: u8 = 0x02;
    pub(crate) const SCHEMA: u8 = 0x03;
    pub(crate) const CHANNEL: u8 = 0x04;
    pub(crate) const MESSAGE: u8 = 0x05;
    pub(crate) const CHUNK: u8 = 0x06;
    pub(crate) const MESSAGE_INDEX: u8 = 0x07;
    pub(crate) const CHUNK_INDEX: u8 = 0x08;
    pub(crate) const ATTACHMENT: u8 = 0x09;
    pub(crate) const ATTACHMENT_INDEX: u8 = 0x0a;
    pub(crate) const STATISTICS: u8 = 0x0b;
    pub(crate) const METADATA: u8 = 0x0c;
    pub(crate) const METADATA_INDEX: u8 = 0x0d;
    pub(crate) const SUMMARY_OFFSET: u8 = 0x0e;
    pub(crate) const DATA_END: u8 = 0x0f;
}

/// A schema: the encoding of the messages of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schema {
    pub(crate) id: u16,
    pub(crate) name: String,
    /// How `data` is written.
    pub(crate) encoding: String,
    pub(crate) data: Vec<u8>,
}

/// Messages of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    pub(crate) id: u16,
    pub(crate) schema_id: u16,
    pub(crate) topic: String,
    /// How its messages are written.
    pub(crate) encoding: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A message; times are in ns since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) channel_id: u16,
    pub(crate) sequence: u32,
    pub(crate) log_time: u64,
    pub(crate) publish_time: u64,
    /// Its bytes, in two parts, so that pixels need not be copied to the end of the fields before them.
    pub(crate) data: [&'a [u8]; 2],
}

/// Names and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// Records that are compressed together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunk<'a> {
    pub(crate) start_time: u64,
    pub(crate) end_time: u64,
    pub(crate) unpacked_size: u64,
    /// CRC-32 of the records; 0 if unknown.
    pub(crate) crc: u32,
    /// Name of the compression; empty without one.
    pub(crate) compression: &'a str,
    pub(crate) records: &'a [u8],
}

/// Fields that are being written.
#[derive(Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    pub(crate) fn u8(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn u16(mut self, value: u16) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn u64(mut self, value: u64) -> Self {
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Bytes with their length in 32 bits.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        // Texts, descriptions and lists of at most a few MB.
        let mut fields = self.u32(bytes.len() as u32);
        fields.0.extend(bytes);
        fields
    }

    /// Bytes with their length in 64 bits.
    pub(crate) fn long_bytes(self, bytes: &[u8]) -> Self {
        self.u64(bytes.len() as u64).raw(bytes)
    }

    /// Bytes without their length.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    pub(crate) fn texts(self, texts: &BTreeMap<String, String>) -> Self {
        let pairs = texts.iter().fold(Self::default(), |pairs, (key, value)| pairs.text(key).text(value));
        self.bytes(&pairs.0)
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }

    /// The record of these fields.
    pub(crate) fn record(self, opcode: u8) -> Vec<u8> {
        Self::default().u8(opcode).long_bytes(&self.0).0
    }
}

impl Schema {
    /// Length of its texts, in bytes.
    pub(crate) fn text_bytes(&self) -> usize {
        self.name.len() + self.encoding.len() + self.data.len()
    }

    pub(crate) fn record(&self) -> Vec<u8> {
        let fields = Fields::default().u16(self.id).text(&self.name).text(&self.encoding);
        fields.bytes(&self.data).record(op::SCHEMA)
    }

    pub(crate) fn read(fields: &[u8]) -> Option<Self> {
        let mut fields = Reader(fields);
        Some(Self { id: fields.u16()?, name: fields.text()?, encoding: fields.text()?, data: fields.bytes()?.to_vec() })
    }
}

impl Channel {
    /// Length of its texts, in bytes, with the memory that its metadata take.
    pub(crate) fn text_bytes(&self) -> usize {
        let metadata: usize = self.metadata.iter().map(|(key, value)| PAIR + key.len() + value.len()).sum();
        self.topic.len() + self.encoding.len() + metadata
    }

    pub(crate) fn record(&self) -> Vec<u8> {
        let fields = Fields::default().u16(self.id).u16(self.schema_id).text(&self.topic).text(&self.encoding);
        fields.texts(&self.metadata).record(op::CHANNEL)
    }

    pub(crate) fn read(fields: &[u8]) -> Option<Self> {
        let mut fields = Reader(fields);
        let (id, schema_id) = (fields.u16()?, fields.u16()?);
        let (topic, encoding, metadata) = (fields.text()?, fields.text()?, fields.texts()?);
        Some(Self { id, schema_id, topic, encoding, metadata })
    }
}

impl<'a> Message<'a> {
    /// Appends the record.
    pub(crate) fn append_to(&self, records: &mut Vec<u8>) {
        let head = Fields::default().u16(self.channel_id).u32(self.sequence).u64(self.log_time).u64(self.publish_time);
        let head = head.done();
        let length = (head.len() + self.data[0].len() + self.data[1].len()) as u64;
        records.extend(Fields::default().u8(op::MESSAGE).u64(length).done());
        records.extend(head);
        self.data.iter().for_each(|part| records.extend(*part));
    }

    pub(crate) fn read(fields: &'a [u8]) -> Option<Self> {
        let mut fields = Reader(fields);
        let (channel_id, sequence) = (fields.u16()?, fields.u32()?);
        let (log_time, publish_time) = (fields.u64()?, fields.u64()?);
        Some(Self { channel_id, sequence, log_time, publish_time, data: [fields.0, &[]] })
    }
}

impl Metadata {
    pub(crate) fn record(&self) -> Vec<u8> {
        Fields::default().text(&self.name).texts(&self.metadata).record(op::METADATA)
    }

    pub(crate) fn read(fields: &[u8]) -> Option<Self> {
        let mut fields = Reader(fields);
        Some(Self { name: fields.text()?, metadata: fields.texts()? })
    }
}

impl<'a> Chunk<'a> {
    /// The record without its last field, the records.
    pub(crate) fn head(&self) -> Vec<u8> {
        let fields = Fields::default().u64(self.start_time).u64(self.end_time).u64(self.unpacked_size).u32(self.crc);
        let fields = fields.text(self.compression).u64(self.records.len() as u64).done();
        let length = (fields.len() + self.records.len()) as u64;
        Fields::default().u8(op::CHUNK).u64(length).raw(&fields).done()
    }

    pub(crate) fn read(fields: &'a [u8]) -> Option<Self> {
        let mut fields = Reader(fields);
        let (start_time, end_time, unpacked_size) = (fields.u64()?, fields.u64()?, fields.u64()?);
        let (crc, compression) = (fields.u32()?, std::str::from_utf8(fields.bytes()?).ok()?);
        let length = usize::try_from(fields.u64()?).ok()?;
        Some(Self { start_time, end_time, unpacked_size, crc, compression, records: fields.take(length)? })
    }
}

/// Length in bytes of all fields of a record of this type that begins with these, as the lengths among them tell it. `None`
/// if these are too few, or if the type is not that of a header, a chunk, an attachment or metadata.
pub(crate) fn stated_length(opcode: u8, fields: &[u8]) -> Option<u64> {
    let mut rest = Reader(fields);
    let (last, after) = match opcode {
        // A profile and a library; a name and a map.
        op::HEADER | op::METADATA => {
            let _text = rest.bytes()?;
            (u64::from(rest.u32()?), 0)
        }
        op::CHUNK => {
            let (_times_size_and_crc, _compression) = (rest.take(28)?, rest.bytes()?);
            (rest.u64()?, 0)
        }
        op::ATTACHMENT => {
            let (_times, _name, _media_type) = (rest.take(16)?, rest.bytes()?, rest.bytes()?);
            // The data, then a checksum.
            (rest.u64()?, 4)
        }
        _ => return None,
    };
    last.checked_add((fields.len() - rest.0.len()) as u64 + after)
}

/// Fields that are being read. A read returns `None` if the data end too early.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take(8)?.try_into().ok().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    fn texts(&mut self) -> Option<BTreeMap<String, String>> {
        let mut pairs = Self(self.bytes()?);
        let mut texts = BTreeMap::new();
        while !pairs.0.is_empty() {
            texts.insert(pairs.text()?, pairs.text()?);
        }
        Some(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> BTreeMap<String, String> {
        [("a".to_owned(), "1".to_owned()), ("ü".to_owned(), String::new())].into()
    }

    /// The fields of a record, after its head is checked.
    fn fields(record: &[u8], opcode: u8) -> &[u8] {
        let (head, fields) = record.split_at(HEAD);
        assert_eq!((head[0], &head[1..]), (opcode, &(fields.len() as u64).to_le_bytes()[..]));
        fields
    }

    #[test]
    fn every_record_comes_back_and_is_refused_if_it_is_cut() {
        let schema = Schema { id: 7, name: "s".into(), encoding: "protobuf".into(), data: vec![1, 2, 3] };
        let record = schema.record();
        let schema_fields = fields(&record, op::SCHEMA);
        assert_eq!(Schema::read(schema_fields), Some(schema));
        assert!((0..schema_fields.len()).all(|end| Schema::read(&schema_fields[..end]).is_none()));
        let channel = Channel { id: 9, schema_id: 7, topic: "/t".into(), encoding: "json".into(), metadata: texts() };
        let record = channel.record();
        let channel_fields = fields(&record, op::CHANNEL);
        assert_eq!(Channel::read(channel_fields), Some(channel));
        assert!((0..channel_fields.len()).all(|end| Channel::read(&channel_fields[..end]).is_none()));
        let metadata = Metadata { name: "m".into(), metadata: texts() };
        assert_eq!(Metadata::read(fields(&metadata.record(), op::METADATA)), Some(metadata));
        let message = Message { channel_id: 9, sequence: 4, log_time: 5, publish_time: u64::MAX, data: [b"data", &[]] };
        let mut records = Vec::new();
        message.append_to(&mut records);
        assert_eq!(Message::read(fields(&records, op::MESSAGE)), Some(message));
        let chunk =
            Chunk { start_time: 1, end_time: 2, unpacked_size: 3, crc: 4, compression: "lz4", records: &[9; 5] };
        let record = [chunk.head(), chunk.records.to_vec()].concat();
        let chunk_fields = fields(&record, op::CHUNK);
        assert_eq!(Chunk::read(chunk_fields), Some(chunk));
        assert_eq!(stated_length(op::CHUNK, &chunk_fields[..43]), Some(chunk_fields.len() as u64));
        assert_eq!(stated_length(op::CHUNK, &chunk_fields[..42]), None);
    }
}
