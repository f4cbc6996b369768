//! Finds a server when none is named.
//!
//! Four kinds of place are asked: this machine, the name `rust-server` (containers on one network, looked up by
//! `lookup`), the default `gateway` (a container's host, with a published port), and every server announced by
//! multicast DNS (`mdns`). `places` decides which place is next, and `probe` asks it. A server that answers in several
//! places counts once.

mod gateway;
mod lookup;
mod mdns;
mod places;
mod probe;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use shared::door::discovery::{CONVENTIONAL_HOST, DEFAULT_PORT};
use shared::shell::descriptors::MORE_DESCRIPTORS;
use tokio::time::{Instant, sleep};

use self::lookup::NameLookup;
use self::places::Places;
use self::probe::{PROBE_LIMIT, Probed, probe};

pub use self::probe::Found;

/// Time to wait for other servers after the first answer. Announcements on one network arrive within 100 ms (measured).
const GRACE: Duration = Duration::from_millis(150);

/// Time limit of a look. If there are too many places for one look, the next look continues with the rest.
const LOOK_LIMIT: Duration = Duration::from_secs(4);

/// Interval at which new announcements and look-up results are read.
const TICK: Duration = Duration::from_millis(20);

/// Maximum number of remembered servers that opened no link.
const MOST_FAILED: usize = 1_024;

/// Looks for servers in all places, again and again.
pub struct Discovery {
    /// Places known from the start.
    fixed: Vec<SocketAddr>,
    mdns: Option<mdns::Browser>,
    name: Option<NameLookup>,
    places: Places,
    /// How often the server at an address opened no link.
    failed: BTreeMap<SocketAddr, u32>,
    was_out_of_descriptors: bool,
}

impl Discovery {
    /// Starts to listen for announcements.
    pub fn start() -> Self {
        let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let gateway = gateway::default_gateway().map(IpAddr::V4);
        let fixed = here.into_iter().chain(gateway).map(|address| SocketAddr::from((address, DEFAULT_PORT)));
        Self::looking_in(fixed.collect(), mdns::Browser::start(), Some(NameLookup::default()))
    }

    fn looking_in(fixed: Vec<SocketAddr>, mdns: Option<mdns::Browser>, name: Option<NameLookup>) -> Self {
        let (places, failed) = (Places::default(), BTreeMap::new());
        Self { fixed, mdns, name, places, failed, was_out_of_descriptors: false }
    }

    /// Describes where it looks, for people.
    pub fn describe(&self) -> String {
        let fixed = self.fixed.iter().map(ToString::to_string);
        let announced = self.mdns.as_ref().map(|_| "announced ones".to_owned());
        let named = self.name.as_ref().map(|_| format!("{CONVENTIONAL_HOST}:{DEFAULT_PORT}"));
        fixed.chain(announced).chain(named).collect::<Vec<_>>().join(", ")
    }

    /// Looks once in every place and returns the servers that answered, each once.
    ///
    /// Servers with the fewest failures to open a link come first, then those on this machine, then the rest by name.
    /// An answer from this machine ends the look at once, unless that server has failed to open a link before.
    /// Elsewhere there may be several servers, so the look continues for a moment (`GRACE`).
    pub async fn look(&mut self) -> Vec<Found> {
        self.places.begin_look();
        self.was_out_of_descriptors = false;
        let (mut probes, mut found) = (FuturesUnordered::new(), Vec::new());
        let (start, mut end) = (Instant::now(), None);
        loop {
            self.take_in_news();
            while let Some(place) = self.places.next() {
                probes.push(probe(place));
            }
            let all_asked = probes.is_empty();
            let answer = tokio::select! {
                Some(answer) = probes.next() => Some(answer),
                () = sleep(TICK) => None,
            };
            if let Some((place, probed)) = answer {
                self.places.done(place, matches!(probed, Probed::Found(_)));
                self.was_out_of_descriptors |= probed == Probed::NotAsked;
                if let Probed::Found(server) = probed {
                    end = end.min(Some(self.moment_after(&server))).or(Some(self.moment_after(&server)));
                    found.push(server);
                }
            }
            // Once all places have been asked without an answer, only announcements can still bring one.
            let may_come = self.mdns.is_some() && start.elapsed() < PROBE_LIMIT;
            if end.is_some_and(|end| Instant::now() >= end) || (all_asked && !may_come) || start.elapsed() >= LOOK_LIMIT
            {
                return self.each_once(found);
            }
        }
    }

    /// Notes that a server opened no link, so that others are tried before it.
    pub fn failed(&mut self, server: &Found) {
        if self.failed.len() >= MOST_FAILED {
            self.failed.clear();
        }
        *self.failed.entry(server.address).or_default() += 1;
    }

    /// Why the last look found no server, for people.
    pub fn why_none_was_found(&self) -> String {
        if self.was_out_of_descriptors { MORE_DESCRIPTORS.to_owned() } else { "none answers".to_owned() }
    }

    fn take_in_news(&mut self) {
        let named = self.name.as_mut().map(NameLookup::addresses).unwrap_or_default();
        self.places.know(self.fixed.iter().chain(named).copied().collect());
        if let Some(mdns) = &mut self.mdns {
            mdns.tell(&mut self.places);
        }
    }

    /// How long to wait for answers of other servers, given that this one answers now.
    fn moment_after(&self, server: &Found) -> Instant {
        let is_meant = server.address.ip().is_loopback() && !self.failed.contains_key(&server.address);
        Instant::now() + if is_meant { Duration::ZERO } else { GRACE }
    }

    /// Keeps each server once: at the address with the fewest failures, or the first to answer among equals.
    fn each_once(&self, mut found: Vec<Found>) -> Vec<Found> {
        let failures = |server: &Found| self.failed.get(&server.address).copied().unwrap_or(0);
        found.sort_by_key(failures);
        let mut known = BTreeSet::new();
        found.retain(|server| known.insert(server.identity.clone()));
        found.sort_by_key(|server| (failures(server), !server.address.ip().is_loopback(), server.identity.clone()));
        found
    }
}

#[cfg(test)]
mod tests {
    use shared::door::discovery::Identity;
    use shared::door::lines::Signaling;
    use shared::door::signal::Signal;
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
        Discovery::looking_in(fixed, None, None)
    }

    /// Looks until something is found in these places: on a busy machine, a place may take longer to answer than one
    /// look.
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
    async fn nothing_is_found_if_no_server_is_there() {
        assert_eq!(looking_in(vec![SocketAddr::from(([127, 0, 0, 1], 9))]).look().await, []);
        assert_eq!(looking_in(vec![]).look().await, []);
    }

    fn found(name: &str, id: &str, address: [u8; 4]) -> Found {
        Found { identity: Identity { name: name.into(), id: id.into() }, address: (address, DEFAULT_PORT).into() }
    }

    #[test]
    fn a_server_found_in_two_places_is_one_server() {
        let gateway = found("one", "1", [192, 0, 2, 1]);
        let (announced, other) = (found("one", "1", [192, 0, 2, 7]), found("another", "2", [192, 0, 2, 8]));
        let here = found("two", "3", [127, 0, 0, 1]);
        let all = vec![gateway.clone(), other.clone(), announced, here.clone()];
        assert_eq!(looking_in(vec![]).each_once(all), [here, other, gateway]);
    }

    #[test]
    fn a_server_that_opened_no_link_comes_last_even_under_another_servers_name() {
        let (fake, real) = (found("server", "1", [192, 0, 2, 66]), found("server", "1", [192, 0, 2, 1]));
        let first = found("a name before all", "2", [192, 0, 2, 67]);
        let all = || vec![fake.clone(), real.clone(), first.clone()];
        let mut discovery = looking_in(vec![]);
        assert_eq!(discovery.each_once(all()), [first.clone(), fake.clone()]);
        discovery.failed(&first);
        discovery.failed(&fake);
        assert_eq!(discovery.each_once(all()), [real, first]);
    }

    #[tokio::test]
    async fn a_program_that_answers_but_is_not_a_server_is_not_found() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
        });
        assert_eq!(looking_in(vec![address]).look().await, []);
    }

    /// Places that accept a connection and then say nothing.
    async fn silent_places(count: u8) -> (Vec<TcpListener>, Vec<SocketAddr>) {
        let mut listeners = Vec::new();
        for host in 0..count {
            listeners.push(TcpListener::bind((Ipv4Addr::new(127, 0, 1, host), 0)).await.unwrap());
        }
        let addresses = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        (listeners, addresses)
    }

    #[tokio::test]
    async fn a_hundred_silent_places_do_not_hide_a_server_that_comes_after_them() {
        let server = answering("alone", "1").await;
        let (_listeners, silent) = silent_places(100).await;
        let found = found_in(silent.into_iter().chain([server]).collect()).await;
        assert_eq!(found[0].address, server);
    }
}
