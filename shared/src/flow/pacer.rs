//! Pacing by deadline: tick n is due at start + n / rate, however late earlier ticks were.

use thiserror::Error;

use crate::time::Micros;

/// Highest paced rate, in Hz: one tick per microsecond, the clock's resolution.
pub const MAX_RATE_HZ: f64 = 1e6;

/// Longest time between two frames of a paced rate, in s: an hour. The lowest rate is its inverse.
pub const MAX_INTERVAL_S: f64 = 3600.0;

/// How often frames are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rate {
    /// This many frames per second.
    Hz(f64),
    /// As fast as the window allows.
    Max,
}

/// The rate is out of range.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("\"{0}\" is not a frame rate: a number from 1/{MAX_INTERVAL_S} to {MAX_RATE_HZ}, for example 60, or max")]
pub struct NotARate(String);

impl Rate {
    /// This many frames per second. `None` if that is below 1/[`MAX_INTERVAL_S`], over [`MAX_RATE_HZ`], or not a number.
    pub fn paced(hz: f64) -> Option<Self> {
        (1.0 / MAX_INTERVAL_S..=MAX_RATE_HZ).contains(&hz).then_some(Self::Hz(hz))
    }

    /// Frames per second; `None` for [`Rate::Max`].
    pub fn hz(self) -> Option<f64> {
        match self {
            Self::Hz(hz) => Some(hz),
            Self::Max => None,
        }
    }
}

impl std::str::FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        if text == "max" {
            return Ok(Self::Max);
        }
        text.parse().ok().and_then(Self::paced).ok_or_else(|| NotARate(text.to_owned()))
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hz(hz) => write!(f, "{hz}"),
            Self::Max => f.write_str("max"),
        }
    }
}

/// State of the pacer at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// A frame is due; `missed` earlier ticks passed unused.
    Due {
        /// Ticks that passed since the last one taken, not counting this one.
        missed: u64,
    },
    /// Nothing is due before this time.
    Wait(Micros),
}

/// A run of consecutive ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ticks {
    /// When the first tick is due.
    pub first: Micros,
    /// Number of ticks.
    pub count: u64,
    /// Interval between two ticks.
    pub interval_us: f64,
}

impl Ticks {
    /// When each tick is due.
    pub fn due(self) -> impl Iterator<Item = Micros> {
        (0..self.count)
            .map(move |tick| Micros(self.first.0.saturating_add((tick as f64 * self.interval_us).round() as u64)))
    }

    /// Time from the first tick until the one after the last is due, in µs.
    pub fn span_us(self) -> u64 {
        (self.count as f64 * self.interval_us).round() as u64
    }
}

/// Hands out ticks.
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    rate: Rate,
    start: Micros,
    next_tick: u64,
}

impl Pacer {
    /// A pacer whose first tick is due at `start`.
    pub fn new(rate: Rate, start: Micros) -> Self {
        Self { rate, start, next_tick: 0 }
    }

    /// Whether a tick is due. It stays due until it is [taken](Self::take).
    pub fn poll(&self, now: Micros) -> Pace {
        let Rate::Hz(hz) = self.rate else { return Pace::Due { missed: 0 } };
        let due = self.due(self.next_tick, hz);
        if now < due {
            return Pace::Wait(due);
        }
        Pace::Due { missed: self.latest_tick(now, hz) - self.next_tick }
    }

    /// The next `count` ticks not taken yet; `None` if there are no ticks.
    pub fn next_ticks(&self, count: u64) -> Option<Ticks> {
        let hz = self.rate.hz()?;
        Some(Ticks { first: self.due(self.next_tick, hz), count, interval_us: 1e6 / hz })
    }

    /// Uses up every tick due at `now`, whether a frame was sent for it or not.
    pub fn take(&mut self, now: Micros) {
        if let Rate::Hz(hz) = self.rate {
            self.next_tick = self.next_tick.max(self.latest_tick(now, hz) + 1);
        }
    }

    /// Uses up this many passed ticks, from the first one not taken. Later ticks stay due.
    pub fn pass(&mut self, ticks: u64) {
        self.next_tick += ticks;
    }

    /// When the first tick after `now` is due; `None` if there are no ticks.
    pub fn upcoming(&self, now: Micros) -> Option<Micros> {
        let hz = self.rate.hz()?;
        match self.poll(now) {
            Pace::Wait(due) => Some(due),
            Pace::Due { .. } => Some(self.due(self.latest_tick(now, hz) + 1, hz)),
        }
    }

    /// How long the latest tick has been due, in µs.
    pub fn overdue_us(&self, now: Micros) -> u64 {
        self.rate.hz().map_or(0, |hz| now.since(self.due(self.latest_tick(now, hz), hz)))
    }

    fn due(&self, tick: u64, hz: f64) -> Micros {
        // Exact to the microsecond for 2^53 / 1e6 seconds, 285 years.
        Micros(self.start.0.saturating_add((tick as f64 * 1e6 / hz).round() as u64))
    }

    fn latest_tick(&self, now: Micros, hz: f64) -> u64 {
        let guess = (now.since(self.start) as f64 * hz / 1e6) as u64;
        // Rounding may leave the guess off by one either way.
        let latest = (guess.saturating_sub(1)..=guess + 1).rev().find(|&tick| self.due(tick, hz) <= now);
        latest.unwrap_or(guess).max(self.next_tick)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_do_not_drift_when_each_is_taken_late() {
        let mut pacer = Pacer::new(Rate::Hz(60.0), Micros(1_000));
        let mut now = Micros(1_000);
        for _ in 0..600 {
            now = match pacer.poll(now) {
                Pace::Wait(due) => Micros(due.0 + 900),
                Pace::Due { .. } => now,
            };
            assert_eq!(pacer.poll(now), Pace::Due { missed: 0 });
            pacer.take(now);
        }
        assert_eq!(pacer.poll(now), Pace::Wait(Micros(1_000 + 10_000_000)));
    }

    #[test]
    fn a_stall_skips_ticks_and_counts_them() {
        let mut pacer = Pacer::new(Rate::Hz(100.0), Micros(0));
        pacer.take(Micros(0));
        assert_eq!(pacer.poll(Micros(55_000)), Pace::Due { missed: 4 });
        pacer.take(Micros(55_000));
        assert_eq!(pacer.poll(Micros(55_000)), Pace::Wait(Micros(60_000)));
    }

    #[test]
    fn skipped_ticks_are_known_by_their_due_times() {
        let mut pacer = Pacer::new(Rate::Hz(60.0), Micros(1_000));
        pacer.take(Micros(1_000));
        let Pace::Due { missed } = pacer.poll(Micros(52_000)) else { panic!("due") };
        let ticks = pacer.next_ticks(missed).unwrap();
        assert_eq!(ticks.due().collect::<Vec<_>>(), [17_667, 34_334].map(Micros));
        assert_eq!(ticks.span_us(), 33_333);
        assert_eq!(Pacer::new(Rate::Max, Micros(0)).next_ticks(1), None);
    }

    #[test]
    fn a_tick_stays_due_until_it_is_taken_or_the_next_one_is_due() {
        let mut pacer = Pacer::new(Rate::Hz(100.0), Micros(0));
        assert_eq!(pacer.upcoming(Micros(4_000)), Some(Micros(10_000)));
        assert_eq!(pacer.overdue_us(Micros(4_000)), 4_000);
        assert_eq!(pacer.poll(Micros(10_000)), Pace::Due { missed: 1 });
        pacer.pass(1);
        assert_eq!((pacer.poll(Micros(13_000)), pacer.overdue_us(Micros(13_000))), (Pace::Due { missed: 0 }, 3_000));
        pacer.take(Micros(13_000));
        assert_eq!(pacer.upcoming(Micros(13_000)), Some(Micros(20_000)));
        assert_eq!(Pacer::new(Rate::Max, Micros(0)).upcoming(Micros(0)), None);
    }

    #[test]
    fn at_max_a_frame_is_always_due() {
        let mut pacer = Pacer::new(Rate::Max, Micros(0));
        pacer.take(Micros(0));
        assert_eq!(pacer.poll(Micros(0)), Pace::Due { missed: 0 });
    }

    #[test]
    fn impossible_rates_are_refused() {
        for text in ["0", "-1", "NaN", "inf", "", "fast", "1e7", "0.00027777", "1e-300"] {
            assert!(text.parse::<Rate>().unwrap_err().to_string().contains("60, or max"), "{text}");
        }
        assert_eq!("59.94".parse(), Ok(Rate::Hz(59.94)));
        assert_eq!("0.000277778".parse(), Ok(Rate::Hz(0.000277778)));
        assert_eq!("max".parse(), Ok(Rate::Max));
    }

    proptest! {
        #[test]
        fn every_tick_is_taken_or_missed_once(hz in 0.1..1e6f64, steps in proptest::collection::vec(0..100_000u64, 1..50)) {
            let mut pacer = Pacer::new(Rate::Hz(hz), Micros(7));
            let (mut now, mut ticks) = (Micros(7), 0);
            for step in steps {
                now = Micros(now.0 + step);
                if let Pace::Due { missed } = pacer.poll(now) {
                    ticks += missed + 1;
                    pacer.take(now);
                }
                prop_assert!(matches!(pacer.poll(now), Pace::Wait(_)));
                prop_assert_eq!(ticks, pacer.next_tick);
                prop_assert!(pacer.due(ticks, hz) > now && pacer.due(ticks - 1, hz) <= now);
            }
        }
    }
}
