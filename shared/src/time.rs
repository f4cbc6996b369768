//! Points on one monotonic clock, in whole microseconds.

use std::ops::{Add, Sub};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// A point in time: microseconds since the origin of the clock that read it.
///
/// Values of different processes share no origin; [`crate::flow::clock`] estimates the offset between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Micros(pub u64);

impl Micros {
    /// The microseconds from `earlier` to `self`, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The time left until `self`, zero when it has passed.
    pub fn remaining(self, now: Self) -> Duration {
        Duration::from_micros(self.since(now))
    }
}

impl Add<Duration> for Micros {
    type Output = Self;

    fn add(self, after: Duration) -> Self {
        Self(self.0.saturating_add(micros(after)))
    }
}

impl Sub<Duration> for Micros {
    type Output = Self;

    fn sub(self, before: Duration) -> Self {
        Self(self.0.saturating_sub(micros(before)))
    }
}

/// The clock of a shell: monotonic, with its start as origin.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    origin: Instant,
}

impl MonotonicClock {
    /// Starts a clock that reads zero now.
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// The time now.
    pub fn now(&self) -> Micros {
        self.at(Instant::now())
    }

    /// The clock's reading at `instant`; zero for instants before its origin.
    pub fn at(&self, instant: Instant) -> Micros {
        Micros(micros(instant.saturating_duration_since(self.origin)))
    }

    /// The instant at which this clock reads `time`, for arming timers.
    pub fn instant(&self, time: Micros) -> Instant {
        self.origin + Duration::from_micros(time.0)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_never_wraps() {
        assert_eq!(Micros(5).since(Micros(9)), 0);
        assert_eq!(Micros(9).since(Micros(5)), 4);
        assert_eq!(Micros(u64::MAX) + Duration::from_secs(1), Micros(u64::MAX));
    }

    #[test]
    fn an_instant_and_its_reading_agree() {
        let clock = MonotonicClock::start();
        assert_eq!(clock.at(clock.instant(Micros(1_500))), Micros(1_500));
    }
}
