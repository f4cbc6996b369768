//! One direction of a relay: datagrams go in as they come, and out when their time has come.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::time::Instant;

use super::weather::{Fate, Weather};

/// What happened to the datagrams of a direction. Conservation, always:
/// taken + duplicated = dropped + delivered + those still waiting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Came in.
    pub taken: u64,
    /// Never go out.
    pub dropped: u64,
    /// Go out a second time.
    pub duplicated: u64,
    /// Were held back, for others to overtake.
    pub held: u64,
    /// Went out.
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

/// Datagrams on their way in one direction.
#[derive(Debug)]
pub struct Line {
    seed: u64,
    weather: Weather,
    /// By when they are due; those due at once, in the order they came.
    waiting: BTreeMap<(Instant, u64), Vec<u8>>,
    /// When the last one that was not held back is due: no later one goes before it.
    latest: Option<Instant>,
    /// When the line is done with what has come so far, where it takes its time.
    free: Option<Instant>,
    places: u64,
    counts: Counts,
}

impl Line {
    /// A line in this weather.
    pub fn new(seed: u64, weather: Weather) -> Self {
        Self { seed, weather, waiting: BTreeMap::new(), latest: None, free: None, places: 0, counts: Counts::default() }
    }

    /// From now on the weather is another; what is on its way stays as it is.
    pub fn change(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// A datagram came in.
    pub fn take(&mut self, datagram: &[u8], now: Instant) {
        let fate = self.weather.fate(self.seed, self.counts.taken);
        self.counts.taken += 1;
        let Some(through) = self.through(datagram.len(), now) else {
            self.counts.dropped += 1;
            return;
        };
        match fate {
            Fate::Dropped => self.counts.dropped += 1,
            Fate::Delivered { after, held, twice } => {
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

    /// The next datagram that is due.
    pub fn deliver(&mut self, now: Instant) -> Option<Vec<u8>> {
        let first = self.waiting.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        self.counts.delivered += 1;
        Some(first.remove())
    }

    /// When the next one is due.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How many are on their way.
    pub fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// When so many bytes are through, behind what came before them; `None` where there is no room to wait.
    fn through(&mut self, bytes: usize, now: Instant) -> Option<Instant> {
        let Some(rate) = self.weather.rate else { return Some(now) };
        let begin = self.free.map_or(now, |free| free.max(now));
        if begin - now > rate.time(rate.queue_bytes) {
            return None;
        }
        self.free = Some(begin + rate.time(bytes));
        self.free
    }

    /// No earlier than the one before: jitter overtakes nobody.
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
