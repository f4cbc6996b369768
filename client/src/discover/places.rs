//! Places where a server may be. Decides which are remembered, which is asked next, and how many are asked at a time.
//!
//! Anyone on the network can announce anything, so everything here is bounded, and no name is preferred. Places that
//! were never asked come first, and each name's first address comes before any name's second. Plain state:
//! announcements and the results of asking go in, the next place to ask comes out.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Maximum number of remembered names, far above the number of servers on any network.
const MOST_NAMES: usize = 1_024;

/// Maximum number of addresses asked per name. Most machines have fewer.
const MOST_ADDRESSES: usize = 8;

/// Maximum number of open sockets.
const MOST_AT_ONCE: usize = 32;

/// All places, and what is known about them.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Known without an announcement. Most servers are found here.
    known: Vec<SocketAddr>,
    announced: BTreeMap<String, Vec<SocketAddr>>,
    asked: BTreeMap<SocketAddr, Asked>,
    look: u64,
    running: usize,
    has_missed: bool,
}

/// What is known about a place that was asked.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The look in which it was last asked.
    look: u64,
    has_answered: bool,
}

impl Places {
    /// Begins a look. Each place may be asked once more.
    pub(super) fn begin_look(&mut self) {
        self.look += 1;
        self.running = 0;
        let Self { known, announced, asked, .. } = self;
        asked.retain(|address, _| known.contains(address) || announced.values().any(|all| all.contains(address)));
    }

    /// Replaces the addresses that are known without an announcement.
    pub(super) fn know(&mut self, addresses: Vec<SocketAddr>) {
        self.known = addresses;
    }

    /// Notes that a server of this name is announced at these addresses.
    pub(super) fn announce(&mut self, name: &str, mut addresses: Vec<SocketAddr>) {
        addresses.sort_unstable();
        addresses.dedup();
        addresses.truncate(MOST_ADDRESSES);
        if self.announced.contains_key(name) || self.announced.len() < MOST_NAMES || self.make_room() {
            self.announced.insert(name.to_owned(), addresses);
        } else {
            self.has_missed = true;
        }
    }

    /// Notes that the announcement of this name was withdrawn.
    pub(super) fn withdraw(&mut self, name: &str) {
        self.announced.remove(name);
    }

    /// Whether an announcement found no room since the last call. If so, it should be heard again.
    pub(super) fn has_missed(&mut self) -> bool {
        std::mem::take(&mut self.has_missed)
    }

    /// The next place to ask, if one may be asked now. Report the result to [`Self::done`].
    pub(super) fn next(&mut self) -> Option<SocketAddr> {
        if self.running >= MOST_AT_ONCE {
            return None;
        }
        let known = self.known.iter().map(|&address| (false, 0, address));
        let announced = self.announced.values().flat_map(|all| all.iter().enumerate());
        let announced = announced.map(|(round, &address)| (true, round, address));
        let look = |address| self.asked.get(&address).map_or(0, |asked| asked.look);
        let waiting = known.chain(announced).filter(|&(.., address)| look(address) < self.look);
        let (.., address) =
            waiting.min_by_key(|&(is_announced, round, address)| (is_announced, look(address), round))?;
        self.running += 1;
        let has_answered = self.asked.get(&address).is_some_and(|asked| asked.has_answered);
        self.asked.insert(address, Asked { look: self.look, has_answered });
        Some(address)
    }

    /// Notes whether a place that was asked answered.
    pub(super) fn done(&mut self, address: SocketAddr, has_answered: bool) {
        self.running -= 1;
        if let Some(asked) = self.asked.get_mut(&address) {
            asked.has_answered = has_answered;
        }
    }

    /// Forgets one name whose addresses were all asked and none answered: of these names, the one asked longest ago.
    /// Returns whether there was one.
    fn make_room(&mut self) -> bool {
        let silent_since = |addresses: &[SocketAddr]| {
            let asked = addresses.iter().map(|address| self.asked.get(address));
            let asked: Option<Vec<_>> = asked.collect();
            let looks = asked?.into_iter().map(|asked| (!asked.has_answered).then_some(asked.look));
            looks.collect::<Option<Vec<_>>>()?.into_iter().max().or(Some(0))
        };
        let silent = self.announced.iter().filter_map(|(name, all)| Some((silent_since(all)?, name)));
        match silent.min().map(|(_, name)| name.clone()) {
            Some(name) => self.announced.remove(&name).is_some(),
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: u16, address: u8) -> SocketAddr {
        SocketAddr::from(([10, address, (name >> 8) as u8, name as u8], 8080))
    }

    fn fake(places: &mut Places, name: u16, addresses: u8) {
        places.announce(&format!("fake {name:05}"), (0..addresses).map(|address| place(name, address)).collect());
    }

    /// Asks all places in one look and returns them in the order asked. Only `answers` answers.
    fn look(places: &mut Places, answers: SocketAddr) -> Vec<SocketAddr> {
        places.begin_look();
        let mut asked = Vec::new();
        while let Some(next) = places.next() {
            asked.push(next);
            places.done(next, next == answers);
        }
        asked
    }

    fn server() -> SocketAddr {
        "192.0.2.1:8080".parse().unwrap()
    }

    #[test]
    fn many_fakes_do_not_hide_a_server_that_is_announced_after_them() {
        for fakes in [64, 1_023, 5_000] {
            let mut places = Places::default();
            let announce = |places: &mut Places| {
                (0..fakes).for_each(|name| fake(places, name, 1));
                places.announce("server", vec![server()]);
            };
            announce(&mut places);
            let mut found = look(&mut places, server()).contains(&server());
            // An announcement that found no room is heard again. By then, silent names make room for it.
            if !found {
                assert!(places.has_missed(), "{fakes}");
                places.announce("server", vec![server()]);
                found = look(&mut places, server()).contains(&server());
            }
            assert!(found, "{fakes}");
            assert!(places.announced.len() <= MOST_NAMES);
        }
    }

    #[test]
    fn a_few_addresses_per_name_are_asked_and_the_first_of_every_name_comes_first() {
        let mut places = Places::default();
        (0..30).for_each(|name| fake(&mut places, name, 248));
        places.announce("server", vec![server()]);
        let asked = look(&mut places, server());
        assert_eq!(asked.len(), 30 * MOST_ADDRESSES + 1);
        let turn = asked.iter().position(|&asked| asked == server()).unwrap();
        assert!(turn <= 30, "first addresses come first: {turn}");
    }

    #[test]
    fn no_more_than_a_few_sockets_are_open_at_a_time() {
        let mut places = Places::default();
        (0..500).for_each(|name| fake(&mut places, name, 8));
        places.begin_look();
        let open: Vec<_> = std::iter::from_fn(|| places.next()).collect();
        assert_eq!(open.len(), MOST_AT_ONCE);
        places.done(open[0], false);
        assert!(places.next().is_some());
        assert_eq!(places.next(), None);
    }

    #[test]
    fn the_next_look_begins_with_places_that_the_last_did_not_ask() {
        let mut places = Places::default();
        (0..40).for_each(|name| fake(&mut places, name, 1));
        places.begin_look();
        let first: Vec<_> = std::iter::from_fn(|| places.next()).collect();
        places.begin_look();
        let second: Vec<_> = std::iter::from_fn(|| places.next()).collect();
        let fresh = second.iter().take(8).filter(|place| !first.contains(place)).count();
        assert_eq!(fresh, 8);
    }

    #[test]
    fn known_places_are_asked_first_and_an_answering_server_keeps_its_place() {
        let mut places = Places::default();
        places.announce("server", vec![server()]);
        let here = "127.0.0.1:8080".parse().unwrap();
        places.know(vec![here]);
        assert_eq!(look(&mut places, server()), [here, server()]);
        (0..3_000).for_each(|name| {
            fake(&mut places, name, 1);
            if name % 1_000 == 0 {
                look(&mut places, server());
            }
        });
        assert!(places.announced.contains_key("server"));
        places.withdraw("server");
        assert!(!look(&mut places, server()).contains(&server()));
    }
}
