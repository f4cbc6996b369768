//! Measures round trips of the path, by ICE's connectivity checks as they pass the socket.
//!
//! A check is a STUN binding request. Its response repeats the transaction id (RFC 8489, 5). Both are readable,
//! whatever program the peer is. ICE sends a check every 10 ms while the link opens, so several round trips are known
//! once it is open.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Maximum number of requests whose response is awaited: at one request per 10 ms, those of the last 640 ms. On a path
/// with a longer round trip, the round trip is unknown until ICE's keepalives, which are seconds apart.
const AWAITED: usize = 64;

/// Bytes 4 to 7 of each STUN message.
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];

const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_RESPONSE: [u8; 2] = [0x01, 0x01];

type TransactionId = [u8; 12];

/// Measures the shortest round trip.
#[derive(Debug, Default)]
pub(super) struct RoundTrips {
    awaited: VecDeque<(TransactionId, Instant)>,
    shortest: Option<Duration>,
}

impl RoundTrips {
    /// Looks at a datagram that is sent at `now`.
    pub(super) fn sends(&mut self, datagram: &[u8], now: Instant) {
        let Some(id) = transaction(datagram, BINDING_REQUEST) else { return };
        if self.awaited.len() == AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back((id, now));
    }

    /// Looks at a datagram that arrived at `now`. Returns the round trip if it is shorter than all before.
    pub(super) fn heard(&mut self, datagram: &[u8], now: Instant) -> Option<Duration> {
        let id = transaction(datagram, BINDING_RESPONSE)?;
        let found = self.awaited.iter().position(|(awaited, _)| *awaited == id)?;
        let (_, sent) = self.awaited.remove(found)?;
        let round_trip = now.saturating_duration_since(sent);
        if self.shortest.is_some_and(|shortest| round_trip >= shortest) {
            return None;
        }
        self.shortest = Some(round_trip);
        self.shortest
    }
}

/// The transaction id of a STUN message of this type.
fn transaction(datagram: &[u8], kind: [u8; 2]) -> Option<TransactionId> {
    let (header, _) = datagram.split_first_chunk::<20>()?;
    let is_such = header[..2] == kind && header[4..8] == MAGIC_COOKIE;
    header.last_chunk().copied().filter(|_| is_such)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: [u8; 2], id: u8) -> Vec<u8> {
        [&kind[..], &[0, 0], &MAGIC_COOKIE, &[id; 12], b"attributes"].concat()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_shortest_round_trip_counts() {
        let (start, mut trips) = (Instant::now(), RoundTrips::default());
        for id in 0..3 {
            trips.sends(&message(BINDING_REQUEST, id), start + ms(10) * u32::from(id));
        }
        let mut heard = |id, at| trips.heard(&message(BINDING_RESPONSE, id), start + ms(at));
        assert_eq!(heard(1, 50), Some(ms(40)));
        assert_eq!(heard(0, 51), None, "51 ms is longer");
        assert_eq!(heard(2, 52), Some(ms(32)));
        assert_eq!(heard(2, 53), None, "a copy");
        assert_eq!(heard(9, 54), None, "never asked");
    }

    #[test]
    fn other_datagrams_and_short_ones_are_ignored() {
        let (now, mut trips) = (Instant::now(), RoundTrips::default());
        for length in 0..message(BINDING_REQUEST, 1).len() {
            trips.sends(&message(BINDING_REQUEST, 1)[..length.min(19)], now);
            assert_eq!(trips.heard(&message(BINDING_RESPONSE, 1)[..length], now), None);
        }
        trips.sends(&message([0x00, 0x11], 2), now);
        trips.sends(&[23; 100], now);
        assert!(trips.awaited.is_empty());
    }

    #[test]
    fn unanswered_requests_are_forgotten() {
        let (now, mut trips) = (Instant::now(), RoundTrips::default());
        for id in 0..=255 {
            trips.sends(&message(BINDING_REQUEST, id), now);
        }
        assert_eq!(trips.awaited.len(), AWAITED);
    }
}
