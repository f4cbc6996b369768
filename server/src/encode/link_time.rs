//! What a frame's bytes cost on the link, from the answers.

use shared::time::Micros;

/// Answers to an estimate: two of the usual windows.
const BLOCK: u64 = 16;

/// The time a frame's bytes take of the link, from blocks of answers to frames of the same length.
///
/// Any message takes the path's time there and back, which no encoding saves: a ping shows it. What a frame's flight takes
/// beyond is its bytes'. At full speed frames wait for each other on the way as well, and the interval between answers is
/// what one takes. Each is too long where the other is right (the interval also where the window of a long path is full):
/// the shorter one it is. So the estimate errs towards a quick link, on which less is worth encoding.
#[derive(Debug, Default)]
pub(super) struct LinkTime {
    answers: u64,
    first: Micros,
    shortest_flight_us: u64,
}

impl LinkTime {
    /// An answer came at `now`, its frame was `flight_us` on the way, there and back, where a ping and its pong take
    /// `round_trip_us`; an estimate of the bytes' time in µs, every now and then.
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
        let [estimate] = answers.collect::<Vec<_>>()[..] else { panic!("one estimate a block") };
        estimate
    }

    #[test]
    fn paced_frames_take_what_their_flight_is_longer_than_a_pings() {
        assert_eq!(estimate(16_667, |n| 700 + 50 * (n % 3), 300), 400.0);
    }

    #[test]
    fn frames_at_full_speed_take_the_interval() {
        assert_eq!(estimate(400, |_| 3_200, 300), 400.0);
    }

    #[test]
    fn however_long_the_path_is_its_time_is_not_the_bytes() {
        assert_eq!(estimate(16_667, |_| 50_300, 50_000), 300.0);
        // At full speed, 8 frames a round trip.
        assert_eq!(estimate(6_300, |n| 50_300 + 300 * (n % 8), 50_000), 300.0);
    }

    #[test]
    fn a_ping_slower_than_the_frames_leaves_them_no_time() {
        assert_eq!(estimate(16_667, |_| 700, 900), 0.0);
    }
}
