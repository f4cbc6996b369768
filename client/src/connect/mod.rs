//! Opening a link to the server, waiting for one that is not there yet.
//!
//! `goal` makes one attempt, `waiting` knows how long attempts are made; here is decided whether there is another.

mod goal;
mod waiting;

use std::time::Duration;

use shared::door::lines::SignalingError;
use shared::link::Link;
use shared::link::webrtc::HandshakeError;
use thiserror::Error;
use tokio::time::sleep;
use tracing::{info, warn};

use self::goal::{Failure, Goal};
use self::waiting::Waiting;
use crate::config::{Server, Wait};

/// Between two attempts: unnoticed by a person, and 20 connection attempts a second at most.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// After a refusal: a server that is full should not be asked 20 times a second by each that waits.
const REFUSED_INTERVAL: Duration = Duration::from_millis(500);

/// Why there is no link to a server.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody was there in time.
    #[error("no server at {server}{within}: {reason}")]
    NoServer {
        /// Where.
        server: String,
        /// How long it was tried, for people.
        within: String,
        /// What the last attempt met.
        reason: String,
    },
    /// Something is there, but no link came of it.
    #[error("{server}: {error}")]
    Handshake {
        /// Where.
        server: String,
        /// What went wrong.
        error: HandshakeError,
    },
}

/// Connects to a server, or to one it finds where none is named, waiting for one that is not there yet.
pub struct Connecting {
    goal: Goal,
    waiting: Waiting,
    mtu: Option<u32>,
    said: Option<String>,
    failed_to_open: bool,
}

impl Connecting {
    /// Begins to wait. SCTP packets are as large as the path carries, or at most `mtu` bytes.
    pub fn begin(server: &Server, wait: Wait, mtu: Option<u32>) -> Self {
        Self { goal: Goal::new(server), waiting: Waiting::begin(wait), mtu, said: None, failed_to_open: false }
    }

    /// Makes attempts until a link is open or there is no time for another. Says once what it waits for, and why.
    ///
    /// # Errors
    /// What the last attempt met.
    pub async fn link(&mut self) -> Result<Link, ConnectError> {
        loop {
            let pause = match self.goal.attempt(self.mtu).await {
                Ok(link) => return Ok(link),
                Err(failure) => self.failed(failure)?,
            };
            sleep(pause).await;
        }
    }

    /// A link was open, but broke before there was a session: whether there is time for another.
    pub fn may_begin_again(&mut self, reason: &str) -> bool {
        let may = !self.waiting.is_over_after(RETRY_INTERVAL);
        if may {
            self.say(&format!("no session with the server came about: {reason}"));
        }
        may
    }

    /// After an attempt that failed: how long to pause before the next, or why there is none.
    fn failed(&mut self, failure: Failure) -> Result<Duration, ConnectError> {
        match failure {
            Failure::NotThere(reason) => {
                if self.waiting.is_over_after(RETRY_INTERVAL) {
                    let (server, within) = (self.goal.describe(), self.waiting.within());
                    return Err(ConnectError::NoServer { server, within, reason });
                }
                if self.said.is_none() {
                    let (server, how_long) = (self.goal.describe(), self.waiting.describe());
                    info!("waiting for a server at {server} {how_long} ({reason})");
                    self.said = Some(reason);
                }
                Ok(RETRY_INTERVAL)
            }
            Failure::NotUsable { server, error, may_be_another } => {
                let is_refusal = matches!(error, HandshakeError::Signaling(_));
                let pause = if is_refusal { REFUSED_INTERVAL } else { RETRY_INTERVAL };
                if self.waiting.is_over_after(pause) || !(may_be_another || self.may_pass(&error)) {
                    return Err(ConnectError::Handshake { server, error });
                }
                self.say(&format!("{server}: {error}"));
                self.failed_to_open |= !is_refusal;
                Ok(pause)
            }
        }
    }

    /// Whether a server that is there may open a link to another attempt. One that refuses us where an attempt before failed
    /// to open may not have noticed yet that this one is over: it still holds its only place for it.
    fn may_pass(&self, error: &HandshakeError) -> bool {
        let refused = matches!(error, HandshakeError::Signaling(SignalingError::Refused { .. }));
        error.may_pass() || (refused && self.failed_to_open)
    }

    /// Warns, unless the same was said last.
    fn say(&mut self, what: &str) {
        if self.said.as_deref() != Some(what) {
            warn!("{what}; trying again {}", self.waiting.describe());
            self.said = Some(what.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::link::memory;

    use super::*;

    #[tokio::test]
    async fn a_server_in_this_process_is_dialled_in_memory() {
        let (mut listener, dialer) = memory::endpoint();
        let server = Server::InProcess(dialer);
        assert!(Connecting::begin(&server, Wait::Forever, None).link().await.is_ok());
        assert!(listener.accept().await.is_some());
    }

    #[tokio::test]
    async fn a_server_of_this_process_that_has_ended_is_waited_for_like_any_other() {
        let (listener, dialer) = memory::endpoint();
        drop(listener);
        let mut connecting = Connecting::begin(&Server::InProcess(dialer), Wait::For(Duration::ZERO), None);
        let error = connecting.link().await.err().expect("nobody listens").to_string();
        assert_eq!(error, "no server at this process: nobody listens in this process");
    }
}
