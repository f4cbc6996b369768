//! Where to connect to, and a single attempt to connect.

use std::net::SocketAddr;

use shared::door::dial::{self, Unreachable};
use shared::door::lines::{Signaling, SignalingError};
use shared::door::signal::{Introduction, Signal};
use shared::link::memory::Dialer;
use shared::link::webrtc::{self, HandshakeError, LinkSettings};
use shared::link::{Kind, Link, tcp};
use shared::protocol::encoding::FEATURES;
use shared::shell::descriptors::MORE_DESCRIPTORS;
use tracing::{debug, info};

use crate::config::Server;
use crate::discover::{Discovery, Found};

/// How many servers a log line names when several are found.
const SHOWN_SERVERS: usize = 5;

/// How many found servers one attempt tries before it looks in all places again.
const TRIED_SERVERS: usize = 4;

/// Where to connect to.
pub(super) enum Goal {
    /// The server that was named, and no other.
    Named(String),
    /// Any server that answers.
    Any(Box<Discovery>),
    /// The server in this process.
    InProcess(Dialer),
}

/// What a client asks of its link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) link: Kind,
    /// Largest SCTP packet, in bytes. `None` means as large as the path allows.
    pub(super) mtu: Option<u32>,
}

/// Why an attempt brought no link.
pub(super) enum Failure {
    /// No server answered. Another attempt may find one.
    NotThere(String),
    /// A server answered, but no link opened.
    NotUsable {
        /// The server's address.
        server: String,
        /// What went wrong.
        error: HandshakeError,
        /// Whether another attempt may meet another server.
        may_be_another: bool,
    },
}

impl Failure {
    /// The reason, for people.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::NotThere(reason) => reason.clone(),
            Self::NotUsable { error, .. } => error.to_string(),
        }
    }
}

impl Goal {
    pub(super) fn new(server: &Server) -> Self {
        match server {
            Server::Named(address) => Self::Named(address.0.clone()),
            Server::Any => Self::Any(Box::new(Discovery::start())),
            Server::InProcess(dialer) => Self::InProcess(dialer.clone()),
        }
    }

    /// Describes the goal for people.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Named(server) => server.clone(),
            Self::Any(discovery) => discovery.describe(),
            Self::InProcess(_) => "this process".into(),
        }
    }

    /// Makes one attempt. Its steps have their own timeouts; there is no other.
    pub(super) async fn attempt(&mut self, asked: Asked) -> Result<Link, Failure> {
        match self {
            Self::Named(server) => attempt(server, asked).await,
            Self::Any(discovery) => attempt_any(discovery, asked).await,
            Self::InProcess(dialer) => dialer.dial().map_err(|error| Failure::NotThere(error.to_string())),
        }
    }
}

/// Tries the servers that are found until one opens a link. A server that did not is tried after the others next time.
async fn attempt_any(discovery: &mut Discovery, asked: Asked) -> Result<Link, Failure> {
    let found = discovery.look().await;
    if found.len() > 1 {
        info!("{} servers: {}; name one to choose it", found.len(), listed(&found));
    }
    let mut last = Failure::NotThere(discovery.why_nobody());
    for server in found.into_iter().take(TRIED_SERVERS) {
        last = match attempt(&server.address.to_string(), asked).await {
            Ok(link) => return Ok(link),
            Err(Failure::NotUsable { server, error, .. }) => {
                debug!("{server}: {error}");
                Failure::NotUsable { server, error, may_be_another: true }
            }
            Err(failure) => failure,
        };
        discovery.failed(&server);
    }
    Err(last)
}

fn listed(found: &[Found]) -> String {
    let shown = found.iter().take(SHOWN_SERVERS);
    let mut names: Vec<_> = shown.map(|found| format!("{} at {}", found.identity.name, found.address)).collect();
    if found.len() > SHOWN_SERVERS {
        names.push(format!("and {} more", found.len() - SHOWN_SERVERS));
    }
    names.join(", ")
}

async fn attempt(server: &str, asked: Asked) -> Result<Link, Failure> {
    let stream = dial::connect(server).await.map_err(|error| Failure::NotThere(why_not(&error)))?;
    let path = stream.local_addr().and_then(|local| Ok((local, webrtc::path_mtu(&stream)?)));
    let (local, path_mtu) = path.map_err(|error| Failure::NotThere(error.to_string()))?;
    match open(Signaling::new(stream), local, path_mtu, asked).await {
        Ok(link) => {
            info!("connected to {server}");
            Ok(link)
        }
        // A proxy (a container's published port) accepts for a server that is still starting, then closes at once.
        Err(HandshakeError::Signaling(error @ (SignalingError::Closed | SignalingError::Io(_)))) => {
            Err(Failure::NotThere(error.to_string()))
        }
        Err(error) => Err(Failure::NotUsable { server: server.to_owned(), error, may_be_another: false }),
    }
}

/// Describes why nothing could be reached. If this process has run out of descriptors, adds what would help.
fn why_not(error: &Unreachable) -> String {
    if error.is_out_of_descriptors() { format!("{error}; {MORE_DESCRIPTORS}") } else { error.to_string() }
}

async fn open(signaling: Signaling, local: SocketAddr, path_mtu: u32, asked: Asked) -> Result<Link, HandshakeError> {
    let hello = Introduction::new(FEATURES.map(String::from).to_vec());
    match asked.link {
        Kind::Webrtc => open_webrtc(signaling, hello, local, asked.mtu.unwrap_or(path_mtu)).await,
        Kind::Tcp => Ok(tcp::dial(signaling, hello, tcp::MAX_PAYLOAD).await?),
    }
}

async fn open_webrtc(
    mut signaling: Signaling,
    hello: Introduction,
    local: SocketAddr,
    mtu: u32,
) -> Result<Link, HandshakeError> {
    let mtu = Some(mtu);
    let hello = Introduction { mtu, receive_buffer: webrtc::receive_buffer(), ..hello };
    signaling.send(&Signal::Hello(hello)).await?;
    let addresses = webrtc::local_addresses(local);
    let settings = LinkSettings { addresses, mtu, path_mtu: mtu, ..Default::default() };
    debug!("answering an offer: {settings}");
    webrtc::dial(signaling, &settings).await
}
