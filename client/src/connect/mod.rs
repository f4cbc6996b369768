//! Opens a link to the server, and waits for a server that is not there yet.
//!
//! `goal` makes one attempt, `waiting` knows how long to keep trying, and this file decides whether to try again.

mod goal;
mod waiting;

use std::time::Duration;

use shared::door::lines::SignalingError;
use shared::link::Link;
use shared::link::webrtc::HandshakeError;
use thiserror::Error;
use tokio::time::sleep;
use tracing::{info, warn};

use self::goal::{Asked, Failure, Goal};
use self::waiting::Waiting;
use crate::commands::Commands;
use crate::config::Config;

/// Pause between two attempts: too short for a person to notice, and at most 20 connection attempts per second.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Pause after a refusal: clients that wait for a full server should not each ask it 20 times per second.
const REFUSED_INTERVAL: Duration = Duration::from_millis(500);

/// Why there is no link to a server.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// No server was there in time.
    #[error("no server at {server}{within}: {reason}")]
    NoServer {
        /// Where the client looked.
        server: String,
        /// For how long it tried, for people.
        within: String,
        /// Why the last attempt failed.
        reason: String,
    },
    /// The client was told to stop its server too, and the attempt after that found none.
    #[error("x: no server to stop at {server} ({reason}); only this client ends")]
    NothingToStop {
        /// Where the client looked.
        server: String,
        /// Why the last attempt failed.
        reason: String,
    },
    /// A server is there, but no link opened.
    #[error("{server}: {error}")]
    Handshake {
        /// The server's address.
        server: String,
        /// What went wrong.
        error: HandshakeError,
    },
}

/// Connects to the named server, or to one it finds if none is named. Waits for a server that is not there yet.
pub struct Connecting {
    goal: Goal,
    waiting: Waiting,
    asked: Asked,
    said: Option<String>,
    failed_to_open: bool,
}

impl Connecting {
    /// Starts the wait for the server and the link that a client wants.
    pub fn begin(config: &Config) -> Self {
        let asked = Asked { link: config.link, mtu: config.sctp_mtu };
        let waiting = Waiting::begin(config.wait);
        Self { goal: Goal::new(&config.server), waiting, asked, said: None, failed_to_open: false }
    }

    /// Makes attempts until a link is open or there is no time for another. Logs once what it waits for, and why. After
    /// the command to quit both, the attempt under way is the last: whoever wants to stop a server that is there can.
    ///
    /// # Errors
    /// Why the last attempt failed.
    pub async fn link(&mut self, commands: &mut Commands) -> Result<Link, ConnectError> {
        loop {
            let failure = match self.goal.attempt(self.asked).await {
                Ok(link) => return Ok(link),
                Err(failure) => failure,
            };
            let reason = failure.reason();
            let pause = self.failed(failure)?;
            tokio::select! {
                () = sleep(pause) => {}
                () = commands.quit_both() => {
                    return Err(ConnectError::NothingToStop { server: self.goal.describe(), reason });
                }
            }
        }
    }

    /// Whether there is time for another attempt after a link broke before its session began.
    pub fn may_begin_again(&mut self, reason: &str) -> bool {
        let may = !self.waiting.is_over_after(RETRY_INTERVAL);
        if may {
            self.say(&format!("no session with the server came about: {reason}"));
        }
        may
    }

    /// Returns the pause before the next attempt, or the error if there will be none.
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

    /// Whether a server that is there may open a link to a later attempt.
    ///
    /// A refusal counts if an earlier attempt failed to open: the server may not have noticed yet that the earlier
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
    use std::num::NonZeroUsize;

    use shared::link::{Kind, memory};

    use super::*;
    use crate::config::{Server, Wait};
    use crate::pipeline::PipelineChoice;
    use crate::workers::Policy;

    fn config(server: Server, wait: Wait) -> Config {
        let (workers, pipeline) = (NonZeroUsize::MIN, PipelineChoice::auto());
        Config {
            server,
            wait,
            link: Kind::Webrtc,
            sctp_mtu: None,
            pull: false,
            pipeline,
            workers,
            policy: Policy::Every,
        }
    }

    #[tokio::test]
    async fn a_server_in_this_process_is_dialled_in_memory() {
        let (mut listener, dialer) = memory::endpoint();
        let config = config(Server::InProcess(dialer), Wait::Forever);
        assert!(Connecting::begin(&config).link(&mut Commands::none()).await.is_ok());
        assert!(listener.accept().await.is_some());
    }

    #[tokio::test]
    async fn a_server_of_this_process_that_has_ended_is_waited_for_like_any_other() {
        let (listener, dialer) = memory::endpoint();
        drop(listener);
        let config = config(Server::InProcess(dialer), Wait::For(Duration::ZERO));
        let error =
            Connecting::begin(&config).link(&mut Commands::none()).await.err().expect("nobody listens").to_string();
        assert_eq!(error, "no server at this process: nobody listens in this process");
    }
}
