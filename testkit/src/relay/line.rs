//! One direction of a relay: datagrams go in as they come, and out when they are due.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::time::Instant;

use super::impairments::{Impairments, Transit};

/// Counts of what happened to the datagrams of a direction.
///
/// Conservation holds always: taken + duplicated = dropped + delivered + waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams that came in.
    pub taken: u64,
    /// Datagrams that never go out.
    pub dropped: u64,
    /// Datagrams that go out a second time.
    pub duplicated: u64,
    /// Datagrams that were held back so that others overtake them.
    pub held: u64,
    /// Datagrams that went out.
    pub delivered: u64,
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, one| Self {
            taken: sum.taken + one.taken,
            dropped: sum.dropped + one.dropped,
            duplicated: sum.duplicated + one.duplicated,
            held: sum.held + one.held,
            delivered: sum.delivered + one.delivered,
        })
    }
}

/// Datagrams in flight in one direction.
#[derive(Debug)]
pub struct Line {
    seed: u64,
    impairments: Impairments,
    /// Datagrams by due time. Those due at the same time are in the order in which they came.
    waiting: BTreeMap<(Instant, u64), Vec<u8>>,
    /// Due time of the last datagram that was not held back. No later datagram is due before it.
    latest: Option<Instant>,
    /// When the line will have transmitted everything that has come in, if it has a limited data rate.
    free: Option<Instant>,
    places: u64,
    counts: Counts,
}

impl Line {
    /// An empty line with these impairments.
    pub fn new(seed: u64, impairments: Impairments) -> Self {
        Self {
            seed,
            impairments,
            waiting: BTreeMap::new(),
            latest: None,
            free: None,
            places: 0,
            counts: Counts::default(),
        }
    }

    /// Changes the impairments for later datagrams. Those in flight keep their due times.
    pub fn change(&mut self, impairments: Impairments) {
        self.impairments = impairments;
    }

    /// Takes a datagram that came in.
    pub fn take(&mut self, datagram: &[u8], now: Instant) {
        let transit = self.impairments.transit(self.seed, self.counts.taken);
        self.counts.taken += 1;
        let Some(through) = self.through(datagram.len(), now) else {
            self.counts.dropped += 1;
            return;
        };
        match transit {
            Transit::Dropped => self.counts.dropped += 1,
            Transit::Delivered { after, held, twice } => {
                let due = through + after;
                let due = if held { due } else { self.in_order(due) };
                self.counts.held += u64::from(held);
                self.enqueue(datagram, due);
                if twice {
                    self.counts.duplicated += 1;
                    self.enqueue(datagram, due);
                }
            }
        }
    }

    /// Removes and returns the next datagram, if it is due.
    pub fn deliver(&mut self, now: Instant) -> Option<Vec<u8>> {
        let first = self.waiting.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        self.counts.delivered += 1;
        Some(first.remove())
    }

    /// Due time of the next datagram.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// Counts so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Number of datagrams in flight.
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// When this many bytes will be through, after those before them; `None` if the queue is full.
    fn through(&mut self, bytes: usize, now: Instant) -> Option<Instant> {
        let Some(rate) = self.impairments.rate else { return Some(now) };
        let begin = self.free.map_or(now, |free| free.max(now));
        if begin - now > rate.time(rate.queue_bytes) {
            return None;
        }
        self.free = Some(begin + rate.time(bytes));
        self.free
    }

    /// The due time, but no earlier than that of the datagram before: jitter does not reorder.
    fn in_order(&mut self, due: Instant) -> Instant {
        let due = self.latest.map_or(due, |latest| latest.max(due));
        self.latest = Some(due);
        due
    }

    fn enqueue(&mut self, datagram: &[u8], due: Instant) {
        self.waiting.insert((due, self.places), datagram.to_vec());
        self.places += 1;
    }
}
