//! Which address of a name to connect to, and when: "Happy Eyeballs" (RFC 8305), once the addresses are known.
//!
//! Addresses of both families alternate. Each gets a head start before the next is tried too. If all tried so far have
//! failed, the next is tried at once. Plain state: failures and `now` go in, a [`Step`] comes out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::time::Micros;

/// An address's head start (RFC 8305, section 8: "Connection Attempt Delay", 250 ms).
const HEAD_START: Duration = Duration::from_millis(250);

/// Maximum number of addresses tried per name: more than any ordinary server has. It also bounds the sockets open at a
/// time.
pub(super) const MOST_ADDRESSES: usize = 16;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Connect to this address too.
    Connect(SocketAddr),
    /// Wait until this time, or until one of the attempts under way ends.
    Wait(Option<Micros>),
    /// No address is left to try.
    Lost,
}

/// A race between the addresses of a name.
#[derive(Debug)]
pub(super) struct Race {
    waiting: VecDeque<SocketAddr>,
    running: usize,
    next: Micros,
}

impl Race {
    /// A race between these addresses, preferred first.
    pub(super) fn new(addresses: impl IntoIterator<Item = SocketAddr>, now: Micros) -> Self {
        Self { waiting: in_turns(addresses), running: 0, next: now }
    }

    /// The next thing to do.
    pub(super) fn poll(&mut self, now: Micros) -> Step {
        if self.running > 0 && now < self.next {
            return Step::Wait((!self.waiting.is_empty()).then_some(self.next));
        }
        match self.waiting.pop_front() {
            Some(address) => {
                self.running += 1;
                self.next = now + HEAD_START;
                Step::Connect(address)
            }
            None if self.running > 0 => Step::Wait(None),
            None => Step::Lost,
        }
    }

    /// Notes that one of the attempts has failed, so the next one need not wait.
    pub(super) fn failed(&mut self, now: Micros) {
        self.running -= 1;
        self.next = now;
    }
}

/// Removes duplicates and alternates both families, starting with the first address's (RFC 8305, section 4).
fn in_turns(addresses: impl IntoIterator<Item = SocketAddr>) -> VecDeque<SocketAddr> {
    let mut once = Vec::new();
    for address in addresses {
        if !once.contains(&address) {
            once.push(address);
        }
    }
    let is_v6 = once.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = once.into_iter().partition(|address| address.is_ipv6() == is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut turns = VecDeque::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair.iter().all(Option::is_none) || turns.len() >= MOST_ADDRESSES {
            turns.truncate(MOST_ADDRESSES);
            return turns;
        }
        turns.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: [&str; 3] = ["[::1]:1", "[::2]:1", "[::3]:1"];
    const FOUR: [&str; 1] = ["127.0.0.1:1"];

    fn addresses<'a>(texts: impl IntoIterator<Item = &'a &'a str>) -> Vec<SocketAddr> {
        texts.into_iter().map(|text| text.parse().unwrap()).collect()
    }

    /// The addresses connected to and when, in ms, if all of them stay silent.
    fn starts(addresses: Vec<SocketAddr>) -> Vec<(u64, SocketAddr)> {
        let mut race = Race::new(addresses, Micros(0));
        let (mut now, mut starts) = (Micros(0), Vec::new());
        loop {
            match race.poll(now) {
                Step::Connect(address) => starts.push((now.0 / 1_000, address)),
                Step::Wait(Some(next)) => now = next,
                Step::Wait(None) | Step::Lost => return starts,
            }
        }
    }

    #[test]
    fn silent_addresses_are_joined_by_the_next_after_a_quarter_of_a_second_each_family_in_turn() {
        let [a, b, c] = addresses(&SIX)[..] else { unreachable!() };
        let [four] = addresses(&FOUR)[..] else { unreachable!() };
        assert_eq!(starts(vec![a, b, c, four]), [(0, a), (250, four), (500, b), (750, c)]);
        assert_eq!(starts(vec![four, a]), [(0, four), (250, a)]);
    }

    #[test]
    fn an_address_that_refuses_is_followed_by_the_next_at_once() {
        let [a, b, _] = addresses(&SIX)[..] else { unreachable!() };
        let mut race = Race::new([a, b], Micros(0));
        assert_eq!(race.poll(Micros(0)), Step::Connect(a));
        assert_eq!(race.poll(Micros(10)), Step::Wait(Some(Micros(250_000))));
        race.failed(Micros(20));
        assert_eq!(race.poll(Micros(20)), Step::Connect(b));
        assert_eq!(race.poll(Micros(20)), Step::Wait(None));
        race.failed(Micros(30));
        assert_eq!(race.poll(Micros(30)), Step::Lost);
    }

    #[test]
    fn an_attempt_that_fails_late_does_not_end_the_others() {
        let [a, b, _] = addresses(&SIX)[..] else { unreachable!() };
        let mut race = Race::new([a, b], Micros(0));
        assert_eq!(race.poll(Micros(0)), Step::Connect(a));
        assert_eq!(race.poll(Micros(250_000)), Step::Connect(b));
        race.failed(Micros(2_000_000));
        assert_eq!(race.poll(Micros(2_000_000)), Step::Wait(None));
    }

    #[test]
    fn an_address_is_tried_once_and_a_name_of_many_has_a_bounded_number_tried() {
        let [four] = addresses(&FOUR)[..] else { unreachable!() };
        assert_eq!(starts(vec![four, four]), [(0, four)]);
        let many = (0..500).map(|host| SocketAddr::from(([10, 0, host as u8, (host >> 8) as u8], 1)));
        assert_eq!(starts(many.collect()).len(), MOST_ADDRESSES);
        assert_eq!(Race::new([], Micros(0)).poll(Micros(0)), Step::Lost);
    }
}
