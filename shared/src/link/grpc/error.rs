//! Why there is no link.

use std::io;
use std::time::Duration;

use thiserror::Error;
use tonic::{Code, Status};

use crate::admission::NotAdmitted;
use crate::door::lines::SignalingError;
use crate::text::{Brief, REASON};

/// Why a connection led to no link over gRPC.
#[derive(Debug, Error)]
pub(super) enum GrpcError {
    /// The connection broke, or the arriving bytes are not HTTP/2.
    #[error("gRPC: {0}")]
    Broken(String),
    /// There was no call, or no answer to one.
    #[error("no gRPC call or answer for {} s", .0.as_secs())]
    Silence(Duration),
    /// The peer refuses.
    #[error("the peer refused: {}", Brief(.reason, REASON))]
    Refused {
        /// The peer's reason.
        reason: String,
        /// Whether it says that a later attempt may succeed.
        retry: bool,
    },
    /// A token is not proved.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The peer serves other gRPC services.
    #[error("the peer speaks gRPC, but has no {0}")]
    NoService(&'static str),
}

impl GrpcError {
    /// The error in the answer to a call of `service`.
    pub(super) fn of_answer(status: &Status, service: &'static str) -> Self {
        let reason = status.message().to_owned();
        match status.code() {
            Code::Unimplemented => Self::NoService(service),
            Code::FailedPrecondition | Code::PermissionDenied | Code::ResourceExhausted | Code::Unauthenticated => {
                Self::Refused { reason, retry: false }
            }
            // A peer that answers with a reason is there, and refuses for now.
            Code::Unavailable if std::error::Error::source(status).is_none() => Self::Refused { reason, retry: true },
            _ => Self::Broken(said(status)),
        }
    }
}

impl From<GrpcError> for SignalingError {
    fn from(error: GrpcError) -> Self {
        match error {
            GrpcError::Refused { reason, retry } => Self::Refused { reason, retry },
            GrpcError::NotAdmitted(reason) => Self::NotAdmitted(reason),
            GrpcError::NoService(_) => Self::WrongPeer(error.to_string()),
            GrpcError::Silence(_) => Self::Io(io::Error::new(io::ErrorKind::TimedOut, error.to_string())),
            GrpcError::Broken(_) => Self::Io(io::Error::other(error.to_string())),
        }
    }
}

/// The message of a status, with its cause.
pub(super) fn said(status: &Status) -> String {
    let (mut said, mut cause) = (status.message().to_owned(), std::error::Error::source(status));
    while let Some(error) = cause {
        let further = error.to_string();
        if !said.contains(&further) {
            said = if said.is_empty() { further } else { format!("{said}: {further}") };
        }
        cause = error.source();
    }
    if said.is_empty() { status.code().description().to_owned() } else { Brief(&said, REASON).to_string() }
}
