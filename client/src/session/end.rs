//! Why a session ended.

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The server said bye.
    ServerLeft {
        /// The server's reason.
        reason: String,
    },
    /// This client was told to stop.
    Stopped,
    /// The server stops, as this client asked it to.
    BothStopped,
    /// This client asked the server to stop, and ends alone because the server does not.
    ServerStays {
        /// Why the server does not stop.
        reason: String,
    },
    /// The server fell silent, or the link broke.
    ServerGone {
        /// How that was noticed.
        reason: String,
    },
    /// The server fell silent or the link broke before the server's hello.
    /// The server has no session either, so the client may make another attempt.
    NeverBegan {
        /// How that was noticed.
        reason: String,
    },
    /// This client cannot work with the server's hello.
    Rejected {
        /// What was wrong.
        reason: String,
    },
    /// This client cannot do what the server's hello asks for.
    Unable {
        /// What the client cannot do, and what it can.
        reason: String,
    },
}

impl End {
    /// The reason to send in a bye, or `None` when the server has left or is gone and nobody would read it.
    pub fn farewell(&self) -> Option<&str> {
        match self {
            Self::Stopped | Self::ServerStays { .. } => Some("the client stops"),
            Self::Rejected { reason } | Self::Unable { reason } => Some(reason),
            Self::BothStopped | Self::ServerLeft { .. } | Self::ServerGone { .. } | Self::NeverBegan { .. } => None,
        }
    }
}
