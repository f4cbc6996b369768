//! Why no link came of a signaling connection.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use crate::door::lines::SignalingError;
use crate::shell::descriptors::told;
use crate::text::{Brief, REASON};

use super::description::LEAST_MESSAGE;
use super::progress::Stuck;

/// How long a peer may take for its description.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long an end waits for the lanes to open before it gives up.
pub(super) const OPENING_LIMIT: Duration = Duration::from_secs(10);

/// Why no link came of a signaling connection.
#[derive(Debug, Error)]
pub enum HandshakeError {
    /// Signaling failed.
    #[error(transparent)]
    Signaling(#[from] SignalingError),
    /// The lanes did not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a link did not open.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The crate refused.
    #[error("WebRTC: {}", Brief(.0, REASON))]
    WebRtc(#[from] webrtc::error::Error),
    /// None of the ports is free.
    #[error("no free UDP port in {}-{}", .ports.start(), .ports.end())]
    NoPort {
        /// Which were tried.
        ports: RangeInclusive<u16>,
    },
    /// No description came of gathering.
    #[error("WebRTC: no local description after gathering addresses")]
    NoDescription,
    /// The peer's lanes did not open in time.
    #[error("the data channels did not open within {} s: {stuck}", OPENING_LIMIT.as_secs())]
    Timeout {
        /// At which step.
        stuck: Stuck,
    },
    /// A step failed before the time was over.
    #[error("the data channels did not open: {stuck}")]
    Failed {
        /// Which step.
        stuck: Stuck,
    },
    /// The peer takes messages that hold no piece of a frame.
    #[error("the peer takes messages of {0} bytes at most (a=max-message-size); at least {LEAST_MESSAGE} are needed")]
    MessageSize(usize),
    /// Our own addresses were not found in time.
    #[error("WebRTC: the addresses of this machine were not found within {} s", OPENING_LIMIT.as_secs())]
    Gathering,
    /// This machine gives no socket.
    #[error("cannot open a UDP socket at {address}: {}", told(.error))]
    NoSocket {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The peer closed while opening.
    #[error("the peer closed the connection while it opened")]
    Closed,
    /// ICE, DTLS or SCTP gave up: they repeat what is lost, but not for ever.
    #[error("the data channels did not open: too many packets were lost, or the peer is gone")]
    GaveUp,
    /// The peer gave up first.
    #[error("the peer could not open it: {}", Brief(.reason, REASON))]
    Peer {
        /// What it says.
        reason: String,
    },
}

impl OpenError {
    /// Whether another attempt may succeed with a peer that is still there: a network that loses many packets lets one of
    /// several through.
    pub fn is_worth_another_attempt(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Failed { .. } | Self::GaveUp | Self::Closed | Self::Peer { .. } => true,
            Self::NoPort { .. } | Self::NoSocket { .. } | Self::Gathering => true,
            Self::WebRtc(_) | Self::NoDescription | Self::MessageSize(_) => false,
        }
    }
}

impl HandshakeError {
    /// Whether another attempt, later, may open a link: ports and descriptors become free, networks recover.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Open(error) => error.is_worth_another_attempt(),
            Self::Signaling(SignalingError::Refused { retry, .. }) => *retry,
            Self::Signaling(SignalingError::Silence(_) | SignalingError::Closed | SignalingError::Io(_)) => true,
            Self::Signaling(_) => false,
        }
    }
}
