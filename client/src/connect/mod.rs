//! Opening a link to the server, waiting for one that is not there yet.
//!
//! `goal` makes one attempt; here is decided whether there is another.

mod goal;

use std::time::Duration;

use shared::door::lines::SignalingError;
use shared::link::Link;
use shared::link::webrtc::HandshakeError;
use thiserror::Error;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use self::goal::{Failure, Goal};
use crate::config::{Server, Wait};

/// Between two attempts: unnoticed by a person, and 20 connection attempts a second at most.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// How long one attempt may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Why there is no link to a server.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody was there in time.
    #[error("no server at {server} within {}: {reason}", humantime::format_duration(*.waited))]
    NoServer {
        /// Where.
        server: String,
        /// How long it was tried.
        waited: Duration,
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

/// Connects to the server, or to one it finds where none is named, waiting for one that is not there yet.
///
/// Says once that it waits, and why. SCTP packets are as large as the path carries, or at most `mtu` bytes.
pub async fn connect(server: &Server, wait: Wait, mtu: Option<u32>) -> Result<Link, ConnectError> {
    let mut goal = Goal::new(server);
    let waiting = Waiting { wait, start: Instant::now() };
    let (mut said, mut failed_to_open) = (false, false);
    loop {
        match goal.attempt(mtu, CONNECT_LIMIT.min(waiting.left())).await {
            Ok(link) => return Ok(link),
            Err(Failure::NotThere(reason)) => {
                if let Some(waited) = waiting.over() {
                    return Err(ConnectError::NoServer { server: goal.describe(), waited, reason });
                }
                if !said {
                    info!("waiting for a server at {} {} ({reason})", goal.describe(), waiting.describe());
                    said = true;
                }
            }
            Err(Failure::NotUsable { server, error }) => {
                if waiting.over().is_some() || !is_worth_another_attempt(&error, failed_to_open) {
                    return Err(ConnectError::Handshake { server, error });
                }
                if matches!(error, HandshakeError::Open(_)) {
                    warn!("{server}: {error}; trying again {}", waiting.describe());
                }
                failed_to_open = true;
            }
        }
        sleep(RETRY_INTERVAL).await;
    }
}

/// Whether a server that is there may open a link to another attempt. One that refuses us where an attempt before failed to
/// open may not have noticed yet that this one is over: it still holds its only place for it.
fn is_worth_another_attempt(error: &HandshakeError, failed_to_open: bool) -> bool {
    match error {
        HandshakeError::Open(error) => error.is_worth_another_attempt(),
        HandshakeError::Signaling(SignalingError::Refused(_)) => failed_to_open,
        HandshakeError::Signaling(_) => false,
    }
}

/// A wait that has begun.
struct Waiting {
    wait: Wait,
    start: Instant,
}

impl Waiting {
    fn left(&self) -> Duration {
        match self.wait {
            Wait::For(limit) => limit.saturating_sub(self.start.elapsed()),
            Wait::Forever => Duration::MAX,
        }
    }

    /// How long was waited, where there is no time for another attempt.
    fn over(&self) -> Option<Duration> {
        match self.wait {
            Wait::For(limit) => (self.start.elapsed() + RETRY_INTERVAL > limit).then_some(limit),
            Wait::Forever => None,
        }
    }

    fn describe(&self) -> String {
        match self.wait {
            Wait::For(limit) => format!("for up to {}", humantime::format_duration(limit)),
            Wait::Forever => "for as long as it takes".into(),
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
        assert!(connect(&server, Wait::Forever, None).await.is_ok());
        assert!(listener.accept().await.is_some());
    }

    #[tokio::test]
    async fn a_server_of_this_process_that_has_ended_is_waited_for_like_any_other() {
        let (listener, dialer) = memory::endpoint();
        drop(listener);
        let failed = connect(&Server::InProcess(dialer), Wait::For(Duration::ZERO), None).await;
        let error = failed.err().expect("nobody listens").to_string();
        assert_eq!(error, "no server at this process within 0s: nobody listens in this process");
    }
}
