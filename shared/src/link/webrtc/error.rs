//! Why a signaling connection led to no link.

use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use thiserror::Error;

use crate::door::lines::SignalingError;
use crate::shell::descriptors::with_advice;
use crate::text::{Brief, REASON};

use super::description::LEAST_MESSAGE;
use super::progress::Stuck;

/// How long a peer may take to send its description.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long an end waits for the lanes to open.
pub(super) const OPENING_LIMIT: Duration = Duration::from_secs(10);

/// Why a signaling connection led to no link.
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
    /// The `webrtc` crate reported an error.
    #[error("WebRTC: {}", Brief(.0, REASON))]
    WebRtc(#[from] webrtc::error::Error),
    /// None of the ports is free.
    #[error("no free UDP port in {}-{}", .ports.start(), .ports.end())]
    NoPort {
        /// The ports that were tried.
        ports: RangeInclusive<u16>,
    },
    /// The crate has no ciphers.
    #[error("WebRTC: no ciphers: {0}")]
    NoCiphers(String),
    /// The peer did what no honest peer does.
    #[error("the peer is cut off: {0}")]
    CutOff(String),
    /// The crate gathered addresses but produced no description.
    #[error("WebRTC: no local description after gathering addresses")]
    NoDescription,
    /// The peer's lanes did not open in time.
    #[error("the data channels did not open within {} s: {stuck}", OPENING_LIMIT.as_secs())]
    Timeout {
        /// The step at which opening got stuck.
        stuck: Stuck,
    },
    /// A step failed before the time limit.
    #[error("the data channels did not open: {stuck}")]
    Failed {
        /// The step that failed.
        stuck: Stuck,
    },
    /// The peer's message size is too small for a piece of a frame.
    #[error("the peer takes messages of {0} bytes at most (a=max-message-size); at least {LEAST_MESSAGE} are needed")]
    MessageSize(usize),
    /// The peer's description has something else than data channels.
    #[error("the peer's description has a section of {}: it must have one of data channels (m=application), and no other", Brief(.0, REASON))]
    OtherMedia(String),
    /// The peer's description names its certificate, but not by the hash that is needed.
    #[error("the peer's description names its certificate by {}, and not by its SHA-256 (a=fingerprint:sha-256)", Brief(.0, REASON))]
    OtherHash(String),
    /// Our own addresses were not found in time.
    #[error("WebRTC: the addresses of this machine were not found within {} s", OPENING_LIMIT.as_secs())]
    Gathering,
    /// The system refused a socket.
    #[error("cannot open a UDP socket at {address}: {}", with_advice(.error))]
    NoSocket {
        /// The address of the socket.
        address: SocketAddr,
        /// The system's error.
        error: io::Error,
    },
    /// The description names no certificate that a proof could cover.
    #[error(
        "the peer's description names no single certificate by its SHA-256 (a=fingerprint:sha-256), so that a token proves nothing"
    )]
    NoFingerprint,
    /// The peer's proof does not cover this link.
    #[error("the peer's proof is not for this link: is somebody in between, or does the peer have another token?")]
    Unproven,
    /// The certificate is not the proven one.
    #[error("the peer's certificate is not the one that it proved to be its own: somebody is in between")]
    AnotherCertificate,
    /// The peer closed while opening.
    #[error("the peer closed the connection while it opened")]
    Closed,
    /// ICE, DTLS or SCTP gave up: each repeats lost packets a limited number of times.
    #[error("the data channels did not open: too many packets were lost, or the peer is gone")]
    GaveUp,
    /// The peer gave up first.
    #[error("the peer could not open it: {}", Brief(.reason, REASON))]
    Peer {
        /// The peer's reason.
        reason: String,
    },
}

impl OpenError {
    /// Whether another attempt may succeed if the peer is still there: on a network that loses many packets, one of
    /// several attempts gets through.
    pub fn is_worth_another_attempt(&self) -> bool {
        match self {
            Self::Timeout { .. } | Self::Failed { .. } | Self::GaveUp | Self::Closed | Self::Peer { .. } => true,
            Self::NoPort { .. } | Self::NoSocket { .. } | Self::Gathering => true,
            Self::WebRtc(_) | Self::NoDescription | Self::MessageSize(_) => false,
            Self::OtherMedia(_) | Self::OtherHash(_) => false,
            Self::NoFingerprint | Self::Unproven | Self::AnotherCertificate => false,
            Self::NoCiphers(_) | Self::CutOff(_) => false,
        }
    }
}

impl HandshakeError {
    /// Whether a later attempt may open a link: ports and descriptors become free, networks recover.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Open(error) => error.is_worth_another_attempt(),
            Self::Signaling(SignalingError::Refused { retry, .. }) => *retry,
            Self::Signaling(
                SignalingError::Silence(_)
                | SignalingError::NoHello(_)
                | SignalingError::Closed
                | SignalingError::Io(_),
            ) => true,
            Self::Signaling(_) => false,
        }
    }
}
