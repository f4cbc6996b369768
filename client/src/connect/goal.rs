//! Where to connect to, and one attempt to get there.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{Introduction, Signal};
use shared::link::Link;
use shared::link::memory::Dialer;
use shared::link::webrtc::{self, HandshakeError, LinkSettings};
use shared::protocol::VERSION;
use shared::protocol::encoding::FEATURES;
use shared::protocol::message::Role;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{debug, info};

use crate::config::Server;
use crate::discover::{Discovery, Found};

/// Where to connect to.
pub(super) enum Goal {
    /// The server that was named, and no other.
    Named(String),
    /// Whichever answers.
    Any(Discovery),
    /// The one in this process.
    InProcess(Dialer),
}

/// What an attempt met.
pub(super) enum Failure {
    /// Nobody yet: worth another attempt.
    NotThere(String),
    /// Somebody, but no link.
    NotUsable { server: String, error: HandshakeError },
}

impl Goal {
    pub(super) fn new(server: &Server) -> Self {
        match server {
            Server::Named(address) => Self::Named(address.0.clone()),
            Server::Any => Self::Any(Discovery::start()),
            Server::InProcess(dialer) => Self::InProcess(dialer.clone()),
        }
    }

    /// For people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Named(server) => server.clone(),
            Self::Any(discovery) => discovery.describe(),
            Self::InProcess(_) => "this process".into(),
        }
    }

    /// One attempt, whose TCP connection may take so long.
    pub(super) async fn attempt(&mut self, mtu: Option<u32>, limit: Duration) -> Result<Link, Failure> {
        match self {
            Self::Named(server) => attempt(server, mtu, limit).await,
            Self::Any(discovery) => {
                let found = discovery.look().await;
                let server = chosen(&found).ok_or_else(|| Failure::NotThere("none answers".into()))?;
                attempt(&server.address.to_string(), mtu, limit).await
            }
            Self::InProcess(dialer) => dialer.dial().map_err(|error| Failure::NotThere(error.to_string())),
        }
    }
}

/// The first of the servers by name; says so where there are several.
fn chosen(found: &[Found]) -> Option<&Found> {
    let server = found.first()?;
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|found| format!("{} at {}", found.identity.name, found.address)).collect();
        info!("{} servers: {}; taking the first, name another to choose it", found.len(), names.join(", "));
    }
    Some(server)
}

async fn attempt(server: &str, mtu: Option<u32>, limit: Duration) -> Result<Link, Failure> {
    let stream = match timeout(limit, tcp(server, limit)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Failure::NotThere(error.to_string())),
        Err(_) => return Err(Failure::NotThere("no answer to the TCP connection".into())),
    };
    let path = stream.local_addr().and_then(|local| Ok((local, webrtc::path_mtu(&stream)?)));
    let (local, path_mtu) = path.map_err(|error| Failure::NotThere(error.to_string()))?;
    match open(Signaling::new(stream), local, mtu.unwrap_or(path_mtu)).await {
        Ok(link) => {
            info!("connected to {server}");
            Ok(link)
        }
        // A proxy that accepts for a server still starting (a container's published port) closes at once.
        Err(HandshakeError::Signaling(error @ (SignalingError::Closed | SignalingError::Io(_)))) => {
            Err(Failure::NotThere(error.to_string()))
        }
        Err(error) => Err(Failure::NotUsable { server: server.to_owned(), error }),
    }
}

async fn tcp(server: &str, limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let deadline = Instant::now() + limit;
    for address in lookup_host(server).await? {
        match timeout_at(deadline, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => break,
        }
    }
    Err(last)
}

async fn open(mut signaling: Signaling, local: SocketAddr, mtu: u32) -> Result<Link, HandshakeError> {
    let mtu = Some(mtu);
    let features = FEATURES.map(String::from).to_vec();
    let receive_buffer = webrtc::receive_buffer();
    let hello = Introduction { plumb: VERSION, role: Role::Sink, mtu, receive_buffer, features };
    signaling.send(&Signal::Hello(hello)).await?;
    let addresses = webrtc::local_addresses(local);
    let settings = LinkSettings { addresses, mtu, path_mtu: mtu, ..Default::default() };
    debug!("answering an offer: {settings}");
    webrtc::dial(signaling, &settings).await
}
