//! The client of a session, and why the session ended. The report holds both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The client, as its hello describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClientInfo {
    /// Name of the program.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Whether it asked for each frame (`--pull`); no frame is then sent at a tick.
    pub pull: bool,
}

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// All frames were sent, and each was answered or lost.
    Finished,
    /// This server was told to stop.
    Stopped,
    /// The client said bye.
    ClientLeft {
        /// The client's reason.
        reason: String,
    },
    /// The client fell silent, or the link broke.
    ClientGone {
        /// How the server noticed.
        reason: String,
    },
    /// The source failed.
    SourceFailed {
        /// What failed.
        reason: String,
    },
    /// The session is running: these are its figures so far. Only in the report of a run's folder, during the run.
    Running,
    /// The server ended in the middle of the session, by a power failure for example. Only in the report of a run's
    /// folder.
    BrokenOff,
    /// The client never said hello, or its hello asked for something that this server cannot serve.
    Rejected {
        /// What was wrong.
        reason: String,
    },
}

impl End {
    /// The reason to give the client; `None` if the client left or is gone.
    pub fn farewell(&self) -> Option<&str> {
        match self {
            Self::Finished => Some("finished"),
            Self::Stopped => Some("the server stops"),
            Self::Rejected { reason } => Some(reason),
            // File names may reveal the truth, so they are not sent.
            Self::SourceFailed { .. } => Some("the source failed"),
            Self::ClientLeft { .. } | Self::ClientGone { .. } | Self::Running | Self::BrokenOff => None,
        }
    }

    /// Describes the end for people.
    pub fn describe(&self) -> String {
        match self {
            Self::Finished => "finished".into(),
            Self::Stopped => "stopped".into(),
            Self::ClientLeft { reason } if reason.is_empty() => "the client left".into(),
            Self::ClientLeft { reason } => format!("the client left: {reason}"),
            Self::ClientGone { reason } => format!("the client is gone: {reason}"),
            Self::SourceFailed { reason } => format!("the source failed: {reason}"),
            Self::Running => "still running".into(),
            Self::BrokenOff => "the server ended before the session did".into(),
            Self::Rejected { reason } => format!("rejected: {reason}"),
        }
    }
}
