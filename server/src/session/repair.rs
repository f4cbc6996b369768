//! Live delivery, seen by the sender: the pieces of fresh frames are kept, and sent again where the client asks.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use shared::protocol::message::Incomplete;
use shared::time::Micros;

/// A frame's pieces are sent again at most so often, all together: as often as a client of ours asks. So whatever a client
/// asks for, the stream takes at most four times its bytes.
const MAX_REPEATS: usize = 3;

/// The latest frame is not followed by another that would show its loss to the client. After this share of its lifetime
/// (21 ms at 60 frames a second, a little later than the next frame is due) its last piece is sent again.
const PROBE_SHARE: (u32, u32) = (5, 8);

/// The frames whose pieces may still be asked for.
#[derive(Debug)]
pub(super) struct Repair {
    lifetime: Duration,
    frames: VecDeque<Kept>,
    probe_at: Option<Micros>,
    repeated: u64,
}

/// A frame's pieces.
#[derive(Debug)]
struct Kept {
    id: u64,
    until: Micros,
    pieces: Vec<Bytes>,
    repeats_left: usize,
}

impl Repair {
    /// Keeps frames for this long after their capture.
    pub(super) fn new(lifetime: Duration) -> Self {
        Self { lifetime, frames: VecDeque::new(), probe_at: None, repeated: 0 }
    }

    /// A frame was sent; ids count upwards.
    pub(super) fn keep(&mut self, id: u64, captured: Micros, pieces: Vec<Bytes>) {
        let repeats_left = pieces.len() * MAX_REPEATS;
        self.frames.push_back(Kept { id, until: captured + self.lifetime, pieces, repeats_left });
        let (share, of) = PROBE_SHARE;
        self.probe_at = Some(captured + self.lifetime * share / of);
    }

    /// Lets go of frames whose lifetime is over.
    pub(super) fn expire(&mut self, now: Micros) {
        while self.frames.front().is_some_and(|kept| kept.until <= now) {
            self.frames.pop_front();
        }
    }

    /// The pieces to send for a request; none of a frame no longer kept.
    pub(super) fn asked(&mut self, request: &Incomplete) -> Vec<Bytes> {
        let Some(kept) = self.frames.iter_mut().find(|kept| kept.id == request.id) else { return Vec::new() };
        let pieces: Vec<Bytes> = match &request.pieces[..] {
            [] => kept.pieces.iter().take(kept.repeats_left).cloned().collect(),
            some => {
                let named = some.iter().filter_map(|&index| kept.pieces.get(index as usize));
                named.take(kept.repeats_left).cloned().collect()
            }
        };
        kept.repeats_left -= pieces.len();
        self.repeated += pieces.len() as u64;
        pieces
    }

    /// The latest frame, if nothing has followed it for so long that the client may not know of it.
    pub(super) fn probe(&mut self, now: Micros) -> Option<(u64, Bytes)> {
        self.probe_at.take_if(|at| *at <= now)?;
        let kept = self.frames.back_mut()?;
        kept.repeats_left = kept.repeats_left.checked_sub(1)?;
        self.repeated += 1;
        Some((kept.id, kept.pieces.last()?.clone()))
    }

    /// Pieces sent again so far.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// When [`Self::probe`] is due.
    pub(super) fn next_moment(&self) -> Option<Micros> {
        self.probe_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repair_with(pieces: usize) -> Repair {
        let mut repair = Repair::new(Duration::from_millis(32));
        repair.keep(4, Micros(1_000), vec![Bytes::from_static(b"piece"); pieces]);
        repair
    }

    #[test]
    fn pieces_that_are_not_there_are_not_sent_again() {
        let mut repair = repair_with(3);
        assert_eq!(repair.asked(&Incomplete { id: 4, pieces: vec![0, 2, 3, u32::MAX] }).len(), 2);
        assert_eq!(repair.asked(&Incomplete { id: 5, pieces: vec![] }).len(), 0);
    }

    #[test]
    fn whatever_is_asked_for_a_frame_takes_four_times_its_bytes_at_most() {
        let mut repair = repair_with(3);
        let sent: usize = (0..20).map(|_| repair.asked(&Incomplete { id: 4, pieces: vec![1; 200] }).len()).sum();
        assert_eq!((sent, repair.repeated()), (9, 9));
        assert_eq!(repair.probe(Micros(30_000)), None);
    }

    #[test]
    fn a_frame_is_let_go_when_its_lifetime_is_over() {
        let mut repair = repair_with(3);
        repair.expire(Micros(32_999));
        assert_eq!(repair.asked(&Incomplete { id: 4, pieces: vec![] }).len(), 3);
        repair.expire(Micros(33_000));
        assert_eq!(repair.asked(&Incomplete { id: 4, pieces: vec![] }).len(), 0);
    }

    #[test]
    fn the_latest_frame_makes_itself_known_once() {
        let mut repair = repair_with(3);
        assert_eq!(repair.next_moment(), Some(Micros(21_000)));
        assert_eq!(repair.probe(Micros(20_999)), None);
        assert_eq!(repair.probe(Micros(21_000)).map(|(id, _)| id), Some(4));
        assert_eq!(repair.next_moment(), None);
        assert_eq!(repair.probe(Micros(22_000)), None);
    }
}
