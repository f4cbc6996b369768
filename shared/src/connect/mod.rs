//! Reaches a peer that listens, and keeps trying while there may be one.
//!
//! [`call`] makes one connection. [`Attempts`] decides whether a failure may pass, when to try again and what to say
//! meanwhile; `waiting` knows how long to keep trying. Both a client that looks for its server and a server that calls a
//! client use this module.

mod attempts;
mod waiting;

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use crate::door::dial::{self, Unreachable};
use crate::door::lines::SignalingError;
use crate::link::Kind;
use crate::link::webrtc::{self, HandshakeError};
use crate::shell::descriptors::MORE_DESCRIPTORS;
use crate::socket::Socket;
use crate::tls::Tls;

pub use attempts::{Attempts, ConnectError};

/// Why an attempt opened no link.
#[derive(Debug)]
pub enum Failure {
    /// Nobody answered. Another attempt may find a peer.
    NotThere(String),
    /// Somebody answered, but no link opened.
    NotUsable {
        /// The peer's address.
        address: String,
        /// What went wrong.
        error: HandshakeError,
        /// Whether another attempt may meet another peer.
        may_be_another: bool,
    },
}

impl Failure {
    /// The reason, for people.
    pub fn reason(&self) -> String {
        match self {
            Self::NotThere(reason) => reason.clone(),
            Self::NotUsable { error, .. } => error.to_string(),
        }
    }

    /// The failure of an attempt whose handshake with the peer at this address failed.
    pub fn of(address: &str, error: HandshakeError) -> Self {
        match error {
            // A proxy (a container's published port) accepts for a peer that is still starting, then closes at once.
            HandshakeError::Signaling(error @ (SignalingError::Closed | SignalingError::Io(_))) => {
                Self::NotThere(error.to_string())
            }
            HandshakeError::Signaling(SignalingError::Tls(error)) if error.may_pass() => {
                Self::NotThere(error.to_string())
            }
            error => Self::NotUsable { address: address.to_owned(), error, may_be_another: false },
        }
    }
}

/// The network path of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// Our own address.
    pub local: SocketAddr,
    /// The peer's address.
    pub peer: SocketAddr,
    /// Largest SCTP packet on this path, in bytes.
    pub mtu: u32,
}

impl Path {
    /// The path of a connection.
    ///
    /// # Errors
    /// If the connection has ended.
    pub fn of(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self { local: stream.local_addr()?, peer: stream.peer_addr()?, mtu: webrtc::path_mtu(stream)? })
    }
}

/// Connects to HOST:PORT, for this kind of link: inside TLS if this end has an authority.
///
/// # Errors
/// [`Failure::NotThere`] with the outcome of each address, or [`Failure::NotUsable`] if the peer has no TLS or no
/// certificate for this host.
pub async fn call(address: &str, tls: &Tls, link: Kind) -> Result<(Socket, Path), Failure> {
    let stream = dial::connect(address).await.map_err(|error| Failure::NotThere(why_not(&error)))?;
    let path = Path::of(&stream).map_err(|error| Failure::NotThere(error.to_string()))?;
    let socket = tls.call(stream, address, link).await;
    let socket = socket.map_err(|error| Failure::of(address, SignalingError::from(error).into()))?;
    Ok((socket, path))
}

/// Describes why nothing could be reached. If this process has run out of descriptors, adds what would help.
fn why_not(error: &Unreachable) -> String {
    if error.is_out_of_descriptors() { format!("{error}; {MORE_DESCRIPTORS}") } else { error.to_string() }
}
