//! The records that Plumb writes, in their order and with the lengths that follow from what they have.
//!
//! A player skips what it does not know. Whoever completes a recording must not: one damaged bit in a record's type or
//! length can make it a record that is skipped, with all those that it then seems to have.

use std::collections::BTreeMap;

use super::record::{op, stated_length};

/// Fields from which the length of a record is known, in bytes: more than a header, a chunk, metadata or an attachment has
/// before the last of its lengths, with the names that Plumb writes.
pub(crate) const KNOWN_BYTES: u64 = 100;

/// Length of the fields of a footer, in bytes (MCAP specification, Footer).
const FOOTER_BYTES: u64 = 20;

/// Length of the fields of the end of the data, in bytes (MCAP specification, Data End).
const DATA_END_BYTES: u64 = 4;

/// Length of an index of messages without any, and of each message in it, in bytes (MCAP specification, Message Index).
const INDEX_BYTES: [u64; 2] = [6, 16];

/// How far the records of a file were checked.
#[derive(Default)]
pub(crate) struct Order {
    part: Part,
    /// The last chunk's messages by channel, without those whose index was checked. The indexes follow the chunk.
    messages: BTreeMap<u16, u64>,
}

/// A part of a file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    /// Before the header. Nothing is lost without one.
    #[default]
    Start,
    /// Metadata, chunks with their indexes, and attachments.
    Data,
    /// What follows the end of the data. It repeats what the data have.
    Summary,
}

impl Order {
    /// Notes a message of the open chunk.
    pub(crate) fn message(&mut self, channel_id: u16) {
        *self.messages.entry(channel_id).or_default() += 1;
    }

    /// Checks the next record: its type, the length of its fields that its head states, and its first fields. These are
    /// at most [`KNOWN_BYTES`], and fewer than stated if the file ends before them.
    ///
    /// # Errors
    /// What is wrong, if Plumb does not write such a record here.
    pub(crate) fn take(&mut self, opcode: u8, stated: u64, fields: &[u8]) -> Result<(), String> {
        let is_right = match (self.part, opcode) {
            (Part::Data, op::MESSAGE_INDEX) => match self.messages.pop_first() {
                Some((_, messages)) => stated == INDEX_BYTES[0] + INDEX_BYTES[1] * messages,
                None => return Err("it is one index more than its chunk has channels".into()),
            },
            _ if !self.messages.is_empty() => {
                return Err(format!("it has the type {opcode:#04x}, and an index of its chunk should follow"));
            }
            (Part::Start, op::HEADER) | (Part::Start | Part::Data, op::CHUNK | op::METADATA | op::ATTACHMENT) => {
                self.part = Part::Data;
                match stated_length(opcode, fields) {
                    Some(length) => stated == length,
                    // The file ends there.
                    None => (fields.len() as u64) < stated.min(KNOWN_BYTES),
                }
            }
            (Part::Data, op::DATA_END) => {
                self.part = Part::Summary;
                stated == DATA_END_BYTES
            }
            (Part::Summary, op::FOOTER) => stated == FOOTER_BYTES,
            (
                Part::Summary,
                op::SCHEMA
                | op::CHANNEL
                | op::STATISTICS
                | op::CHUNK_INDEX
                | op::ATTACHMENT_INDEX
                | op::METADATA_INDEX
                | op::SUMMARY_OFFSET,
            ) => true,
            _ => return Err(format!("no recording has a record of the type {opcode:#04x} there")),
        };
        if is_right { Ok(()) } else { Err("its length is wrong".into()) }
    }
}
