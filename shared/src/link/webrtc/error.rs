//! Why no link came of a signaling connection.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use crate::door::lines::SignalingError;
use crate::shell::descriptors::{MORE_DESCRIPTORS, is_out_of_descriptors};

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
    #[error("WebRTC: {0}")]
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
    #[error("the data channels did not open within {} s: is UDP blocked between the two ends?", OPENING_LIMIT.as_secs())]
    Timeout,
    /// ICE has found a way, but DTLS did not come up on it.
    #[error(
        "the two ends reach each other by UDP, but DTLS did not come up: a certificate is not the one whose fingerprint its \
         description names (was that changed on its way?), or too many packets are lost"
    )]
    Dtls,
    /// DTLS is up, but the lanes did not open.
    #[error(
        "DTLS is up, but the data channels did not open within {} s: the peer's SCTP is silent, or too many packets are lost",
        OPENING_LIMIT.as_secs()
    )]
    SctpTimeout,
    /// This machine gives no socket.
    #[error("cannot open a UDP socket at {address}: {error}{}", more(.error))]
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
    #[error("the peer could not open it: {reason}")]
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
            Self::Timeout | Self::Dtls | Self::SctpTimeout | Self::GaveUp | Self::Closed | Self::Peer { .. } => true,
            Self::NoPort { .. } | Self::NoSocket { .. } => true,
            Self::WebRtc(_) | Self::NoDescription => false,
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

/// What to do about it, where that is known.
fn more(error: &io::Error) -> String {
    if is_out_of_descriptors(error) { format!("; {MORE_DESCRIPTORS}") } else { String::new() }
}
