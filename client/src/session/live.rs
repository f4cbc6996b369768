//! Live delivery, seen by the session: a frame is asked for until its lifetime is over, each outcome is told several times.
//!
//! `arrivals` knows what did not come, `replies` what is to be told.

use std::time::Duration;

use bytes::Bytes;
use shared::flow::live;
use shared::flow::live::receiver::arrivals::Arrivals;
use shared::flow::live::receiver::replies::Replies;
use shared::protocol::fragment::{FragmentError, Piece, Reassembler};
use shared::protocol::message::{Answer, Stream};
use shared::time::Micros;

use super::Session;

/// Replies are held for this share of a lifetime: 2 ms at 60 frames a second.
const HOLD_SHARE: u32 = 16;

/// What live delivery needs beside.
#[derive(Debug)]
pub(super) struct Live {
    arrivals: Arrivals,
    replies: Replies,
    lifetime: Duration,
    held_until: Micros,
}

impl Live {
    /// Watches a stream, at most so many of whose frames are unfinished at a time.
    pub(super) fn new(stream: &Stream, window: usize) -> Self {
        let lifetime = live::bounded(Duration::from_micros(stream.lifetime_us.unwrap_or_default()));
        // Later than the next outcome of a stream that flows, by half an interval.
        let (arrivals, replies) = (Arrivals::new(lifetime, window), Replies::new(lifetime * 3 / 4));
        Self { arrivals, replies, lifetime, held_until: Micros(0) }
    }

    /// A piece has come: the message it completes, if it does, and the frames given up for it.
    pub(super) fn put(
        &mut self,
        frames: &mut Reassembler,
        piece: Piece,
        now: Micros,
    ) -> (Result<Option<Bytes>, FragmentError>, Vec<u64>) {
        let id = piece.id;
        if !self.arrivals.wants(id) {
            self.replies.again(id, now);
            return (Ok(None), Vec::new());
        }
        if frames.holds(id, piece.index) {
            self.arrivals.piece_again(id, now);
            return (Ok(None), Vec::new());
        }
        let given_up = self.arrivals.piece(id, now);
        let message = frames.put(piece);
        if matches!(message, Ok(Some(_))) {
            self.arrivals.finished(id);
        }
        (message, given_up)
    }

    /// A frame's outcome is to be told.
    pub(super) fn tell(&mut self, answer: Answer<'static>, now: Micros) {
        self.replies.add(answer, now);
    }

    /// Tells nothing for a moment.
    pub(super) fn hold(&mut self, now: Micros) {
        self.held_until = now + self.lifetime / HOLD_SHARE;
    }

    /// When time alone changes something.
    pub(super) fn next_moment(&self) -> Option<Micros> {
        let moments = [self.arrivals.next_moment(), self.replies.next_moment()];
        moments.into_iter().flatten().min().map(|moment| moment.max(self.held_until))
    }
}

impl Session {
    /// Asks for what did not come, gives up what is late, tells outcomes again.
    pub(super) fn advance_live(&mut self, now: Micros) {
        while let Some(id) = self.live.as_mut().and_then(|live| live.arrivals.expired(now)) {
            self.give_up(id, now);
        }
        let (Some(live), Some(frames)) = (&mut self.live, &self.frames) else { return };
        if now < live.held_until {
            return;
        }
        let request = live.arrivals.requests(&frames.pieces, now);
        while let Some(answers) = self.live.as_mut().and_then(|live| live.replies.poll(now)) {
            self.send_reply(&answers);
        }
        if let Some(request) = request {
            self.send_reply(&request);
        }
    }

    /// A frame will not come whole any more.
    pub(super) fn give_up(&mut self, frame: u64, now: Micros) {
        let (Some(live), Some(frames)) = (&mut self.live, &mut self.frames) else { return };
        frames.pieces.give_up(frame);
        live.replies.missing(frame, now);
        self.given_up += 1;
    }
}
