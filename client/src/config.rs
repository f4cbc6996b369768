//! The settings of a session: where the server is, and how its frames are processed.

use std::num::NonZeroUsize;
use std::str::FromStr;

use shared::door::address;
use shared::door::admission::Admission;
use shared::link::Kind;
use shared::link::memory::Dialer;
use shared::tls::Tls;
use thiserror::Error;

use crate::pipeline::PipelineChoice;
use crate::workers::Policy;

pub use shared::shell::wait::{NotAWait, Wait};

/// The settings of a session.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server to connect to.
    pub server: Server,
    /// How long to wait for the server.
    pub wait: Wait,
    /// The kind of link to ask for.
    pub link: Kind,
    /// Who is admitted: everybody, or only holders of the token.
    pub admission: Admission,
    /// The certificates that a server is checked by, and the certificate for servers that call.
    pub tls: Tls,
    /// Largest SCTP packet, in bytes. `None` means as large as the path allows.
    pub sctp_mtu: Option<u32>,
    /// Whether the server sends a frame only when asked for it.
    pub pull: bool,
    /// The pipeline that processes the frames.
    pub pipeline: PipelineChoice,
    /// Number of worker threads.
    pub workers: NonZeroUsize,
    /// What happens to a frame when all workers are busy.
    pub policy: Policy,
}

/// The server that a client wants.
#[derive(Clone, Debug)]
pub enum Server {
    /// The server at this address, and no other.
    Named(ServerAddress),
    /// Any server found on this machine or the local network.
    Any,
    /// The server in this process, over a link in memory.
    InProcess(Dialer),
}

impl Server {
    /// The server's address, if one was named.
    pub fn address(&self) -> Option<&ServerAddress> {
        match self {
            Self::Named(address) => Some(address),
            Self::Any | Self::InProcess(_) => None,
        }
    }
}

impl From<Option<ServerAddress>> for Server {
    fn from(address: Option<ServerAddress>) -> Self {
        address.map_or(Self::Any, Self::Named)
    }
}

/// A server's host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress(pub String);

/// Why a server's address was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{text}\" is not a server: write {right}")]
pub struct NotAnAddress {
    text: String,
    right: String,
}

impl FromStr for ServerAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let refused = |right| NotAnAddress { text: text.into(), right };
        match address::host_and_port(text) {
            Ok((_, 0)) => Err(refused("HOST:PORT, with the port at which the server listens".into())),
            Ok(_) => Ok(Self(text.into())),
            Err(right) => Err(refused(right)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_needs_host_and_port() {
        for text in ["", "host", ":8080", "host:", "host:0", "host:65536", "host:http"] {
            assert!(text.parse::<ServerAddress>().is_err(), "{text}");
        }
        for text in ["host:1", "127.0.0.1:8080", "[::1]:8080"] {
            assert!(text.parse::<ServerAddress>().is_ok(), "{text}");
        }
    }
}
