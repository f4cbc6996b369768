//! Where peers come from: the TCP port, at one address or several, or a listener in memory.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use shared::link::{Link, memory};
use tokio::net::{TcpListener, TcpStream};

/// Where peers come from.
#[derive(Debug)]
pub enum Entrance {
    /// The server's TCP port, at each of its addresses.
    Port(Vec<TcpListener>),
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
            Self::Port(listeners) => {
                let (stream, peer) = poll_fn(|cx| accept(listeners, cx)).await?;
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

/// The next connection at any of these addresses, each of which is looked at first in its turn.
fn accept(listeners: &mut [TcpListener], cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
    for place in 0..listeners.len() {
        if let Poll::Ready(accepted) = listeners[place].poll_accept(cx) {
            listeners.rotate_left(place + 1);
            return Poll::Ready(accepted);
        }
    }
    Poll::Pending
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
