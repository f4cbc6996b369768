//! Why a peer is not admitted.

use thiserror::Error;

use super::identity::ServerId;
use super::token::TokenError;
use crate::link::Kind;
use crate::protocol::message::Role;

/// Why a peer is not admitted.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The server has a token and the client none.
    #[error("the server has a token, but the client proves none: start the client with --token-file FILE")]
    SinkWithout,
    /// The server has a token and the page none.
    #[error("this server has a token: type it on the page")]
    PageWithout,
    /// The client has a token and the server none.
    #[error(
        "the client has a token, but the server proves none: start the server with --token-file FILE, or the client \
         without it"
    )]
    SourceWithout,
    /// A proof does not hold.
    #[error("the proof fails: the two ends have different tokens")]
    Wrong,
    /// A nonce or a proof is malformed.
    #[error("a nonce or a proof is not 64 hexadecimal digits")]
    Malformed,
    /// The link would not be protected.
    #[error(
        "with a token, the link {0} goes to another machine only inside TLS: on a network anybody in between could read \
         and change it; give the listening end --tls-cert and --tls-key and the calling end --tls-ca, or ask for webrtc \
         (--link webrtc)"
    )]
    Unprotected(Kind),
    /// The server is not the one that was named.
    #[error("this is not the server of --server-id: its fingerprint is {0}")]
    OtherServer(ServerId),
    /// The server has no identity.
    #[error("the server shows no identity, and --server-id asks for one: start the server with --identity FILE")]
    NoIdentity,
    /// The signature of the server's identity does not hold.
    #[error("the signature of the server's identity fails: is somebody in between?")]
    WrongSignature,
    /// The system has no random bytes.
    #[error("the system gives no random bytes")]
    NoRandom,
}

impl NotAdmitted {
    /// The end of this role has no token, and the other has one.
    pub fn without(role: Role) -> Self {
        match role {
            Role::Source => Self::SourceWithout,
            Role::Sink => Self::SinkWithout,
        }
    }
}

impl From<TokenError> for NotAdmitted {
    fn from(_: TokenError) -> Self {
        Self::NoRandom
    }
}
