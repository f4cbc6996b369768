//! Finding a server that nobody named.
//!
//! Places where one may be: this machine, the name `rust-server` (containers of one network), the default gateway (a
//! container's host, with a published port), and whatever is announced by multicast DNS. Each is asked by `ping`, which
//! makes no session; a server that answers in several places is one server.

mod gateway;
mod mdns;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use shared::door::discovery::{CONVENTIONAL_HOST, DEFAULT_PORT, Identity};
use shared::door::lines::Signaling;
use shared::door::signal::Signal;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// How long a place may take to answer. Places are near: the same machine or network.
const PROBE_LIMIT: Duration = Duration::from_millis(400);

/// After the first answer, how long others may take: announcements on one network come within 100 ms (measured).
const GRACE: Duration = Duration::from_millis(150);

/// How often announcements and names that were looked up are taken in.
const TICK: Duration = Duration::from_millis(20);

/// Between two look-ups of the conventional name.
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
    /// Places that are known from the start.
    fixed: Vec<SocketAddr>,
    mdns: Option<mdns::Browser>,
    name: Option<NameLookup>,
}

impl Discovery {
    /// Starts to listen for announcements.
    pub fn start() -> Self {
        let local = Some(Ipv4Addr::LOCALHOST);
        let fixed = [local, gateway::default_gateway()].into_iter().flatten();
        Self {
            fixed: fixed.map(|address| SocketAddr::from((address, DEFAULT_PORT))).collect(),
            mdns: mdns::Browser::start(),
            name: Some(NameLookup::default()),
        }
    }

    /// Where it looks, for people.
    pub fn describe(&self) -> String {
        let fixed = self.fixed.iter().map(ToString::to_string);
        let announced = self.mdns.as_ref().map(|_| "announced ones".to_owned());
        let named = self.name.as_ref().map(|_| format!("{CONVENTIONAL_HOST}:{DEFAULT_PORT}"));
        fixed.chain(announced).chain(named).collect::<Vec<_>>().join(", ")
    }

    /// Looks once in every place; the servers that answered, each once, those of this machine first, then by name.
    ///
    /// A server on this machine is meant, and ends the look; elsewhere there may be several, which get a moment.
    pub async fn look(&mut self) -> Vec<Found> {
        let mut probes = FuturesUnordered::new();
        let mut asked = BTreeSet::new();
        let mut found = Vec::new();
        let mut deadline = Instant::now() + PROBE_LIMIT;
        loop {
            for place in self.places() {
                if asked.insert(place) {
                    probes.push(probe(place));
                }
            }
            let answer = tokio::select! {
                Some(answer) = probes.next() => answer,
                () = sleep(TICK) => None,
            };
            if let Some(server) = answer {
                let grace = if server.address.ip().is_loopback() { Duration::ZERO } else { GRACE };
                deadline = deadline.min(Instant::now() + grace);
                found.push(server);
            }
            // Without any answer there is nothing to wait for once all have refused, but announcements.
            if Instant::now() >= deadline || (found.is_empty() && probes.is_empty() && self.mdns.is_none()) {
                break;
            }
        }
        each_once(found)
    }

    fn places(&mut self) -> BTreeSet<SocketAddr> {
        let announced = self.mdns.as_mut().map(mdns::Browser::addresses).unwrap_or_default();
        let named = self.name.as_mut().map(NameLookup::addresses).unwrap_or_default();
        self.fixed.iter().copied().chain(announced).chain(named).collect()
    }
}

/// Each server where it answered first; those of this machine first, then by name.
fn each_once(mut found: Vec<Found>) -> Vec<Found> {
    let mut known = BTreeSet::new();
    found.retain(|server| known.insert(server.identity.clone()));
    found.sort_by_key(|server| (!server.address.ip().is_loopback(), server.identity.clone()));
    found
}

/// Looks up the conventional name, one look-up at a time: each occupies a thread, for seconds where nobody answers.
#[derive(Debug, Default)]
struct NameLookup {
    running: Option<JoinHandle<Vec<SocketAddr>>>,
    next: Option<Instant>,
    known: Vec<SocketAddr>,
}

impl NameLookup {
    /// What the last finished look-up found; starts another when it is time.
    fn addresses(&mut self) -> Vec<SocketAddr> {
        use futures_util::FutureExt;
        if let Some(found) = self.running.as_mut().and_then(FutureExt::now_or_never) {
            self.known = found.unwrap_or_default();
            self.running = None;
        }
        if self.running.is_none() && self.next.is_none_or(|next| Instant::now() >= next) {
            self.next = Some(Instant::now() + LOOKUP_INTERVAL);
            self.running = Some(tokio::spawn(async {
                let addresses = lookup_host((CONVENTIONAL_HOST, DEFAULT_PORT)).await;
                addresses.map(Iterator::collect).unwrap_or_default()
            }));
        }
        self.known.clone()
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

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A place that answers a ping as the server of this name and id.
    async fn answering(name: &'static str, id: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut signaling = Signaling::new(stream);
                assert_eq!(signaling.receive().await.unwrap(), Signal::Ping {});
                signaling.send(&Signal::Pong { name: Some(name.into()), id: Some(id.into()) }).await.unwrap();
            }
        });
        address
    }

    fn looking_in(fixed: Vec<SocketAddr>) -> Discovery {
        Discovery { fixed, mdns: None, name: None }
    }

    /// What is found in these places, where something is: a busy machine may take a place longer than one look does.
    async fn found_in(fixed: Vec<SocketAddr>) -> Vec<Found> {
        let mut discovery = looking_in(fixed);
        for _ in 0..20 {
            let found = discovery.look().await;
            if !found.is_empty() {
                return found;
            }
        }
        panic!("nothing is found");
    }

    #[tokio::test]
    async fn a_server_that_answers_in_a_place_is_found() {
        let server = answering("alone", "1").await;
        let nobody = SocketAddr::from(([127, 0, 0, 1], 9));
        let found = found_in(vec![nobody, server]).await;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].identity.name.as_str(), found[0].address), ("alone", server));
    }

    #[tokio::test]
    async fn where_nobody_is_nothing_is_found() {
        assert_eq!(looking_in(vec![SocketAddr::from(([127, 0, 0, 1], 9))]).look().await, []);
        assert_eq!(looking_in(vec![]).look().await, []);
    }

    #[test]
    fn a_server_found_in_two_places_is_one_server() {
        let found = |name: &str, id: &str, address: [u8; 4]| Found {
            identity: Identity { name: name.into(), id: id.into() },
            address: (address, DEFAULT_PORT).into(),
        };
        let gateway = found("one", "1", [192, 0, 2, 1]);
        let (announced, other) = (found("one", "1", [192, 0, 2, 7]), found("another", "2", [192, 0, 2, 8]));
        let here = found("two", "3", [127, 0, 0, 1]);
        assert_eq!(each_once(vec![gateway.clone(), other.clone(), announced, here.clone()]), [here, other, gateway]);
    }

    #[tokio::test]
    async fn what_answers_but_is_no_server_is_not_found() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        });
        assert_eq!(looking_in(vec![address]).look().await, []);
    }

    #[test]
    fn a_servers_name_cannot_move_the_cursor() {
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let identity = identity(Some(format!("\x1b[2J{}", "x".repeat(500))), None, address);
        assert!(identity.name.starts_with("\\u{1b}[2J") && identity.name.len() <= SHOWN_NAME, "{}", identity.name);
        assert_eq!(identity.id, "127.0.0.1:9");
    }
}
