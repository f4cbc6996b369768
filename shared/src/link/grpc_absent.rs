//! The link grpc of a build without the cargo feature `grpc`: refuses everything, and says why.

use std::io;

use super::Link;
use crate::door::admission::Admission;
use crate::door::lines::SignalingError;
use crate::socket::Socket;

/// Whether this build has the link grpc (the cargo feature `grpc`).
pub const IS_BUILT: bool = false;

/// A call, which never comes.
pub enum Call {}

impl Call {
    /// What the caller can read.
    pub fn features(&self) -> &[String] {
        match *self {}
    }

    /// Gives the caller its session.
    pub fn accept(self) -> Link {
        match self {}
    }

    /// Tells the caller why it gets none.
    pub async fn refuse(self, _: String, _: bool) {
        match self {}
    }
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn answer_sink(_: impl Into<Socket>, _: usize, _: &Admission) -> Result<Call, SignalingError> {
    Err(absent())
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn answer_source(
    _: impl Into<Socket>,
    _: usize,
    _: &[String],
    _: &Admission,
) -> Result<Call, SignalingError> {
    Err(absent())
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn call_source(_: impl Into<Socket>, _: usize, _: &[String], _: &Admission) -> Result<Link, SignalingError> {
    Err(absent())
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn call_sink(_: impl Into<Socket>, _: usize, _: &Admission) -> Result<(Link, Vec<String>), SignalingError> {
    Err(absent())
}

fn absent() -> SignalingError {
    let said = "this build has no link grpc: build it with the cargo feature grpc";
    SignalingError::Io(io::Error::new(io::ErrorKind::Unsupported, said))
}
