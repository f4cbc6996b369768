//! Live delivery in the session: sends the requests and acknowledgements of [`Receiver`].

use std::time::Duration;

use shared::flow::live::{self, Receiver};
use shared::protocol::message::Stream;
use shared::time::Micros;

use super::Session;

/// Creates the receiver of a stream, with at most `window` incomplete frames at a time.
pub(super) fn receiver(stream: &Stream, window: usize) -> Receiver {
    Receiver::new(live::bounded(Duration::from_micros(stream.lifetime_us.unwrap_or_default())), window)
}

impl Session {
    /// Gives up late frames, then sends the acknowledgements and requests that are due.
    pub(super) fn advance_live(&mut self, now: Micros) {
        while let Some(id) = self.live.as_mut().and_then(|live| live.expired(now)) {
            self.give_up(id, now);
        }
        while let Some(answers) = self.live.as_mut().and_then(|live| live.next_acknowledgement(now)) {
            self.send_reply(&answers);
        }
        let (Some(live), Some(frames)) = (&mut self.live, &self.frames) else { return };
        if let Some(request) = live.next_request(&frames.pieces, now) {
            self.send_reply(&request);
        }
    }

    /// Gives up a frame that can no longer be completed.
    pub(super) fn give_up(&mut self, frame: u64, now: Micros) {
        let (Some(live), Some(frames)) = (&mut self.live, &mut self.frames) else { return };
        frames.pieces.give_up(frame);
        live.missing(frame, now);
        self.given_up += 1;
    }
}
