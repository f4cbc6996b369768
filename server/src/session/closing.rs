//! How a session ends: the source ends, the client leaves or disappears, the server stops.

use std::time::Duration;

use shared::time::Micros;

use super::{End, Phase, Session};

/// How long a stopped session waits for outstanding answers.
const STOP_LIMIT: Duration = Duration::from_millis(300);

impl Session {
    /// Notes that the source has no further frame: the session ends once the sent frames are answered.
    pub fn source_ended(&mut self) {
        self.is_source_over |= matches!(self.phase, Phase::Streaming(_));
        self.end_streaming(End::Finished);
    }

    /// Whether the session ended because its source had no further frame, and not at a limit of its own.
    pub fn is_source_over(&self) -> bool {
        self.is_source_over
    }

    /// Notes that the source failed: the session waits for outstanding answers, then ends for this reason.
    pub fn source_failed(&mut self, reason: &str) {
        self.end_streaming(End::SourceFailed { reason: reason.to_owned() });
    }

    pub(super) fn end_streaming(&mut self, end: End) {
        (self.capturing, self.link_busy) = (false, false);
        if matches!(self.phase, Phase::Streaming(_)) {
            self.phase = Phase::Draining { until: None, end };
        }
    }

    /// Notes that the signaling connection ended, which is only a hint that the client is gone.
    pub fn peer_may_be_gone(&mut self, now: Micros) {
        self.liveness.peer_may_be_gone(now);
    }

    /// Notes that the client said on the signaling connection that it leaves. Its reason is used if no `bye` comes over
    /// the link.
    pub fn peer_leaves(&mut self, reason: String, now: Micros) {
        self.last_word = Some(reason);
        self.liveness.peer_may_be_gone(now);
    }

    /// Notes that the link closed or broke.
    pub fn link_closed(&mut self, reason: &str) {
        self.lost(reason.to_owned());
    }

    /// Ends the session because the client is gone. If the client said that it leaves, the session counts as left.
    pub(super) fn lost(&mut self, reason: String) {
        let end = match self.last_word.take() {
            Some(reason) => End::ClientLeft { reason },
            None => End::ClientGone { reason },
        };
        self.finish(end);
    }

    /// Rejects a client that has just said hello. The client is told why, and does not count as having been here.
    pub fn reject(&mut self, reason: String) {
        (self.client, self.connect_us) = (None, None);
        self.finish(End::Rejected { reason });
    }

    /// Stops the session because the server was told to stop.
    pub fn stop(&mut self, now: Micros) {
        match self.phase {
            Phase::Greeting { .. } => self.finish(End::Stopped),
            Phase::Streaming(_) | Phase::Draining { .. } => {
                self.phase = Phase::Draining { until: Some(now + STOP_LIMIT), end: End::Stopped };
            }
            Phase::Over { .. } => {}
        }
    }

    pub(super) fn finish(&mut self, end: End) {
        if matches!(self.phase, Phase::Over { .. }) {
            return;
        }
        self.pairing.abandon();
        if let Some(reason) = end.farewell() {
            self.send_bye(reason);
        }
        self.phase = Phase::Over { end, closing: false };
    }
}
