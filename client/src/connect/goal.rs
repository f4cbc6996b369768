//! Where to connect to, and a single attempt to connect.

use shared::connect::{self, Failure};
use shared::link::Link;
use shared::link::memory::Dialer;
use tracing::{debug, info};

use super::open::{Asked, open};
use crate::config::Server;
use crate::discover::{Discovery, Found};

/// Maximum number of servers that a log line names when several are found.
const SHOWN_SERVERS: usize = 5;

/// Maximum number of found servers that one attempt tries before it looks in all places again.
const TRIED_SERVERS: usize = 4;

/// Where to connect to.
pub(super) enum Goal {
    /// Only the server that was named.
    Named(String),
    /// Any server that answers.
    Any(Box<Discovery>),
    /// The server in this process.
    InProcess(Dialer),
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

    /// Makes one attempt. Each step has its own timeout, and the whole attempt has none.
    pub(super) async fn attempt(&mut self, asked: &Asked) -> Result<Link, Failure> {
        match self {
            Self::Named(server) => attempt(server, asked).await,
            Self::Any(discovery) => attempt_any(discovery, asked).await,
            Self::InProcess(dialer) => dialer.dial().map_err(|error| Failure::NotThere(error.to_string())),
        }
    }
}

/// Tries the found servers until one opens a link. A server that opened none comes after the others next time.
async fn attempt_any(discovery: &mut Discovery, asked: &Asked) -> Result<Link, Failure> {
    let found = discovery.look().await;
    if found.len() > 1 {
        info!("{} servers: {}; name one to choose it", found.len(), listed(&found));
    }
    let mut last = Failure::NotThere(discovery.why_none_was_found());
    for server in found.into_iter().take(TRIED_SERVERS) {
        last = match attempt(&server.address.to_string(), asked).await {
            Ok(link) => return Ok(link),
            Err(Failure::NotUsable { address, error, .. }) => {
                debug!("{address}: {error}");
                Failure::NotUsable { address, error, may_be_another: true }
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

async fn attempt(server: &str, asked: &Asked) -> Result<Link, Failure> {
    let (socket, path) = connect::call(server, &asked.tls, asked.link).await?;
    let link = open(socket, path, asked.clone()).await.map_err(|error| Failure::of(server, error))?;
    info!(kind = "connected", "connected to {server}");
    Ok(link)
}
