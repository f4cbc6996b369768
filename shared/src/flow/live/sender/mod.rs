//! Live delivery, seen by the sender: the pieces of fresh frames are kept, and sent again where the client asks, or where
//! its answer is late.
//!
//! A client sees a loss by what comes after it; of the last piece of a frame, of a frame that is one piece, of a request or
//! of an answer nothing does until the next frame. So a frame whose answer is late shows itself to the client once more
//! (as a tail loss probe does, RFC 8985, section 7): the client then asks for what it lacks, or tells its answer again.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::protocol::message::Incomplete;
use crate::time::Micros;

use crate::flow::live::rto::Patience;

/// A frame's pieces are sent again at most so often, all together: as often as a client of ours asks. So whatever a client
/// asks for, the stream takes at most four times its bytes.
const MAX_REPEATS: usize = 3;

/// A frame shows itself at most so often, with one piece each time. At 5 % loss each way, one of ten goes unanswered; so
/// one of 1000 is left for the next frame to tell of.
const MAX_PROBES: u32 = 3;

/// An answer is late no sooner than this share of its frame's lifetime (2 ms at 60 frames a second) after answers usually
/// come: as long as the client waits before it asks.
const MARGIN: (u32, u32) = (1, 16);

/// And no later than this share after the capture (21 ms): a little after the next frame is due, which then shows what is
/// lost of the one before. Also while it is not known how long answers take.
const MOST_PATIENCE: (u32, u32) = (5, 8);

/// The frames whose pieces may still be asked for.
///
/// Their memory is used again: it takes as many frames as were ever fresh at a time, which a window bounds.
#[derive(Debug)]
pub struct Repair {
    lifetime: Duration,
    patience: Patience,
    frames: VecDeque<Kept>,
    /// Of frames let go, for the next ones.
    spare: Vec<Kept>,
    repeated: u64,
}

/// A frame's pieces.
#[derive(Debug, Default)]
struct Kept {
    id: u64,
    captured: Micros,
    bytes: Arc<Vec<u8>>,
    /// Where each piece ends in them.
    ends: Vec<usize>,
    repeats_left: usize,
    was_repeated: bool,
    /// When it shows itself next, and by which piece.
    probe_at: Option<Micros>,
    probe_piece: usize,
    probes_left: u32,
}

/// A piece of a frame, where it is kept.
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

impl Repair {
    /// Keeps frames that live for so long.
    pub fn new(lifetime: Duration) -> Self {
        Self { lifetime, patience: Patience::default(), frames: VecDeque::new(), spare: Vec::new(), repeated: 0 }
    }

    /// A frame was sent, in pieces of so many bytes in all; ids count upwards.
    pub fn keep<'a>(&mut self, id: u64, captured: Micros, bytes: usize, pieces: impl IntoIterator<Item = &'a [u8]>) {
        if self.patience() == self.most_patience() {
            // Those before it need not show themselves: this one shows to the client what it lacks of them.
            self.frames.iter_mut().for_each(|kept| kept.probe_at = None);
        }
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.fill(bytes, pieces);
        self.frames.push_back(Kept {
            id,
            captured,
            repeats_left: kept.ends.len() * MAX_REPEATS,
            was_repeated: false,
            probe_at: Some(captured + self.patience()),
            probe_piece: kept.ends.len().saturating_sub(1),
            probes_left: MAX_PROBES,
            ..kept
        });
    }

    /// Lets go of frames that are not fresh any more.
    pub fn retain(&mut self, is_fresh: impl Fn(u64) -> bool) {
        for _ in 0..self.frames.len() {
            let Some(kept) = self.frames.pop_front() else { return };
            if is_fresh(kept.id) {
                self.frames.push_back(kept);
            } else {
                self.spare.push(kept);
            }
        }
    }

    /// A frame's answer came, by a message that told it for the first time or by a later one: nothing of it is of use.
    pub fn answered(&mut self, id: u64, first_telling: bool, now: Micros) {
        let Some(place) = self.frames.iter().position(|kept| kept.id == id) else { return };
        let Some(kept) = self.frames.remove(place) else { return };
        match (first_telling, kept.was_repeated) {
            (true, false) => self.patience.answered_after(now.since(kept.captured)),
            (true, true) => self.patience.answered_to_either(),
            (false, _) => {}
        }
        self.spare.push(kept);
    }

    /// The pieces to send for a request; none of a frame no longer kept.
    pub fn asked(&mut self, request: &Incomplete, now: Micros) -> Vec<KeptPiece> {
        let patience = self.patience();
        let Some(kept) = self.frames.iter_mut().find(|kept| kept.id == request.id) else { return Vec::new() };
        let pieces: Vec<KeptPiece> = match &request.pieces[..] {
            [] => (0..kept.ends.len()).filter_map(|index| kept.piece(index)).take(kept.repeats_left).collect(),
            some => {
                let named = some.iter().filter_map(|&index| kept.piece(index as usize));
                named.take(kept.repeats_left).collect()
            }
        };
        // What was sent again may be lost again: this much of it goes once more then.
        if let Some(&last) = request.pieces.last().filter(|&&last| (last as usize) < kept.ends.len()) {
            kept.probe_piece = last as usize;
        }
        kept.probe_at = kept.probe_at.map(|_| now + patience);
        kept.was_repeated = true;
        kept.repeats_left -= pieces.len();
        self.repeated += pieces.len() as u64;
        pieces
    }

    /// A piece of this frame that was to be sent found no room: it may be sent another time.
    pub fn not_sent(&mut self, id: u64) {
        self.repeated = self.repeated.saturating_sub(1);
        if let Some(kept) = self.frames.iter_mut().find(|kept| kept.id == id) {
            kept.repeats_left += 1;
        }
    }

    /// A frame whose answer is late, if it is fresh, and the piece by which it shows itself; call until there is none.
    pub fn probe(&mut self, now: Micros, is_fresh: impl Fn(u64) -> bool) -> Option<(u64, KeptPiece)> {
        let patience = self.patience();
        for kept in &mut self.frames {
            if kept.probe_at.take_if(|at| *at <= now).is_none() || kept.repeats_left == 0 || !is_fresh(kept.id) {
                continue;
            }
            let Some(piece) = kept.piece(kept.probe_piece) else { continue };
            kept.probes_left -= 1;
            kept.probe_at = (kept.probes_left > 0).then(|| now + patience);
            kept.was_repeated = true;
            kept.repeats_left -= 1;
            self.repeated += 1;
            return Some((kept.id, piece));
        }
        None
    }

    /// Pieces sent again so far.
    pub fn repeated(&self) -> u64 {
        self.repeated
    }

    /// When [`Self::probe`] is due.
    pub fn next_moment(&self) -> Option<Micros> {
        self.frames.iter().filter_map(|kept| kept.probe_at).min()
    }

    fn patience(&self) -> Duration {
        let (share, of) = MARGIN;
        let most = self.most_patience();
        self.patience.limit(self.lifetime * share / of).map_or(most, |limit| limit.min(most))
    }

    fn most_patience(&self) -> Duration {
        let (share, of) = MOST_PATIENCE;
        self.lifetime * share / of
    }
}

impl Kept {
    fn fill<'a>(&mut self, bytes: usize, pieces: impl IntoIterator<Item = &'a [u8]>) {
        // Its last user may hold a piece yet: then that memory is the user's.
        if Arc::get_mut(&mut self.bytes).is_none() {
            self.bytes = Arc::default();
        }
        let Some(memory) = Arc::get_mut(&mut self.bytes) else { return };
        memory.clear();
        // Encoded frames differ a little in length: room for the next to be longer.
        memory.reserve_exact(if bytes > memory.capacity() { bytes + bytes / 8 } else { bytes });
        self.ends.clear();
        for piece in pieces {
            memory.extend_from_slice(piece);
            self.ends.push(memory.len());
        }
    }

    fn piece(&self, index: usize) -> Option<KeptPiece> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(KeptPiece { bytes: self.bytes.clone(), place: start..end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repair_with(pieces: usize) -> Repair {
        let mut repair = Repair::new(Duration::from_millis(32));
        repair.keep(4, Micros(1_000), 5 * pieces, vec![&b"piece"[..]; pieces]);
        repair
    }

    /// Keeps a frame of one piece.
    fn keep(repair: &mut Repair, id: u64, captured_us: u64) {
        repair.keep(id, Micros(captured_us), 5, [&b"piece"[..]]);
    }

    fn asked(repair: &mut Repair, id: u64, pieces: &[u32]) -> Vec<KeptPiece> {
        repair.asked(&Incomplete { id, pieces: pieces.to_vec() }, Micros(2_000))
    }

    fn probes(repair: &mut Repair, now: u64) -> Vec<u64> {
        std::iter::from_fn(|| repair.probe(Micros(now), |_| true)).map(|(id, _)| id).collect()
    }

    #[test]
    fn the_pieces_asked_for_are_those_that_were_sent() {
        let mut repair = Repair::new(Duration::from_millis(32));
        for id in 0..3 {
            repair.keep(id, Micros(0), 9, [&b"one"[..], b"two", b"end"]);
            repair.retain(|kept| kept == id);
        }
        let pieces = asked(&mut repair, 2, &[2, 0]);
        assert_eq!(pieces.iter().map(AsRef::as_ref).collect::<Vec<&[u8]>>(), [&b"end"[..], b"one"]);
        // Also when their frame's memory has gone to another.
        repair.retain(|_| false);
        repair.keep(3, Micros(0), 5, [&b"other"[..]]);
        assert_eq!(pieces[0].as_ref(), b"end");
    }

    #[test]
    fn pieces_that_are_not_there_are_not_sent_again() {
        let mut repair = repair_with(3);
        assert_eq!(asked(&mut repair, 4, &[0, 2, 3, u32::MAX]).len(), 2);
        assert_eq!(asked(&mut repair, 5, &[]).len(), 0);
    }

    #[test]
    fn whatever_is_asked_for_a_frame_takes_four_times_its_bytes_at_most() {
        let mut repair = repair_with(3);
        let sent: usize = (0..20).map(|_| asked(&mut repair, 4, &[1; 200]).len()).sum();
        assert_eq!((sent, repair.repeated()), (9, 9));
        assert_eq!(repair.probe(Micros(30_000), |_| true), None);
    }

    #[test]
    fn only_what_was_sent_counts() {
        let mut repair = repair_with(3);
        for _ in 0..20 {
            assert_eq!(asked(&mut repair, 4, &[]).len(), 3);
            (0..3).for_each(|_| repair.not_sent(4));
        }
        assert_eq!(repair.repeated(), 0);
        assert_eq!((0..20).map(|_| asked(&mut repair, 4, &[]).len()).sum::<usize>(), 9);
        repair.retain(|_| false);
        repair.not_sent(4);
        assert_eq!(repair.repeated(), 8, "also of a frame let go since");
    }

    #[test]
    fn a_frame_is_let_go_when_it_is_not_fresh_and_its_memory_is_used_again() {
        let mut repair = repair_with(3);
        for id in 5..100 {
            repair.retain(|kept| kept + 2 > id);
            repair.keep(id, Micros(1_000), 15, vec![&b"piece"[..]; 3]);
            assert_eq!(asked(&mut repair, id - 2, &[]).len(), 0);
            assert_eq!(asked(&mut repair, id - 1, &[]).len(), 3);
        }
        assert_eq!((repair.frames.len(), repair.spare.len()), (2, 0));
    }

    #[test]
    fn a_frame_whose_answer_is_late_shows_itself_three_times() {
        let mut repair = repair_with(3);
        // Nothing is known of how long answers take: 5/8 of 32 ms.
        assert_eq!(repair.next_moment(), Some(Micros(21_000)));
        assert!(probes(&mut repair, 20_999).is_empty());
        assert_eq!(probes(&mut repair, 21_000), [4]);
        assert_eq!(repair.next_moment(), Some(Micros(41_000)));
        assert_eq!(probes(&mut repair, 41_000), [4]);
        assert_eq!(probes(&mut repair, 61_000), [4]);
        assert_eq!(repair.next_moment(), None);
        assert_eq!(repair.repeated(), 3);
    }

    #[test]
    fn a_frame_that_is_not_fresh_need_not_show_itself() {
        let mut repair = repair_with(3);
        assert_eq!(repair.probe(Micros(22_000), |_| false), None);
        assert_eq!((repair.next_moment(), repair.repeated()), (None, 0));
    }

    #[test]
    fn an_answer_is_late_by_what_answers_take() {
        let mut repair = repair_with(3);
        repair.answered(4, true, Micros(2_000));
        assert_eq!(repair.next_moment(), None, "nothing of an answered frame is of use");
        keep(&mut repair, 5, 10_000);
        assert_eq!(repair.next_moment(), Some(Micros(13_000)), "1 ms and four times 0.5 ms");
        // Sent again, it says nothing of how long answers take; nor does an answer that was told again.
        assert_eq!(probes(&mut repair, 13_000), [5]);
        repair.answered(5, true, Micros(30_000));
        keep(&mut repair, 6, 40_000);
        repair.answered(6, false, Micros(60_000));
        keep(&mut repair, 7, 70_000);
        assert_eq!(repair.next_moment(), Some(Micros(73_000)));
    }

    #[test]
    fn where_answers_take_long_or_none_is_known_only_the_latest_frame_shows_itself() {
        let mut repair = repair_with(3);
        keep(&mut repair, 5, 17_000);
        assert_eq!(repair.next_moment(), Some(Micros(37_000)));
        repair.answered(5, true, Micros(47_000));
        keep(&mut repair, 6, 50_000);
        keep(&mut repair, 7, 51_000);
        assert_eq!(repair.next_moment(), Some(Micros(71_000)));
        assert_eq!(probes(&mut repair, 71_000), [7]);
    }

    #[test]
    fn what_was_asked_for_goes_once_more_when_the_answer_stays_out() {
        let mut repair = Repair::new(Duration::from_millis(32));
        repair.keep(0, Micros(0), 9, [&b"first"[..], b"last"]);
        assert_eq!(asked(&mut repair, 0, &[0])[0].as_ref(), b"first");
        assert_eq!(repair.probe(Micros(21_999), |_| true), None);
        let late = repair.probe(Micros(22_000), |_| true);
        assert!(late.is_some_and(|(id, piece)| id == 0 && piece.as_ref() == b"first"));
    }
}
