//! The pieces of a sent frame, copied into memory that is reused.

use std::ops::Range;
use std::sync::Arc;

/// A piece of a frame, as a slice of the kept memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPiece {
    bytes: Arc<Vec<u8>>,
    place: Range<usize>,
}

impl AsRef<[u8]> for KeptPiece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.place.clone()]
    }
}

/// The pieces of a frame, one after the other.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    bytes: Arc<Vec<u8>>,
    /// End offset of each piece.
    ends: Vec<usize>,
}

impl Pieces {
    /// Replaces the pieces by copies of these, `bytes` in all.
    pub(super) fn fill<'a>(&mut self, bytes: usize, pieces: impl IntoIterator<Item = &'a [u8]>) {
        // The link may still hold a piece of the last frame. If so, that memory stays with the link.
        if Arc::get_mut(&mut self.bytes).is_none() {
            self.bytes = Arc::default();
        }
        let Some(memory) = Arc::get_mut(&mut self.bytes) else { return };
        memory.clear();
        // Encoded frames vary a little in length: leave room for the next to be longer.
        memory.reserve_exact(if bytes > memory.capacity() { bytes + bytes / 8 } else { bytes });
        self.ends.clear();
        for piece in pieces {
            memory.extend_from_slice(piece);
            self.ends.push(memory.len());
        }
    }

    /// Number of pieces.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// The piece of this index, if it exists.
    pub(super) fn get(&self, index: usize) -> Option<KeptPiece> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(KeptPiece { bytes: self.bytes.clone(), place: start..end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_those_that_were_put_in() {
        let mut pieces = Pieces::default();
        pieces.fill(9, [&b"first"[..], b"last"]);
        assert_eq!(pieces.count(), 2);
        assert_eq!(pieces.get(1).as_ref().map(AsRef::as_ref), Some(&b"last"[..]));
        assert_eq!(pieces.get(2), None);
    }

    #[test]
    fn a_piece_in_use_stays_when_its_memory_would_be_used_again() {
        let mut pieces = Pieces::default();
        pieces.fill(5, [&b"first"[..]]);
        let first = pieces.get(0);
        pieces.fill(5, [&b"other"[..]]);
        assert_eq!(first.as_ref().map(AsRef::as_ref), Some(&b"first"[..]));
        let place = pieces.bytes.as_ptr();
        pieces.fill(5, [&b"third"[..]]);
        assert_eq!(pieces.bytes.as_ptr(), place, "memory that is free is used again");
    }
}
