//! Live delivery, seen by the answerer: each outcome is told several times, so that a lost message costs nothing, and once
//! more where the server shows that it waits for it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::protocol::message::{Answer, Answers, LIST_LIMIT, Short};
use crate::time::Micros;

/// An outcome is told again in as many later messages: at 20 % loss one of 600 is never heard.
const REPEATS: usize = 3;

/// Frames given up that are told of in each message.
const TOLD_MISSING: usize = 16;

/// Outcomes on their way to the server.
#[derive(Debug)]
pub struct Replies {
    interval: Duration,
    new: VecDeque<Answer<'static>>,
    /// Newest first: those that are still to be repeated, and the last few.
    told: VecDeque<Told>,
    missing: VecDeque<u64>,
    /// Messages still to be sent so that the latest outcome is told often enough, and when the next is due.
    owed: usize,
    due: Option<Micros>,
    /// When the last message was sent.
    sent: Option<Micros>,
}

/// An outcome that was told.
#[derive(Debug)]
struct Told {
    answer: Answer<'static>,
    repeats_left: usize,
}

/// Two messages for the same outcomes have at least this share of the interval between them: 1.6 ms at 60 frames a second.
const LEAST_SHARE: u32 = 16;

impl Replies {
    /// Nothing to tell. Without new outcomes the last are repeated after `interval`.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval,
            new: VecDeque::new(),
            told: VecDeque::new(),
            missing: VecDeque::new(),
            owed: 0,
            due: None,
            sent: None,
        }
    }

    /// A frame's outcome is to be told.
    pub fn add(&mut self, answer: Answer<'static>, now: Micros) {
        self.new.push_back(answer);
        self.owe(now);
    }

    /// A frame never came whole.
    pub fn missing(&mut self, frame: u64, now: Micros) {
        if self.missing.len() == TOLD_MISSING {
            self.missing.pop_back();
        }
        self.missing.push_front(frame);
        self.owe(now);
    }

    /// The server shows that it waits for this frame's outcome: if it was told, it is told again.
    pub fn again(&mut self, frame: u64, now: Micros) {
        if let Some(told) = self.told.iter_mut().find(|told| told.answer.frame == frame) {
            told.repeats_left = told.repeats_left.max(1);
            let soon = self.sent.map_or(now, |sent| now.max(sent + self.interval / LEAST_SHARE));
            self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// A message to send now, if one is due.
    pub fn poll(&mut self, now: Micros) -> Option<Answers<'static>> {
        self.due.filter(|&due| due <= now)?;
        self.sent = Some(now);
        let new = self.new.len().min(LIST_LIMIT);
        let answers: Short<Answer<'static>> = self.new.drain(..new).rev().collect();
        let message = Answers {
            previous: self.told.iter().filter(|told| told.repeats_left > 0).map(|told| told.answer.clone()).collect(),
            missing: self.missing.iter().copied().collect(),
            answers,
        };
        self.told.iter_mut().for_each(|told| told.repeats_left = told.repeats_left.saturating_sub(1));
        for answer in message.answers.iter().rev().cloned() {
            self.told.push_front(Told { answer, repeats_left: REPEATS });
        }
        self.told.truncate(LIST_LIMIT);
        while self.told.len() > REPEATS && self.told.back().is_some_and(|oldest| oldest.repeats_left == 0) {
            self.told.pop_back();
        }
        self.owed = self.owed.saturating_sub(1);
        self.due = match (self.new.is_empty(), self.owed) {
            (false, _) => Some(now),
            (true, 0) => None,
            (true, _) => Some(now + self.interval),
        };
        if self.owed == 0 {
            self.missing.clear();
        }
        Some(message)
    }

    /// When the next message is due.
    pub fn next_moment(&self) -> Option<Micros> {
        self.due
    }

    fn owe(&mut self, now: Micros) {
        self.owed = REPEATS + 1;
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

    fn replies() -> Replies {
        Replies::new(Duration::from_millis(25))
    }

    #[test]
    fn each_message_repeats_the_three_outcomes_before_it() {
        let mut replies = replies();
        for frame in 0..6 {
            replies.add(none(frame), Micros(frame));
            let message = replies.poll(Micros(frame)).unwrap();
            assert_eq!(frames(&message.answers), [frame]);
            assert_eq!(frames(&message.previous), (frame.saturating_sub(3)..frame).rev().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_last_outcome_is_told_four_times_also_when_no_other_follows() {
        let mut replies = replies();
        replies.add(none(7), Micros(0));
        assert_eq!(frames(&replies.poll(Micros(0)).unwrap().answers), [7]);
        for repeat in 1..=3 {
            assert_eq!(replies.poll(Micros(repeat * 25_000 - 1)), None);
            let message = replies.poll(Micros(repeat * 25_000)).unwrap();
            assert_eq!((frames(&message.answers), frames(&message.previous)), (vec![], vec![7]));
        }
        assert_eq!(replies.next_moment(), None);
    }

    #[test]
    fn an_outcome_that_the_server_waits_for_is_told_at_once_but_not_twice_at_once() {
        let mut replies = replies();
        replies.add(none(7), Micros(0));
        replies.poll(Micros(0)).unwrap();
        replies.again(7, Micros(5_000));
        assert_eq!(frames(&replies.poll(Micros(5_000)).unwrap().previous), [7]);
        replies.again(7, Micros(5_100));
        assert_eq!(replies.next_moment(), Some(Micros(5_000 + 25_000 / 16)));
        assert_eq!(frames(&replies.poll(Micros(7_000)).unwrap().previous), [7]);
        replies.again(8, Micros(9_000));
        assert_eq!(replies.poll(Micros(9_000)), None, "there is nothing to tell of it yet");
    }

    #[test]
    fn more_outcomes_than_a_message_holds_go_in_several() {
        let mut replies = replies();
        (0..40).for_each(|frame| replies.add(none(frame), Micros(0)));
        assert_eq!(frames(&replies.poll(Micros(0)).unwrap().answers), (0..32).rev().collect::<Vec<_>>());
        assert_eq!(frames(&replies.poll(Micros(0)).unwrap().answers), (32..40).rev().collect::<Vec<_>>());
    }

    #[test]
    fn each_of_many_outcomes_is_told_four_times() {
        for at_once in [1, 2, 5, 10] {
            let (mut replies, mut told) = (replies(), vec![0; 40]);
            for (round, frames) in (0..40).collect::<Vec<u64>>().chunks(at_once).enumerate() {
                frames.iter().for_each(|&frame| replies.add(none(frame), Micros(round as u64)));
                let message = replies.poll(Micros(round as u64)).unwrap();
                message.answers.iter().chain(&message.previous).for_each(|answer| told[answer.frame as usize] += 1);
            }
            while let Some(due) = replies.next_moment() {
                let message = replies.poll(due).unwrap();
                message.previous.iter().for_each(|answer| told[answer.frame as usize] += 1);
            }
            assert!(told.iter().all(|&times| times == 4), "{at_once} at once: {told:?}");
        }
    }

    #[test]
    fn a_frame_given_up_is_told_of_in_four_messages() {
        let mut replies = replies();
        replies.missing(3, Micros(0));
        let mut told = 0;
        while let Some(due) = replies.next_moment() {
            told += replies.poll(due).unwrap().missing.iter().filter(|&&frame| frame == 3).count();
        }
        assert_eq!(told, 4);
    }
}
