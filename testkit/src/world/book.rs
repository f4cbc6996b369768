//! The oracle: it reads the answers on the wire independently of the sessions.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use server::score::record::{FrameRecord, Outcome};
use server::task::TaskName;
use shared::link::Lane;
use shared::protocol::message::{self, Answers, FoundCircle, Payload, Reply};
use shared::time::Micros;

use super::stream::truth;

/// Index of the cumulative error in the residual columns of the task `circle`: after dx, dy and L1.
const CUMULATIVE_L1: usize = 3;

/// A record of what reached the server, independent of the server's own.
pub struct Book {
    /// Deadline of an answer: a frame whose answer takes longer is lost.
    deadline_us: u64,
    /// Capture time of each frame.
    pub captured: BTreeMap<u64, Micros>,
    /// First answer to each frame that reached the server in time.
    pub answered: BTreeMap<u64, Option<FoundCircle>>,
    /// Frames that the client gave up in time.
    pub given_up: BTreeSet<u64>,
}

impl Book {
    /// An empty record.
    pub(super) fn new(deadline_us: u64) -> Self {
        Self { deadline_us, captured: BTreeMap::new(), answered: BTreeMap::new(), given_up: BTreeSet::new() }
    }

    /// Reads a message that reaches the server, without any code of the session.
    pub(super) fn read(&mut self, now: Micros, lane: Lane, bytes: &Bytes) {
        if lane != Lane::Answers {
            return;
        }
        let (_, _, _, payload): (u64, u32, u32, serde_bytes::ByteBuf) = rmp_serde::from_slice(bytes).unwrap();
        // A live message with several answers could take several fragments. Here it is small enough for one.
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

    /// Notes an answer to a frame; without a payload the frame was given up.
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

    /// Asserts that the scores match the answers and come in frame order.
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
            let sum = score.residual.get(CUMULATIVE_L1).and_then(|sum| sum.number()).expect("the cumulative error");
            assert!((sum - cumulative).abs() < 1e-9);
        }
    }
}
