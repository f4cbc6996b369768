//! Reads the records of an MCAP file, one after another. The file may be incomplete, damaged or malicious.
//!
//! The data in the file bounds the memory: a record's length counts only if the file is that long, and a chunk's
//! claimed size only as far as it really unpacks. A chunk with a wrong checksum is reported and skipped as a whole.

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use shared::memory::{look_for, reserved, zeroed};
use thiserror::Error;

use super::order::{KNOWN_BYTES, Order};
use super::record::{Channel, Chunk, HEAD, MAGIC, Message, Metadata, Schema, op};

/// Largest record and largest unpacked chunk, in bytes: twice an image of 8192x8192 in colour.
const MAX_BYTES: u64 = 448 << 20;

/// Memory that a decoder of zstd takes besides what it returns, in bytes: 100 MB, to the next power of two. Without it the
/// decoder panics.
const MAX_WINDOW: u64 = 128 << 20;

/// Largest schema, channel or metadata record, in bytes: a hundred times what ROS's messages or a run's options need. Such a
/// record takes several times its length once it is read.
const MAX_DESCRIPTION_BYTES: u64 = 16 << 20;

/// Length of the end of a complete file, in bytes: a footer and the magic.
const TAIL: u64 = (HEAD + 20 + MAGIC.len()) as u64;

/// Where the statistics have the number of chunks, which follows the numbers of messages (8 bytes), schemas (2), channels,
/// attachments and metadata (4 each).
const CHUNK_COUNT: Range<usize> = 22..26;

/// Why a file cannot be read, or cannot be read further.
#[derive(Debug, Error)]
pub enum ContainerError {
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It does not begin like an MCAP file.
    #[error("it is not an MCAP file")]
    NotMcap,
    /// A record claims more bytes than the limit.
    #[error("a record at byte {at} claims {bytes} bytes; at most {} MiB of its kind are read", most >> 20)]
    TooLarge {
        /// Where the record, or the chunk that it is in, begins.
        at: u64,
        /// What it claims.
        bytes: u64,
        /// The limit, in bytes.
        most: u64,
    },
    /// Schemas, channels and metadata take more memory than those of any recording.
    #[error(
        "its schemas, channels and metadata take more than {} MiB: name a file that describes fewer topics",
        super::described::MAX_BYTES >> 20
    )]
    Described,
    /// A record is malformed.
    #[error("the record at byte {at} is damaged: {why}")]
    Damaged {
        /// Where the record begins.
        at: u64,
        /// What is wrong with it.
        why: String,
    },
    /// Where a record should begin, none does: the bytes were overwritten. What follows cannot be read.
    #[error(
        "no record begins at byte {at}, where one should: the file was overwritten there, and what follows is lost"
    )]
    Lost {
        /// Where the record should begin.
        at: u64,
    },
    /// The compression of a chunk is not known.
    #[error("the chunk at byte {at} has the compression {name}: only lz4, zstd and none are supported")]
    Compression {
        /// Where the chunk begins.
        at: u64,
        /// The name of the compression.
        name: String,
    },
}

/// An item of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// A schema.
    Schema(Schema),
    /// A channel.
    Channel(Channel),
    /// A message.
    Message {
        /// Its channel.
        channel_id: u16,
        /// Its number.
        sequence: u32,
        /// When it was recorded, and when it was published, in ns since 1970.
        times: [u64; 2],
        /// Its bytes.
        data: Vec<u8>,
    },
    /// Metadata.
    Metadata(Metadata),
}

/// How a file ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileEnd {
    /// The file is complete.
    Whole,
    /// The file is cut off after this byte.
    Cut(u64),
}

/// Reads a file from its start to its end.
pub(crate) struct Container<R> {
    file: R,
    length: u64,
    /// Where the next record begins.
    at: u64,
    /// The records of the open chunk, and the position up to which they were read.
    chunk: Vec<u8>,
    read: usize,
    /// Where the open chunk begins.
    chunk_at: u64,
    /// Chunks that were found; `None` once some were skipped.
    chunks: Option<u32>,
    end: Option<FileEnd>,
    /// What the records are checked against; `None` if records that are not known are skipped.
    order: Option<Order>,
}

impl<R: Read + Seek> Container<R> {
    /// Starts to read.
    ///
    /// # Errors
    /// [`ContainerError`] if the file does not begin like an MCAP file.
    pub(crate) fn open(mut file: R) -> Result<Self, ContainerError> {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let mut magic = [0; MAGIC.len()];
        match file.read_exact(&mut magic) {
            Ok(()) if magic == MAGIC => {}
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error.into()),
            _ => return Err(ContainerError::NotMcap),
        }
        let at = magic.len() as u64;
        let (chunk, chunks, end, order) = (Vec::new(), Some(0), None, None);
        Ok(Self { file, length, at, chunk, read: 0, chunk_at: at, chunks, end, order })
    }

    /// From the file's start on, accepts only the records that Plumb writes, and behind a cut only a part of the next one.
    /// Anything else is an error: it may be a damaged record that hides others.
    pub(crate) fn only_ours(mut self) -> Self {
        self.order = Some(Order::default());
        self
    }

    /// Skips to the summary at the end of a complete file. Returns whether there is one.
    pub(crate) fn skip_to_summary(&mut self) -> Result<bool, ContainerError> {
        let back_to = self.at;
        let start = self.summary_start()?;
        self.at = start.unwrap_or(back_to);
        self.chunks = self.chunks.filter(|_| start.is_none());
        self.file.seek(SeekFrom::Start(self.at))?;
        Ok(start.is_some())
    }

    fn summary_start(&mut self) -> Result<Option<u64>, ContainerError> {
        let Some(tail_at) = self.length.checked_sub(TAIL) else { return Ok(None) };
        let mut tail = [0; TAIL as usize];
        self.file.seek(SeekFrom::Start(tail_at))?;
        self.file.read_exact(&mut tail)?;
        let (footer, magic) = tail.split_at(HEAD + 20);
        let start = u64::from_le_bytes(footer[HEAD..HEAD + 8].try_into().unwrap_or_default());
        let is_whole = magic == MAGIC && footer[0] == op::FOOTER && footer[1..HEAD] == 20u64.to_le_bytes();
        Ok(Some(start).filter(|start| is_whole && (self.at..tail_at).contains(start)))
    }

    /// Length of the file, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The next item; `None` at the end. A damaged chunk is an error; reading may continue after it.
    pub(crate) fn next(&mut self) -> Result<Option<Found>, ContainerError> {
        loop {
            while self.read < self.chunk.len() {
                if let Some(found) = self.next_in_chunk()? {
                    return Ok(Some(found));
                }
            }
            if self.end.is_some() {
                return Ok(None);
            }
            let begins = self.at;
            let Some((opcode, data)) = self.record()? else { return Ok(None) };
            match opcode {
                op::CHUNK => {
                    self.chunks = self.chunks.map(|chunks| chunks.saturating_add(1));
                    self.unpack(begins, &data)?;
                }
                op::STATISTICS => self.compare(begins, &data)?,
                op::FOOTER => self.end = Some(FileEnd::Whole),
                _ => {
                    if let Some(found) = found(begins, opcode, &data)? {
                        return Ok(Some(found));
                    }
                }
            }
        }
    }

    /// How the file ends; `None` until [`Self::next`] has reached the end.
    pub(crate) fn end(&self) -> Option<&FileEnd> {
        self.end.as_ref()
    }

    /// The next record of the file; `None` if it is incomplete.
    fn record(&mut self) -> Result<Option<(u8, Vec<u8>)>, ContainerError> {
        let left = self.length.saturating_sub(self.at);
        if left < HEAD as u64 {
            return Ok(self.cut());
        }
        let mut head = [0; HEAD];
        self.file.read_exact(&mut head)?;
        let [opcode, length @ ..] = head;
        let bytes = u64::from_le_bytes(length);
        let begins = self.at;
        self.check_order(opcode, bytes)?;
        if bytes > left - HEAD as u64 {
            return Ok(self.cut());
        }
        // No record has this type. After a power cut, a file that was being written may end in zeros.
        if opcode == 0 {
            let is_cut = self.ends_in_zeros()?;
            self.end = Some(FileEnd::Cut(begins));
            return if is_cut { Ok(None) } else { Err(ContainerError::Lost { at: begins }) };
        }
        self.at += HEAD as u64 + bytes;
        let is_read = matches!(
            opcode,
            op::CHUNK | op::SCHEMA | op::CHANNEL | op::MESSAGE | op::METADATA | op::STATISTICS | op::FOOTER
        );
        if !is_read {
            self.file.seek(SeekFrom::Start(self.at))?;
            return Ok(Some((opcode, Vec::new())));
        }
        if bytes > MAX_BYTES {
            self.file.seek(SeekFrom::Start(self.at))?;
            return Err(ContainerError::TooLarge { at: begins, bytes, most: MAX_BYTES });
        }
        // The file is that long, and the limit fits.
        let mut data = zeroed(bytes as usize, format_args!("the record at byte {begins}")).map_err(io::Error::from)?;
        self.file.read_exact(&mut data)?;
        Ok(Some((opcode, data)))
    }

    /// Checks the record whose head was read: its type, its length, and that nothing but zeros follows a type of 0.
    fn check_order(&mut self, opcode: u8, bytes: u64) -> Result<(), ContainerError> {
        let Some(order) = &mut self.order else { return Ok(()) };
        let (file, at) = (&mut self.file, self.at);
        let fields_at = at + HEAD as u64;
        if opcode == 0 {
            file.seek(SeekFrom::Start(at))?;
            let are_zeros = are_zeros(file)?;
            file.seek(SeekFrom::Start(fields_at))?;
            return if are_zeros { Ok(()) } else { Err(ContainerError::Lost { at }) };
        }
        let mut fields = Vec::new();
        file.by_ref().take(bytes.min(KNOWN_BYTES)).read_to_end(&mut fields)?;
        file.seek(SeekFrom::Start(fields_at))?;
        order.take(opcode, bytes, &fields).map_err(|why| ContainerError::Damaged { at, why })
    }

    /// Whether the last bytes of the file are zeros: as many as the end of a complete file has.
    fn ends_in_zeros(&mut self) -> Result<bool, ContainerError> {
        let mut tail = Vec::new();
        self.file.seek(SeekFrom::Start(self.length.saturating_sub(TAIL)))?;
        self.file.by_ref().take(TAIL).read_to_end(&mut tail)?;
        Ok(tail.iter().all(|byte| *byte == 0))
    }

    /// Compares the chunks that were found with the number that the file states.
    fn compare(&self, begins: u64, statistics: &[u8]) -> Result<(), ContainerError> {
        let stated = statistics.get(CHUNK_COUNT).and_then(|count| Some(u32::from_le_bytes(count.try_into().ok()?)));
        match stated.zip(self.chunks) {
            Some((stated, found)) if found < stated => {
                let missing = stated - found;
                Err(ContainerError::Damaged { at: begins, why: format!("{missing} of {stated} chunks are missing") })
            }
            _ => Ok(()),
        }
    }

    fn cut<T>(&mut self) -> Option<T> {
        self.end = Some(FileEnd::Cut(self.at));
        None
    }

    /// Unpacks a chunk. Its records are read next.
    fn unpack(&mut self, begins: u64, data: &[u8]) -> Result<(), ContainerError> {
        let damaged = |why: String| ContainerError::Damaged { at: begins, why };
        let chunk = Chunk::read(data).ok_or_else(|| damaged("it is not a chunk".into()))?;
        let Chunk { unpacked_size, crc, compression, records: packed, .. } = chunk;
        if unpacked_size > MAX_BYTES {
            return Err(ContainerError::TooLarge { at: begins, bytes: unpacked_size, most: MAX_BYTES });
        }
        if !compression.is_empty() {
            let what = format_args!("what the chunk at byte {begins} unpacks to");
            look_for(unpacked_size.min(MAX_WINDOW) as usize, what).map_err(io::Error::from)?;
        }
        let mut records = Vec::new();
        // One more byte would show that the chunk is longer than it claims.
        let most = unpacked_size + 1;
        match compression {
            "" => packed.take(most).read_to_end(&mut records),
            "lz4" => lz4_flex::frame::FrameDecoder::new(packed).take(most).read_to_end(&mut records),
            "zstd" => match ruzstd::decoding::StreamingDecoder::new(packed) {
                Ok(decoder) => decoder.take(most).read_to_end(&mut records),
                Err(error) => Err(io::Error::other(error.to_string())),
            },
            other => {
                let name = other.chars().take(20).collect::<String>().escape_debug().to_string();
                return Err(ContainerError::Compression { at: begins, name });
            }
        }
        .map_err(|error| match error.kind() {
            // Nothing is wrong with the file.
            io::ErrorKind::OutOfMemory => {
                let what = format!("there is no memory for what the chunk at byte {begins} unpacks to");
                io::Error::new(error.kind(), what + ": give this process more memory (ulimit -v)").into()
            }
            _ => damaged(format!("it cannot be decompressed: {error}")),
        })?;
        if records.len() as u64 != unpacked_size {
            return Err(damaged(format!("it does not decompress to the {unpacked_size} bytes that it states")));
        }
        if crc != 0 && crc32fast::hash(&records) != crc {
            return Err(damaged("its checksum is wrong".into()));
        }
        (self.chunk, self.read, self.chunk_at) = (records, 0, begins);
        Ok(())
    }

    /// The next record of the open chunk; `None` for a record that is ignored.
    fn next_in_chunk(&mut self) -> Result<Option<Found>, ContainerError> {
        let Some((opcode, data)) = split(&self.chunk[self.read..]) else {
            self.read = self.chunk.len();
            return Err(ContainerError::Damaged { at: self.chunk_at, why: "it ends within a record".into() });
        };
        self.read += HEAD + data.len();
        let found = found(self.chunk_at, opcode, data)?;
        if let (Some(order), Some(Found::Message { channel_id, .. })) = (&mut self.order, &found) {
            order.message(*channel_id);
        }
        Ok(found)
    }
}

/// Whether all that follows in the file is zeros.
fn are_zeros(file: &mut impl Read) -> io::Result<bool> {
    let mut part = [0; 8192];
    loop {
        match file.read(&mut part) {
            Ok(0) => return Ok(true),
            Ok(bytes) if part[..bytes].iter().any(|byte| *byte != 0) => return Ok(false),
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
}

/// The opcode and the data of the first record.
fn split(records: &[u8]) -> Option<(u8, &[u8])> {
    let (&[opcode, length @ ..], rest) = records.split_first_chunk::<HEAD>()?;
    let bytes = usize::try_from(u64::from_le_bytes(length)).ok()?;
    Some((opcode, rest.get(..bytes)?))
}

/// Parses a record; `None` if it is of a kind that is ignored.
fn found(at: u64, opcode: u8, fields: &[u8]) -> Result<Option<Found>, ContainerError> {
    let bytes = fields.len() as u64;
    if matches!(opcode, op::SCHEMA | op::CHANNEL | op::METADATA) && bytes > MAX_DESCRIPTION_BYTES {
        return Err(ContainerError::TooLarge { at, bytes, most: MAX_DESCRIPTION_BYTES });
    }
    let found = match opcode {
        op::SCHEMA => Schema::read(fields).map(Found::Schema),
        op::CHANNEL => Channel::read(fields).map(Found::Channel),
        op::METADATA => Metadata::read(fields).map(Found::Metadata),
        op::MESSAGE => match Message::read(fields) {
            Some(Message { channel_id, sequence, log_time, publish_time, data: [all, _] }) => {
                let what = format_args!("a message of the record at byte {at}");
                let mut data = reserved(all.len(), what).map_err(io::Error::from)?;
                data.extend_from_slice(all);
                Some(Found::Message { channel_id, sequence, times: [log_time, publish_time], data })
            }
            None => None,
        },
        _ => return Ok(None),
    };
    found.map(Some).ok_or_else(|| ContainerError::Damaged { at, why: "it ends within a field".into() })
}
