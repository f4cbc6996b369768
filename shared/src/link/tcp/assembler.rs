//! Assembles messages from a stream of bytes. It has no socket, so tests and the fuzzer can drive it.

use bytes::{Buf, Bytes, BytesMut};

use super::framing::{FramingError, HEADER, parse};
use crate::link::Lane;
use crate::pool::BufferPool;

/// Room for headers and small messages, in bytes: about forty answers per system call.
const SMALL: usize = 8 << 10;

/// Memory for a message before its bytes arrive, in bytes, unless messages of its size have come before. More is added
/// as it fills, so a peer that only claims a length costs no more.
const TRUSTED: usize = 1 << 20;

/// Number of buffers for large messages that are reused: twice the default window.
const POOLED: usize = 16;

/// Assembles messages.
pub(super) struct Assembler {
    most: usize,
    /// Headers and small messages that were read and not handed out yet.
    read: BytesMut,
    /// The large message that is arriving.
    large: Option<Large>,
    pool: BufferPool,
    /// Size of the largest message so far.
    trusted: usize,
}

/// A message that is read into memory of its own.
struct Large {
    lane: Lane,
    body: BytesMut,
    bytes: usize,
}

impl Assembler {
    /// Starts with bytes that were read already. Messages have at most `most` bytes.
    pub(super) fn new(read: BytesMut, most: usize) -> Self {
        Self { most, read, large: None, pool: BufferPool::new(POOLED), trusted: TRUSTED }
    }

    /// Whether a part of a message has arrived.
    pub(super) fn is_under_way(&self) -> bool {
        self.large.is_some() || !self.read.is_empty()
    }

    /// The next message, if all of it has arrived.
    pub(super) fn complete(&mut self) -> Result<Option<(Lane, Bytes)>, FramingError> {
        if self.large.is_none() {
            let Some(header) = self.read.first_chunk::<HEADER>() else { return Ok(None) };
            let (lane, bytes) = parse(*header, self.most)?;
            if self.read.len() >= HEADER + bytes {
                self.read.advance(HEADER);
                return Ok(Some((lane, self.read.split_to(bytes).freeze())));
            }
            if HEADER + bytes <= SMALL {
                return Ok(None);
            }
            self.begin(lane, bytes);
        }
        let Some(Large { lane, body, .. }) = self.large.take_if(|large| large.body.len() == large.bytes) else {
            return Ok(None);
        };
        self.trusted = self.trusted.max(body.len());
        Ok(Some((lane, self.pool.share(body).freeze())))
    }

    /// Begins to read a message into memory of its own.
    fn begin(&mut self, lane: Lane, bytes: usize) {
        self.read.advance(HEADER);
        let mut body = self.pool.take(bytes.min(self.trusted));
        // The message is incomplete, so all bytes that are there belong to it.
        body.extend_from_slice(&self.read);
        self.read.clear();
        self.large = Some(Large { lane, body, bytes });
    }

    /// Where the next bytes of the stream go, and how many at most. The buffer has room for at least one.
    pub(super) fn room(&mut self) -> (&mut BytesMut, usize) {
        let Some(Large { body, bytes, .. }) = &mut self.large else {
            self.read.reserve(SMALL);
            return (&mut self.read, usize::MAX);
        };
        let missing = *bytes - body.len();
        if body.len() == body.capacity() {
            body.reserve(missing.min(body.len()));
        }
        (body, missing)
    }

    /// Memory held for unfinished messages, in bytes.
    pub(super) fn held(&self) -> usize {
        self.read.capacity() + self.large.as_ref().map_or(0, |large| large.body.capacity())
    }
}

/// Maximum memory that an assembler holds after a peer has sent `sent` bytes: the memory granted in advance, and twice
/// the bytes that came.
pub(super) fn bound(sent: usize) -> usize {
    2 * TRUSTED + 2 * sent
}
