//! Messages on the client's lane: answers, each of which may be repeated, and requests for missing pieces.

use bytes::Bytes;
use shared::protocol::fragment::Piece;
use shared::protocol::message::{self, Answer, Answers, PayloadError, Reply};
use shared::time::Micros;
use tracing::warn;

use super::Session;
use crate::score::cells::Cells;
use crate::score::pairing::Receipt;
use crate::score::record::LossCause;

/// Whether an answer is sent for the first time or repeated. Only a first one counts as a duplicate if its frame has
/// an answer already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transmission {
    First,
    Repeated,
}

impl Session {
    /// Handles a message on the answers lane.
    pub(super) fn answer(&mut self, fragment: &Bytes, now: Micros) {
        let reassembled = Piece::parse(fragment).and_then(|piece| Ok((piece.id, self.answers.put(piece)?)));
        let (id, message) = match reassembled {
            Ok((id, Some(message))) => (id, message),
            Ok((_, None)) => return,
            Err(error) => return self.refuse_answer(&error),
        };
        match message::decode_reply(&message) {
            Ok(Reply::Answer(answer)) => self.take_answer(&answer, Transmission::First, now),
            Ok(Reply::Answers(answers)) => self.take_answers(id, &answers, now),
            Ok(Reply::Resend(resend)) => self.requested(&resend, now),
            Err(error @ message::DecodeError::UnknownType(_)) => self.ignore(&error),
            Err(error) => self.refuse_answer(&error),
        }
    }

    /// Handles the answers of message `id`, oldest first, as if they had come one by one.
    fn take_answers(&mut self, id: u64, message: &Answers<'_>, now: Micros) {
        // A later message may already have repeated the answers that an overtaken one sends for the first time.
        let overtaken = self.newest_reply.is_some_and(|newest| id < newest);
        self.newest_reply = self.newest_reply.max(Some(id));
        for answer in message.previous.iter().rev() {
            self.take_answer(answer, Transmission::Repeated, now);
        }
        for answer in message.answers.iter().rev() {
            self.take_answer(answer, if overtaken { Transmission::Repeated } else { Transmission::First }, now);
        }
        for &frame in &message.missing {
            if frame < self.pairing.next_id() {
                self.pairing.lose(frame, LossCause::Incomplete);
            } else {
                self.refuse_answer(&format_args!("frame {frame}, which was not sent, given up"));
            }
        }
    }

    fn take_answer(&mut self, answer: &Answer<'_>, transmission: Transmission, now: Micros) {
        let frame = answer.frame;
        let cells = match self.read(answer) {
            Ok(cells) => cells,
            Err(error) => {
                let task = self.config.task;
                return self.refuse_answer(&format_args!("answer to frame {frame}: {error}; the task is {task}"));
            }
        };
        let has_picture = cells.is_some();
        match (self.pairing.answered(frame, cells, answer.times, now), transmission) {
            (Receipt::Accepted, _) => {
                self.kept.answered(frame, has_picture);
                if let Some(live) = &mut self.live {
                    live.acknowledged(frame, transmission == Transmission::First, now);
                }
            }
            (Receipt::Duplicate, Transmission::Repeated) => {}
            (Receipt::Duplicate, Transmission::First) => self.tally.duplicate(frame),
            (Receipt::Late(cause), _) => self.tally.late(frame, cause),
            (Receipt::Unknown, _) => {
                self.refuse_answer(&format_args!("answer to frame {frame}, which was not sent"));
            }
        }
    }

    /// Reads an answer as the task does; `None` if the client did not look at the frame, which every task accepts.
    fn read(&mut self, answer: &Answer<'_>) -> Result<Option<Cells>, PayloadError> {
        let Self { tally, kept, pairing, .. } = self;
        if answer.payload.is_dropped() {
            return Ok(None);
        }
        // Only the first answer is compared with its frame.
        match kept.get(answer.frame).filter(|_| pairing.is_unanswered(answer.frame)) {
            Some(frame) => tally.compare(&answer.payload, frame).map(Some),
            None => tally.read(&answer.payload).map(Some),
        }
    }

    fn refuse_answer(&mut self, error: &dyn std::fmt::Display) {
        if self.tally.counts().invalid == 0 {
            warn!("session {}: {error} (further ones are counted, not logged)", self.config.number);
        }
        self.tally.invalid();
    }
}
