//! The sender's half of live delivery. It keeps the pieces of frames that are alive, and retransmits them when they are
//! requested or when the acknowledgement is late.
//!
//! [`buffer`] keeps the [`pieces`] and decides which may still be sent. [`probe`] decides when an acknowledgement is
//! late.

mod buffer;
mod pieces;
mod probe;

use std::collections::VecDeque;
use std::time::Duration;

use super::rto::Rto;
use crate::protocol::message::Incomplete;
use crate::time::Micros;

use buffer::Buffer;

pub use pieces::KeptPiece;

/// Keeps and retransmits live frames.
#[derive(Debug)]
pub struct Sender {
    lifetime: Duration,
    rto: Rto,
    buffer: Buffer,
    /// Deadline for the link to take the frame being sent.
    sending_until: Option<Micros>,
    /// Pieces to be retransmitted, each with its frame's id.
    queue: VecDeque<(u64, KeptPiece)>,
    retransmitted: u64,
}

impl Sender {
    /// A sender of frames with this `lifetime`.
    pub fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            rto: Rto::new(lifetime),
            buffer: Buffer::default(),
            sending_until: None,
            queue: VecDeque::new(),
            retransmitted: 0,
        }
    }

    /// Whether a frame's lifetime was over before it was encoded.
    pub fn is_too_late(&self, captured: Micros, encoded: Micros) -> bool {
        encoded >= captured + self.lifetime
    }

    /// Keeps a frame that is now handed to the link, in pieces of `bytes` in all. Earlier frames are kept if
    /// `is_fresh`. Ids must increase.
    pub fn sending<'a>(
        &mut self,
        id: u64,
        captured: Micros,
        bytes: usize,
        pieces: impl IntoIterator<Item = &'a [u8]>,
        is_fresh: impl Fn(u64) -> bool,
    ) {
        self.buffer.retain(is_fresh);
        if self.rto.is_longest() {
            // Earlier frames need no probe: this frame shows the receiver which of their pieces are missing.
            self.buffer.iter_mut().for_each(|frame| frame.probe.cancel());
        }
        self.buffer.keep(id, captured, captured + self.rto.timeout(), bytes, pieces);
        self.sending_until = Some(captured + self.lifetime);
    }

    /// Notes that the link took all of the frame being sent, or dropped it.
    pub fn sent(&mut self) {
        self.sending_until = None;
    }

    /// Whether the lifetime of the frame being sent ended before the link took all of it. True once per frame.
    pub fn gives_up_sending(&mut self, now: Micros) -> bool {
        self.sending_until.take_if(|until| *until <= now).is_some()
    }

    /// Releases an acknowledged frame. `by_first` tells the first message with the acknowledgement from a repetition.
    pub fn acknowledged(&mut self, id: u64, by_first: bool, now: Micros) {
        match (self.buffer.remove(id), by_first) {
            (Some((captured, false)), true) => self.rto.sample(now.since(captured)),
            (Some((_, true)), true) => self.rto.ambiguous(),
            // A repetition does not show how long the first message took: that one was lost.
            (Some(_), false) | (None, _) => {}
        }
    }

    /// Queues the requested pieces for retransmission, unless the frame is no longer kept.
    pub fn requested(&mut self, request: &Incomplete, now: Micros) {
        let Some(frame) = self.buffer.get_mut(request.id) else { return };
        let pieces = frame.requested(&request.pieces);
        let last = request.pieces.last().map(|&last| last as usize).filter(|&last| frame.has(last));
        frame.probe.put_off(now + self.rto.timeout(), last);
        self.retransmitted += pieces.len() as u64;
        self.queue.extend(pieces.into_iter().map(|piece| (request.id, piece)));
    }

    /// Queues a probe for each fresh frame whose acknowledgement is late.
    pub fn send_probes(&mut self, now: Micros, is_fresh: impl Fn(u64) -> bool) {
        let next = now + self.rto.timeout();
        for frame in self.buffer.iter_mut() {
            if frame.probe.take_due(now)
                && is_fresh(frame.id)
                && let Some(piece) = frame.probed()
            {
                frame.probe.sent(next);
                self.retransmitted += 1;
                self.queue.push_back((frame.id, piece));
            }
        }
    }

    /// The next piece to retransmit, with its frame's id.
    pub fn next_retransmission(&mut self) -> Option<(u64, KeptPiece)> {
        self.queue.pop_front()
    }

    /// Takes back the retransmission of a piece that the link had no room for. It may be sent another time.
    pub fn not_retransmitted(&mut self, id: u64) {
        self.retransmitted = self.retransmitted.saturating_sub(1);
        if let Some(frame) = self.buffer.get_mut(id) {
            frame.give_back();
        }
    }

    /// Pieces retransmitted so far, including probes.
    pub fn retransmitted(&self) -> u64 {
        self.retransmitted
    }

    /// When to call again if nothing arrives. While the link is still taking a frame, its last piece cannot be lost
    /// yet, so no probe is due.
    pub fn next_moment(&self, link_busy: bool) -> Option<Micros> {
        let probe = self.buffer.next_probe().filter(|_| !link_busy);
        [self.sending_until, probe].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_millis(32);

    fn sender_with(pieces: usize) -> Sender {
        let mut sender = Sender::new(LIFETIME);
        sender.sending(4, Micros(1_000), 5 * pieces, vec![&b"piece"[..]; pieces], |_| true);
        sender.sent();
        sender
    }

    /// Sends a frame of one piece.
    fn send(sender: &mut Sender, id: u64, captured_us: u64) {
        sender.sending(id, Micros(captured_us), 5, [&b"piece"[..]], |_| true);
        sender.sent();
    }

    fn requested(sender: &mut Sender, id: u64, pieces: &[u32]) -> Vec<KeptPiece> {
        sender.requested(&Incomplete { id, pieces: pieces.to_vec() }, Micros(2_000));
        std::iter::from_fn(|| sender.next_retransmission()).map(|(_, piece)| piece).collect()
    }

    fn probes(sender: &mut Sender, now: u64) -> Vec<u64> {
        sender.send_probes(Micros(now), |_| true);
        std::iter::from_fn(|| sender.next_retransmission()).map(|(id, _)| id).collect()
    }

    fn next_probe(sender: &Sender) -> Option<u64> {
        sender.next_moment(false).map(|moment| moment.0)
    }

    #[test]
    fn a_frame_is_sent_at_most_four_times_whatever_is_requested() {
        let mut sender = sender_with(3);
        let sent: usize = (0..20).map(|_| requested(&mut sender, 4, &[1; 200]).len()).sum();
        assert_eq!((sent, sender.retransmitted()), (9, 9));
        assert!(probes(&mut sender, 30_000).is_empty());
        assert_eq!(requested(&mut sender, 5, &[]).len(), 0, "of a frame that was not sent nothing is");
    }

    #[test]
    fn only_pieces_that_the_link_took_count() {
        let mut sender = sender_with(3);
        for _ in 0..20 {
            assert_eq!(requested(&mut sender, 4, &[]).len(), 3);
            (0..3).for_each(|_| sender.not_retransmitted(4));
        }
        assert_eq!(sender.retransmitted(), 0);
        assert_eq!((0..20).map(|_| requested(&mut sender, 4, &[]).len()).sum::<usize>(), 9);
        sender.acknowledged(4, true, Micros(3_000));
        sender.not_retransmitted(4);
        assert_eq!(sender.retransmitted(), 8, "also of a frame let go since");
    }

    #[test]
    fn frames_that_are_not_fresh_are_let_go_when_the_next_is_sent() {
        let mut sender = sender_with(3);
        for id in 5..100 {
            sender.sending(id, Micros(1_000), 15, vec![&b"piece"[..]; 3], |kept| kept + 2 > id);
            assert_eq!(requested(&mut sender, id - 2, &[]).len(), 0);
            assert_eq!(requested(&mut sender, id - 1, &[]).len(), 3);
        }
    }

    #[test]
    fn a_frame_whose_acknowledgement_is_late_is_probed_for_three_times() {
        let mut sender = sender_with(3);
        // There is no sample yet: 5/8 of 32 ms.
        assert_eq!(next_probe(&sender), Some(21_000));
        assert!(probes(&mut sender, 20_999).is_empty());
        assert_eq!(probes(&mut sender, 21_000), [4]);
        assert_eq!(next_probe(&sender), Some(41_000));
        assert_eq!(probes(&mut sender, 41_000), [4]);
        assert_eq!(probes(&mut sender, 61_000), [4]);
        assert_eq!(next_probe(&sender), None);
        assert_eq!(sender.retransmitted(), 3);
    }

    #[test]
    fn a_frame_that_is_not_fresh_is_not_probed_for() {
        let mut sender = sender_with(3);
        sender.send_probes(Micros(22_000), |_| false);
        assert_eq!((sender.next_retransmission(), next_probe(&sender), sender.retransmitted()), (None, None, 0));
    }

    #[test]
    fn the_timeout_follows_the_times_of_acknowledgements() {
        let mut sender = sender_with(3);
        sender.acknowledged(4, true, Micros(2_000));
        assert_eq!(next_probe(&sender), None, "nothing of an acknowledged frame is of use");
        send(&mut sender, 5, 10_000);
        assert_eq!(next_probe(&sender), Some(13_000), "1 ms and four times 0.5 ms");
        // Neither a retransmitted frame nor a repeated acknowledgement counts as a sample.
        assert_eq!(probes(&mut sender, 13_000), [5]);
        sender.acknowledged(5, true, Micros(30_000));
        send(&mut sender, 6, 40_000);
        sender.acknowledged(6, false, Micros(60_000));
        send(&mut sender, 7, 70_000);
        assert_eq!(next_probe(&sender), Some(73_000));
    }

    #[test]
    fn at_the_longest_timeout_only_the_latest_frame_is_probed() {
        let mut sender = sender_with(3);
        send(&mut sender, 5, 17_000);
        assert_eq!(next_probe(&sender), Some(37_000));
        sender.acknowledged(5, true, Micros(47_000));
        send(&mut sender, 6, 50_000);
        send(&mut sender, 7, 51_000);
        assert_eq!(next_probe(&sender), Some(71_000));
        assert_eq!(probes(&mut sender, 71_000), [7]);
    }

    #[test]
    fn a_requested_piece_becomes_the_probe_if_no_acknowledgement_comes() {
        let mut sender = Sender::new(LIFETIME);
        sender.sending(0, Micros(0), 9, [&b"first"[..], b"last"], |_| true);
        assert_eq!(requested(&mut sender, 0, &[0])[0].as_ref(), b"first");
        assert!(probes(&mut sender, 21_999).is_empty());
        sender.send_probes(Micros(22_000), |_| true);
        let probe = sender.next_retransmission();
        assert!(probe.is_some_and(|(id, piece)| id == 0 && piece.as_ref() == b"first"));
    }

    #[test]
    fn a_frame_that_the_link_has_not_taken_by_the_end_of_its_lifetime_is_given_up_once() {
        let mut sender = Sender::new(LIFETIME);
        assert!(!sender.is_too_late(Micros(1_000), Micros(32_999)));
        assert!(sender.is_too_late(Micros(1_000), Micros(33_000)));
        sender.sending(0, Micros(1_000), 5, [&b"piece"[..]], |_| true);
        assert_eq!(sender.next_moment(true), Some(Micros(33_000)), "the link is busy: there is no probe yet");
        assert_eq!(sender.next_moment(false), Some(Micros(21_000)));
        assert!(!sender.gives_up_sending(Micros(32_999)));
        assert!(sender.gives_up_sending(Micros(33_000)));
        assert!(!sender.gives_up_sending(Micros(34_000)));
    }
}
