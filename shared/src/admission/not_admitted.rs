//! Why a peer is not admitted.

use thiserror::Error;

use super::token::TokenError;
use crate::link::Kind;

/// Why a peer is not admitted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The server has a token and the client none.
    #[error("the server has a token, and the client proves none: start the client with --token-file FILE")]
    SinkWithout,
    /// The client has a token and the server none.
    #[error(
        "the client has a token, and the server proves none: start the server with --token-file FILE, or the client \
         without it"
    )]
    SourceWithout,
    /// A proof does not hold.
    #[error("the proof fails: the two ends have different tokens")]
    Wrong,
    /// A nonce or a proof is not one.
    #[error("a nonce or a proof is not 64 hexadecimal digits")]
    Malformed,
    /// The link would not be protected.
    #[error(
        "with a token, the link {0} is for peers on one machine: on a network anybody in between could read and change \
         it; ask for webrtc (--link webrtc)"
    )]
    Unprotected(Kind),
    /// The link has no place for proofs.
    #[error("the link grpc takes no token: ask for webrtc, or on one machine for tcp (--link)")]
    NotOverGrpc,
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
}

impl From<TokenError> for NotAdmitted {
    fn from(_: TokenError) -> Self {
        Self::NoRandom
    }
}
