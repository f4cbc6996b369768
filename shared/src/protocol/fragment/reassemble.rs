//! Joining pieces to messages.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Bytes, BytesMut};

use super::finished::Finished;
use super::limits::{FragmentError, MIN_PAYLOAD};
use crate::pool::BufferPool;
use crate::protocol::INTEGER_LIMIT;

/// Finished messages whose late pieces are still recognised: a hundred times the usual window.
const REMEMBERED: usize = 1024;

/// A piece as it arrived. Its payload is not copied, so it keeps the memory alive in which it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Message id.
    pub id: u64,
    /// Index of the piece, below the count.
    pub index: u32,
    /// Count of pieces.
    pub count: u32,
    payload: Bytes,
}

impl Piece {
    /// Parses a data channel message.
    pub fn parse(bytes: &Bytes) -> Result<Self, FragmentError> {
        let (id, index, count, payload) = rmp_serde::from_slice::<(u64, u32, u32, &serde_bytes::Bytes)>(bytes)?;
        if id >= INTEGER_LIMIT || index >= count {
            return Err(FragmentError::Impossible { id, index, count });
        }
        // Only the payload is counted. A peer must not make us read, copy or keep more.
        let extra = bytes.as_ptr_range().end as usize - payload.as_ptr_range().end as usize;
        if extra > 0 {
            return Err(FragmentError::Trailing { id, index, count, extra });
        }
        Ok(Self { id, index, count, payload: bytes.slice_ref(payload) })
    }

    /// The message, if this is its only piece.
    pub fn whole(self) -> Option<Bytes> {
        (self.count == 1).then_some(self.payload)
    }
}

/// Joins pieces to messages, in bounded memory.
///
/// Holds at most `max_open` unfinished messages of at most `max_bytes` each. When a further one begins, the oldest is
/// given up. A message of a single piece is not copied. Otherwise each piece is copied to its place once all earlier
/// pieces are there (one copy per byte, while the piece is still in the cache), then released. A piece that overtook an
/// earlier one is copied out of the memory in which it arrived, which may be that of many messages: a link reads 8 KiB
/// at a time, and a piece may have 512 bytes. So only a network that reorders costs a second copy. Memory grows with the
/// bytes that arrive, never with what a header claims, and never beyond `max_bytes` per message. It is reused when the
/// message's users are done with it: the memory of `2 · max_open` messages is kept, including those in use.
#[derive(Debug)]
pub struct Reassembler {
    max_bytes: usize,
    max_open: usize,
    /// Sorted by id.
    open: VecDeque<Partial>,
    finished: Finished,
    abandoned: u64,
    pool: BufferPool,
}

/// A message with some of its pieces.
#[derive(Debug)]
struct Partial {
    id: u64,
    count: u32,
    /// The first pieces, joined, and their number.
    joined: BytesMut,
    pieces_joined: u32,
    /// Pieces that arrived before an earlier one, in memory of their own.
    waiting: BTreeMap<u32, Box<[u8]>>,
    /// Bytes of all pieces held.
    bytes: usize,
}

impl Reassembler {
    /// An empty reassembler for messages of up to `max_bytes`, at most `max_open` of them unfinished at a time.
    pub fn new(max_bytes: usize, max_open: usize) -> Self {
        let max_open = max_open.max(1);
        Self {
            max_bytes,
            max_open,
            open: VecDeque::new(),
            finished: Finished::new(REMEMBERED),
            abandoned: 0,
            // As many finished messages may be in use.
            pool: BufferPool::new(2 * max_open),
        }
    }

    /// Takes a piece as it arrived. Returns the message if this was its last missing piece.
    ///
    /// Pieces may arrive in any order and more than once. A refused piece changes nothing.
    ///
    /// # Errors
    /// [`FragmentError`] if it is not a piece, or not one of a message that this end takes.
    pub fn accept(&mut self, piece: &Bytes) -> Result<Option<Bytes>, FragmentError> {
        self.put(Piece::parse(piece)?)
    }

    /// Like [`Self::accept`], for a piece that was parsed before.
    pub fn put(&mut self, piece: Piece) -> Result<Option<Bytes>, FragmentError> {
        let Piece { id, index, count, payload } = piece;
        self.check(id, index, count, payload.len())?;
        if self.finished.contains(id) {
            return Ok(None);
        }
        if count == 1 {
            if let Ok(place) = self.place(id) {
                self.let_go(place);
            }
            self.finished.push(id);
            return Ok(Some(payload));
        }
        self.store(id, index, count, payload)
    }

    /// The missing pieces of an unfinished message, in order. Empty if no piece of it has arrived.
    pub fn missing(&self, id: u64) -> impl Iterator<Item = u32> {
        let partial = self.place(id).ok().map(|place| &self.open[place]);
        let missing = |partial: &'_ Partial| partial.pieces_joined..partial.count;
        let all = partial.map(missing).unwrap_or_default();
        all.filter(move |index| partial.is_some_and(|partial| !partial.waiting.contains_key(index)))
    }

    /// Whether this piece of an unfinished message has arrived.
    pub fn holds(&self, id: u64, index: u32) -> bool {
        let partial = self.place(id).ok().map(|place| &self.open[place]);
        partial.is_some_and(|partial| index < partial.pieces_joined || partial.waiting.contains_key(&index))
    }

    /// Gives a message up: its pieces are released, later ones are ignored.
    pub fn give_up(&mut self, id: u64) {
        if let Ok(place) = self.place(id) {
            self.let_go(place);
            self.abandoned += 1;
        }
        self.finished.push(id);
    }

    /// Number of unfinished messages given up, for newer ones or for being late.
    pub fn abandoned(&self) -> u64 {
        self.abandoned
    }

    fn check(&self, id: u64, index: u32, count: u32, payload: usize) -> Result<(), FragmentError> {
        if payload > self.max_bytes || count as usize > self.max_bytes / MIN_PAYLOAD + 1 {
            return Err(FragmentError::TooLarge { id, limit: self.max_bytes });
        }
        if index + 1 < count && payload < MIN_PAYLOAD {
            return Err(FragmentError::TooSmall { id, got: payload });
        }
        Ok(())
    }

    fn store(&mut self, id: u64, index: u32, count: u32, payload: Bytes) -> Result<Option<Bytes>, FragmentError> {
        let place = match self.place(id) {
            Ok(place) => place,
            Err(_) => self.begin(id, count, payload.len()),
        };
        let partial = &mut self.open[place];
        if partial.count != count {
            return Err(FragmentError::CountChanged { id, expected: partial.count, got: count });
        }
        if partial.bytes + payload.len() > self.max_bytes {
            return Err(FragmentError::TooLarge { id, limit: self.max_bytes });
        }
        partial.add(index, &payload, self.max_bytes);
        if partial.pieces_joined < count {
            return Ok(None);
        }
        let message = self.open.remove(place).map(|partial| self.pool.share(partial.joined).freeze());
        self.finished.push(id);
        Ok(message)
    }

    /// Index of an unfinished message, or where it would be inserted.
    fn place(&self, id: u64) -> Result<usize, usize> {
        self.open.binary_search_by_key(&id, |partial| partial.id)
    }

    fn begin(&mut self, id: u64, count: u32, first_piece: usize) -> usize {
        if self.open.len() >= self.max_open {
            self.let_go(0);
            self.abandoned += 1;
        }
        let joined = self.pool.take(first_piece);
        let partial = Partial { id, count, joined, pieces_joined: 0, waiting: BTreeMap::new(), bytes: 0 };
        let (Ok(place) | Err(place)) = self.place(id);
        self.open.insert(place, partial);
        place
    }

    fn let_go(&mut self, place: usize) {
        if let Some(partial) = self.open.remove(place) {
            self.pool.put_back(partial.joined);
        }
    }
}

impl Partial {
    fn add(&mut self, index: u32, payload: &[u8], max_bytes: usize) {
        if index < self.pieces_joined || self.waiting.contains_key(&index) {
            return;
        }
        self.bytes += payload.len();
        if index > self.pieces_joined {
            self.waiting.insert(index, payload.into());
            return;
        }
        self.join(payload, max_bytes);
        while let Some(next) = self.waiting.remove(&self.pieces_joined) {
            self.join(&next, max_bytes);
        }
    }

    fn join(&mut self, payload: &[u8], max_bytes: usize) {
        let least = self.joined.len() + payload.len();
        if least > self.joined.capacity() {
            // The capacity doubles, as `reserve` would do, but never beyond what a message may take.
            let mut larger = BytesMut::with_capacity((2 * self.joined.capacity()).min(max_bytes).max(least));
            larger.extend_from_slice(&self.joined);
            self.joined = larger;
        }
        self.joined.extend_from_slice(payload);
        self.pieces_joined += 1;
    }
}
