//! How many live frames the link may hold at a time, so that no frame grows old in its queue.

use std::time::Duration;

use shared::flow::pacer::Rate;

/// Frames of a paced stream that the link may hold before the round trip is known, and the maximum: a quarter of a
/// second and 4 s at 60 frames per second.
const FRAMES_AT_FIRST: u64 = 16;
const FRAMES_AT_MOST: u64 = 240;

/// Room for live frames in the link.
#[derive(Debug)]
pub(super) enum Room {
    /// Frames come at intervals. If nothing holds them up, the frames of one round trip plus one are in flight.
    Paced { interval_us: u64 },
    /// Frames come as fast as they are answered: as many as are answered early in their lifetime, within the window.
    Unpaced { lifetime_us: u64, frames: u64, window: u64 },
}

impl Room {
    /// Room for frames with this rate and lifetime.
    pub(super) fn new(rate: Rate, lifetime: Duration, window: u32) -> Self {
        let lifetime_us = lifetime.as_micros() as u64;
        match rate.hz() {
            // The rate gives the interval. Half of the lifetime would be too long above 200 frames per second, because
            // a lifetime is at least 10 ms.
            Some(hz) => Self::Paced { interval_us: ((1e6 / hz).round() as u64).max(1) },
            None => Self::Unpaced { lifetime_us, frames: 1, window: u64::from(window) },
        }
    }

    /// Notes an answer that came `latency_us` after its frame's capture.
    ///
    /// An answer within a quarter of the lifetime adds one frame of room. An answer after more than half of the
    /// lifetime halves the room: frames wait for each other in the link before any is lost.
    pub(super) fn answered(&mut self, latency_us: u64) {
        if let Self::Unpaced { lifetime_us, frames, window } = self {
            if latency_us < *lifetime_us / 4 {
                *frames = (*frames + 1).min(*window);
            } else if latency_us > *lifetime_us / 2 {
                *frames = (*frames / 2).max(1);
            }
        }
    }

    /// How many frames the link may hold at this round trip time.
    pub(super) fn frames(&self, round_trip_us: Option<u64>) -> usize {
        let frames = match self {
            Self::Paced { interval_us } => round_trip_us
                .map_or(FRAMES_AT_FIRST, |round_trip_us| 1 + (round_trip_us / interval_us).min(FRAMES_AT_MOST)),
            Self::Unpaced { frames, .. } => *frames,
        };
        frames as usize
    }
}

#[cfg(test)]
mod tests {
    use shared::flow::live::lifetime;

    use super::*;

    const LIFETIME: Duration = Duration::from_millis(32);

    #[test]
    fn a_paced_stream_has_room_for_the_frames_of_a_round_trip_and_one() {
        let room = Room::new(Rate::Hz(62.5), LIFETIME, 8);
        assert_eq!([None, Some(200), Some(16_000), Some(160_000)].map(|us| room.frames(us)), [16, 1, 2, 11]);
        assert_eq!(room.frames(Some(u64::MAX / 4)), 241);
    }

    #[test]
    fn a_stream_of_more_than_200_frames_a_second_has_room_for_those_of_a_round_trip_too() {
        for (hz, of_10_ms) in [(100.0, 2), (200.0, 3), (500.0, 6), (1_000.0, 11), (4_000.0, 41)] {
            let rate = Rate::Hz(hz);
            let room = Room::new(rate, lifetime(rate), 64);
            assert_eq!(room.frames(Some(10_000)), of_10_ms, "{hz} frames a second");
        }
        let slow = Rate::Hz(0.01);
        assert_eq!(
            Room::new(slow, lifetime(slow), 8).frames(Some(10_000_000)),
            1,
            "nor is an interval longer than 5 s cut"
        );
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
