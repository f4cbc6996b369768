//! Acknowledgements. Each answer goes out in several messages, so that losing one costs nothing, and once more when the
//! sender probes for it. Frames given up are announced in several messages too.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::message::{Answer, Answers, LIST_LIMIT, Short};
use crate::time::Micros;

/// Later messages in which an acknowledgement is repeated: at 20 % loss, one of 600 never arrives.
const REPETITIONS: usize = 3;

/// Maximum number of frames given up that one message names.
const MAX_MISSING: usize = 16;

/// Shortest time from the last message to the repetition that a probe asks for, as a share of the interval: 1.6 ms at
/// 60 frames per second.
const LEAST_SHARE: u32 = 16;

/// Acknowledgements to be sent, and those sent lately.
#[derive(Debug)]
pub(super) struct Acknowledgements {
    interval: Duration,
    new: VecDeque<Answer<'static>>,
    /// Newest first: those still to be repeated, and the last few.
    sent: VecDeque<Sent>,
    missing: VecDeque<u64>,
    /// Messages still owed until the latest acknowledgement is repeated often enough, and when the next one is due.
    owed: usize,
    due: Option<Micros>,
    /// When the last message was sent.
    last: Option<Micros>,
}

/// An acknowledgement that was sent.
#[derive(Debug)]
struct Sent {
    answer: Answer<'static>,
    repetitions_left: usize,
}

impl Acknowledgements {
    /// Starts with no acknowledgements. While no new ones come, the last ones are repeated after each `interval`.
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            new: VecDeque::new(),
            sent: VecDeque::new(),
            missing: VecDeque::new(),
            owed: 0,
            due: None,
            last: None,
        }
    }

    /// Acknowledges a frame by its answer.
    pub(super) fn answer(&mut self, answer: Answer<'static>, now: Micros) {
        self.new.push_back(answer);
        self.owe(now);
    }

    /// Announces that a frame will never be complete.
    pub(super) fn missing(&mut self, frame: u64, now: Micros) {
        if self.missing.len() == MAX_MISSING {
            self.missing.pop_back();
        }
        self.missing.push_front(frame);
        self.owe(now);
    }

    /// Takes a probe for this frame: its acknowledgement is repeated if it was sent before.
    pub(super) fn probed(&mut self, frame: u64, now: Micros) {
        if let Some(sent) = self.sent.iter_mut().find(|sent| sent.answer.frame == frame) {
            sent.repetitions_left = sent.repetitions_left.max(1);
            let soon = self.last.map_or(now, |last| now.max(last + self.interval / LEAST_SHARE));
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// A message to send now, if one is due.
    pub(super) fn poll(&mut self, now: Micros) -> Option<Answers<'static>> {
        self.due.filter(|&due| due <= now)?;
        let previous = self.sent.iter().filter(|sent| sent.repetitions_left > 0);
        let previous = previous.map(|sent| sent.answer.clone()).collect();
        let new = self.new.len().min(LIST_LIMIT);
        let answers: Short<Answer<'static>> = self.new.drain(..new).rev().collect();
        self.remember(&answers);
        let message = Answers { answers, previous, missing: self.missing.iter().copied().collect() };
        self.last = Some(now);
        self.owed = self.owed.saturating_sub(1);
        if self.owed == 0 {
            self.missing.clear();
        }
        self.due = match (self.new.is_empty(), self.owed) {
            (false, _) => Some(now),
            (true, 0) => None,
            (true, _) => Some(now + self.interval),
        };
        Some(message)
    }

    /// When the next message is due.
    pub(super) fn next_moment(&self) -> Option<Micros> {
        self.due
    }

    /// Counts one repetition of the answers sent before, and remembers `answers` (newest first), now sent for the first
    /// time.
    fn remember(&mut self, answers: &[Answer<'static>]) {
        for sent in &mut self.sent {
            sent.repetitions_left = sent.repetitions_left.saturating_sub(1);
        }
        for answer in answers.iter().rev().cloned() {
            self.sent.push_front(Sent { answer, repetitions_left: REPETITIONS });
        }
        self.sent.truncate(LIST_LIMIT);
        while self.sent.len() > REPETITIONS && self.sent.back().is_some_and(|oldest| oldest.repetitions_left == 0) {
            self.sent.pop_back();
        }
    }

    fn owe(&mut self, now: Micros) {
        self.owed = REPETITIONS + 1;
        self.due = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use crate::protocol::message::{AnswerTimes, Payload};

    use super::*;

    fn none(frame: u64) -> Answer<'static> {
        Answer { frame, payload: Payload::new("none"), times: AnswerTimes::default() }
    }

    fn frames(answers: &[Answer]) -> Vec<u64> {
        answers.iter().map(|answer| answer.frame).collect()
    }

    fn acknowledgements() -> Acknowledgements {
        Acknowledgements::new(Duration::from_millis(25))
    }

    #[test]
    fn each_message_repeats_the_three_acknowledgements_before_it() {
        let mut acknowledgements = acknowledgements();
        for frame in 0..6 {
            acknowledgements.answer(none(frame), Micros(frame));
            let message = acknowledgements.poll(Micros(frame)).unwrap();
            assert_eq!(frames(&message.answers), [frame]);
            assert_eq!(frames(&message.previous), (frame.saturating_sub(3)..frame).rev().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_last_acknowledgement_is_sent_four_times_also_when_no_other_follows() {
        let mut acknowledgements = acknowledgements();
        acknowledgements.answer(none(7), Micros(0));
        assert_eq!(frames(&acknowledgements.poll(Micros(0)).unwrap().answers), [7]);
        for repeat in 1..=3 {
            assert_eq!(acknowledgements.poll(Micros(repeat * 25_000 - 1)), None);
            let message = acknowledgements.poll(Micros(repeat * 25_000)).unwrap();
            assert_eq!((frames(&message.answers), frames(&message.previous)), (vec![], vec![7]));
        }
        assert_eq!(acknowledgements.next_moment(), None);
    }

    #[test]
    fn a_probe_causes_a_repetition_at_once_and_the_next_one_a_moment_later() {
        let mut acknowledgements = acknowledgements();
        acknowledgements.answer(none(7), Micros(0));
        acknowledgements.poll(Micros(0)).unwrap();
        acknowledgements.probed(7, Micros(5_000));
        assert_eq!(frames(&acknowledgements.poll(Micros(5_000)).unwrap().previous), [7]);
        acknowledgements.probed(7, Micros(5_100));
        assert_eq!(acknowledgements.next_moment(), Some(Micros(5_000 + 25_000 / 16)));
        assert_eq!(frames(&acknowledgements.poll(Micros(7_000)).unwrap().previous), [7]);
        acknowledgements.probed(8, Micros(9_000));
        assert_eq!(acknowledgements.poll(Micros(9_000)), None, "it has no answer yet");
    }

    #[test]
    fn more_acknowledgements_than_a_message_holds_go_in_several() {
        let mut acknowledgements = acknowledgements();
        (0..40).for_each(|frame| acknowledgements.answer(none(frame), Micros(0)));
        assert_eq!(frames(&acknowledgements.poll(Micros(0)).unwrap().answers), (0..32).rev().collect::<Vec<_>>());
        assert_eq!(frames(&acknowledgements.poll(Micros(0)).unwrap().answers), (32..40).rev().collect::<Vec<_>>());
    }

    #[test]
    fn each_of_many_acknowledgements_is_sent_four_times() {
        for at_once in [1, 2, 5, 10] {
            let (mut acknowledgements, mut times_sent) = (acknowledgements(), vec![0; 40]);
            for (round, frames) in (0..40).collect::<Vec<u64>>().chunks(at_once).enumerate() {
                frames.iter().for_each(|&frame| acknowledgements.answer(none(frame), Micros(round as u64)));
                let message = acknowledgements.poll(Micros(round as u64)).unwrap();
                message
                    .answers
                    .iter()
                    .chain(&message.previous)
                    .for_each(|answer| times_sent[answer.frame as usize] += 1);
            }
            while let Some(due) = acknowledgements.next_moment() {
                let message = acknowledgements.poll(due).unwrap();
                message.previous.iter().for_each(|answer| times_sent[answer.frame as usize] += 1);
            }
            assert!(times_sent.iter().all(|&times| times == 4), "{at_once} at once: {times_sent:?}");
        }
    }

    #[test]
    fn a_frame_given_up_is_named_in_four_messages() {
        let mut acknowledgements = acknowledgements();
        acknowledgements.missing(3, Micros(0));
        let mut times_sent = 0;
        while let Some(due) = acknowledgements.next_moment() {
            times_sent += acknowledgements.poll(due).unwrap().missing.iter().filter(|&&frame| frame == 3).count();
        }
        assert_eq!(times_sent, 4);
    }
}
