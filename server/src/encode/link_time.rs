//! Measures how long a frame's bytes take on the link, from the answers.

use shared::time::Micros;

/// Answers per estimate: two windows of the default size.
const BLOCK: u64 = 16;

/// Estimates the time that a frame's bytes take on the link, from blocks of answers to frames of the same length.
///
/// Every message takes the round-trip time of the path, which no encoding saves. A ping measures this time. The rest of
/// a frame's flight time is the time of its bytes. At full speed frames also wait for each other on the way, so the
/// flight time is too long; the interval between answers is then the time of one frame. The interval is too long when
/// frames are paced, and when the window of a long path is full. The shorter of the two figures is therefore the
/// estimate. It errs towards a quick link, on which compression is worth less.
#[derive(Debug, Default)]
pub(super) struct LinkTime {
    answers: u64,
    first: Micros,
    shortest_flight_us: u64,
}

impl LinkTime {
    /// Takes an answer that arrived at `now`. Frame and answer were in flight for `flight_us`; a ping and its pong take
    /// `round_trip_us`. Returns an estimate of the bytes' time in µs once per block of answers.
    pub(super) fn answered(&mut self, now: Micros, flight_us: u64, round_trip_us: u64) -> Option<f64> {
        if self.answers == 0 {
            *self = Self { answers: 1, first: now, shortest_flight_us: flight_us };
            return None;
        }
        self.answers += 1;
        self.shortest_flight_us = self.shortest_flight_us.min(flight_us);
        if self.answers < BLOCK {
            return None;
        }
        let interval_us = now.since(self.first) as f64 / (BLOCK - 1) as f64;
        self.answers = 0;
        let beyond_us = self.shortest_flight_us.saturating_sub(round_trip_us);
        Some(interval_us.min(beyond_us as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(interval_us: u64, flight_us: impl Fn(u64) -> u64, round_trip_us: u64) -> f64 {
        let mut link = LinkTime::default();
        let answers =
            (0..BLOCK).filter_map(|n| link.answered(Micros(5_000 + n * interval_us), flight_us(n), round_trip_us));
        let [estimate] = answers.collect::<Vec<_>>()[..] else { panic!("one estimate per block") };
        estimate
    }

    #[test]
    fn the_bytes_of_paced_frames_take_the_flight_time_less_the_ping() {
        assert_eq!(estimate(16_667, |n| 700 + 50 * (n % 3), 300), 400.0);
    }

    #[test]
    fn the_bytes_of_frames_at_full_speed_take_the_interval_between_answers() {
        assert_eq!(estimate(400, |_| 3_200, 300), 400.0);
    }

    #[test]
    fn the_time_of_a_long_path_is_not_the_time_of_the_bytes() {
        assert_eq!(estimate(16_667, |_| 50_300, 50_000), 300.0);
        // At full speed, 8 frames per round trip.
        assert_eq!(estimate(6_300, |n| 50_300 + 300 * (n % 8), 50_000), 300.0);
    }

    #[test]
    fn a_ping_slower_than_the_frames_gives_an_estimate_of_zero() {
        assert_eq!(estimate(16_667, |_| 700, 900), 0.0);
    }
}
