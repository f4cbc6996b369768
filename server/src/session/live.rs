//! Live delivery, seen by the session: a frame is worth sending for its lifetime, and no longer.
//!
//! Within it `repair` sends again what the client lacks, after as long as `patience` says; a frame that is not encoded, or
//! that the link has not taken, by its end is given up.

use std::collections::VecDeque;
use std::time::Duration;

use shared::protocol::message::Resend;
use shared::time::Micros;
use tracing::warn;

use super::{Action, Capture, Session};
use crate::score::record::LossCause;
use shared::flow::live::sender::{KeptPiece, Repair};

/// What live delivery needs beside.
#[derive(Debug)]
pub(super) struct Live {
    lifetime: Duration,
    /// Until when the link may take the frame being sent.
    sending_until: Option<Micros>,
    repair: Repair,
    /// Pieces to be sent again, of these frames. Not among the actions, each of which is ten times as large.
    again: VecDeque<(u64, KeptPiece)>,
}

impl Live {
    /// Frames are worth sending for this long after their capture.
    pub(super) fn new(lifetime: Duration) -> Self {
        Self { lifetime, sending_until: None, repair: Repair::new(lifetime), again: VecDeque::new() }
    }

    /// Whether a frame's lifetime was over before it was ready to send.
    pub(super) fn is_too_late(&self, capture: &Capture) -> bool {
        capture.encoded >= capture.captured + self.lifetime
    }

    /// The frame of this id is on its way into the link, in these pieces; those before it that are fresh are kept too.
    pub(super) fn captured<'a>(
        &mut self,
        id: u64,
        capture: &Capture,
        pieces: impl IntoIterator<Item = &'a [u8]>,
        is_fresh: impl Fn(u64) -> bool,
    ) {
        self.repair.retain(is_fresh);
        self.repair.keep(id, capture.captured, capture.wire_bytes as usize, pieces);
        self.sending_until = Some(capture.captured + self.lifetime);
    }

    /// The link took all of the frame being sent.
    pub(super) fn sent(&mut self) {
        self.sending_until = None;
    }

    /// The link had no room for a piece of this frame.
    pub(super) fn not_resent(&mut self, id: u64) {
        self.repair.not_sent(id);
    }

    /// The next piece to be sent again.
    pub(super) fn next_again(&mut self) -> Option<Action> {
        self.again.pop_front().map(|(frame, piece)| Action::Resend { frame, piece })
    }

    /// Pieces sent again so far.
    pub(super) fn repeated(&self) -> u64 {
        self.repair.repeated()
    }

    /// This frame's answer came, by a message that told it for the first time or by a later one.
    pub(super) fn answered(&mut self, id: u64, first_telling: bool, now: Micros) {
        self.repair.answered(id, first_telling, now);
    }

    /// When time alone changes something. While the link takes a frame there is no end of it that could be lost.
    pub(super) fn next_moment(&self, link_busy: bool) -> Option<Micros> {
        let probe = self.repair.next_moment().filter(|_| !link_busy);
        [self.sending_until, probe].into_iter().flatten().min()
    }
}

impl Session {
    /// Gives up a frame that the link takes too slowly; shows the client once more those whose answers are late.
    pub(super) fn advance_live(&mut self, now: Micros) {
        let Some(live) = &mut self.live else { return };
        if live.sending_until.take_if(|until| *until <= now).is_some() {
            if let Some(sending) = self.pairing.next_id().checked_sub(1) {
                self.pairing.lose(sending, LossCause::Unsent);
            }
            self.outbox.push_back(Action::GiveUp);
        }
        let pairing = &self.pairing;
        while !self.link_busy
            && let Some(late) = live.repair.probe(now, |id| pairing.is_fresh(id, now))
        {
            live.again.push_back(late);
        }
    }

    /// A frame whose lifetime was over before it was ready: it counts as sent, and is lost.
    pub(super) fn not_ready(&mut self, frame: u64, capture: &Capture) {
        if self.tally.counts().lost_by.not_ready == 0 {
            warn!(
                "session {}: frame {frame} took {:.1} ms to encode, longer than live frames live; it is not sent \
                 (further ones are counted, not logged)",
                self.config.number,
                capture.encoded.since(capture.captured) as f64 / 1e3,
            );
        }
        self.pairing.lose(frame, LossCause::NotReady);
        self.outbox.push_back(Action::GiveUp);
    }

    /// The client lacks these pieces.
    pub(super) fn asked_again(&mut self, resend: &Resend, now: Micros) {
        let Some(live) = &mut self.live else {
            return self.ignore(&"a request for pieces: in reliable delivery none are sent again");
        };
        for message in &resend.messages {
            if self.pairing.is_fresh(message.id, now) {
                let pieces = live.repair.asked(message, now).into_iter();
                live.again.extend(pieces.map(|piece| (message.id, piece)));
            }
        }
    }
}
