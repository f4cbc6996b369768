//! Where peers come from: the TCP port, at one address or several, or a listener in memory.

use std::io;
use std::net::SocketAddr;

use shared::door::listen::accept;
use shared::link::{Link, memory};
use tokio::net::TcpListener;

/// Where peers come from.
#[derive(Debug)]
pub enum Entrance {
    /// The server's TCP port, at each of its addresses.
    Port(Vec<TcpListener>),
    /// A client in this process.
    Memory(memory::Listener),
}

/// A peer that has arrived.
pub(super) enum Arrival {
    /// A TCP connection that has not been greeted yet.
    Connection { stream: std::net::TcpStream, peer: SocketAddr },
    /// A client in this process, with its link already open.
    Link(Link),
}

impl Entrance {
    /// Waits for the next peer. Safe to cancel.
    pub(super) async fn next(&mut self) -> io::Result<Arrival> {
        match self {
            Self::Port(listeners) => {
                let (stream, peer) = accept(listeners).await?;
                Ok(Arrival::Connection { stream: stream.into_std()?, peer })
            }
            Self::Memory(listener) => match listener.accept().await {
                Some(link) => Ok(Arrival::Link(link)),
                // No further peer can arrive.
                None => std::future::pending().await,
            },
        }
    }
}

impl Arrival {
    /// The peer's address, for log lines.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Connection { peer, .. } => peer.to_string(),
            Self::Link(_) => "memory".into(),
        }
    }
}
