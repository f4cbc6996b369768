//! Whether there was a session, and whether it ended as it should.

use std::io;
use std::time::Duration;

use shared::connect::ConnectError;
use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use thiserror::Error;

use crate::session::End;
use crate::tally::Tally;
use crate::workers::PoolError;

/// Why there was no session.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The server could not be reached.
    #[error(transparent)]
    NotConnected(#[from] ConnectError),
    /// The client was told to stop. A caller that waits for a session to end should not mistake this for its end.
    #[error("stopped before there was a session")]
    StoppedEarly,
    /// The workers could not be started.
    #[error(transparent)]
    Workers(#[from] PoolError),
    /// The client could not listen.
    #[error("{wrong}")]
    CannotListen {
        /// What was wrong, and what would be right.
        wrong: String,
        /// The exit code.
        exit: Exit,
    },
    /// No server called a client that listens.
    #[error("no server called within {} (--wait)", humantime::format_duration(*.0))]
    NobodyCalled(Duration),
    /// A panic in this program.
    #[error("a fault of Plumb ended this connection, as the log says: please report it")]
    Fault,
    /// No thread could be started for the sessions.
    #[error("cannot listen: {}", with_advice(.0))]
    Threads(#[from] io::Error),
}

impl SessionError {
    /// The exit code of a client that ends like this.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotConnected(_) | Self::StoppedEarly | Self::NobodyCalled(_) => Exit::NoPeer,
            Self::Workers(_) | Self::Fault | Self::Threads(_) => Exit::Other,
            Self::CannotListen { exit, .. } => *exit,
        }
    }
}

/// How a session ended badly, with the exit code; `None` if it ended as it should.
pub fn failure(end: &End, tally: &Tally) -> Option<(Exit, String)> {
    match end {
        End::ServerLeft { reason } if tally.received == 0 => {
            Some((Exit::NoPeer, format!("the server said bye before the first frame: {reason}")))
        }
        End::ServerLeft { .. } | End::Stopped | End::BothStopped => None,
        End::ServerStays { reason } => {
            Some((Exit::Other, format!("the server stays: {reason}; only this client ends")))
        }
        End::ServerGone { reason } | End::NeverBegan { reason } => {
            Some((Exit::NoPeer, format!("the server is gone: {reason}")))
        }
        End::Rejected { reason } => Some((Exit::NoPeer, format!("cannot work with this server: {reason}"))),
        End::Unable { reason } => Some((Exit::Usage, reason.clone())),
    }
}
