//! The clock of a link: real time, or a faster clock in live delivery.
//!
//! The `webrtc` crate reads all its time from its runtime. Two timeouts of its SCTP cannot be set. RTO.Min is 1 s: SCTP
//! waits at least that long before it counts a packet as lost, unless a later acknowledgement shows the loss. The
//! delayed acknowledgement is 200 ms: SCTP waits up to that long before it acknowledges a single packet. On a faster
//! clock both become shorter. In return, every duration passed to the crate must be multiplied by the pace.
//!
//! A fast clock also uses up limited retries sooner. ICE sends a thousand requests, DTLS repeats a flight seven times,
//! SCTP repeats a packet five times; then they give up. So the clock shows real time until the peer is first heard.
//! While the link opens it runs somewhat faster, because DTLS waits 1 s for a lost packet. It runs at full pace only on
//! an open link, and only while the peer is heard.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Pace while a link opens: DTLS then repeats a flight after 125 ms and gives up after 1 s. Version 0.21 of the crate
/// answers no repeated flight once it waits for the next one. An attempt that lost such a packet may never open
/// (measured at 20 % loss: 7 of 20), and the sooner it ends, the sooner the next one starts. On a path with a longer
/// round trip flights are repeated needlessly, which does no harm.
const OPENING_PACE: u32 = 8;

/// Silence after which the clock slows down: three frames at 60 per second. By then SCTP has repeated a packet three
/// times.
const QUIET: Duration = Duration::from_millis(60);

/// Pace during silence. SCTP then sends its last two repeats 1 s and 3 s into the silence. It gives up only after a
/// silence longer than the peer's limit ([`SILENCE_LIMIT`](crate::flow::liveness::SILENCE_LIMIT)).
const QUIET_PACE: u32 = 8;

/// How long a past silence is remembered.
const MEMORY: Duration = Duration::from_secs(10);

/// A clock that may run faster than real time.
#[derive(Debug)]
pub(super) struct PacedClock {
    fast: u32,
    is_open: bool,
    heard: Option<Instant>,
    /// When the open link was last heard again after a silence.
    silence_ended: Option<Instant>,
    /// When the pace last changed, in real time and as the clock showed it, and the pace since then.
    since: Instant,
    shown: Instant,
    pace: u32,
}

impl PacedClock {
    /// A clock that shows `now`, and will run `fast` times as fast as real time once the link is open.
    pub(super) fn new(fast: u32, now: Instant) -> Self {
        Self { fast: fast.max(1), is_open: false, heard: None, silence_ended: None, since: now, shown: now, pace: 1 }
    }

    /// Notes that the link is open.
    pub(super) fn opened(&mut self, now: Instant) {
        self.is_open = true;
        self.heard = Some(now);
        self.keep_pace(now);
    }

    /// Notes that something arrived from the peer.
    pub(super) fn heard(&mut self, now: Instant) {
        if self.is_silent(now) {
            self.silence_ended = Some(now);
        }
        self.heard = Some(now);
        self.keep_pace(now);
    }

    /// The clock's reading at `now`, which must not be before the previous call's.
    pub(super) fn at(&mut self, now: Instant) -> Instant {
        self.keep_pace(now);
        self.shown_at(now)
    }

    /// The current pace, in multiples of real time.
    pub(super) fn pace(&mut self, now: Instant) -> u32 {
        self.keep_pace(now);
        self.pace
    }

    /// Whether the open link is silent, or was within the last [`MEMORY`]. Then either packets and acknowledgements are
    /// being lost, or the stream has less than 17 frames per second, for which a few extra packets do no harm.
    pub(super) fn was_silent_lately(&self, now: Instant) -> bool {
        let lately = |ended| now.saturating_duration_since(ended) < MEMORY;
        self.is_silent(now) || self.silence_ended.is_some_and(lately)
    }

    fn is_silent(&self, now: Instant) -> bool {
        self.is_open && self.heard.is_some_and(|heard| now.saturating_duration_since(heard) >= QUIET)
    }

    fn keep_pace(&mut self, now: Instant) {
        let pace = match self.heard.map(|heard| now.saturating_duration_since(heard)) {
            None => 1,
            Some(_) if !self.is_open => self.fast.min(OPENING_PACE),
            Some(silence) if silence < QUIET => self.fast,
            Some(_) => self.fast.min(QUIET_PACE),
        };
        if pace != self.pace {
            (self.shown, self.since, self.pace) = (self.shown_at(now), now, pace);
        }
    }

    fn shown_at(&self, now: Instant) -> Instant {
        self.shown + now.saturating_duration_since(self.since) * self.pace
    }
}

/// The clock of one link, which its runtime and its sockets share.
#[derive(Clone, Debug)]
pub(super) struct SharedClock(Arc<Mutex<PacedClock>>);

impl SharedClock {
    /// Shares a clock.
    pub(super) fn new(clock: PacedClock) -> Self {
        Self(Arc::new(Mutex::new(clock)))
    }

    /// Locks the clock briefly.
    pub(super) fn lock(&self) -> MutexGuard<'_, PacedClock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_silence_of_an_open_link_is_remembered_for_a_while() {
        let start = Instant::now();
        let mut clock = PacedClock::new(64, start);
        clock.heard(start);
        assert!(!clock.was_silent_lately(start + ms(500)), "not yet open");
        clock.opened(start + ms(500));
        clock.heard(start + ms(510));
        clock.heard(start + ms(560));
        let lately = |clock: &PacedClock, at| clock.was_silent_lately(start + ms(at));
        assert_eq!([600, 620, 900].map(|at| lately(&clock, at)), [false, true, true]);
        clock.heard(start + ms(1_000));
        for at in (1_050..20_000).step_by(50) {
            clock.heard(start + ms(at));
        }
        assert_eq!([10_990, 11_010].map(|at| lately(&clock, at)), [true, false]);
    }

    #[test]
    fn a_clock_is_time_until_the_peer_is_heard_and_runs_fast_once_the_link_is_open() {
        let start = Instant::now();
        let mut clock = PacedClock::new(64, start);
        assert_eq!(clock.at(start + ms(10)), start + ms(10));
        clock.heard(start + ms(10));
        assert_eq!(
            clock.at(start + ms(110)),
            start + ms(10 + 100 * 8),
            "also in silence, which ends with DTLS's repeats"
        );
        clock.opened(start + ms(110));
        assert_eq!(clock.at(start + ms(120)), start + ms(810 + 10 * 64));
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
