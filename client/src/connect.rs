//! Finding the server and opening a link to it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use shared::door::lines::{Introduction, Signal, Signaling, SignalingError};
use shared::link::Link;
use shared::link::webrtc::LinkSettings;
use shared::link::webrtc::handshake::{self, HandshakeError};
use shared::protocol::VERSION;
use shared::protocol::encoding::LZ4_FEATURE;
use shared::protocol::message::Role;
use thiserror::Error;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tracing::{debug, info, warn};

use crate::config::{ServerAddress, Wait};
use crate::discover::{Discovery, Found};

/// Between two attempts: unnoticed by a person, and 20 connection attempts a second at most.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// How long one attempt may take to connect.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Why there is no link to a server.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Nobody was there in time.
    #[error("no server at {server} within {}: {reason}", humantime::format_duration(*.waited))]
    NoServer {
        /// Where.
        server: String,
        /// How long it was tried.
        waited: Duration,
        /// What the last attempt met.
        reason: String,
    },
    /// Something is there, but no link came of it.
    #[error("{server}: {error}")]
    Handshake {
        /// Where.
        server: String,
        /// What went wrong.
        error: HandshakeError,
    },
}

/// Connects to the server, or to one it finds where none is named, waiting for one that is not there yet.
///
/// Says once that it waits, and why. SCTP packets are as large as the path carries, or at most `mtu` bytes.
pub async fn connect(
    server: Option<&ServerAddress>,
    wait: Wait,
    mtu: Option<u32>,
) -> Result<(Link, Signaling), ConnectError> {
    let mut goal = Goal::new(server);
    let start = Instant::now();
    let (mut said, mut failed_to_open) = (false, false);
    loop {
        let left = match wait {
            Wait::For(limit) => limit.saturating_sub(start.elapsed()),
            Wait::Forever => Duration::MAX,
        };
        let reason = match goal.attempt(mtu, CONNECT_LIMIT.min(left)).await {
            Ok(connected) => return Ok(connected),
            Err(Failure::NotThere(reason)) => reason,
            Err(Failure::NotUsable { server, error }) if is_worth_another_attempt(&error, failed_to_open) => {
                if let Wait::For(limit) = wait
                    && start.elapsed() + RETRY_INTERVAL > limit
                {
                    return Err(ConnectError::Handshake { server, error });
                }
                if matches!(error, HandshakeError::Open(_)) {
                    warn!("{server}: {error}; trying again {}", describe(wait));
                }
                failed_to_open = true;
                sleep(RETRY_INTERVAL).await;
                continue;
            }
            Err(Failure::NotUsable { server, error }) => return Err(ConnectError::Handshake { server, error }),
        };
        if let Wait::For(limit) = wait
            && start.elapsed() + RETRY_INTERVAL > limit
        {
            return Err(ConnectError::NoServer { server: goal.describe(), waited: limit, reason });
        }
        if !said {
            info!("waiting for a server at {} {} ({reason})", goal.describe(), describe(wait));
            said = true;
        }
        sleep(RETRY_INTERVAL).await;
    }
}

/// Whether a server that is there may open a link to another attempt. One that refuses us where an attempt before failed to
/// open may not have noticed yet that this one is over: it still holds its only place for it.
fn is_worth_another_attempt(error: &HandshakeError, failed_to_open: bool) -> bool {
    match error {
        HandshakeError::Open(error) => error.is_worth_another_attempt(),
        HandshakeError::Signaling(SignalingError::Refused(_)) => failed_to_open,
        HandshakeError::Signaling(_) => false,
    }
}

fn describe(wait: Wait) -> String {
    match wait {
        Wait::For(limit) => format!("for up to {}", humantime::format_duration(limit)),
        Wait::Forever => "for as long as it takes".into(),
    }
}

/// Where to connect to.
enum Goal {
    /// The server that was named, and no other.
    Named(String),
    /// Whichever answers.
    Any(Discovery),
}

/// What an attempt met.
enum Failure {
    /// Nobody yet: worth another attempt.
    NotThere(String),
    /// Somebody, but no link.
    NotUsable { server: String, error: HandshakeError },
}

impl Goal {
    fn new(server: Option<&ServerAddress>) -> Self {
        server.map_or_else(|| Self::Any(Discovery::start()), |server| Self::Named(server.0.clone()))
    }

    fn describe(&self) -> String {
        match self {
            Self::Named(server) => server.clone(),
            Self::Any(discovery) => discovery.describe(),
        }
    }

    /// One attempt, whose TCP connection may take so long.
    async fn attempt(&mut self, mtu: Option<u32>, limit: Duration) -> Result<(Link, Signaling), Failure> {
        match self {
            Self::Named(server) => attempt(server, mtu, limit).await,
            Self::Any(discovery) => {
                let found = discovery.look().await;
                let server = chosen(&found).ok_or_else(|| Failure::NotThere("none answers".into()))?;
                attempt(&server.address.to_string(), mtu, limit).await
            }
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

async fn attempt(server: &str, mtu: Option<u32>, limit: Duration) -> Result<(Link, Signaling), Failure> {
    let stream = match timeout(limit, tcp(server, limit)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(Failure::NotThere(error.to_string())),
        Err(_) => return Err(Failure::NotThere("no answer to the TCP connection".into())),
    };
    let path = stream.local_addr().and_then(|local| Ok((local, handshake::path_mtu(&stream)?)));
    let (local, path_mtu) = path.map_err(|error| Failure::NotThere(error.to_string()))?;
    let mut signaling = Signaling::new(stream);
    match open(&mut signaling, local, mtu.unwrap_or(path_mtu)).await {
        Ok(link) => {
            info!("connected to {server}");
            Ok((link, signaling))
        }
        // A proxy that accepts for a server still starting (a container's published port) closes at once.
        Err(HandshakeError::Signaling(error @ (SignalingError::Closed | SignalingError::Io(_)))) => {
            Err(Failure::NotThere(error.to_string()))
        }
        Err(error) => {
            // Else the server waits for this attempt while the next one comes. Whoever is gone does not hear it.
            let _ = signaling.send(&Signal::Bye {}).await;
            Err(Failure::NotUsable { server: server.to_owned(), error })
        }
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

async fn open(signaling: &mut Signaling, local: SocketAddr, mtu: u32) -> Result<Link, HandshakeError> {
    let mtu = Some(mtu);
    let hello = Introduction { plumb: VERSION, role: Role::Sink, mtu, features: vec![LZ4_FEATURE.into()] };
    signaling.send(&Signal::Hello(hello)).await?;
    let settings = LinkSettings { addresses: handshake::local_addresses(local), mtu, ..Default::default() };
    debug!("answering with {settings:?}");
    handshake::answer(signaling, &settings).await
}
