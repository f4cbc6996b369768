//! The clock of a link: real time, or a faster clock.
//!
//! The `webrtc` crate reads all its time from its runtime. Three waits of its SCTP cannot be set. RTO.Min is 1 s: SCTP
//! waits at least that long before it counts a packet as lost, unless a later acknowledgement shows the loss. It
//! doubles that timeout with each repeat until it has measured a new round trip. And it waits up to 200 ms before it
//! acknowledges a single packet. On a faster clock all three become shorter. In return, every duration passed to the
//! crate must be multiplied by the pace.
//!
//! A fast clock also uses up limited retries sooner. ICE gives up after a thousand requests, DTLS after repeating a
//! flight seven times, SCTP after repeating a packet five times. So the clock shows real time until the peer is first
//! heard, and slows down in a long silence. A [`Profile`] holds the pace of each state.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Pace while a live link opens: DTLS then repeats a flight after 125 ms and gives up after 1 s. Version 0.21 of the
/// crate answers no repeated flight once it waits for the next one. An attempt that lost such a packet may never open
/// (measured at 20 % loss: 7 of 20), and the sooner it ends, the sooner the next one starts. On a path with a longer
/// round trip flights are repeated needlessly, which does no harm.
const OPENING_PACE: u32 = 8;

/// Silence of a live link that counts as a sign of loss: three frames at 60 per second.
const SILENCE: Duration = Duration::from_millis(60);

/// Silence of a reliable link that counts as a sign of loss. A machine that is short of CPU is silent too, and repeated
/// packets make it slower still. With 64 clients on two cores, the 99th percentile of the round trip was up to 200 ms
/// in half of the sessions, and 300 ms in the slowest session.
const LONG_SILENCE: Duration = Duration::from_millis(400);

/// Pace during a long silence. SCTP gives up after five repeats, and the last of them has to fall later than the
/// peer's limit ([`SILENCE_LIMIT`](crate::flow::liveness::SILENCE_LIMIT)). A packet that a live link loses 60 ms into
/// this pace is repeated 1 s and 3 s into the silence. SCTP gives it up after 7 s.
const LONG_SILENCE_PACE: u32 = 8;

/// How long a sign of loss is remembered.
const MEMORY: Duration = Duration::from_secs(10);

/// SCTP's RTO.Min in the crate (RFC 9260, 16).
const RTO_MIN: Duration = Duration::from_secs(1);

/// What a busy machine may add to a round trip before a packet counts as lost. With 64 clients on two cores, 99.9 % of
/// the frames were answered within 135 ms, in several packets.
const DELAY_ALLOWANCE: Duration = Duration::from_millis(60);

/// Paces of a link's clock in its states, in multiples of real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    /// From the first datagram until the link is open.
    opening: u32,
    /// On the open link.
    steady: u32,
    /// While packets are being lost.
    lossy: u32,
    /// While nothing has arrived for as long as `silence`.
    silent: u32,
    /// Silence that counts as a sign of loss.
    silence: Duration,
    /// Whether SCTP repeats packets. If it does, its RTO.Min must stay longer than the path's round trip, and missing
    /// datagrams are the better sign of loss. A live link sends each packet once.
    repeats: bool,
}

impl Profile {
    /// A live link: SCTP has to notice each loss within a frame interval.
    pub(super) fn live(pace: u32) -> Self {
        let [opening, silent] = [OPENING_PACE, LONG_SILENCE_PACE].map(|most| most.min(pace));
        Self { opening, steady: pace, lossy: pace, silent, silence: SILENCE, repeats: false }
    }

    /// A reliable link: the clock shows real time unless packets are being lost. Then it runs up to `most` times as
    /// fast, as far as the path's round trip allows ([`PacedClock::measured`]).
    ///
    /// In real time a lost repeat costs seconds. Measured so, with 640x480 raw: at 5 % loss, nine frames arrived in
    /// 10 s, and one session of four ended because nothing arrived for 4 s. At 20 % loss, all four ended.
    pub(super) fn reliable(most: u32) -> Self {
        let silent = LONG_SILENCE_PACE.min(most);
        Self { opening: 1, steady: 1, lossy: most, silent, silence: LONG_SILENCE, repeats: true }
    }

    /// The fastest pace of all states.
    pub(super) fn fastest(self) -> u32 {
        self.opening.max(self.steady).max(self.lossy).max(self.silent)
    }
}

/// A clock that may run faster than real time.
#[derive(Debug)]
pub(super) struct PacedClock {
    profile: Profile,
    /// The fastest pace at which SCTP's RTO.Min still exceeds the path's round trip.
    limit: u32,
    is_open: bool,
    heard: Option<Instant>,
    /// When the open link last showed a sign of loss: a missing datagram on a reliable link, the end of a silence on a
    /// live link.
    lost: Option<Instant>,
    /// When the peer last showed that it notices losses. Only on an open reliable link.
    peer_lost: Option<Instant>,
    /// When the pace last changed, in real time and as the clock showed it, and the pace since then.
    since: Instant,
    shown: Instant,
    pace: u32,
}

impl PacedClock {
    /// A clock that shows `now`.
    pub(super) fn new(profile: Profile, now: Instant) -> Self {
        // Until the round trip is measured, it may be long.
        let limit = if profile.repeats { 1 } else { u32::MAX };
        Self {
            profile,
            limit,
            is_open: false,
            heard: None,
            lost: None,
            peer_lost: None,
            since: now,
            shown: now,
            pace: 1,
        }
    }

    /// Notes that the link is open.
    pub(super) fn opened(&mut self, now: Instant) {
        self.is_open = true;
        self.heard = Some(now);
        self.keep_pace(now);
    }

    /// Notes that something arrived from the peer.
    pub(super) fn heard(&mut self, now: Instant) {
        if !self.profile.repeats && self.is_silent(now) {
            self.lost = Some(now);
        }
        self.heard = Some(now);
        self.keep_pace(now);
    }

    /// Notes that a datagram of the peer did not arrive.
    pub(super) fn lost(&mut self, now: Instant) {
        if self.profile.repeats && self.is_open {
            self.lost = Some(now);
        }
    }

    /// Notes that the peer sends datagrams twice, because it notices losses. This clock then runs fast too. If only the
    /// peer's clock did, acknowledgements would take longer than the peer waits for them.
    pub(super) fn peer_lost(&mut self, now: Instant) {
        if self.profile.repeats && self.is_open {
            self.peer_lost = Some(now);
        }
    }

    /// Notes the shortest round trip measured on the path. A reliable link's clock never runs so fast that SCTP's
    /// RTO.Min becomes shorter than four round trips plus [`DELAY_ALLOWANCE`].
    pub(super) fn measured(&mut self, round_trip: Duration) {
        if self.profile.repeats {
            let rto = round_trip * 4 + DELAY_ALLOWANCE;
            self.limit = (RTO_MIN.as_micros() / rto.as_micros()).clamp(1, u128::from(u32::MAX)) as u32;
        }
    }

    /// The clock's reading at `now`. `now` must not be before that of the previous call.
    pub(super) fn at(&mut self, now: Instant) -> Instant {
        self.keep_pace(now);
        self.shown_at(now)
    }

    /// The current pace, in multiples of real time.
    pub(super) fn pace(&mut self, now: Instant) -> u32 {
        self.keep_pace(now);
        self.pace
    }

    /// Whether packets or acknowledgements are probably being lost: the open link is silent, or showed a sign of loss
    /// within [`MEMORY`]. This is always true on a slow live stream (under 17 frames per second), where a few extra
    /// packets do no harm.
    pub(super) fn is_losing(&self, now: Instant) -> bool {
        self.is_silent(now) || is_lately(self.lost, now)
    }

    fn is_silent(&self, now: Instant) -> bool {
        self.is_open && self.heard.is_some_and(|heard| now.saturating_duration_since(heard) >= self.profile.silence)
    }

    fn keep_pace(&mut self, now: Instant) {
        let Profile { opening, steady, lossy, silent, .. } = self.profile;
        let pace = match (self.heard, self.is_open) {
            (None, _) => 1,
            (_, false) => opening,
            _ if self.is_silent(now) => silent,
            _ if is_lately(self.lost.max(self.peer_lost), now) => lossy,
            _ => steady,
        };
        let pace = pace.min(self.limit);
        if pace != self.pace {
            (self.shown, self.since, self.pace) = (self.shown_at(now), now, pace);
        }
    }

    fn shown_at(&self, now: Instant) -> Instant {
        self.shown + now.saturating_duration_since(self.since) * self.pace
    }
}

fn is_lately(sign: Option<Instant>, now: Instant) -> bool {
    sign.is_some_and(|at| now.saturating_duration_since(at) < MEMORY)
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
        let mut clock = PacedClock::new(Profile::live(64), start);
        clock.heard(start);
        assert!(!clock.is_losing(start + ms(500)), "not yet open");
        clock.opened(start + ms(500));
        clock.heard(start + ms(510));
        clock.heard(start + ms(560));
        let lately = |clock: &PacedClock, at| clock.is_losing(start + ms(at));
        assert_eq!([600, 620, 900].map(|at| lately(&clock, at)), [false, true, true]);
        clock.heard(start + ms(1_000));
        for at in (1_050..20_000).step_by(50) {
            clock.heard(start + ms(at));
        }
        assert_eq!([10_990, 11_010].map(|at| lately(&clock, at)), [true, false]);
    }

    #[test]
    fn a_clock_shows_real_time_until_the_peer_is_heard_and_runs_fast_once_the_link_is_open() {
        let start = Instant::now();
        let mut clock = PacedClock::new(Profile::live(64), start);
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
        let mut clock = PacedClock::new(Profile::live(64), start);
        clock.opened(start);
        assert_eq!(clock.pace(start + ms(59)), 64);
        let quiet = clock.at(start + ms(60));
        assert_eq!(clock.pace(start + ms(60)), 8);
        assert_eq!(clock.at(start + ms(160)), quiet + ms(800));
        clock.heard(start + ms(160));
        assert_eq!(clock.at(start + ms(161)), quiet + ms(864));
    }

    #[test]
    fn a_reliable_links_clock_shows_real_time_unless_packets_are_being_lost() {
        let start = Instant::now();
        let mut clock = PacedClock::new(Profile::reliable(16), start);
        clock.measured(ms(1) / 5);
        clock.heard(start);
        clock.lost(start);
        assert_eq!(clock.pace(start + ms(500)), 1, "while it opens");
        clock.opened(start + ms(1_000));
        for at in (1_000..3_000).step_by(399) {
            clock.heard(start + ms(at));
            assert_eq!(clock.at(start + ms(at)), start + ms(at));
        }
        clock.heard(start + ms(3_000));
        assert_eq!([3_399, 3_400].map(|at| clock.pace(start + ms(at))), [1, 8]);
        clock.heard(start + ms(3_500));
        assert_eq!(clock.pace(start + ms(3_501)), 1, "a silence alone is not remembered");
        clock.lost(start + ms(3_600));
        assert_eq!([3_601, 3_899, 3_900].map(|at| clock.pace(start + ms(at))), [16, 16, 8]);
        for at in (3_950..13_600).step_by(50) {
            clock.heard(start + ms(at));
        }
        assert_eq!([13_599, 13_600].map(|at| clock.pace(start + ms(at))), [16, 1], "the loss is forgotten");
    }

    #[test]
    fn a_reliable_link_follows_a_peer_that_notices_losses_but_sends_nothing_twice() {
        let start = Instant::now();
        let mut clock = PacedClock::new(Profile::reliable(16), start);
        clock.measured(ms(1) / 5);
        clock.opened(start);
        clock.peer_lost(start);
        // If both ends answered repeats with repeats, neither would ever stop.
        assert_eq!((clock.pace(start + ms(1)), clock.is_losing(start + ms(1))), (16, false));
        clock.lost(start + ms(2));
        assert!(clock.is_losing(start + ms(3)));
    }

    #[test]
    fn a_reliable_links_retransmission_timeout_exceeds_the_round_trip() {
        let start = Instant::now();
        let pace = |round_trip: Option<u64>| {
            let mut clock = PacedClock::new(Profile::reliable(16), start);
            clock.opened(start);
            clock.lost(start);
            round_trip.into_iter().for_each(|us| clock.measured(Duration::from_micros(us)));
            clock.pace(start + ms(100))
        };
        assert_eq!([200, 10_000, 50_000, 235_000, 600_000].map(|us| pace(Some(us))), [16, 10, 3, 1, 1]);
        assert_eq!(pace(None), 1, "unknown");
    }

    #[test]
    fn sctp_gives_a_packet_up_only_after_the_limit_of_silence() {
        for (profile, name) in [(Profile::live(128), "live"), (Profile::reliable(16), "reliable")] {
            let start = Instant::now();
            let mut clock = PacedClock::new(profile, start);
            clock.opened(start);
            clock.lost(start);
            clock.measured(ms(1) / 5);
            // The RTO starts at 1 s and doubles. SCTP repeats the packet five times, and gives it up after the sixth
            // wait.
            let given_up = clock.at(start) + Duration::from_secs(1 + 2 + 4 + 8 + 16 + 32);
            let real = (0..60_000).find(|&at| clock.at(start + ms(at)) >= given_up).unwrap();
            assert!(ms(real) > crate::flow::liveness::SILENCE_LIMIT, "{name}: {real} ms");
        }
    }

    #[test]
    fn a_clock_never_runs_backwards() {
        let start = Instant::now();
        let mut clock = PacedClock::new(Profile::live(64), start);
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
