//! Whether the peer is still there.

use std::time::Duration;

use super::verdict::Verdict;
use crate::time::Micros;

/// A peer is gone after this long without any packet, once what has arrived by then was read: above a 1 s SIGSTOP and SCTP's longest single stall (RTO 1 s,
/// doubled once), below the 5 s in which a client must say that its server vanished.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(4);

/// The same once the connection beside the link has ended: a process that is killed closes it at once, one that merely
/// tidied up keeps sending, and a packet takes this limit back.
pub const SILENCE_LIMIT_AFTER_EOF: Duration = Duration::from_millis(1500);

/// Watches for silence.
#[derive(Clone, Copy, Debug)]
pub struct Liveness {
    last_packet: Micros,
    hinted: Option<Micros>,
    verdict: Verdict,
}

impl Liveness {
    /// Starts watching a peer that was just heard.
    pub fn new(now: Micros) -> Self {
        Self { last_packet: now, hinted: None, verdict: Verdict::default() }
    }

    /// A packet arrived.
    pub fn heard(&mut self, now: Micros) {
        self.last_packet = now;
        self.hinted = None;
    }

    /// The connection beside the link ended: a hint.
    pub fn peer_may_be_gone(&mut self, now: Micros) {
        self.hinted = Some(now);
    }

    /// When the peer will count as gone if it stays silent.
    pub fn deadline(&self) -> Micros {
        self.verdict.next(self.limit())
    }

    /// When its silence has lasted too long.
    fn limit(&self) -> Micros {
        let patient = self.last_packet + SILENCE_LIMIT;
        match self.hinted {
            Some(ended) => patient.min(ended.max(self.last_packet) + SILENCE_LIMIT_AFTER_EOF),
            None => patient,
        }
    }

    /// Whether the peer counts as gone: too long silent, and still so once what has arrived was read.
    pub fn is_gone(&mut self, now: Micros) -> bool {
        self.verdict.is_final(self.limit(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_peer_stopped_for_a_second_is_still_there() {
        let mut liveness = Liveness::new(Micros(0));
        assert!(!liveness.is_gone(Micros(SECOND)));
        assert!(!liveness.is_gone(Micros(4 * SECOND)));
        assert!(!liveness.is_gone(Micros(4 * SECOND + 499_999)));
        assert!(liveness.is_gone(Micros(4 * SECOND + 500_000)));
    }

    #[test]
    fn a_peer_is_there_whose_packets_were_only_not_read() {
        let mut liveness = Liveness::new(Micros(0));
        assert!(!liveness.is_gone(Micros(60 * SECOND)), "nobody looked for a minute");
        assert_eq!(liveness.deadline(), Micros(60 * SECOND + 500_000));
        liveness.heard(Micros(60 * SECOND + 1));
        assert!(!liveness.is_gone(Micros(61 * SECOND)));
        assert_eq!(liveness.deadline(), Micros(64 * SECOND + 1));
    }

    #[test]
    fn an_ended_signaling_connection_shortens_the_wait() {
        let mut liveness = Liveness::new(Micros(0));
        liveness.peer_may_be_gone(Micros(SECOND));
        assert!(!liveness.is_gone(Micros(SECOND + 1_500_000)));
        assert!(liveness.is_gone(Micros(SECOND + 2_000_000)));
    }

    #[test]
    fn a_packet_after_the_end_of_signaling_takes_the_hint_back() {
        let mut liveness = Liveness::new(Micros(0));
        liveness.peer_may_be_gone(Micros(SECOND));
        liveness.heard(Micros(SECOND + 1));
        assert_eq!(liveness.deadline(), Micros(5 * SECOND + 1));
    }
}
