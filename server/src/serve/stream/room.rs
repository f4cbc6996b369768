//! How many live frames the link may hold at a time, so that none grows old in its queue.

use std::time::Duration;

use shared::flow::pacer::Rate;

/// Of a paced stream before the round trip is known, and at most: a quarter of a second and 4 s at 60 frames a second.
const FRAMES_AT_FIRST: u64 = 16;
const FRAMES_AT_MOST: u64 = 240;

/// Room for live frames in the link.
#[derive(Debug)]
pub(super) enum Room {
    /// Frames come at intervals: those of a round trip, and one, are on their way where nothing holds them up.
    Paced { interval_us: u64 },
    /// Frames come as fast as they go: as many as are answered early in their lifetime, within the window.
    Unpaced { lifetime_us: u64, frames: u64, window: u64 },
}

impl Room {
    /// For frames of this lifetime, two intervals of a paced stream.
    pub(super) fn new(rate: Rate, lifetime: Duration, window: u32) -> Self {
        let lifetime_us = lifetime.as_micros() as u64;
        match rate {
            Rate::Hz(_) => Self::Paced { interval_us: (lifetime_us / 2).max(1) },
            Rate::Max => Self::Unpaced { lifetime_us, frames: 1, window: u64::from(window) },
        }
    }

    /// An answer came, so long after the capture of its frame.
    ///
    /// One more frame for each that took less than a quarter of its lifetime, half as many after one that took more than
    /// half of it: frames wait for each other in the link before any is lost.
    pub(super) fn answered(&mut self, latency_us: u64) {
        if let Self::Unpaced { lifetime_us, frames, window } = self {
            if latency_us < *lifetime_us / 4 {
                *frames = (*frames + 1).min(*window);
            } else if latency_us > *lifetime_us / 2 {
                *frames = (*frames / 2).max(1);
            }
        }
    }

    /// How many frames the link may hold; the clock's uncertainty is half of the round trip.
    pub(super) fn frames(&self, clock_uncertainty_us: Option<u64>) -> usize {
        let frames = match self {
            Self::Paced { interval_us } => clock_uncertainty_us
                .map_or(FRAMES_AT_FIRST, |uncertainty_us| 1 + (2 * uncertainty_us / interval_us).min(FRAMES_AT_MOST)),
            Self::Unpaced { frames, .. } => *frames,
        };
        frames as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFETIME: Duration = Duration::from_millis(32);

    #[test]
    fn a_paced_stream_has_room_for_the_frames_of_a_round_trip_and_one() {
        let room = Room::new(Rate::Hz(62.5), LIFETIME, 8);
        assert_eq!([None, Some(100), Some(8_000), Some(80_000)].map(|us| room.frames(us)), [16, 1, 2, 11]);
        assert_eq!(room.frames(Some(u64::MAX / 4)), 241);
    }

    #[test]
    fn an_unpaced_stream_fills_the_window_while_answers_come_early_and_yields_when_they_come_late() {
        let mut room = Room::new(Rate::Max, LIFETIME, 8);
        assert_eq!(room.frames(None), 1);
        for _ in 0..20 {
            room.answered(2_000);
        }
        assert_eq!(room.frames(Some(100)), 8);
        room.answered(10_000);
        assert_eq!(room.frames(Some(100)), 8, "neither early nor late");
        for frames in [4, 2, 1, 1] {
            room.answered(20_000);
            assert_eq!(room.frames(Some(100)), frames);
        }
    }
}
