//! What a session needs to know: where the server is, and how its frames are looked at.

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use shared::door::address;
use shared::link::memory::Dialer;
use thiserror::Error;

use crate::pipeline::PipelineChoice;
use crate::workers::Policy;

/// What a session needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which server.
    pub server: Server,
    /// How long to wait for it.
    pub wait: Wait,
    /// The largest SCTP packet, in bytes; by the path when absent.
    pub sctp_mtu: Option<u32>,
    /// What looks at the frames.
    pub pipeline: PipelineChoice,
    /// On how many threads.
    pub workers: NonZeroUsize,
    /// And what when all are busy.
    pub policy: Policy,
}

/// Which server a client wants.
#[derive(Clone, Debug)]
pub enum Server {
    /// The one at this address, and no other.
    Named(ServerAddress),
    /// Whichever is found on this machine or the local network.
    Any,
    /// The one in this process, over a link in memory.
    InProcess(Dialer),
}

impl Server {
    /// Its address, where one was named.
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

/// How long to wait for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// So long.
    For(Duration),
    /// Until told to stop.
    Forever,
}

/// Why a wait was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a time to wait: write a duration such as 30s or 500ms, or forever")]
pub struct NotAWait(String);

impl FromStr for Wait {
    type Err = NotAWait;

    fn from_str(text: &str) -> Result<Self, NotAWait> {
        match text {
            "forever" => Ok(Self::Forever),
            _ => humantime::parse_duration(text).map(Self::For).map_err(|_| NotAWait(text.into())),
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

    #[test]
    fn a_wait_is_a_duration_or_forever() {
        assert_eq!("forever".parse(), Ok(Wait::Forever));
        assert_eq!("1m 30s".parse(), Ok(Wait::For(Duration::from_secs(90))));
        assert!("30".parse::<Wait>().is_err());
    }
}
