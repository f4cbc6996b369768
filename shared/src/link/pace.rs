//! The clock of a link: time as it is, or, once a live link is open, faster.
//!
//! The WebRTC crate takes all its time from its runtime. Its SCTP waits at least 1 s before it takes a packet for lost that
//! nothing shows to be (RTO.Min), and up to 200 ms before it acknowledges a single packet; neither can be set. On a clock
//! that runs faster these become shorter, and all that is told to the crate in durations must be made longer.
//!
//! But a fast clock also wears out what is counted: DTLS repeats a flight seven times, SCTP a packet five times, then
//! both give up. So the clock runs fast only on a link that is open, and only while something is heard from the peer.

use std::time::{Duration, Instant};

/// Silence after which the clock runs slower: three frames at 60 a second. SCTP has then repeated a packet twice.
const QUIET: Duration = Duration::from_millis(60);

/// The pace while nothing is heard: the three repeats left then fall 0.4, 1.4 and 3.4 s into the silence, and SCTP gives up
/// after it has lasted longer than a peer is waited for ([`SILENCE_LIMIT`](crate::flow::liveness::SILENCE_LIMIT)).
const QUIET_PACE: u32 = 8;

/// A clock that may run faster than time.
#[derive(Debug)]
pub struct PacedClock {
    fast: u32,
    is_open: bool,
    heard: Instant,
    /// When the pace was last changed, in time and as the clock showed it, and the pace since.
    since: Instant,
    shown: Instant,
    pace: u32,
}

impl PacedClock {
    /// A clock that shows `now`, and will run so many times as fast as time once the link is open.
    pub fn new(fast: u32, now: Instant) -> Self {
        Self { fast: fast.max(1), is_open: false, heard: now, since: now, shown: now, pace: 1 }
    }

    /// The link is open.
    pub fn opened(&mut self, now: Instant) {
        self.is_open = true;
        self.heard(now);
    }

    /// Something came from the peer.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.keep_pace(now);
    }

    /// What the clock shows at a moment not before the last one asked for.
    pub fn at(&mut self, now: Instant) -> Instant {
        self.keep_pace(now);
        self.shown_at(now)
    }

    /// How many times as fast as time it runs.
    pub fn pace(&mut self, now: Instant) -> u32 {
        self.keep_pace(now);
        self.pace
    }

    fn keep_pace(&mut self, now: Instant) {
        let pace = match now.saturating_duration_since(self.heard) {
            _ if !self.is_open => 1,
            silence if silence < QUIET => self.fast,
            _ => self.fast.min(QUIET_PACE),
        };
        if pace != self.pace {
            (self.shown, self.since, self.pace) = (self.shown_at(now), now, pace);
        }
    }

    fn shown_at(&self, now: Instant) -> Instant {
        self.shown + now.saturating_duration_since(self.since) * self.pace
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_clock_runs_as_time_does_until_the_link_is_open() {
        let start = Instant::now();
        let mut clock = PacedClock::new(64, start);
        clock.heard(start + ms(3));
        assert_eq!(clock.at(start + ms(10)), start + ms(10));
        clock.opened(start + ms(20));
        assert_eq!(clock.at(start + ms(30)), start + ms(20 + 10 * 64));
    }

    #[test]
    fn a_clock_slows_down_while_nothing_is_heard() {
        let start = Instant::now();
        let mut clock = PacedClock::new(64, start);
        clock.opened(start);
        assert_eq!(clock.pace(start + ms(59)), 64);
        let quiet = clock.at(start + ms(60));
        assert_eq!(clock.pace(start + ms(60)), 8);
        assert_eq!(clock.at(start + ms(160)), quiet + ms(800));
        clock.heard(start + ms(160));
        assert_eq!(clock.at(start + ms(161)), quiet + ms(864));
    }

    #[test]
    fn a_reliable_links_clock_is_time() {
        let start = Instant::now();
        let mut clock = PacedClock::new(1, start);
        clock.opened(start);
        for after in [1, 50, 5_000] {
            assert_eq!(clock.at(start + ms(after)), start + ms(after));
        }
    }

    #[test]
    fn a_clock_never_runs_backwards() {
        let start = Instant::now();
        let mut clock = PacedClock::new(64, start);
        let mut before = clock.at(start);
        for step in 0..1_000u64 {
            let now = start + Duration::from_micros(step * 700);
            match step % 97 {
                13 => clock.opened(now),
                0..3 => clock.heard(now),
                _ => {}
            }
            let shown = clock.at(now);
            assert!(shown >= before);
            before = shown;
        }
    }
}
