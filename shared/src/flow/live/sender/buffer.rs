//! The retransmission buffer: frames whose pieces may still be requested, each with its retransmission budget.

use std::collections::VecDeque;

use super::pieces::{KeptPiece, Pieces};
use super::probe::Probe;
use crate::time::Micros;

/// Budget of a frame, in retransmissions per piece: as many as our receiver requests. So a stream takes at most four
/// times its bytes, whatever a client requests.
const MAX_RETRANSMISSIONS: usize = 3;

/// The frames that are alive and unacknowledged, sorted by id.
///
/// Their memory is reused: it grows to the most frames that were ever alive at a time, which the window bounds.
#[derive(Debug, Default)]
pub(super) struct Buffer {
    frames: VecDeque<SentFrame>,
    /// Memory of released frames, reused by the next ones.
    spare: Vec<Pieces>,
}

/// A frame that was sent.
#[derive(Debug)]
pub(super) struct SentFrame {
    pub(super) id: u64,
    pub(super) probe: Probe,
    captured: Micros,
    /// Whether its acknowledgement may belong to more than one transmission.
    was_retransmitted: bool,
    pieces: Pieces,
    /// Pieces that may still be retransmitted.
    budget: usize,
}

impl Buffer {
    /// Keeps the pieces of a frame, `bytes` in all. Its first probe is due at `probe_due`. Ids must increase.
    pub(super) fn keep<'a>(
        &mut self,
        id: u64,
        captured: Micros,
        probe_due: Micros,
        bytes: usize,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) {
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.fill(bytes, pieces);
        self.frames.push_back(SentFrame::new(id, captured, probe_due, kept));
    }

    /// Releases the frames that are no longer fresh.
    pub(super) fn retain(&mut self, is_fresh: impl Fn(u64) -> bool) {
        for _ in 0..self.frames.len() {
            let Some(frame) = self.frames.pop_front() else { return };
            if is_fresh(frame.id) {
                self.frames.push_back(frame);
            } else {
                self.spare.push(frame.pieces);
            }
        }
    }

    /// Releases an acknowledged frame. Returns when it was captured and whether it was retransmitted.
    pub(super) fn remove(&mut self, id: u64) -> Option<(Micros, bool)> {
        let place = self.frames.iter().position(|frame| frame.id == id)?;
        let SentFrame { captured, was_retransmitted, pieces, .. } = self.frames.remove(place)?;
        self.spare.push(pieces);
        Some((captured, was_retransmitted))
    }

    /// The frame of this id, if it is still kept.
    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut SentFrame> {
        self.frames.iter_mut().find(|frame| frame.id == id)
    }

    /// All frames kept, oldest first.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut SentFrame> {
        self.frames.iter_mut()
    }

    /// When the next probe is due.
    pub(super) fn next_probe(&self) -> Option<Micros> {
        self.frames.iter().filter_map(|frame| frame.probe.due()).min()
    }
}

impl SentFrame {
    fn new(id: u64, captured: Micros, probe_due: Micros, pieces: Pieces) -> Self {
        let count = pieces.count();
        Self {
            id,
            probe: Probe::new(probe_due, count.saturating_sub(1)),
            captured,
            was_retransmitted: false,
            pieces,
            budget: count * MAX_RETRANSMISSIONS,
        }
    }

    /// Takes the requested pieces, as far as the budget allows. A request without indices asks for all pieces.
    pub(super) fn requested(&mut self, indices: &[u32]) -> Vec<KeptPiece> {
        let piece = |index: usize| self.pieces.get(index);
        let pieces: Vec<KeptPiece> = match indices {
            [] => (0..self.pieces.count()).filter_map(piece).take(self.budget).collect(),
            some => some.iter().filter_map(|&index| piece(index as usize)).take(self.budget).collect(),
        };
        self.was_retransmitted = true;
        self.budget -= pieces.len();
        pieces
    }

    /// Takes the probe's piece, if the budget allows.
    pub(super) fn probed(&mut self) -> Option<KeptPiece> {
        let left = self.budget.checked_sub(1)?;
        let piece = self.pieces.get(self.probe.piece())?;
        self.was_retransmitted = true;
        self.budget = left;
        Some(piece)
    }

    /// Returns a piece to the budget after the link had no room for it.
    pub(super) fn give_back(&mut self) {
        self.budget += 1;
    }

    /// Whether the frame has a piece of this index.
    pub(super) fn has(&self, index: usize) -> bool {
        index < self.pieces.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps a frame of three pieces.
    fn keep(buffer: &mut Buffer, id: u64) {
        buffer.keep(id, Micros(0), Micros(0), 9, [&b"one"[..], b"two", b"end"]);
    }

    #[test]
    fn a_request_selects_existing_pieces_and_all_of_them_if_it_names_none() {
        let mut buffer = Buffer::default();
        keep(&mut buffer, 4);
        let frame = buffer.get_mut(4).unwrap();
        let pieces = frame.requested(&[2, 0, 3, u32::MAX]);
        assert_eq!(pieces.iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>(), [&b"end"[..], b"one"]);
        assert_eq!(frame.requested(&[]).len(), 3);
    }

    #[test]
    fn requests_and_probes_share_the_budget_and_what_the_link_refused_is_given_back() {
        let mut buffer = Buffer::default();
        keep(&mut buffer, 4);
        let frame = buffer.get_mut(4).unwrap();
        assert_eq!(frame.requested(&[1; 200]).len(), 9);
        assert_eq!(frame.probed(), None);
        frame.give_back();
        assert!(frame.probed().is_some());
        assert!(frame.requested(&[]).is_empty());
    }

    #[test]
    fn the_memory_of_frames_let_go_is_used_again() {
        let mut buffer = Buffer::default();
        for id in 0..100 {
            buffer.retain(|kept| kept + 2 > id);
            keep(&mut buffer, id);
            assert!(buffer.get_mut(id.wrapping_sub(2)).is_none());
        }
        assert_eq!((buffer.frames.len(), buffer.spare.len()), (2, 0));
        assert_eq!(buffer.remove(99), Some((Micros(0), false)));
        assert_eq!((buffer.frames.len(), buffer.spare.len()), (1, 1));
    }
}
