//! Decides which datagrams pass through a socket.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::flow::budget::Budget;

use super::super::plain::MAX_CANDIDATES;
use super::checks::CheckedMachines;
use super::records::{Datagram, changes_keys, is_encrypted, kind};

/// Maximum number of addresses that are the peer's: each of its candidates, and the address of each behind a NAT. ICE
/// checks each of them every 10 ms while a link opens, so once there are as many, checks from other addresses are not
/// accepted.
const MOST_KNOWN: usize = 2 * MAX_CANDIDATES;

/// Maximum number of STUN messages at once from unknown addresses. After that, one per millisecond is accepted. Sixteen
/// candidates that each send a check every 10 ms stay below this rate after the first burst.
const STUN_AT_ONCE: u32 = 1_000;
const EACH: Duration = Duration::from_millis(1);

/// Maximum number of encrypted datagrams accepted before the keys are ready. The crate keeps them until then.
const MOST_EARLY: usize = 256;

/// Decides about the datagrams of one socket.
#[derive(Debug)]
pub(in super::super) struct Gate {
    /// The peer's address on the signaling connection. Checks to this machine are not counted.
    signaling: Option<IpAddr>,
    /// Addresses that have proved the ICE password: they sent a check that we answered, or answered one of ours.
    known: Vec<(IpAddr, u16)>,
    checked: CheckedMachines,
    strangers: Budget,
    early: usize,
    is_secured: bool,
}

impl Gate {
    /// A gate for a peer whose signaling connection comes from this address.
    pub(in super::super) fn new(signaling: Option<IpAddr>) -> Self {
        Self {
            signaling: signaling.map(|address| address.to_canonical()),
            known: Vec::new(),
            checked: CheckedMachines::default(),
            strangers: Budget::new(STUN_AT_ONCE, EACH),
            early: 0,
            is_secured: false,
        }
    }

    /// Whether we may send a datagram to this address.
    pub(in super::super) fn lets_out(&mut self, to: SocketAddr, datagram: &[u8], now: Instant) -> bool {
        match kind(datagram) {
            Datagram::Check { nominates: false } => self.may_check(to, now),
            Datagram::Check { nominates: true } | Datagram::Success | Datagram::Dtls => {
                self.knows(to);
                true
            }
            Datagram::OtherStun | Datagram::Other => true,
        }
    }

    /// Whether a datagram from this address is accepted.
    pub(in super::super) fn lets_in(&mut self, from: SocketAddr, datagram: &[u8], now: Instant) -> bool {
        let is_known = self.is_known(from);
        match kind(datagram) {
            Datagram::Dtls => is_known && !changes_keys(datagram) && (self.is_secured || self.is_timely(datagram)),
            Datagram::Check { .. } | Datagram::Success | Datagram::OtherStun => {
                is_known || self.known.len() < MOST_KNOWN && self.strangers.take(now)
            }
            Datagram::Other => false,
        }
    }

    /// Notes that the keys are ready.
    pub(in super::super) fn secured(&mut self) {
        self.is_secured = true;
    }

    fn may_check(&mut self, to: SocketAddr, now: Instant) -> bool {
        let machine = to.ip().to_canonical();
        self.signaling == Some(machine) || self.is_known(to) || self.checked.may_check(machine, now)
    }

    fn knows(&mut self, address: SocketAddr) {
        if !self.is_known(address) && self.known.len() < MOST_KNOWN {
            self.known.push((address.ip(), address.port()));
        }
    }

    /// The address without IPv6's scope, which candidates do not have.
    fn is_known(&self, address: SocketAddr) -> bool {
        self.known.contains(&(address.ip(), address.port()))
    }

    fn is_timely(&mut self, datagram: &[u8]) -> bool {
        let is_early = is_encrypted(datagram);
        self.early += usize::from(is_early);
        !is_early || self.early <= MOST_EARLY
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::samples::{record, stun};
    use super::*;

    const CHECK: [u8; 2] = [0, 1];
    const SUCCESS: [u8; 2] = [1, 1];

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[test]
    fn only_the_address_that_proved_the_password_is_accepted() {
        let (mut gate, now) = (Gate::new(None), later());
        let (peer, third) = (address("127.0.0.1:5000"), address("127.0.0.1:5001"));
        let data = record(23, 1, b"data");
        assert!(!gate.lets_in(peer, &data, now), "not yet");
        assert!(gate.lets_in(peer, &stun(CHECK, false), now), "whoever checks is answered by the crate, or not");
        assert!(gate.lets_out(peer, &stun(SUCCESS, false), now));
        assert!(gate.lets_in(peer, &data, now));
        assert!(!gate.lets_in(third, &data, now));
        assert!(!gate.lets_in(third, &record(21, 0, &[2, 0]), now), "a forged alert");
        assert!(!gate.lets_in(peer, &record(20, 1, &[1]), now), "a forged change of keys");
        assert!(!gate.lets_in(peer, &[0x80; 40], now), "media");
    }

    #[test]
    fn a_peer_that_we_nominate_or_call_is_accepted() {
        let now = later();
        for ours in [stun(CHECK, true), record(22, 0, &[1])] {
            let (mut gate, peer) = (Gate::new(None), address("10.0.0.1:5000"));
            assert!(gate.lets_out(peer, &ours, now) && gate.lets_in(peer, &record(22, 0, &[1]), now));
        }
        let (mut gate, peer) = (Gate::new(None), address("10.0.0.1:5000"));
        assert!(gate.lets_out(peer, &stun(CHECK, false), now));
        assert!(!gate.lets_in(peer, &record(22, 0, &[1]), now), "a check alone makes nobody known");
    }

    #[test]
    fn a_flood_of_stun_from_others_is_bounded_and_the_peers_is_heard() {
        let (mut gate, now, peer) = (Gate::new(None), later(), address("127.0.0.1:5000"));
        gate.lets_out(peer, &stun(SUCCESS, false), now);
        let flood = (0..10_000).filter(|_| gate.lets_in(address("127.0.0.1:9"), &stun(CHECK, false), now)).count();
        assert_eq!(flood, STUN_AT_ONCE as usize);
        assert!(gate.lets_in(peer, &stun(CHECK, false), now));
    }

    #[test]
    fn a_peer_has_no_more_addresses_than_its_candidates_can_have() {
        let (mut gate, now) = (Gate::new(None), later());
        let from = |port: u16| SocketAddr::new([192, 0, 2, 1].into(), port);
        let accepted = (1..=900).filter(|port| {
            let is_in = gate.lets_in(from(*port), &stun(CHECK, false), now);
            // The crate answers a check that has the right password.
            is_in && gate.lets_out(from(*port), &stun(SUCCESS, false), now)
        });
        assert_eq!(accepted.count(), MOST_KNOWN);
        assert!(gate.lets_in(from(1), &stun(CHECK, false), now), "a known address");
        assert!(!gate.lets_in(from(1_000), &stun(SUCCESS, false), now));
    }

    #[test]
    fn checks_are_counted_unless_they_go_where_the_signaling_came_from_or_were_answered() {
        let signaling = "192.0.2.10".parse().unwrap();
        let (mut gate, now) = (Gate::new(Some(signaling)), later());
        let sent =
            |gate: &mut Gate, to: SocketAddr| (0..100).filter(|_| gate.lets_out(to, &stun(CHECK, false), now)).count();
        assert_eq!(sent(&mut gate, SocketAddr::new(signaling, 7)), 100);
        let third = address("192.0.2.11:7");
        assert_eq!([sent(&mut gate, third), sent(&mut gate, address("192.0.2.11:8"))], [1, 0]);
        gate.lets_out(third, &stun(SUCCESS, false), now);
        assert_eq!(sent(&mut gate, third), 100);
        assert_eq!(sent(&mut Gate::new(Some("::ffff:192.0.2.12".parse().unwrap())), address("192.0.2.12:7")), 100);
    }

    #[test]
    fn before_the_keys_are_there_few_encrypted_records_are_kept() {
        let (mut gate, now, peer) = (Gate::new(None), later(), address("127.0.0.1:5000"));
        gate.lets_out(peer, &stun(SUCCESS, false), now);
        let data = record(23, 1, b"data");
        assert_eq!((0..1000).filter(|_| gate.lets_in(peer, &data, now)).count(), MOST_EARLY);
        assert!(gate.lets_in(peer, &record(22, 0, &[1]), now), "the handshake goes on");
        gate.secured();
        assert!(gate.lets_in(peer, &data, now));
    }
}
