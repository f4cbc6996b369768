//! The schedule of events.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use bytes::Bytes;
use shared::link::Lane;
use shared::time::Micros;

/// An event at a point in time.
pub enum Event {
    /// A message arrives at the server.
    ToServer(Lane, Bytes),
    /// A message arrives at the client.
    ToClient(Lane, Bytes),
    /// The pipeline has answered a frame, which was received and started at these times of the client's clock.
    Detected(u64, Micros, Micros),
    /// The link has taken a frame, or dropped it.
    LinkReady(u64),
    /// The server is told to stop.
    StopServer,
    /// The client is told to stop.
    StopClient,
    /// The client is given this many commands `n`.
    Next(u64),
    /// The client is given the command `x`.
    QuitBoth,
    /// The link breaks.
    CutLink,
}

/// Events in the future. Events at the same time happen in the order in which they were added.
#[derive(Default)]
pub(super) struct Schedule {
    added: u64,
    times: BinaryHeap<Reverse<(u64, u64)>>,
    events: BTreeMap<u64, Event>,
}

impl Schedule {
    /// Adds an event.
    pub(super) fn at(&mut self, time: u64, event: Event) {
        self.added += 1;
        self.times.push(Reverse((time, self.added)));
        self.events.insert(self.added, event);
    }

    /// Time of the next event.
    pub(super) fn next_time(&self) -> Option<u64> {
        self.times.peek().map(|Reverse((time, _))| *time)
    }

    /// Takes the next event.
    pub(super) fn take(&mut self) -> Option<Event> {
        let Reverse((_, place)) = self.times.pop()?;
        self.events.remove(&place)
    }
}
