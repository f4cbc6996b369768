//! Periodic pings: they show that the peer is alive, and measure the offset of its clock.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Micros;

/// Ping interval: sixteen pings within the silence limit.
const PING_INTERVAL: Duration = Duration::from_millis(250);

/// Interval of the first pings, short so that the clock offset is known before the first frames are scored.
const FIRST_PINGS: u64 = 8;
const FIRST_PING_INTERVAL: Duration = Duration::from_millis(20);

/// Maximum number of pings that await their pong.
const REMEMBERED_PINGS: usize = 32;

/// Sends pings on time and remembers when each was sent.
#[derive(Debug)]
pub struct Heartbeat {
    next: Micros,
    next_id: u64,
    out: VecDeque<(u64, Micros)>,
}

impl Heartbeat {
    /// The first ping is due at `now`.
    pub fn new(now: Micros) -> Self {
        Self { next: now, next_id: 0, out: VecDeque::new() }
    }

    /// When the next ping is due.
    pub fn next(&self) -> Micros {
        self.next
    }

    /// The id of a ping to send now; `None` if none is due.
    pub fn poll(&mut self, now: Micros) -> Option<u64> {
        if now < self.next {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.next = now + if self.next_id < FIRST_PINGS { FIRST_PING_INTERVAL } else { PING_INTERVAL };
        if self.out.len() == REMEMBERED_PINGS {
            self.out.pop_front();
        }
        self.out.push_back((id, now));
        Some(id)
    }

    /// Takes the pong of this id and returns when its ping was sent; `None` if no such ping is outstanding.
    pub fn answered(&mut self, id: u64) -> Option<Micros> {
        let place = self.out.iter().position(|(out, _)| *out == id)?;
        self.out.remove(place).map(|(_, sent)| sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pings_are_quick_and_the_others_four_a_second() {
        let mut heartbeat = Heartbeat::new(Micros(0));
        let mut sent = Vec::new();
        for now in (0..1_000_000).step_by(1_000).map(Micros) {
            sent.extend(heartbeat.poll(now).map(|_| now.0 / 1_000));
        }
        assert_eq!(sent, [0, 20, 40, 60, 80, 100, 120, 140, 390, 640, 890]);
    }

    #[test]
    fn a_pong_finds_its_ping_once() {
        let mut heartbeat = Heartbeat::new(Micros(5));
        let id = heartbeat.poll(Micros(7)).unwrap();
        assert_eq!(heartbeat.answered(id + 1), None);
        assert_eq!(heartbeat.answered(id), Some(Micros(7)));
        assert_eq!(heartbeat.answered(id), None);
    }
}
