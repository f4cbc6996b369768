//! Decides whether and when to try again, and what to log meanwhile.

use std::time::Duration;

use thiserror::Error;
use tracing::{info, warn};

use crate::door::lines::SignalingError;
use crate::link::webrtc::HandshakeError;
use crate::shell::wait::Wait;

use super::Failure;
use super::waiting::Waiting;

/// Pause between two attempts: too short for a person to notice, and at most 20 connection attempts per second.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Pause after a refusal: many that wait for a full peer should not each ask it 20 times per second.
const REFUSED_INTERVAL: Duration = Duration::from_millis(500);

/// Longest pause after a link that broke before its session began. The log then has one line per second at most.
const BROKEN_INTERVAL: Duration = Duration::from_secs(1);

/// Why there is no link to a peer.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody was there in time.
    #[error("no {peer} at {place}{within}: {reason}")]
    Nobody {
        /// What was looked for: `server` or `client`.
        peer: &'static str,
        /// Where.
        place: String,
        /// For how long, for people.
        within: String,
        /// Why the last attempt failed.
        reason: String,
    },
    /// A client was told to stop its server too, and the attempt after that found none.
    #[error("x: no server to stop at {place} ({reason}); only this client ends")]
    NothingToStop {
        /// Where the client looked.
        place: String,
        /// Why the last attempt failed.
        reason: String,
    },
    /// A peer is there, but no link opened.
    #[error("{address}: {error}")]
    Handshake {
        /// The peer's address.
        address: String,
        /// What went wrong.
        error: HandshakeError,
    },
}

/// Attempts to reach a peer, which began at some time and last as long as the wait allows.
pub struct Attempts {
    peer: &'static str,
    waiting: Waiting,
    said: Option<String>,
    failed_to_open: bool,
    /// Pause after the next link that breaks before its session begins.
    next_pause: Duration,
}

impl Attempts {
    /// Starts the wait for a `server` or a `client`.
    pub fn begin(peer: &'static str, wait: Wait) -> Self {
        Self { peer, waiting: Waiting::begin(wait), said: None, failed_to_open: false, next_pause: RETRY_INTERVAL }
    }

    /// Returns the pause before another attempt after a link broke before its session began; `None` if there is no time
    /// for one. The pause doubles from attempt to attempt: a peer that gives links and breaks them is asked once per second.
    pub fn begin_again(&mut self, reason: &str) -> Option<Duration> {
        let pause = self.next_pause;
        if self.waiting.is_over_after(pause) {
            return None;
        }
        self.next_pause = (2 * pause).min(BROKEN_INTERVAL);
        self.say(&format!("there was no session with the {}: {reason}", self.peer));
        Some(pause)
    }

    /// Returns the pause before the next attempt at this place. Logs once what is waited for, and why.
    ///
    /// # Errors
    /// The last failure, if there will be no other attempt.
    pub fn failed(&mut self, place: impl FnOnce() -> String, failure: Failure) -> Result<Duration, ConnectError> {
        match failure {
            Failure::NotThere(reason) => {
                if self.waiting.is_over_after(RETRY_INTERVAL) {
                    let (peer, within) = (self.peer, self.waiting.within());
                    return Err(ConnectError::Nobody { peer, place: place(), within, reason });
                }
                if self.said.is_none() {
                    let (peer, place, how_long) = (self.peer, place(), self.waiting.describe());
                    info!("waiting for a {peer} at {place} {how_long} ({reason})");
                    self.said = Some(reason);
                }
                Ok(RETRY_INTERVAL)
            }
            Failure::NotUsable { address, error, may_be_another } => {
                let is_refusal = matches!(error, HandshakeError::Signaling(_));
                let pause = if is_refusal { REFUSED_INTERVAL } else { RETRY_INTERVAL };
                if self.waiting.is_over_after(pause) || !(may_be_another || self.may_pass(&error)) {
                    return Err(ConnectError::Handshake { address, error });
                }
                self.say(&format!("{address}: {error}"));
                self.failed_to_open |= !is_refusal;
                Ok(pause)
            }
        }
    }

    /// Whether a peer that is there may open a link to a later attempt.
    ///
    /// A refusal counts if an earlier attempt failed to open: the peer may not have noticed yet that the earlier
    /// attempt is over, so that attempt still occupies its only place.
    fn may_pass(&self, error: &HandshakeError) -> bool {
        let refused = matches!(error, HandshakeError::Signaling(SignalingError::Refused { .. }));
        error.may_pass() || (refused && self.failed_to_open)
    }

    /// Logs a warning, unless it repeats the last one.
    fn say(&mut self, what: &str) {
        if self.said.as_deref() != Some(what) {
            warn!("{what}; trying again {}", self.waiting.describe());
            self.said = Some(what.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(attempts: &mut Attempts, error: SignalingError) -> Result<Duration, String> {
        let failed = attempts.failed(|| "here".into(), Failure::of("127.0.0.1:9", error.into()));
        failed.map_err(|error| error.to_string())
    }

    #[test]
    fn a_refusal_that_may_pass_is_tried_again_and_another_is_final() {
        let mut attempts = Attempts::begin("client", Wait::Forever);
        let refused = |retry| SignalingError::Refused { reason: "full".into(), retry };
        assert_eq!(failed(&mut attempts, refused(true)), Ok(REFUSED_INTERVAL));
        assert_eq!(failed(&mut attempts, SignalingError::NoHello(RETRY_INTERVAL)), Ok(REFUSED_INTERVAL));
        assert_eq!(failed(&mut attempts, refused(false)), Err("127.0.0.1:9: it refused: full".into()));
        let http = SignalingError::Http { line: "HTTP/1.1 400".into() };
        assert!(failed(&mut attempts, http).unwrap_err().contains("that is HTTP"));
    }

    #[test]
    fn the_pause_after_a_broken_link_doubles_up_to_a_second_and_ends_with_the_wait() {
        let mut attempts = Attempts::begin("server", Wait::Forever);
        let pauses: Vec<_> = (0..7).map(|_| attempts.begin_again("it broke").expect("forever").as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        assert_eq!(Attempts::begin("server", Wait::For(Duration::ZERO)).begin_again("it broke"), None);
    }

    #[test]
    fn a_missing_peer_is_waited_for_and_named_at_the_end() {
        let mut attempts = Attempts::begin("client", Wait::Forever);
        assert_eq!(failed(&mut attempts, SignalingError::Closed), Ok(RETRY_INTERVAL));
        let mut attempts = Attempts::begin("client", Wait::For(Duration::ZERO));
        let said = "no client at here: the peer closed the signaling connection";
        assert_eq!(failed(&mut attempts, SignalingError::Closed), Err(said.into()));
    }
}
