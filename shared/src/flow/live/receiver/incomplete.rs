//! Incomplete frames: when to request their missing pieces, and when to give a frame up.
//!
//! A frame is known from its first piece on, or from the first piece of a later frame (ids have no gaps). Once no piece
//! has arrived for a moment, the missing ones are requested, up to three times. If a piece arrives a second time, it is
//! a probe, sent because no acknowledgement reached the sender: the missing pieces are requested at once. When its
//! lifetime is over, the frame is given up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::fragment::Reassembler;
use crate::protocol::message::{Incomplete, PIECE_LIMIT, RESEND_LIMIT, Resend};
use crate::time::Micros;

/// Maximum number of requests for one frame. At 5 % loss, the first request or its reply is lost in one of 10 cases,
/// and all three fail in one of 1000.
const MAX_REQUESTS: u32 = 3;

/// Quiet time before a request, as a share of a lifetime: 2 ms at 60 frames per second. The pieces of a frame follow
/// each other more closely than this, and networks reorder packets by no more.
const QUIET_SHARE: u32 = 16;

/// Time between two requests for a frame, as a share of a lifetime (8 ms), so that all of them fit into it.
const RETRY_SHARE: u32 = 4;

/// The incomplete frames of a stream.
#[derive(Debug)]
pub(super) struct IncompleteFrames {
    lifetime: Duration,
    max_incomplete: usize,
    /// The lowest id not seen yet.
    next: u64,
    /// Sorted by id.
    frames: VecDeque<IncompleteFrame>,
}

/// A frame with missing pieces.
#[derive(Clone, Copy, Debug)]
struct IncompleteFrame {
    id: u64,
    noticed: Micros,
    /// When the last request was made.
    requested: Option<Micros>,
    request_at: Micros,
    requests: u32,
}

impl IncompleteFrames {
    /// Watches a stream of frames with this `lifetime`, at most `max_incomplete` of which are incomplete at a time.
    pub(super) fn new(lifetime: Duration, max_incomplete: usize) -> Self {
        Self { lifetime, max_incomplete: max_incomplete.max(1), next: 0, frames: VecDeque::new() }
    }

    /// Takes note of a new piece of this frame. Returns the frames given up to make room.
    pub(super) fn piece(&mut self, id: u64, now: Micros) -> Vec<u64> {
        let request_at = now + self.lifetime / QUIET_SHARE;
        if let Ok(place) = self.place(id) {
            let frame = &mut self.frames[place];
            frame.request_at = frame.request_at.max(request_at);
        }
        // If the gap is wider than `max_incomplete`, its older part is not worth requesting.
        let first = self.next.max(id.saturating_sub(self.max_incomplete as u64 - 1));
        for id in first..=id {
            self.frames.push_back(IncompleteFrame { id, noticed: now, requested: None, request_at, requests: 0 });
        }
        let skipped = (self.next..first).rev().take(self.max_incomplete);
        let mut given_up: Vec<u64> = skipped.collect();
        self.next = self.next.max(id.saturating_add(1));
        while self.frames.len() > self.max_incomplete {
            given_up.extend(self.frames.pop_front().map(|frame| frame.id));
        }
        given_up
    }

    /// Takes a probe for this frame, a piece that was there already: the sender has sent the whole frame and waits.
    pub(super) fn probed(&mut self, id: u64, now: Micros) {
        let Ok(place) = self.place(id) else { return };
        let frame = &mut self.frames[place];
        if frame.requests < MAX_REQUESTS {
            // The reply to the last request may still be on its way.
            let soon = frame.requested.map_or(now, |requested| requested + self.lifetime / QUIET_SHARE);
            frame.request_at = frame.request_at.min(soon.max(now));
        }
    }

    /// Whether a piece of this frame is still useful.
    pub(super) fn wants(&self, id: u64) -> bool {
        id >= self.next || self.place(id).is_ok()
    }

    /// Forgets a frame that is complete or was given up.
    pub(super) fn finished(&mut self, id: u64) {
        if let Ok(place) = self.place(id) {
            self.frames.remove(place);
        }
    }

    /// The retransmission request to send now, if any.
    pub(super) fn request(&mut self, pieces: &Reassembler, now: Micros) -> Option<Resend> {
        let retry = self.lifetime / RETRY_SHARE;
        let mut messages = Vec::new();
        // The protocol limits the pieces of each message. Here all messages share the limit, so that the request fits
        // one packet.
        let mut room = PIECE_LIMIT;
        for frame in &mut self.frames {
            if frame.request_at > now || messages.len() == RESEND_LIMIT || room == 0 {
                continue;
            }
            // All requests went unanswered: nothing more to do until the lifetime ends.
            if frame.requests == MAX_REQUESTS {
                frame.request_at = frame.noticed + self.lifetime;
                continue;
            }
            frame.requests += 1;
            frame.requested = Some(now);
            frame.request_at = now + retry;
            let missing: Vec<u32> = pieces.missing(frame.id).take(room).collect();
            room -= missing.len();
            messages.push(Incomplete { id: frame.id, pieces: missing });
        }
        (!messages.is_empty()).then_some(Resend { messages })
    }

    /// Removes and returns the next frame whose lifetime is over.
    pub(super) fn expired(&mut self, now: Micros) -> Option<u64> {
        let late = |frame: &&IncompleteFrame| frame.noticed + self.lifetime <= now;
        let id = self.frames.iter().find(late)?.id;
        self.finished(id);
        Some(id)
    }

    /// When to call again if nothing arrives.
    pub(super) fn next_moment(&self) -> Option<Micros> {
        let moment = |frame: &IncompleteFrame| frame.request_at.min(frame.noticed + self.lifetime);
        self.frames.iter().map(moment).min()
    }

    /// Index of an incomplete frame, or where it would be inserted.
    fn place(&self, id: u64) -> Result<usize, usize> {
        self.frames.binary_search_by_key(&id, |frame| frame.id)
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::fragment;

    use super::*;

    const LIFETIME: Duration = Duration::from_millis(32);

    fn incomplete() -> (IncompleteFrames, Reassembler) {
        (IncompleteFrames::new(LIFETIME, 8), Reassembler::new(10_000, 8))
    }

    fn ids(request: Option<Resend>) -> Vec<u64> {
        request.into_iter().flat_map(|resend| resend.messages).map(|message| message.id).collect()
    }

    #[test]
    fn a_frame_without_any_piece_is_requested_once_a_later_frame_shows_the_gap() {
        let (mut incomplete, frames) = incomplete();
        incomplete.piece(1, Micros(0));
        incomplete.finished(1);
        assert_eq!(incomplete.next_moment(), Some(Micros(2_000)));
        assert_eq!(incomplete.request(&frames, Micros(1_999)), None);
        let request = incomplete.request(&frames, Micros(2_000)).unwrap();
        assert_eq!(request.messages, [Incomplete { id: 0, pieces: vec![] }]);
    }

    #[test]
    fn only_missing_pieces_are_requested_and_only_while_nothing_comes() {
        let (mut incomplete, mut frames) = incomplete();
        let pieces = fragment::split(0, &"x".repeat(2_500), 537).unwrap();
        for (index, now) in [(0, 0), (3, 1_500)] {
            frames.accept(&pieces[index].clone().freeze()).unwrap();
            incomplete.piece(0, Micros(now));
        }
        assert_eq!(incomplete.request(&frames, Micros(2_000)), None);
        let request = incomplete.request(&frames, Micros(3_500)).unwrap();
        assert_eq!(request.messages, [Incomplete { id: 0, pieces: vec![1, 2, 4] }]);
    }

    #[test]
    fn a_frame_is_requested_three_times_and_then_given_up() {
        let (mut incomplete, frames) = incomplete();
        incomplete.piece(0, Micros(0));
        let mut requested = Vec::new();
        let mut given_up = None;
        while let Some(now) = incomplete.next_moment() {
            if let Some(id) = incomplete.expired(now) {
                given_up = Some((id, now.0));
            }
            requested.extend(ids(incomplete.request(&frames, now)).iter().map(|_| now.0));
        }
        assert_eq!(requested, [2_000, 10_000, 18_000]);
        assert_eq!(given_up, Some((0, 32_000)));
    }

    #[test]
    fn a_probe_brings_a_request_but_not_two_at_once() {
        let (mut incomplete, frames) = incomplete();
        incomplete.piece(0, Micros(0));
        incomplete.probed(0, Micros(500));
        assert_eq!(ids(incomplete.request(&frames, Micros(500))), [0]);
        incomplete.probed(0, Micros(600));
        assert_eq!(incomplete.request(&frames, Micros(2_499)), None);
        assert_eq!(ids(incomplete.request(&frames, Micros(2_500))), [0]);
        incomplete.probed(1, Micros(2_600));
        assert_eq!(incomplete.next_moment(), Some(Micros(10_500)), "a frame that is whole is not requested");
    }

    #[test]
    fn only_a_window_of_frames_is_watched_even_if_a_peer_jumps_far() {
        let (mut incomplete, _) = incomplete();
        assert!(incomplete.piece(0, Micros(0)).is_empty());
        assert_eq!(incomplete.piece((1 << 53) - 1, Micros(1)).len(), 9);
        assert_eq!(incomplete.frames.len(), 8);
        incomplete.piece(u64::MAX, Micros(2));
        assert_eq!(incomplete.frames.len(), 8);
        assert!(!incomplete.wants(5), "an old frame is not begun again");
    }
}
