//! Live delivery, seen by the receiver: which frames are unfinished, what to ask for again, when to give up.
//!
//! A frame's message is known to be on its way from its first piece on, or from the first piece of a later one (ids count
//! without a gap). Once no piece has come for a moment, what is missing is asked for, a few times, and at once where a
//! piece comes that is there: the server misses the answer. When the lifetime is over the frame is given up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::fragment::Reassembler;
use crate::protocol::message::{Incomplete, PIECE_LIMIT, RESEND_LIMIT, Resend};
use crate::time::Micros;

/// Requests for one frame: the first is lost, or what it brings, on one of 10 at 5 % loss, the third on one of 1000.
const MAX_REQUESTS: u32 = 3;

/// A frame's pieces follow each other more closely than this share of a lifetime (2 ms at 60 frames a second), which is
/// also what networks reorder by.
const QUIET_SHARE: u32 = 16;

/// Between two requests for a frame: this share of a lifetime (8 ms), so that all fit into it.
const RETRY_SHARE: u32 = 4;

/// The unfinished frames of a stream.
#[derive(Debug)]
pub struct Arrivals {
    lifetime: Duration,
    max_unfinished: usize,
    next: u64,
    /// By id.
    unfinished: VecDeque<Unfinished>,
}

/// A frame that has not come whole.
#[derive(Clone, Copy, Debug)]
struct Unfinished {
    id: u64,
    noticed: Micros,
    asked: Option<Micros>,
    ask_at: Micros,
    requests: u32,
}

impl Arrivals {
    /// Watches a stream whose frames live so long, of which at most so many are unfinished at a time.
    pub fn new(lifetime: Duration, max_unfinished: usize) -> Self {
        Self { lifetime, max_unfinished: max_unfinished.max(1), next: 0, unfinished: VecDeque::new() }
    }

    /// A piece of this frame has come, the first or a further one. Returns the frames given up for it.
    pub fn piece(&mut self, id: u64, now: Micros) -> Vec<u64> {
        let ask_at = now + self.lifetime / QUIET_SHARE;
        if let Ok(place) = self.place(id) {
            let unfinished = &mut self.unfinished[place];
            unfinished.ask_at = unfinished.ask_at.max(ask_at);
        }
        // Of a gap wider than may be unfinished, the older part is not worth asking for.
        let first = self.next.max(id.saturating_sub(self.max_unfinished as u64 - 1));
        for id in first..=id {
            self.unfinished.push_back(Unfinished { id, noticed: now, asked: None, ask_at, requests: 0 });
        }
        let skipped = (self.next..first).rev().take(self.max_unfinished);
        let mut given_up: Vec<u64> = skipped.collect();
        self.next = self.next.max(id.saturating_add(1));
        while self.unfinished.len() > self.max_unfinished {
            given_up.extend(self.unfinished.pop_front().map(|unfinished| unfinished.id));
        }
        given_up
    }

    /// A piece of this frame has come that was there already: the server has sent all of it, and waits.
    pub fn piece_again(&mut self, id: u64, now: Micros) {
        let Ok(place) = self.place(id) else { return };
        let unfinished = &mut self.unfinished[place];
        if unfinished.requests < MAX_REQUESTS {
            // What the last request brings may still be on its way.
            let soon = unfinished.asked.map_or(now, |asked| asked + self.lifetime / QUIET_SHARE);
            unfinished.ask_at = unfinished.ask_at.min(soon.max(now));
        }
    }

    /// Whether a piece of this frame is still of use.
    pub fn wants(&self, id: u64) -> bool {
        id >= self.next || self.place(id).is_ok()
    }

    /// This frame has come whole, or was given up.
    pub fn finished(&mut self, id: u64) {
        if let Ok(place) = self.place(id) {
            self.unfinished.remove(place);
        }
    }

    /// What to ask for now, if anything.
    pub fn requests(&mut self, frames: &Reassembler, now: Micros) -> Option<Resend> {
        let retry = self.lifetime / RETRY_SHARE;
        let mut messages = Vec::new();
        let mut room = PIECE_LIMIT;
        for unfinished in &mut self.unfinished {
            if unfinished.ask_at > now || messages.len() == RESEND_LIMIT || room == 0 {
                continue;
            }
            // The third that has gone unanswered: only the lifetime is waited for.
            if unfinished.requests == MAX_REQUESTS {
                unfinished.ask_at = unfinished.noticed + self.lifetime;
                continue;
            }
            unfinished.requests += 1;
            unfinished.asked = Some(now);
            unfinished.ask_at = now + retry;
            let pieces: Vec<u32> = frames.missing(unfinished.id).take(room).collect();
            room -= pieces.len();
            messages.push(Incomplete { id: unfinished.id, pieces });
        }
        (!messages.is_empty()).then_some(Resend { messages })
    }

    /// The next frame whose lifetime is over.
    pub fn expired(&mut self, now: Micros) -> Option<u64> {
        let late = |unfinished: &&Unfinished| unfinished.noticed + self.lifetime <= now;
        let id = self.unfinished.iter().find(late)?.id;
        self.finished(id);
        Some(id)
    }

    /// When time alone changes something.
    pub fn next_moment(&self) -> Option<Micros> {
        let moment = |unfinished: &Unfinished| unfinished.ask_at.min(unfinished.noticed + self.lifetime);
        self.unfinished.iter().map(moment).min()
    }

    /// Where an unfinished frame is, or would be.
    fn place(&self, id: u64) -> Result<usize, usize> {
        self.unfinished.binary_search_by_key(&id, |unfinished| unfinished.id)
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::fragment;

    use super::*;

    const LIFETIME: Duration = Duration::from_millis(32);

    fn arrivals() -> (Arrivals, Reassembler) {
        (Arrivals::new(LIFETIME, 8), Reassembler::new(10_000, 8))
    }

    fn ids(request: Option<Resend>) -> Vec<u64> {
        request.into_iter().flat_map(|resend| resend.messages).map(|message| message.id).collect()
    }

    #[test]
    fn a_frame_of_which_nothing_came_is_asked_for_once_a_later_one_shows_it() {
        let (mut arrivals, frames) = arrivals();
        arrivals.piece(1, Micros(0));
        arrivals.finished(1);
        assert_eq!(arrivals.next_moment(), Some(Micros(2_000)));
        assert_eq!(arrivals.requests(&frames, Micros(1_999)), None);
        let request = arrivals.requests(&frames, Micros(2_000)).unwrap();
        assert_eq!(request.messages, [Incomplete { id: 0, pieces: vec![] }]);
    }

    #[test]
    fn only_what_is_missing_is_asked_for_and_only_while_nothing_comes() {
        let (mut arrivals, mut frames) = arrivals();
        let pieces = fragment::split(0, &"x".repeat(2_500), 537).unwrap();
        for (index, now) in [(0, 0), (3, 1_500)] {
            frames.accept(&pieces[index].clone().freeze()).unwrap();
            arrivals.piece(0, Micros(now));
        }
        assert_eq!(arrivals.requests(&frames, Micros(2_000)), None);
        let request = arrivals.requests(&frames, Micros(3_500)).unwrap();
        assert_eq!(request.messages, [Incomplete { id: 0, pieces: vec![1, 2, 4] }]);
    }

    #[test]
    fn a_frame_is_asked_for_three_times_and_then_given_up() {
        let (mut arrivals, frames) = arrivals();
        arrivals.piece(0, Micros(0));
        let mut asked = Vec::new();
        let mut given_up = None;
        while let Some(now) = arrivals.next_moment() {
            if let Some(id) = arrivals.expired(now) {
                given_up = Some((id, now.0));
            }
            asked.extend(ids(arrivals.requests(&frames, now)).iter().map(|_| now.0));
        }
        assert_eq!(asked, [2_000, 10_000, 18_000]);
        assert_eq!(given_up, Some((0, 32_000)));
    }

    #[test]
    fn a_piece_that_is_there_already_calls_for_a_request_but_not_for_two_at_once() {
        let (mut arrivals, frames) = arrivals();
        arrivals.piece(0, Micros(0));
        arrivals.piece_again(0, Micros(500));
        assert_eq!(ids(arrivals.requests(&frames, Micros(500))), [0]);
        arrivals.piece_again(0, Micros(600));
        assert_eq!(arrivals.requests(&frames, Micros(2_499)), None);
        assert_eq!(ids(arrivals.requests(&frames, Micros(2_500))), [0]);
        arrivals.piece_again(1, Micros(2_600));
        assert_eq!(arrivals.next_moment(), Some(Micros(10_500)), "a frame that is whole is not asked for");
    }

    #[test]
    fn however_far_a_peer_jumps_a_window_of_frames_is_watched() {
        let (mut arrivals, _) = arrivals();
        assert!(arrivals.piece(0, Micros(0)).is_empty());
        assert_eq!(arrivals.piece((1 << 53) - 1, Micros(1)).len(), 9);
        assert_eq!(arrivals.unfinished.len(), 8);
        arrivals.piece(u64::MAX, Micros(2));
        assert_eq!(arrivals.unfinished.len(), 8);
        assert!(!arrivals.wants(5), "an old frame is not begun again");
    }
}
