//! The link grpc of a build without the cargo feature `grpc`: refuses everything, and says why.

use std::io;

use tokio::net::TcpStream;

use super::Link;
use crate::door::lines::SignalingError;

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
pub async fn answer_sink(_: TcpStream, _: usize) -> Result<Call, SignalingError> {
    Err(absent())
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn answer_source(_: TcpStream, _: usize, _: &[String]) -> Result<Call, SignalingError> {
    Err(absent())
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn call_source(_: TcpStream, _: usize, _: &[String]) -> Result<Link, SignalingError> {
    Err(absent())
}

/// Refuses.
///
/// # Errors
/// Always.
pub async fn call_sink(_: TcpStream, _: usize) -> Result<(Link, Vec<String>), SignalingError> {
    Err(absent())
}

fn absent() -> SignalingError {
    let said = "this build has no link grpc: build it with the cargo feature grpc";
    SignalingError::Io(io::Error::new(io::ErrorKind::Unsupported, said))
}
