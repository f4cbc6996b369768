//! Why a session is over.

/// Why a session is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The server said bye.
    ServerLeft {
        /// The server's reason.
        reason: String,
    },
    /// This client was told to stop.
    Stopped,
    /// The server fell silent, or the link broke.
    ServerGone {
        /// How that was noticed.
        reason: String,
    },
    /// The same before the server had said hello: for it there was no session either, and there may be another attempt.
    NeverBegan {
        /// How that was noticed.
        reason: String,
    },
    /// The server said a hello this client cannot work with.
    Rejected {
        /// What was wrong.
        reason: String,
    },
    /// This client cannot do what the server's hello asks for.
    Unable {
        /// What it cannot do, and what it can.
        reason: String,
    },
}

impl End {
    /// What the server is told of it; to one that left or is gone there is nobody to say it to.
    pub fn farewell(&self) -> Option<&str> {
        match self {
            Self::Stopped => Some("the client stops"),
            Self::Rejected { reason } | Self::Unable { reason } => Some(reason),
            Self::ServerLeft { .. } | Self::ServerGone { .. } | Self::NeverBegan { .. } => None,
        }
    }
}
