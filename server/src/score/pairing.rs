//! Pairing: what became of each frame.
//!
//! Frames are finished in the order they were sent: an answered frame waits for those before it, which are answered,
//! or lost when their deadline passes. So sums are the same on every run, and nothing is held longer than a deadline.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroU32;
use std::time::Duration;

use shared::flow::window::Window;
use shared::protocol::message::{AnswerTimes, Finding};
use shared::time::Micros;

use crate::score::{Outcome, Truth};

/// Lost frames whose late answer is still told from a duplicate: a minute of them at 60 fps.
const REMEMBERED_LOST: usize = 4096;

/// A frame on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SentFrame {
    /// Counts from 0 without a gap.
    pub id: u64,
    /// What it shows.
    pub truth: Truth,
    /// Last pixel rendered.
    pub captured: Micros,
    /// Ready to send.
    pub encoded: Micros,
}

/// A frame whose outcome is final.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished {
    /// The frame.
    pub frame: SentFrame,
    /// What became of it.
    pub outcome: Outcome,
    /// When it was answered, and what the client said of its time there; `None` without an answer.
    pub answered: Option<(Micros, AnswerTimes)>,
}

/// What an answer was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// The first for its frame, in time.
    Accepted,
    /// Its frame was answered before.
    Duplicate,
    /// Its frame was given up before.
    Late,
    /// No frame of that id was sent.
    Unknown,
}

/// A sent frame and, once known, what became of it.
#[derive(Debug)]
struct Tracked {
    frame: SentFrame,
    settled: Option<Finished>,
}

/// Pairs answers with frames.
#[derive(Debug)]
pub struct Pairing {
    deadline: Duration,
    window: Window,
    /// Sent frames not yet finished, by id without a gap.
    frames: VecDeque<Tracked>,
    next_id: u64,
    lost: BTreeSet<u64>,
}

impl Pairing {
    /// Nothing sent yet. Frames unanswered `deadline` after their capture are lost.
    pub fn new(window: NonZeroU32, deadline: Duration) -> Self {
        Self { deadline, window: Window::new(window), frames: VecDeque::new(), next_id: 0, lost: BTreeSet::new() }
    }

    /// Whether one more frame may be sent.
    pub fn has_room(&self) -> bool {
        self.window.has_room()
    }

    /// Frames sent, neither answered nor given up.
    pub fn in_flight(&self) -> u32 {
        self.window.in_flight()
    }

    /// The id the next frame will have.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// A frame was sent. Its id is [`Self::next_id`].
    pub fn sent(&mut self, truth: Truth, captured: Micros, encoded: Micros) {
        let frame = SentFrame { id: self.next_id, truth, captured, encoded };
        self.frames.push_back(Tracked { frame, settled: None });
        self.next_id += 1;
        self.window.enter();
    }

    /// An answer was decoded. Frames whose deadline has passed are given up first.
    pub fn answered(&mut self, id: u64, finding: Finding, times: AnswerTimes, now: Micros) -> Receipt {
        self.expire(now);
        if id >= self.next_id {
            return Receipt::Unknown;
        }
        if self.lost.remove(&id) {
            return Receipt::Late;
        }
        let unanswered = |&place: &usize| self.frames[place].settled.is_none();
        let Some(place) = self.place(id).filter(unanswered) else { return Receipt::Duplicate };
        self.settle(place, outcome(finding), Some((now, times)));
        Receipt::Accepted
    }

    /// Gives up every frame whose deadline has passed.
    pub fn expire(&mut self, now: Micros) {
        while let Some(place) = self.oldest_unanswered().filter(|&place| self.deadline_at(place) <= now) {
            self.remember_lost(self.frames[place].frame.id);
            self.settle(place, Outcome::Lost, None);
        }
    }

    /// Ends every unanswered frame as [`Outcome::Unresolved`].
    pub fn abandon(&mut self) {
        while let Some(place) = self.oldest_unanswered() {
            self.settle(place, Outcome::Unresolved, None);
        }
    }

    /// When the next frame will be given up.
    pub fn next_deadline(&self) -> Option<Micros> {
        self.oldest_unanswered().map(|place| self.deadline_at(place))
    }

    /// The next finished frame, in the order sent; `None` while the oldest is unanswered.
    pub fn next_finished(&mut self) -> Option<Finished> {
        let finished = self.frames.front()?.settled?;
        self.frames.pop_front();
        Some(finished)
    }

    fn place(&self, id: u64) -> Option<usize> {
        let first = self.frames.front()?.frame.id;
        usize::try_from(id.checked_sub(first)?).ok()
    }

    fn oldest_unanswered(&self) -> Option<usize> {
        self.frames.iter().position(|tracked| tracked.settled.is_none())
    }

    fn deadline_at(&self, place: usize) -> Micros {
        self.frames[place].frame.captured + self.deadline
    }

    fn settle(&mut self, place: usize, outcome: Outcome, answered: Option<(Micros, AnswerTimes)>) {
        let tracked = &mut self.frames[place];
        tracked.settled = Some(Finished { frame: tracked.frame, outcome, answered });
        self.window.leave();
    }

    fn remember_lost(&mut self, id: u64) {
        if self.lost.len() == REMEMBERED_LOST {
            self.lost.pop_first();
        }
        self.lost.insert(id);
    }
}

fn outcome(finding: Finding) -> Outcome {
    match finding {
        Finding::Circle { circle, covariance } => Outcome::Circle { estimate: circle, covariance },
        Finding::None => Outcome::NoCircle,
        Finding::Dropped => Outcome::Dropped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIMES: AnswerTimes = AnswerTimes { received: None, started: None, finished: None, sent: None };

    fn pairing_with(frames: u64) -> Pairing {
        let mut pairing = Pairing::new(NonZeroU32::new(8).unwrap(), Duration::from_secs(2));
        for id in 0..frames {
            pairing.sent(Truth::Unknown, Micros(id * 1000), Micros(id * 1000 + 10));
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
            assert_eq!(pairing.answered(id, Finding::None, NO_TIMES, Micros(5_000)), Receipt::Accepted);
        }
        assert_eq!(finished(&mut pairing), []);
        pairing.answered(0, Finding::Dropped, NO_TIMES, Micros(6_000));
        let outcomes = [(0, Outcome::Dropped), (1, Outcome::NoCircle), (2, Outcome::NoCircle)];
        assert_eq!(finished(&mut pairing), outcomes);
    }

    #[test]
    fn a_lost_frame_stays_lost_and_frees_its_place() {
        let mut pairing = pairing_with(1);
        assert_eq!(pairing.next_deadline(), Some(Micros(2_000_000)));
        assert_eq!(pairing.answered(0, Finding::None, NO_TIMES, Micros(2_000_000)), Receipt::Late);
        assert_eq!(pairing.in_flight(), 0);
        assert_eq!(pairing.answered(0, Finding::None, NO_TIMES, Micros(2_000_001)), Receipt::Duplicate);
        assert_eq!(finished(&mut pairing), [(0, Outcome::Lost)]);
    }

    #[test]
    fn a_second_answer_changes_nothing_even_after_the_frame_is_finished() {
        let mut pairing = pairing_with(2);
        pairing.answered(1, Finding::None, NO_TIMES, Micros(9));
        assert_eq!(pairing.answered(1, Finding::Dropped, NO_TIMES, Micros(10)), Receipt::Duplicate);
        pairing.answered(0, Finding::None, NO_TIMES, Micros(11));
        assert_eq!(finished(&mut pairing), [(0, Outcome::NoCircle), (1, Outcome::NoCircle)]);
        assert_eq!(pairing.answered(0, Finding::Dropped, NO_TIMES, Micros(12)), Receipt::Duplicate);
    }

    #[test]
    fn an_answer_to_a_frame_never_sent_is_unknown() {
        let mut pairing = pairing_with(2);
        assert_eq!(pairing.answered(2, Finding::None, NO_TIMES, Micros(9)), Receipt::Unknown);
        assert_eq!(pairing.answered(u64::MAX, Finding::None, NO_TIMES, Micros(9)), Receipt::Unknown);
        assert_eq!(pairing.in_flight(), 2);
    }

    #[test]
    fn what_is_unanswered_at_the_end_is_unresolved() {
        let mut pairing = pairing_with(2);
        pairing.answered(1, Finding::None, NO_TIMES, Micros(9));
        pairing.abandon();
        assert_eq!(finished(&mut pairing), [(0, Outcome::Unresolved), (1, Outcome::NoCircle)]);
    }
}
