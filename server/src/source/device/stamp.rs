//! The driver's timestamp of a frame, and the frame's place in the driver's count.

use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Bits of a buffer's flags (V4L2, "Buffer Flags"): the clock of its timestamp, and what the timestamp marks.
const CLOCK_BITS: u32 = 0xe000;
const CLOCK_MONOTONIC: u32 = 0x2000;
const CLOCK_COPY: u32 = 0x4000;
const SOURCE_BITS: u32 = 0x7_0000;
const SOURCE_START_OF_EXPOSURE: u32 = 0x1_0000;

/// What the driver's timestamps mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timestamp {
    /// The start of the exposure.
    StartOfExposure,
    /// The end of the frame: its last pixel came.
    EndOfFrame,
    /// Copied from the program that feeds the device.
    Copy,
    /// The driver does not say.
    Unknown,
}

/// The clock of the driver's timestamps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// `CLOCK_MONOTONIC`, which the server uses too.
    Monotonic,
    /// The driver does not say.
    Unknown,
}

/// What a frame's age counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgeFrom {
    /// The driver's timestamp.
    Timestamp,
    /// The arrival at the server, because the timestamp gives no age.
    Arrival,
}

impl AgeFrom {
    /// What the ages of two series count from when they are combined: arrival, unless both count from timestamps.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Timestamp { other } else { self }
    }
}

/// What a driver says about a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The kind of its timestamp, from its flags.
    pub(super) flags: u32,
    /// Its timestamp.
    pub(super) time: Duration,
    /// Its place in the driver's count, which wraps.
    pub(super) sequence: u32,
}

/// When a frame was taken, if that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) at: Instant,
    pub(super) timestamp: Timestamp,
    pub(super) clock: Clock,
    pub(super) from: AgeFrom,
}

impl Stamp {
    /// The time at which a frame was taken. It arrived at `arrived`, when the monotonic clock read `monotonic`.
    ///
    /// A timestamp gives no age if it is of another clock, lies in the future or is zero.
    pub(super) fn taken(&self, arrived: Instant, monotonic: Duration) -> Taken {
        let clock = if self.flags & CLOCK_BITS == CLOCK_MONOTONIC { Clock::Monotonic } else { Clock::Unknown };
        let timestamp = match (clock, self.flags & SOURCE_BITS) {
            (Clock::Monotonic, SOURCE_START_OF_EXPOSURE) => Timestamp::StartOfExposure,
            (Clock::Monotonic, 0) => Timestamp::EndOfFrame,
            _ if self.flags & CLOCK_BITS == CLOCK_COPY => Timestamp::Copy,
            _ => Timestamp::Unknown,
        };
        let age = monotonic.checked_sub(self.time).filter(|_| clock == Clock::Monotonic && !self.time.is_zero());
        match age.and_then(|age| arrived.checked_sub(age)) {
            Some(at) => Taken { at, timestamp, clock, from: AgeFrom::Timestamp },
            None => Taken { at: arrived, timestamp, clock, from: AgeFrom::Arrival },
        }
    }
}

/// Counts frames by the driver's count, so that frames that the driver lost have an index too.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Indices {
    last: Option<(u32, u64)>,
}

impl Indices {
    /// Whether no frame was counted yet.
    pub(super) fn is_new(&self) -> bool {
        self.last.is_none()
    }

    /// The index of the frame with this place in the driver's count, and how many frames were lost before it.
    ///
    /// If a driver does not count, or starts again, no frame counts as lost.
    pub(super) fn next(&mut self, sequence: u32) -> (u64, u64) {
        let (index, lost) = match self.last {
            None => (0, 0),
            Some((last, index)) => {
                let step = sequence.wrapping_sub(last);
                let lost = if (1..1 << 31).contains(&step) { u64::from(step - 1) } else { 0 };
                (index + 1 + lost, lost)
            }
        };
        self.last = Some((sequence, index));
        (index, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_kind_of_a_timestamp_is_read_from_its_flags() {
        let arrived = Instant::now();
        let kind = |flags| {
            let taken = Stamp { flags, time: SECOND, sequence: 0 }.taken(arrived, 3 * SECOND);
            (taken.timestamp, taken.clock, taken.from)
        };
        let (stamp, arrival) = (AgeFrom::Timestamp, AgeFrom::Arrival);
        assert_eq!(kind(0x1_2001), (Timestamp::StartOfExposure, Clock::Monotonic, stamp));
        assert_eq!(kind(0x2001), (Timestamp::EndOfFrame, Clock::Monotonic, stamp));
        assert_eq!(kind(0x3_2001), (Timestamp::Unknown, Clock::Monotonic, stamp), "a source that is not defined yet");
        assert_eq!(kind(0x4001), (Timestamp::Copy, Clock::Unknown, arrival));
        assert_eq!(kind(0x0001), (Timestamp::Unknown, Clock::Unknown, arrival));
        assert_eq!(kind(0xe001), (Timestamp::Unknown, Clock::Unknown, arrival));
    }

    #[test]
    fn age_counts_from_a_plausible_timestamp_or_else_from_arrival() {
        let arrived = Instant::now();
        let at = |time, monotonic| Stamp { flags: 0x2000, time, sequence: 0 }.taken(arrived, monotonic).at;
        assert_eq!(at(SECOND, SECOND + Duration::from_millis(40)), arrived - Duration::from_millis(40));
        assert_eq!(at(2 * SECOND, SECOND), arrived, "from the future");
        assert_eq!(at(Duration::ZERO, SECOND), arrived, "never set");
    }

    #[test]
    fn frames_that_the_driver_lost_have_an_index() {
        let mut indices = Indices::default();
        let given = [7, 8, 11, 12].map(|sequence| indices.next(sequence));
        assert_eq!(given, [(0, 0), (1, 0), (4, 2), (5, 0)]);
        let mut indices = Indices::default();
        assert_eq!([u32::MAX, 0, 2].map(|sequence| indices.next(sequence)), [(0, 0), (1, 0), (3, 1)], "it wraps");
        let mut indices = Indices::default();
        assert_eq!(
            [5, 5, 0, 1].map(|sequence| indices.next(sequence)),
            [(0, 0), (1, 0), (2, 0), (3, 0)],
            "starts again"
        );
    }
}
