//! Splitting messages into pieces.

use std::io;

use bytes::{BufMut, BytesMut};
use serde::Serialize;

use super::limits::{MAX_HEADER, MIN_PAYLOAD, SplitError};
use crate::pool::BufferPool;
use crate::protocol::message;

/// Pieces whose memory is kept, in addition to those of one message: a full send buffer of 1 MiB, twice.
const SPARE_PIECES: usize = 32;

/// Splits messages into pieces of at most the peer's message size.
#[derive(Debug)]
pub struct Splitter {
    max_message_size: usize,
    pool: BufferPool,
}

impl Splitter {
    /// A splitter for pieces of at most `max_message_size` bytes each, header included.
    pub fn new(max_message_size: usize) -> Self {
        Self { max_message_size, pool: BufferPool::new(SPARE_PIECES) }
    }

    /// Encodes `message` straight into pieces and passes them to `each` in order. Returns their total bytes, headers
    /// included.
    ///
    /// It takes two passes, one that counts and one that copies, so that pixels are copied only once.
    ///
    /// # Errors
    /// [`SplitError`] if the peer's message size is too small or the message cannot be encoded.
    pub fn split(
        &mut self,
        id: u64,
        message: &impl Serialize,
        each: impl FnMut(BytesMut),
    ) -> Result<usize, SplitError> {
        if self.max_message_size < MAX_HEADER + MIN_PAYLOAD {
            return Err(SplitError::MessageSize(self.max_message_size));
        }
        let mut length = Counter(0);
        message::encode(message, &mut length)?;
        let payload = self.max_message_size - MAX_HEADER;
        let count = length.0.div_ceil(payload).max(1);
        self.pool.keep(count + SPARE_PIECES);
        // Messages are bounded far below 2^32 pieces: the largest frame is 201 MB.
        let mut pieces = Pieces {
            id,
            count: count as u32,
            payload,
            left: length.0,
            index: 0,
            room: 0,
            bytes: 0,
            piece: None,
            pool: &mut self.pool,
            each,
        };
        message::encode(message, &mut pieces)?;
        Ok(pieces.bytes)
    }
}

/// [`Splitter::split`] for a single message, into memory of its own.
///
/// # Errors
/// Those of [`Splitter::split`].
pub fn split(id: u64, message: &impl Serialize, max_message_size: usize) -> Result<Vec<BytesMut>, SplitError> {
    let mut pieces = Vec::new();
    Splitter::new(max_message_size).split(id, message, |piece| pieces.push(piece))?;
    Ok(pieces)
}

/// Counts bytes.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes bytes into pieces, each with its header, and passes each piece on as soon as it is full.
struct Pieces<'a, F> {
    id: u64,
    count: u32,
    payload: usize,
    left: usize,
    index: u32,
    room: usize,
    bytes: usize,
    piece: Option<BytesMut>,
    pool: &'a mut BufferPool,
    each: F,
}

impl<F: FnMut(BytesMut)> Pieces<'_, F> {
    fn open(&mut self) -> io::Result<BytesMut> {
        self.room = self.left.min(self.payload);
        let mut header = self.pool.take(MAX_HEADER + self.room).writer();
        rmp::encode::write_array_len(&mut header, 4)?;
        rmp::encode::write_uint(&mut header, self.id)?;
        rmp::encode::write_uint(&mut header, self.index.into())?;
        rmp::encode::write_uint(&mut header, self.count.into())?;
        rmp::encode::write_bin_len(&mut header, self.room as u32)?;
        self.index += 1;
        Ok(header.into_inner())
    }
}

impl<F: FnMut(BytesMut)> io::Write for Pieces<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let mut piece = match self.piece.take() {
            Some(piece) => piece,
            None => self.open()?,
        };
        let taken = bytes.len().min(self.room);
        piece.extend_from_slice(&bytes[..taken]);
        self.room -= taken;
        self.left -= taken;
        if self.room > 0 {
            self.piece = Some(piece);
        } else {
            let piece = self.pool.share(piece);
            self.bytes += piece.len();
            (self.each)(piece);
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
