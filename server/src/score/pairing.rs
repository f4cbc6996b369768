//! Pairing: decides the outcome of each frame.
//!
//! Frames are finished in the order they were sent. An answered frame waits for earlier frames until they are answered,
//! or lost because their deadline passed. So sums are the same on every run, and no frame is held longer than a
//! deadline. In live delivery a frame frees its place in the window once its lifetime is over, and can be answered
//! until its deadline.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

use shared::flow::window::Window;
use shared::protocol::message::AnswerTimes;
use shared::time::Micros;

use super::cells::{Cell, Cells};
use super::record::{LossCause, Outcome};
use crate::truth::Truth;

/// Number of lost frames that are remembered, to tell a late answer from a duplicate: a minute of frames at 60 fps.
const REMEMBERED_LOST: usize = 4096;

/// A frame in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SentFrame {
    /// Counts from 0 without a gap.
    pub id: u64,
    /// Its index at the source.
    pub source_index: u64,
    /// What it shows.
    pub truth: Truth,
    /// Last pixel rendered.
    pub captured: Micros,
    /// Ready to send.
    pub encoded: Micros,
}

/// A frame whose outcome is final.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The frame.
    pub frame: SentFrame,
    /// Its outcome.
    pub outcome: Outcome,
    /// Its answer, if there is one.
    pub answer: Option<PairedAnswer>,
}

/// An answer that was paired with its frame.
#[derive(Clone, Debug, PartialEq)]
pub struct PairedAnswer {
    /// What the task read; `None` if the frame was not looked at.
    pub cells: Option<Cells>,
    /// When it was decoded.
    pub at: Micros,
    /// The times that the client reported.
    pub times: AnswerTimes,
}

/// The outcome of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is the first for its frame, and in time.
    Accepted,
    /// Its frame was answered before.
    Duplicate,
    /// Its frame was given up before, for this cause.
    Late(LossCause),
    /// No frame with that id was sent.
    Unknown,
}

/// A sent frame and, once known, its outcome.
#[derive(Debug)]
struct Tracked {
    frame: SentFrame,
    settled: Option<Finished>,
    in_window: bool,
}

/// Pairs answers with frames.
#[derive(Debug)]
pub struct Pairing {
    deadline: Duration,
    /// Present in live delivery.
    lifetime: Option<Duration>,
    window: Window,
    /// Sent frames that are not finished yet, by id without a gap.
    frames: VecDeque<Tracked>,
    next_id: u64,
    /// The oldest unanswered frame, and the oldest unanswered frame that holds a place in the window; if there is none,
    /// the next frame to be sent.
    oldest_unanswered: u64,
    oldest_in_window: u64,
    unanswered: u32,
    lost: BTreeMap<u64, LossCause>,
}

impl Pairing {
    /// A pairing without frames. Frames that are unanswered `deadline` after their capture are lost. If there is a
    /// `lifetime`, they free their place in the window that long after their capture.
    pub fn new(window: NonZeroU32, deadline: Duration, lifetime: Option<Duration>) -> Self {
        Self {
            deadline,
            lifetime,
            window: Window::new(window),
            frames: VecDeque::new(),
            next_id: 0,
            oldest_unanswered: 0,
            oldest_in_window: 0,
            unanswered: 0,
            lost: BTreeMap::new(),
        }
    }

    /// Whether one more frame may be sent.
    pub fn has_room(&self) -> bool {
        self.window.has_room()
    }

    /// Whether a frame was sent and is neither answered nor lost.
    pub fn is_unanswered(&self, id: u64) -> bool {
        self.unanswered_place(id).is_some()
    }

    /// Number of frames that were sent and are neither answered nor lost.
    pub fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// Whether sending more of a frame is useful: it is unanswered, and its lifetime is not over.
    pub fn is_fresh(&self, id: u64, now: Micros) -> bool {
        let Some(tracked) = self.place(id).and_then(|place| self.frames.get(place)) else { return false };
        let lives = self.lifetime.is_none_or(|lifetime| now < tracked.frame.captured + lifetime);
        tracked.settled.is_none() && lives
    }

    /// Id of the next frame.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Adds a frame that was sent. Its id is [`Self::next_id`].
    pub fn sent(&mut self, source_index: u64, truth: Truth, captured: Micros, encoded: Micros) {
        let frame = SentFrame { id: self.next_id, source_index, truth, captured, encoded };
        self.frames.push_back(Tracked { frame, settled: None, in_window: true });
        self.next_id += 1;
        self.unanswered += 1;
        self.window.enter();
    }

    /// Pairs an answer that was decoded. Frames whose deadline has passed are given up first.
    /// `cells` is what the task read from it; `None` if the frame was not looked at.
    pub fn answered(&mut self, id: u64, cells: Option<Cells>, times: AnswerTimes, now: Micros) -> Receipt {
        self.expire(now);
        if id >= self.next_id {
            return Receipt::Unknown;
        }
        if let Some(cause) = self.lost.remove(&id) {
            return Receipt::Late(cause);
        }
        let Some(place) = self.unanswered_place(id) else { return Receipt::Duplicate };
        let outcome = if cells.is_some() { Outcome::Answered } else { Outcome::Dropped };
        self.settle(place, outcome, Some(PairedAnswer { cells, at: now, times }));
        Receipt::Accepted
    }

    /// Marks a frame as lost before its deadline. Does nothing to a frame that is already answered or lost.
    pub fn lose(&mut self, id: u64, cause: LossCause) {
        if let Some(place) = self.unanswered_place(id) {
            self.remember_lost(id, cause);
            self.settle(place, Outcome::Lost(cause), None);
        }
    }

    /// Gives up every frame whose deadline has passed, and frees the places of frames whose lifetime is over.
    pub fn expire(&mut self, now: Micros) {
        while self.next_loss().is_some_and(|at| at <= now) {
            self.lose(self.oldest_unanswered, LossCause::Unanswered);
        }
        while self.next_free_place().is_some_and(|at| at <= now) {
            if let Some(place) = self.place(self.oldest_in_window) {
                self.free_place(place);
            }
            self.advance();
        }
    }

    /// Ends every unanswered frame as [`Outcome::Unresolved`].
    pub fn abandon(&mut self) {
        while let Some(place) = self.unanswered_place(self.oldest_unanswered) {
            self.settle(place, Outcome::Unresolved, None);
        }
    }

    /// The frame with this id and what the task read from its answer, after [`Self::answered`] accepted it and until
    /// [`Self::next_finished`] returns it. `None` for a frame that was not looked at.
    pub fn answer_to(&self, id: u64) -> Option<(&SentFrame, &[Cell])> {
        let Finished { frame, answer, .. } = self.frames.get(self.place(id)?)?.settled.as_ref()?;
        Some((frame, answer.as_ref()?.cells.as_deref()?))
    }

    /// When the next frame will be given up or free its place.
    pub fn next_deadline(&self) -> Option<Micros> {
        [self.next_loss(), self.next_free_place()].into_iter().flatten().min()
    }

    /// The next finished frame, in sending order; `None` while the oldest is unanswered.
    pub fn next_finished(&mut self) -> Option<Finished> {
        self.frames.front()?.settled.as_ref()?;
        self.frames.pop_front()?.settled
    }

    fn place(&self, id: u64) -> Option<usize> {
        let first = self.frames.front()?.frame.id;
        usize::try_from(id.checked_sub(first)?).ok()
    }

    fn unanswered_place(&self, id: u64) -> Option<usize> {
        let place = self.place(id)?;
        self.frames.get(place).filter(|tracked| tracked.settled.is_none()).map(|_| place)
    }

    fn next_loss(&self) -> Option<Micros> {
        let place = self.unanswered_place(self.oldest_unanswered)?;
        Some(self.frames[place].frame.captured + self.deadline)
    }

    fn next_free_place(&self) -> Option<Micros> {
        let (lifetime, place) = (self.lifetime?, self.unanswered_place(self.oldest_in_window)?);
        Some(self.frames[place].frame.captured + lifetime)
    }

    fn settle(&mut self, place: usize, outcome: Outcome, answer: Option<PairedAnswer>) {
        let tracked = &mut self.frames[place];
        tracked.settled = Some(Finished { frame: tracked.frame, outcome, answer });
        self.unanswered -= 1;
        self.free_place(place);
        self.advance();
    }

    fn free_place(&mut self, place: usize) {
        if std::mem::take(&mut self.frames[place].in_window) {
            self.window.leave();
        }
    }

    /// Advances both fields to the oldest frames that match them. Each frame is passed only once.
    fn advance(&mut self) {
        let passed = |frames: &VecDeque<Tracked>, place: Option<usize>, keeps: fn(&Tracked) -> bool| {
            place.and_then(|place| frames.get(place)).is_some_and(|tracked| !keeps(tracked))
        };
        while passed(&self.frames, self.place(self.oldest_unanswered), |tracked| tracked.settled.is_none()) {
            self.oldest_unanswered += 1;
        }
        while passed(&self.frames, self.place(self.oldest_in_window), |tracked| tracked.in_window) {
            self.oldest_in_window += 1;
        }
    }

    fn remember_lost(&mut self, id: u64, cause: LossCause) {
        if self.lost.len() == REMEMBERED_LOST {
            self.lost.pop_first();
        }
        self.lost.insert(id, cause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIMES: AnswerTimes = AnswerTimes { received: None, started: None, finished: None, sent: None };

    /// An answer of a task whose answers have no values.
    fn answer() -> Option<Cells> {
        Some(Cells::new())
    }

    fn pairing_with(frames: u64) -> Pairing {
        sent(frames, None)
    }

    fn sent(frames: u64, lifetime: Option<Duration>) -> Pairing {
        let mut pairing = Pairing::new(NonZeroU32::new(8).unwrap(), Duration::from_secs(2), lifetime);
        for id in 0..frames {
            pairing.sent(id, Truth::Unknown, Micros(id * 1000), Micros(id * 1000 + 10));
        }
        pairing
    }

    fn finished(pairing: &mut Pairing) -> Vec<(u64, Outcome)> {
        std::iter::from_fn(|| pairing.next_finished()).map(|done| (done.frame.id, done.outcome)).collect()
    }

    #[test]
    fn frames_finish_in_the_order_sent() {
        let mut pairing = pairing_with(3);
        for id in [2, 1] {
            assert_eq!(pairing.answered(id, answer(), NO_TIMES, Micros(5_000)), Receipt::Accepted);
        }
        assert_eq!(finished(&mut pairing), []);
        pairing.answered(0, None, NO_TIMES, Micros(6_000));
        let outcomes = [(0, Outcome::Dropped), (1, Outcome::Answered), (2, Outcome::Answered)];
        assert_eq!(finished(&mut pairing), outcomes);
    }

    #[test]
    fn a_lost_frame_stays_lost_and_frees_its_place() {
        let mut pairing = pairing_with(1);
        assert_eq!(pairing.next_deadline(), Some(Micros(2_000_000)));
        assert_eq!(pairing.answered(0, answer(), NO_TIMES, Micros(2_000_000)), Receipt::Late(LossCause::Unanswered));
        assert_eq!(pairing.unanswered(), 0);
        assert_eq!(pairing.answered(0, answer(), NO_TIMES, Micros(2_000_001)), Receipt::Duplicate);
        assert_eq!(finished(&mut pairing), [(0, Outcome::Lost(LossCause::Unanswered))]);
    }

    #[test]
    fn a_second_answer_changes_nothing_even_after_the_frame_is_finished() {
        let mut pairing = pairing_with(2);
        pairing.answered(1, answer(), NO_TIMES, Micros(9));
        assert_eq!(pairing.answered(1, None, NO_TIMES, Micros(10)), Receipt::Duplicate);
        pairing.answered(0, answer(), NO_TIMES, Micros(11));
        assert_eq!(finished(&mut pairing), [(0, Outcome::Answered), (1, Outcome::Answered)]);
        assert_eq!(pairing.answered(0, None, NO_TIMES, Micros(12)), Receipt::Duplicate);
    }

    #[test]
    fn an_answer_to_a_frame_never_sent_is_unknown() {
        let mut pairing = pairing_with(2);
        assert_eq!(pairing.answered(2, answer(), NO_TIMES, Micros(9)), Receipt::Unknown);
        assert_eq!(pairing.answered(u64::MAX, answer(), NO_TIMES, Micros(9)), Receipt::Unknown);
        assert_eq!(pairing.unanswered(), 2);
    }

    #[test]
    fn frames_without_an_answer_at_the_end_are_unresolved() {
        let mut pairing = pairing_with(2);
        pairing.answered(1, answer(), NO_TIMES, Micros(9));
        pairing.abandon();
        assert_eq!(finished(&mut pairing), [(0, Outcome::Unresolved), (1, Outcome::Answered)]);
    }

    #[test]
    fn a_live_frame_frees_its_place_after_its_lifetime_and_can_still_be_answered() {
        let mut pairing = sent(8, Some(Duration::from_millis(33)));
        assert!(!pairing.has_room());
        assert_eq!(pairing.next_deadline(), Some(Micros(33_000)));
        pairing.expire(Micros(34_000));
        assert_eq!(pairing.window.in_flight(), 6, "frames 0 and 1 were captured at 0 and 1000");
        assert_eq!(pairing.unanswered(), 8);
        assert!(!pairing.is_fresh(1, Micros(34_000)) && pairing.is_fresh(2, Micros(34_000)));
        assert_eq!(pairing.answered(1, answer(), NO_TIMES, Micros(40_000)), Receipt::Accepted);
        assert_eq!(pairing.window.in_flight(), 0, "by then all lifetimes are over");
        assert_eq!(pairing.next_deadline(), Some(Micros(2_000_000)));
    }

    #[test]
    fn a_frame_the_client_gave_up_is_lost_at_once() {
        let mut pairing = pairing_with(2);
        pairing.lose(0, LossCause::Incomplete);
        pairing.lose(0, LossCause::Unsent);
        pairing.lose(7, LossCause::Incomplete);
        assert_eq!(pairing.next_finished().map(|done| done.outcome), Some(Outcome::Lost(LossCause::Incomplete)));
        assert_eq!(pairing.answered(0, answer(), NO_TIMES, Micros(9)), Receipt::Late(LossCause::Incomplete));
        assert_eq!(pairing.unanswered(), 1);
    }
}
