//! Where peers come from: the TCP port, or a listener in memory.

use std::io;
use std::net::SocketAddr;

use shared::link::{Link, memory};
use tokio::net::TcpListener;

/// Where peers come from.
#[derive(Debug)]
pub enum Entrance {
    /// The server's TCP port.
    Port(TcpListener),
    /// This process.
    Memory(memory::Listener),
}

/// A peer that came.
pub(super) enum Arrival {
    /// A connection, to be greeted.
    Connection { stream: std::net::TcpStream, peer: SocketAddr },
    /// A client in this process, its link open.
    Link(Link),
}

impl Entrance {
    /// The next peer. Safe to cancel.
    pub(super) async fn next(&mut self) -> io::Result<Arrival> {
        match self {
            Self::Port(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Arrival::Connection { stream: stream.into_std()?, peer })
            }
            Self::Memory(listener) => match listener.accept().await {
                Some(link) => Ok(Arrival::Link(link)),
                // Nobody can come any more.
                None => std::future::pending().await,
            },
        }
    }
}

impl Arrival {
    /// Where the peer is, for people.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Connection { peer, .. } => peer.to_string(),
            Self::Link(_) => "memory".into(),
        }
    }
}
