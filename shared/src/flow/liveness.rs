//! Whether the peer is still there.

use std::time::Duration;

use super::verdict::Verdict;
use crate::time::Micros;

/// Silence after which a peer is gone: no message or acknowledgement for this long, once everything that has arrived
/// was read. It is above a 1 s SIGSTOP and SCTP's longest single stall (RTO 1 s, doubled once), and below the 5 s
/// within which a client must say that its server vanished.
pub const SILENCE_LIMIT: Duration = Duration::from_secs(4);

/// Silence limit once the signaling connection has ended. A killed process closes that connection at once. A process
/// that merely tidied up keeps sending, and its next packet lifts this limit.
pub const SILENCE_LIMIT_AFTER_EOF: Duration = Duration::from_millis(1500);

/// Limit for a peer whose link acknowledges but that sends no message. On a slow link our pings and its answers queue
/// behind frames (4 MiB at 1 Mbit/s take 34 s), and a program that hangs must not hold its session for ever.
pub const MUTE_LIMIT: Duration = Duration::from_secs(60);

/// Silence after which to check whether the peer's link still acknowledges, four pings long, and how often to check.
const LOOK_AFTER: Duration = Duration::from_secs(1);
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// What is known of a peer's silence, for [`Signs`](crate::link::Signs).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// Whether the silence is so long that the link should be checked.
    pub is_long: bool,
    /// Whether the peer was sent a ping since its last message. A peer that has received it owes an answer.
    pub is_asked: bool,
}

/// Watches for silence.
#[derive(Clone, Copy, Debug)]
pub struct Liveness {
    last_message: Micros,
    last_sign: Micros,
    is_asked: bool,
    hinted: Option<Micros>,
    verdict: Verdict,
}

impl Liveness {
    /// Starts watching a peer that was just heard.
    pub fn new(now: Micros) -> Self {
        Self { last_message: now, last_sign: now, is_asked: false, hinted: None, verdict: Verdict::default() }
    }

    /// Notes a message from the peer.
    pub fn heard(&mut self, now: Micros) {
        self.last_message = now;
        self.is_asked = false;
        self.sign(now);
    }

    /// Notes that a ping was sent to the peer.
    pub fn asked(&mut self) {
        self.is_asked = true;
    }

    /// Notes that the peer's link acknowledged something.
    pub fn acknowledged(&mut self, now: Micros) {
        self.sign(now);
    }

    fn sign(&mut self, now: Micros) {
        self.last_sign = now;
        self.hinted = None;
    }

    /// Notes that the signaling connection ended: a hint that the peer may be gone.
    pub fn peer_may_be_gone(&mut self, now: Micros) {
        self.hinted = Some(now);
    }

    /// How silent the peer is.
    pub fn silence(&self, now: Micros) -> Silence {
        Silence { is_long: now >= self.last_sign + LOOK_AFTER, is_asked: self.is_asked }
    }

    /// When to check the peer again.
    pub fn wake(&self, now: Micros) -> Micros {
        let look = self.last_sign + LOOK_AFTER;
        self.deadline().min(if now < look { look } else { now + LOOK_INTERVAL })
    }

    /// When the peer will count as gone if it stays silent.
    pub fn deadline(&self) -> Micros {
        self.verdict.next(self.limit())
    }

    /// When the silence becomes too long.
    fn limit(&self) -> Micros {
        let silent_until = (self.last_sign + SILENCE_LIMIT).min(self.last_message + MUTE_LIMIT);
        match self.hinted {
            Some(ended) => silent_until.min(ended.max(self.last_sign) + SILENCE_LIMIT_AFTER_EOF),
            None => silent_until,
        }
    }

    /// Describes, for people, why the peer counts as gone.
    pub fn describe(&self, now: Micros) -> String {
        let silent_s = now.since(self.last_message) as f64 / 1e6;
        if self.last_sign > self.last_message {
            return format!(
                "no message from it for {silent_s:.1} s, though its link acknowledged some of what was sent"
            );
        }
        match self.hinted {
            Some(_) => format!("no message from it for {silent_s:.1} s, and its signaling connection has ended"),
            None => format!("no message from it for {silent_s:.1} s"),
        }
    }

    /// Whether the peer counts as gone: silent for too long, and still silent after everything that has arrived was
    /// read.
    pub fn is_gone(&mut self, now: Micros) -> bool {
        self.verdict.is_final(self.limit(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_peer_paused_for_a_second_is_not_given_up() {
        let mut liveness = Liveness::new(Micros(0));
        assert!(!liveness.is_gone(Micros(SECOND)));
        assert!(!liveness.is_gone(Micros(4 * SECOND)));
        assert!(!liveness.is_gone(Micros(4 * SECOND + 499_999)));
        assert!(liveness.is_gone(Micros(4 * SECOND + 500_000)));
    }

    #[test]
    fn a_peer_whose_packets_wait_to_be_read_counts_as_present() {
        let mut liveness = Liveness::new(Micros(0));
        assert!(!liveness.is_gone(Micros(60 * SECOND)), "nobody looked for a minute");
        assert_eq!(liveness.deadline(), Micros(60 * SECOND + 500_000));
        liveness.heard(Micros(60 * SECOND + 1));
        assert!(!liveness.is_gone(Micros(61 * SECOND)));
        assert_eq!(liveness.deadline(), Micros(64 * SECOND + 1));
    }

    #[test]
    fn a_peer_that_only_acknowledges_counts_as_present_for_a_minute() {
        let mut liveness = Liveness::new(Micros(0));
        for second in 1..60 {
            liveness.acknowledged(Micros(second * SECOND));
            assert!(!liveness.is_gone(Micros((second + 1) * SECOND - 1)), "{second}");
        }
        assert!(!liveness.is_gone(Micros(60 * SECOND)), "what has arrived is read first");
        let gone = Micros(60 * SECOND + 500_000);
        assert!(liveness.is_gone(gone));
        let said = liveness.describe(gone);
        assert_eq!(said, "no message from it for 60.5 s, though its link acknowledged some of what was sent");
        liveness.heard(Micros(60 * SECOND));
        assert_eq!(liveness.deadline(), Micros(64 * SECOND));
        assert_eq!(liveness.describe(Micros(64 * SECOND)), "no message from it for 4.0 s");
    }

    #[test]
    fn a_peer_is_asked_from_a_ping_until_its_next_message() {
        let mut liveness = Liveness::new(Micros(0));
        assert_eq!(liveness.silence(Micros(SECOND - 1)), Silence::default());
        liveness.asked();
        liveness.acknowledged(Micros(SECOND));
        assert_eq!(liveness.silence(Micros(2 * SECOND)), Silence { is_long: true, is_asked: true });
        liveness.heard(Micros(2 * SECOND));
        assert_eq!(liveness.silence(Micros(3 * SECOND)), Silence { is_long: true, is_asked: false });
    }

    #[test]
    fn an_ended_signaling_connection_shortens_the_wait() {
        let mut liveness = Liveness::new(Micros(0));
        liveness.peer_may_be_gone(Micros(SECOND));
        assert!(!liveness.is_gone(Micros(SECOND + 1_500_000)));
        assert!(liveness.is_gone(Micros(SECOND + 2_000_000)));
    }

    #[test]
    fn a_packet_after_the_end_of_signaling_withdraws_the_hint() {
        let mut liveness = Liveness::new(Micros(0));
        liveness.peer_may_be_gone(Micros(SECOND));
        liveness.heard(Micros(SECOND + 1));
        assert_eq!(liveness.deadline(), Micros(5 * SECOND + 1));
    }
}
