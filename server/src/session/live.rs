//! Live delivery, seen by the session: it sends what [`Sender`](shared::flow::live::Sender) retransmits, and counts
//! frames that it gives up as lost.

use shared::protocol::message::Resend;
use shared::time::Micros;
use tracing::warn;

use super::{Action, Capture, Session};
use crate::score::record::LossCause;

impl Session {
    /// Gives up a frame that the link takes too slowly; probes for frames whose acknowledgement is late.
    pub(super) fn advance_live(&mut self, now: Micros) {
        let Some(live) = &mut self.live else { return };
        if live.gives_up_sending(now) {
            if let Some(sending) = self.pairing.next_id().checked_sub(1) {
                self.pairing.lose(sending, LossCause::Unsent);
            }
            self.outbox.push_back(Action::GiveUp);
        }
        if !self.link_busy {
            live.send_probes(now, |id| self.pairing.is_fresh(id, now));
        }
    }

    /// Handles a frame whose lifetime ended before it was encoded. The frame counts as sent, and as lost.
    pub(super) fn not_ready(&mut self, frame: u64, capture: &Capture) {
        if self.tally.counts().lost_by.not_ready == 0 {
            warn!(
                "session {}: frame {frame} took {:.1} ms to encode, longer than its lifetime; it is not sent \
                 (further ones are counted, not logged)",
                self.config.number,
                capture.encoded.since(capture.captured) as f64 / 1e3,
            );
        }
        self.pairing.lose(frame, LossCause::NotReady);
        self.outbox.push_back(Action::GiveUp);
    }

    /// Handles the client's request for these pieces.
    pub(super) fn requested(&mut self, resend: &Resend, now: Micros) {
        let Some(live) = &mut self.live else {
            return self.ignore(&"it asks for pieces again, but reliable delivery repeats none");
        };
        for message in &resend.messages {
            if self.pairing.is_fresh(message.id, now) {
                live.requested(message, now);
            }
        }
    }

    /// The next piece to retransmit.
    pub(super) fn next_retransmission(&mut self) -> Option<Action> {
        let (frame, piece) = self.live.as_mut()?.next_retransmission()?;
        Some(Action::Resend { frame, piece })
    }
}
