//! The oracle: it reads the answers on the wire by itself.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use server::score::record::{FrameRecord, Outcome};
use server::task::TaskName;
use shared::link::Lane;
use shared::protocol::message::{self, Answers, FoundCircle, Payload, Reply};
use shared::time::Micros;

use super::stream::truth;

/// A book of what the server was told, kept apart from its own.
pub struct Book {
    /// An answer that takes longer comes too late.
    deadline_us: u64,
    /// When each frame was captured.
    pub captured: BTreeMap<u64, Micros>,
    /// First answer that reached the server in time.
    pub answered: BTreeMap<u64, Option<FoundCircle>>,
    /// The client said in time that it will not be answered.
    pub given_up: BTreeSet<u64>,
}

impl Book {
    /// An empty one.
    pub(super) fn new(deadline_us: u64) -> Self {
        Self { deadline_us, captured: BTreeMap::new(), answered: BTreeMap::new(), given_up: BTreeSet::new() }
    }

    /// Reads a message on its way to the server, with no code of the session.
    pub(super) fn read(&mut self, now: Micros, lane: Lane, bytes: &Bytes) {
        if lane != Lane::Answers {
            return;
        }
        let (_, _, _, payload): (u64, u32, u32, serde_bytes::ByteBuf) = rmp_serde::from_slice(bytes).unwrap();
        // Live messages of several answers may take several pieces: they are small enough here to take one.
        match message::decode_reply(&payload).unwrap() {
            Reply::Answer(answer) => self.note(now, answer.frame, Some(&answer.payload)),
            Reply::Answers(Answers { answers, previous, missing }) => {
                for answer in previous.iter().rev().chain(answers.iter().rev()) {
                    self.note(now, answer.frame, Some(&answer.payload));
                }
                missing.iter().for_each(|&frame| self.note(now, frame, None));
            }
            Reply::Resend(_) => {}
        }
    }

    /// A frame was answered, or given up.
    fn note(&mut self, now: Micros, frame: u64, payload: Option<&Payload<'_>>) {
        let is_late = now.0 >= self.captured[&frame].0 + self.deadline_us;
        if is_late || self.given_up.contains(&frame) || self.answered.contains_key(&frame) {
            return;
        }
        if let Some(payload) = payload {
            self.answered.insert(frame, FoundCircle::read(payload).unwrap());
        } else {
            self.given_up.insert(frame);
        }
    }

    /// Asserts that the scores are what the answers deserve, in the order of the frames.
    pub(super) fn agrees_with(&self, scores: &[FrameRecord]) {
        assert_eq!(scores.len(), self.captured.len());
        let mut cumulative = 0.0;
        for (index, score) in scores.iter().enumerate() {
            assert_eq!(score.id, index as u64, "scores come in frame order");
            match (score.outcome, self.answered.get(&score.id)) {
                (Outcome::Answered, Some(Some(FoundCircle { circle, .. }))) => {
                    let answer = score.answer.as_deref().expect("an answer");
                    assert_eq!(TaskName::default().estimate(answer), Some(*circle));
                    let ball = truth(score.id);
                    cumulative += (circle.x - ball.x).abs() + (circle.y - ball.y).abs();
                }
                (Outcome::Answered, Some(None)) | (Outcome::Lost(_) | Outcome::Unresolved, None) => {}
                (outcome, answer) => panic!("frame {}: {outcome:?}, but the book says {answer:?}", score.id),
            }
            let sum = score.residual.last().and_then(|sum| sum.number()).expect("the cumulative error");
            assert!((sum - cumulative).abs() < 1e-9);
        }
    }
}
