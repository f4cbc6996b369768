//! Finding a server that nobody named.
//!
//! Places where one may be: this machine, the name `rust-server` (containers of one network), the default gateway (a
//! container's host, with a published port), and whatever is announced by multicast DNS. Each is asked by `ping`, which
//! makes no session; a server that answers in several places is one server.

mod gateway;
mod mdns;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use shared::link::discovery::{CONVENTIONAL_HOST, DEFAULT_PORT, Identity};
use shared::link::signaling::{Signal, Signaling};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a place may take to answer. Places are near: the same machine or network.
const PROBE_LIMIT: Duration = Duration::from_millis(400);

/// After the first answer, how long others may take: announcements on one network come within 100 ms (measured).
const GRACE: Duration = Duration::from_millis(150);

/// Between two look-ups of the conventional name: one that hangs for seconds occupies a thread.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(1);

/// The longest server name shown.
const SHOWN_NAME: usize = 64;

/// A server that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who it is.
    pub identity: Identity,
    /// Where it answered.
    pub address: SocketAddr,
}

/// Looks in all places, again and again.
pub struct Discovery {
    gateway: Option<Ipv4Addr>,
    mdns: Option<mdns::Browser>,
    next_lookup: Instant,
    looked_up: Vec<SocketAddr>,
}

impl Discovery {
    /// Starts to listen for announcements.
    pub fn start() -> Self {
        Self {
            gateway: gateway::default_gateway(),
            mdns: mdns::Browser::start(),
            next_lookup: Instant::now(),
            looked_up: Vec::new(),
        }
    }

    /// Where it looks, for people.
    pub fn describe(&self) -> String {
        let mut places = vec![format!("127.0.0.1:{DEFAULT_PORT}")];
        if self.mdns.is_some() {
            places.push("announced ones".into());
        }
        places.push(format!("{CONVENTIONAL_HOST}:{DEFAULT_PORT}"));
        places.extend(self.gateway.map(|gateway| format!("{gateway}:{DEFAULT_PORT}")));
        places.join(", ")
    }

    /// Looks once in every place; the servers that answered, each once, by name.
    pub async fn look(&mut self) -> Vec<Found> {
        self.look_up().await;
        let places = self.places();
        let mut probes: FuturesUnordered<_> = places.into_iter().map(probe).collect();
        let mut found = BTreeMap::new();
        let mut deadline = Instant::now() + PROBE_LIMIT;
        while let Ok(Some(answer)) = timeout_at(deadline, probes.next()).await {
            let Some(server) = answer else { continue };
            if found.is_empty() {
                // One on this machine is meant; elsewhere there may be several.
                let grace = if server.address.ip().is_loopback() { Duration::ZERO } else { GRACE };
                deadline = deadline.min(Instant::now() + grace);
            }
            found.entry(server.identity.clone()).or_insert(server);
        }
        found.into_values().collect()
    }

    fn places(&mut self) -> Vec<SocketAddr> {
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
        let gateway = self.gateway.map(|gateway| SocketAddr::from((gateway, DEFAULT_PORT)));
        let announced = self.mdns.as_mut().map(mdns::Browser::addresses).unwrap_or_default();
        let mut places: Vec<_> =
            [local].into_iter().chain(announced).chain(self.looked_up.clone()).chain(gateway).collect();
        places.dedup();
        places
    }

    async fn look_up(&mut self) {
        if Instant::now() < self.next_lookup {
            return;
        }
        self.next_lookup = Instant::now() + LOOKUP_INTERVAL;
        let lookup = tokio::net::lookup_host((CONVENTIONAL_HOST, DEFAULT_PORT));
        self.looked_up = match timeout(GRACE, lookup).await {
            Ok(Ok(addresses)) => addresses.collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
    }
}

/// Asks whether a server is there, and which.
async fn probe(address: SocketAddr) -> Option<Found> {
    let ask = async {
        let mut signaling = Signaling::new(TcpStream::connect(address).await.ok()?);
        signaling.send(&Signal::Ping {}).await.ok()?;
        match signaling.receive().await.ok()? {
            Signal::Pong { name, id } => Some(Found { identity: identity(name, id, address), address }),
            _ => None,
        }
    };
    timeout(PROBE_LIMIT, ask).await.ok()?
}

/// A server that does not say who it is, is whoever answers at this address.
fn identity(name: Option<String>, id: Option<String>, address: SocketAddr) -> Identity {
    let shown = |text: String| text.escape_debug().take(SHOWN_NAME).collect::<String>();
    let name = name.map_or_else(|| address.to_string(), shown);
    Identity { name, id: id.unwrap_or_else(|| address.to_string()) }
}

/// Whether an announced address can be connected to as it is: a link-local one of IPv6 needs its interface's number.
fn is_plain(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => !address.is_unicast_link_local(),
    }
}
