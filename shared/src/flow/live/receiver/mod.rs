//! The receiver's half of live delivery. It requests missing pieces until a frame's lifetime is over, and repeats its
//! acknowledgements.
//!
//! [`incomplete`] keeps track of missing pieces. [`acknowledgements`] keeps what to tell the sender about frames that
//! arrived or never will.

mod acknowledgements;
mod incomplete;

use std::time::Duration;

use bytes::Bytes;

use crate::protocol::fragment::{FragmentError, Piece, Reassembler};
use crate::protocol::message::{Answer, Answers, Resend};
use crate::time::Micros;

use acknowledgements::Acknowledgements;
use incomplete::IncompleteFrames;

/// How long messages are held, as a share of a lifetime: 2 ms at 60 frames per second.
const HOLD_SHARE: u32 = 16;

/// Requests and acknowledges live frames.
#[derive(Debug)]
pub struct Receiver {
    lifetime: Duration,
    incomplete: IncompleteFrames,
    acknowledgements: Acknowledgements,
    held_until: Micros,
}

impl Receiver {
    /// Watches a stream of frames with this `lifetime`, at most `window` of which are incomplete at a time.
    pub fn new(lifetime: Duration, window: usize) -> Self {
        Self {
            lifetime,
            incomplete: IncompleteFrames::new(lifetime, window),
            // Half a frame interval after the next answer of a steady stream.
            acknowledgements: Acknowledgements::new(lifetime * 3 / 4),
            held_until: Micros(0),
        }
    }

    /// Takes a piece. Returns the message, if the piece completes it, and the frames given up to make room.
    pub fn put(
        &mut self,
        frames: &mut Reassembler,
        piece: Piece,
        now: Micros,
    ) -> (Result<Option<Bytes>, FragmentError>, Vec<u64>) {
        let id = piece.id;
        if !self.incomplete.wants(id) {
            self.acknowledgements.probed(id, now);
            return (Ok(None), Vec::new());
        }
        if frames.holds(id, piece.index) {
            self.incomplete.probed(id, now);
            return (Ok(None), Vec::new());
        }
        let given_up = self.incomplete.piece(id, now);
        let message = frames.put(piece);
        if matches!(message, Ok(Some(_))) {
            self.incomplete.finished(id);
        }
        (message, given_up)
    }

    /// Acknowledges a frame by its answer, which is to be sent.
    pub fn answer(&mut self, answer: Answer<'static>, now: Micros) {
        self.acknowledgements.answer(answer, now);
    }

    /// Tells the sender that a frame will not be complete any more.
    pub fn missing(&mut self, frame: u64, now: Micros) {
        self.acknowledgements.missing(frame, now);
    }

    /// The next frame to give up because its lifetime is over.
    pub fn expired(&mut self, now: Micros) -> Option<u64> {
        self.incomplete.expired(now)
    }

    /// Holds all messages back for a moment.
    pub fn hold(&mut self, now: Micros) {
        self.held_until = now + self.lifetime / HOLD_SHARE;
    }

    /// Acknowledgements to send now, if they are due; call until there are none.
    pub fn next_acknowledgement(&mut self, now: Micros) -> Option<Answers<'static>> {
        if now < self.held_until { None } else { self.acknowledgements.poll(now) }
    }

    /// The retransmission request to send now, if any.
    pub fn next_request(&mut self, frames: &Reassembler, now: Micros) -> Option<Resend> {
        if now < self.held_until { None } else { self.incomplete.request(frames, now) }
    }

    /// When to call again if nothing arrives.
    pub fn next_moment(&self) -> Option<Micros> {
        let moments = [self.incomplete.next_moment(), self.acknowledgements.next_moment()];
        moments.into_iter().flatten().min().map(|moment| moment.max(self.held_until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fragment;
    use crate::protocol::message::{AnswerTimes, Payload};

    const LIFETIME: Duration = Duration::from_millis(32);

    fn piece(id: u64, index: usize) -> Piece {
        let pieces = fragment::split(id, &"x".repeat(1_000), 537).unwrap();
        Piece::parse(&pieces[index].clone().freeze()).unwrap()
    }

    #[test]
    fn a_repeated_piece_brings_a_request_for_the_rest_and_later_the_acknowledgement_again() {
        let (mut receiver, mut frames) = (Receiver::new(LIFETIME, 8), Reassembler::new(10_000, 8));
        assert!(matches!(receiver.put(&mut frames, piece(0, 0), Micros(0)), (Ok(None), _)));
        assert_eq!(receiver.next_request(&frames, Micros(100)), None);
        assert!(matches!(receiver.put(&mut frames, piece(0, 0), Micros(100)), (Ok(None), _)));
        let request = receiver.next_request(&frames, Micros(100)).unwrap();
        assert_eq!(request.messages[0].pieces, [1]);
        assert!(matches!(receiver.put(&mut frames, piece(0, 1), Micros(200)), (Ok(Some(_)), _)));

        let answer = Answer { frame: 0, payload: Payload::new("none"), times: AnswerTimes::default() };
        receiver.answer(answer, Micros(300));
        assert_eq!(receiver.next_acknowledgement(Micros(300)).unwrap().answers.len(), 1);
        assert_eq!(receiver.next_acknowledgement(Micros(5_000)), None);
        assert!(matches!(receiver.put(&mut frames, piece(0, 1), Micros(5_000)), (Ok(None), _)));
        assert_eq!(receiver.next_acknowledgement(Micros(5_000)).unwrap().previous.len(), 1);
    }

    #[test]
    fn held_messages_are_sent_a_moment_later() {
        let (mut receiver, frames) = (Receiver::new(LIFETIME, 8), Reassembler::new(10_000, 8));
        receiver.missing(0, Micros(0));
        receiver.hold(Micros(0));
        assert_eq!(receiver.next_acknowledgement(Micros(1_999)), None);
        assert_eq!(receiver.next_request(&frames, Micros(1_999)), None);
        assert_eq!(receiver.next_moment(), Some(Micros(2_000)));
        assert_eq!(receiver.next_acknowledgement(Micros(2_000)).unwrap().missing[..], [0]);
    }
}
