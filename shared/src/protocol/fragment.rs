//! Fragments: a message cut into pieces that fit the peer's message size, and put together again.
//!
//! Each piece is a MessagePack array `[message id, index, count, bin]`, header included within the peer's
//! `a=max-message-size`. All pieces but the last carry at least [`MIN_PAYLOAD`] bytes.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use thiserror::Error;

use crate::protocol::{INTEGER_LIMIT, message};

/// The most a header takes: array marker 1, id 9, index 5, count 5, bin length 5 bytes.
pub const MAX_HEADER: usize = 25;

/// The least a piece carries unless it is the last, so that a message's length bounds its count of pieces.
pub const MIN_PAYLOAD: usize = 512;

/// Finished messages whose late pieces are still recognised: a hundred times the usual window.
const REMEMBERED: usize = 1024;

/// Why a piece was refused.
#[derive(Debug, Error)]
pub enum FragmentError {
    /// Not `[id, index, count, bin]`.
    #[error("malformed fragment: {0}")]
    Malformed(#[from] rmp_serde::decode::Error),
    /// Id or count out of range, or index not below count.
    #[error("fragment {index} of {count} of message {id}: impossible numbers")]
    Impossible {
        /// Message id.
        id: u64,
        /// Index of the piece.
        index: u32,
        /// Count of pieces.
        count: u32,
    },
    /// The message would be larger than this end takes.
    #[error("message {id} exceeds {limit} bytes")]
    TooLarge {
        /// Message id.
        id: u64,
        /// The most this end takes, in bytes.
        limit: usize,
    },
    /// Two pieces of a message disagree on their count.
    #[error("message {id} had {expected} fragments, now {got}")]
    CountChanged {
        /// Message id.
        id: u64,
        /// Count in its first piece.
        expected: u32,
        /// Count in this piece.
        got: u32,
    },
    /// A piece that is not the last carries less than [`MIN_PAYLOAD`].
    #[error("fragment of {got} bytes of message {id}: all but the last carry at least {MIN_PAYLOAD}")]
    TooSmall {
        /// Message id.
        id: u64,
        /// Payload in bytes.
        got: usize,
    },
}

/// Why a message could not be cut.
#[derive(Debug, Error)]
pub enum SplitError {
    /// The peer takes messages too small to carry a piece.
    #[error("the peer takes messages of {0} bytes at most; at least {least} are needed", least = MAX_HEADER + MIN_PAYLOAD)]
    MessageSize(usize),
    /// The message could not be written.
    #[error("cannot encode: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
}

/// Encodes `message` straight into pieces of at most `max_message_size` bytes each, header included.
///
/// Written in two passes, one that counts and one that copies, so that pixels are copied once.
pub fn split(id: u64, message: &impl Serialize, max_message_size: usize) -> Result<Vec<BytesMut>, SplitError> {
    if max_message_size < MAX_HEADER + MIN_PAYLOAD {
        return Err(SplitError::MessageSize(max_message_size));
    }
    let mut length = Counter(0);
    message::encode(message, &mut length)?;
    let mut pieces = Pieces::new(id, length.0, max_message_size - MAX_HEADER);
    message::encode(message, &mut pieces)?;
    Ok(pieces.pieces)
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

/// Writes bytes into pieces, each with its header.
struct Pieces {
    id: u64,
    count: u32,
    payload: usize,
    left: usize,
    pieces: Vec<BytesMut>,
    room: usize,
}

impl Pieces {
    fn new(id: u64, length: usize, payload: usize) -> Self {
        let count = length.div_ceil(payload).max(1);
        // Messages are bounded far below 2^32 pieces: the largest frame is 201 MB.
        Self { id, count: count as u32, payload, left: length, pieces: Vec::with_capacity(count), room: 0 }
    }

    fn open(&mut self) -> io::Result<()> {
        let index = self.pieces.len() as u32;
        self.room = self.left.min(self.payload);
        let mut header = BytesMut::with_capacity(MAX_HEADER + self.room).writer();
        rmp::encode::write_array_len(&mut header, 4)?;
        rmp::encode::write_uint(&mut header, self.id)?;
        rmp::encode::write_uint(&mut header, index.into())?;
        rmp::encode::write_uint(&mut header, self.count.into())?;
        rmp::encode::write_bin_len(&mut header, self.room as u32)?;
        self.pieces.push(header.into_inner());
        Ok(())
    }
}

impl io::Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.room == 0 {
            self.open()?;
        }
        let taken = bytes.len().min(self.room);
        let piece = self.pieces.last_mut().ok_or(io::ErrorKind::WriteZero)?;
        piece.extend_from_slice(&bytes[..taken]);
        self.room -= taken;
        self.left -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A piece as it arrived, its payload where it lies.
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
    /// Reads a data channel message.
    pub fn parse(bytes: &Bytes) -> Result<Self, FragmentError> {
        let (id, index, count, payload) = rmp_serde::from_slice::<(u64, u32, u32, &serde_bytes::Bytes)>(bytes)?;
        if id >= INTEGER_LIMIT || index >= count {
            return Err(FragmentError::Impossible { id, index, count });
        }
        Ok(Self { id, index, count, payload: bytes.slice_ref(payload) })
    }
}

/// Puts messages together, in bounded memory.
///
/// Holds at most `max_open` unfinished messages of at most `max_bytes` each; when a further one begins, the oldest is
/// given up.
#[derive(Debug)]
pub struct Reassembler {
    max_bytes: usize,
    max_open: usize,
    open: BTreeMap<u64, Partial>,
    finished: VecDeque<u64>,
    abandoned: u64,
}

/// A message some of whose pieces have arrived.
#[derive(Debug)]
struct Partial {
    pieces: Vec<Option<Bytes>>,
    missing: u32,
    bytes: usize,
}

impl Reassembler {
    /// An empty reassembler that takes messages of up to `max_bytes`, `max_open` of them unfinished at a time.
    pub fn new(max_bytes: usize, max_open: usize) -> Self {
        Self { max_bytes, max_open: max_open.max(1), open: BTreeMap::new(), finished: VecDeque::new(), abandoned: 0 }
    }

    /// Takes a piece as it arrived; returns the message when it was the last one missing.
    ///
    /// Pieces may come in any order and more than once. A refused piece changes nothing.
    pub fn accept(&mut self, piece: &Bytes) -> Result<Option<Bytes>, FragmentError> {
        self.put(Piece::parse(piece)?)
    }

    /// The same for a piece already read.
    pub fn put(&mut self, piece: Piece) -> Result<Option<Bytes>, FragmentError> {
        let Piece { id, index, count, payload } = piece;
        self.check(id, index, count, payload.len())?;
        if self.finished.contains(&id) {
            return Ok(None);
        }
        if count == 1 {
            self.open.remove(&id);
            self.remember(id);
            return Ok(Some(payload));
        }
        self.store(id, index, count, payload)
    }

    /// The pieces an unfinished message lacks, in order; none for one of which nothing has come.
    pub fn missing(&self, id: u64) -> impl Iterator<Item = u32> {
        let pieces = self.open.get(&id).map(|partial| &partial.pieces[..]).unwrap_or_default();
        pieces.iter().zip(0..).filter(|(piece, _)| piece.is_none()).map(|(_, index)| index)
    }

    /// Gives a message up: what has come of it is let go, what still comes is ignored.
    pub fn give_up(&mut self, id: u64) {
        if self.open.remove(&id).is_some() {
            self.abandoned += 1;
        }
        self.remember(id);
    }

    /// Unfinished messages given up for newer ones, or for being late.
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
        if !self.open.contains_key(&id) && self.open.len() >= self.max_open {
            self.open.pop_first();
            self.abandoned += 1;
        }
        let partial = self.open.entry(id).or_insert_with(|| Partial {
            pieces: vec![None; count as usize],
            missing: count,
            bytes: 0,
        });
        if partial.pieces.len() != count as usize {
            let expected = partial.pieces.len() as u32;
            return Err(FragmentError::CountChanged { id, expected, got: count });
        }
        if partial.bytes + payload.len() > self.max_bytes {
            return Err(FragmentError::TooLarge { id, limit: self.max_bytes });
        }
        partial.add(index, payload);
        if partial.missing > 0 {
            return Ok(None);
        }
        let message = self.open.remove(&id).map(Partial::join);
        self.remember(id);
        Ok(message)
    }

    fn remember(&mut self, id: u64) {
        if self.finished.len() == REMEMBERED {
            self.finished.pop_front();
        }
        self.finished.push_back(id);
    }
}

impl Partial {
    fn add(&mut self, index: u32, payload: Bytes) {
        let slot = &mut self.pieces[index as usize];
        if slot.is_none() {
            self.bytes += payload.len();
            self.missing -= 1;
            *slot = Some(payload);
        }
    }

    fn join(self) -> Bytes {
        let mut message = Vec::with_capacity(self.bytes);
        for piece in self.pieces.into_iter().flatten() {
            message.extend_from_slice(&piece);
        }
        message.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(id: u64, message: &[u8], max_message_size: usize) -> Vec<Bytes> {
        let pieces = split(id, &serde_bytes::Bytes::new(message), max_message_size).unwrap();
        pieces.into_iter().map(BytesMut::freeze).collect()
    }

    fn whole(message: &[u8]) -> Vec<u8> {
        rmp_serde::to_vec(serde_bytes::Bytes::new(message)).unwrap()
    }

    fn piece(id: u64, index: u32, count: u32, payload: &[u8]) -> Bytes {
        rmp_serde::to_vec(&(id, index, count, serde_bytes::Bytes::new(payload))).unwrap().into()
    }

    #[test]
    fn a_small_message_is_one_piece() {
        assert_eq!(cut(3, b"ab", 1000), [Bytes::from_static(&[0x94, 3, 0, 1, 0xc4, 4, 0xc4, 2, b'a', b'b'])]);
    }

    #[test]
    fn impossible_pieces_are_refused() {
        let mut reassembler = Reassembler::new(10_000, 4);
        let mut refused = |piece: Bytes| reassembler.accept(&piece).unwrap_err().to_string();
        assert!(refused(piece(0, 1, 1, b"x")).contains("impossible"));
        assert!(refused(piece(0, 0, 0, b"x")).contains("impossible"));
        assert!(refused(piece(1 << 53, 0, 1, b"x")).contains("impossible"));
        assert!(refused(piece(0, 0, 1, &[0; 10_001])).contains("exceeds 10000 bytes"));
        assert!(refused(piece(0, 0, u32::MAX, &[0; 600])).contains("exceeds"));
        assert!(refused(piece(0, 0, 2, b"x")).contains("at least 512"));
        assert!(refused(Bytes::from_static(b"\x93\x01\x02\x03")).contains("malformed"));
        assert!(refused(Bytes::from_static(b"\x94\x00\x00\x01\xc6\xff\xff\xff\xff")).contains("malformed"));
    }

    #[test]
    fn a_message_that_grows_over_the_limit_is_refused() {
        let mut reassembler = Reassembler::new(1_000, 4);
        assert!(reassembler.accept(&piece(0, 0, 2, &[0; 600])).unwrap().is_none());
        assert!(matches!(reassembler.accept(&piece(0, 1, 2, &[0; 600])), Err(FragmentError::TooLarge { .. })));
    }

    #[test]
    fn the_oldest_unfinished_message_gives_way() {
        let mut reassembler = Reassembler::new(10_000, 2);
        for id in 0..3 {
            assert!(reassembler.accept(&piece(id, 0, 2, &[0; 600])).unwrap().is_none());
        }
        assert_eq!(reassembler.abandoned(), 1);
        assert!(reassembler.accept(&piece(1, 1, 2, b"end")).unwrap().is_some());
    }

    #[test]
    fn a_message_size_too_small_for_a_piece_is_an_error() {
        let error = split(0, &"x", 100).unwrap_err();
        assert_eq!(error.to_string(), "the peer takes messages of 100 bytes at most; at least 537 are needed");
    }

    proptest! {
        #[test]
        fn pieces_fit_and_make_the_message_again_in_any_order(
            message in proptest::collection::vec(any::<u8>(), 0..20_000),
            max_message_size in 537..4_000usize,
            seed in any::<u64>(),
        ) {
            let mut pieces = cut(9, &message, max_message_size);
            prop_assert!(pieces.iter().all(|piece| piece.len() <= max_message_size));
            // A seeded shuffle, each piece twice but for the last to arrive.
            pieces.sort_by_key(|piece| piece.len().wrapping_mul(seed as usize | 1) ^ piece[2] as usize);
            let mut reassembler = Reassembler::new(40_000, 4);
            let (last, rest) = pieces.split_last().unwrap();
            for piece in rest.iter().chain(rest) {
                prop_assert!(reassembler.accept(piece).unwrap().is_none());
            }
            let joined = reassembler.accept(last).unwrap();
            prop_assert_eq!(joined.as_deref(), Some(&whole(&message)[..]));
            prop_assert!(reassembler.accept(last).unwrap().is_none(), "a finished message is not opened again");
        }

        #[test]
        fn no_bytes_make_the_reassembler_panic(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let mut reassembler = Reassembler::new(5_000, 2);
            for piece in pieces {
                let _ = reassembler.accept(&piece.into());
            }
        }
    }
}
