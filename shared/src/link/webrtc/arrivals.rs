//! Notices lost and repeated datagrams of the peer, by the sequence numbers of their DTLS records.
//!
//! A record's number is readable, because it stands in front of the encrypted part (RFC 6347, 4.1). The peer numbers
//! its records one by one, so a number that never arrives belongs to a packet that was lost. A number that arrives
//! twice was sent twice, which shows that the peer notices losses.

use std::time::{Duration, Instant};

/// How many numbers are remembered: as many as in DTLS's own window against replays (RFC 6347, 4.1.2.6).
const WINDOW: u64 = 64;

/// How late a datagram may arrive after a later one without counting as lost. Networks reorder packets by a few
/// milliseconds; SCTP itself counts a packet as lost after three later ones (RFC 9260, 7.2.4).
const REORDERING: Duration = Duration::from_millis(20);

/// Content type of a record with application data, and the epoch after the handshake.
const APPLICATION_DATA: u8 = 23;
const EPOCH: [u8; 2] = [0, 1];

/// Notices datagrams that do not arrive, or arrive twice.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// The highest number that arrived.
    highest: Option<u64>,
    /// Bit `n` is clear if the number `highest - n` is missing.
    arrived: u64,
    /// When a number was first skipped. `None` if no number of the window is missing.
    gap_since: Option<Instant>,
    /// Whether a number left the window without having arrived.
    slid_past: bool,
    /// Whether a number arrived twice.
    repeated: bool,
}

impl Arrivals {
    /// Looks at a datagram that arrived at `now`.
    pub(super) fn heard(&mut self, datagram: &[u8], now: Instant) {
        let Some(number) = sequence_number(datagram) else { return };
        match self.highest {
            // Earlier numbers are unknown, so none counts as missing.
            None => (self.highest, self.arrived) = (Some(number), u64::MAX),
            Some(highest) if number > highest => self.advance(number, number - highest, now),
            Some(highest) if highest - number < WINDOW => self.fill(1 << (highest - number)),
            Some(_) => {}
        }
        if self.arrived == u64::MAX {
            self.gap_since = None;
        }
    }

    /// Whether a datagram was lost since the last call: a number was missing for longer than reordering explains.
    pub(super) fn has_lost(&mut self, now: Instant) -> bool {
        let slid_past = std::mem::take(&mut self.slid_past);
        let is_late = self.gap_since.is_some_and(|since| now.saturating_duration_since(since) >= REORDERING);
        if is_late {
            // A loss counts once.
            (self.arrived, self.gap_since) = (u64::MAX, None);
        }
        slid_past || is_late
    }

    /// Whether a datagram arrived twice since the last call.
    pub(super) fn has_repeated(&mut self) -> bool {
        std::mem::take(&mut self.repeated)
    }

    fn fill(&mut self, bit: u64) {
        self.repeated |= self.arrived & bit != 0;
        self.arrived |= bit;
    }

    fn advance(&mut self, number: u64, by: u64, now: Instant) {
        let leaving = if by >= WINDOW { self.arrived } else { self.arrived >> (WINDOW - by) };
        let all = if by >= WINDOW { u64::MAX } else { (1 << by) - 1 };
        self.slid_past |= leaving != all || by > WINDOW;
        self.arrived = if by >= WINDOW { 1 } else { self.arrived << by | 1 };
        self.highest = Some(number);
        if self.arrived != u64::MAX {
            self.gap_since.get_or_insert(now);
        }
    }
}

/// The number of a datagram's first record. `None` unless that record has application data.
fn sequence_number(datagram: &[u8]) -> Option<u64> {
    let (header, _) = datagram.split_first_chunk::<13>()?;
    if header[0] != APPLICATION_DATA || header[3..5] != EPOCH {
        return None;
    }
    let mut number = [0; 8];
    number[2..].copy_from_slice(&header[5..11]);
    Some(u64::from_be_bytes(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: u64) -> Vec<u8> {
        [&[23, 254, 253, 0, 1], &number.to_be_bytes()[2..], &[0, 1, 7]].concat()
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Whether a loss was noticed by 100 ms after the last of these numbers, which arrive 1 ms apart.
    fn is_noticed(numbers: impl IntoIterator<Item = u64>) -> bool {
        let (mut now, mut arrivals) = (Instant::now(), Arrivals::default());
        let mut noticed = false;
        for number in numbers {
            now += ms(1);
            arrivals.heard(&record(number), now);
            noticed |= arrivals.has_lost(now);
        }
        noticed | arrivals.has_lost(now + ms(100))
    }

    #[test]
    fn a_number_that_never_arrives_is_a_loss() {
        assert!(!is_noticed(5..300));
        assert!(is_noticed((5..300).filter(|&number| number != 150)));
        assert!(is_noticed((5..300).filter(|&number| number != 299).chain([300])), "the last but one");
        assert!(is_noticed([0, 1, 2, 500]), "a jump");
        assert!(is_noticed([0, 64]) && is_noticed([0, 65]) && is_noticed([0, 63]));
    }

    #[test]
    fn reordered_and_repeated_datagrams_do_not_count_as_loss() {
        assert!(!is_noticed([0, 2, 1, 3, 5, 6, 7, 4, 8]));
        assert!(!is_noticed([0, 0, 1, 1, 2, 2, 1, 0, 3]));
        assert!(is_noticed([0, 2, 2, 2, 3]), "a copy does not fill another's place");
        assert!(!is_noticed((100..200).chain([3])), "older than the window");
    }

    #[test]
    fn a_copy_is_noticed_once() {
        let (now, mut arrivals) = (Instant::now(), Arrivals::default());
        for number in [0, 1, 3, 2] {
            arrivals.heard(&record(number), now);
        }
        assert!(!arrivals.has_repeated());
        arrivals.heard(&record(3), now);
        assert_eq!([arrivals.has_repeated(), arrivals.has_repeated()], [true, false]);
    }

    #[test]
    fn a_loss_is_noticed_once() {
        let (now, mut arrivals) = (Instant::now(), Arrivals::default());
        arrivals.heard(&record(0), now);
        arrivals.heard(&record(2), now);
        assert!(!arrivals.has_lost(now + ms(19)), "it may still come");
        assert!(arrivals.has_lost(now + ms(20)));
        assert!(!arrivals.has_lost(now + ms(40)));
    }

    #[test]
    fn other_datagrams_are_ignored() {
        let (now, mut arrivals) = (Instant::now(), Arrivals::default());
        for number in [1, 5, 9] {
            let mut handshake = record(number);
            handshake[0] = 22;
            let mut first_epoch = record(number);
            first_epoch[4] = 0;
            for datagram in [&handshake[..], &first_epoch, &record(number)[..12], &[]] {
                arrivals.heard(datagram, now);
            }
        }
        assert_eq!(arrivals.highest, None);
    }

    proptest! {
        #[test]
        fn datagrams_that_arrive_in_time_and_within_the_window_do_not_count_as_loss(
            order in Just((0..200u64).collect::<Vec<_>>()).prop_shuffle(),
            numbers in proptest::collection::vec(any::<u64>(), 0..50),
        ) {
            // Shuffled within blocks of ten.
            let mut numbers_in_order: Vec<u64> = (0..200).collect();
            numbers_in_order.sort_by_key(|&number| (number / 10, order[number as usize]));
            // The first number to arrive sets the start. Lower numbers are ignored.
            prop_assert!(!is_noticed(numbers_in_order));
            // No numbers make it panic.
            is_noticed(numbers.into_iter().map(|number| number & 0xFFFF_FFFF_FFFF));
        }
    }
}
