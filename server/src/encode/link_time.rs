//! What a frame costs on the link, from the answers.

use shared::time::Micros;

/// Answers to an estimate: two of the usual windows.
const BLOCK: u64 = 16;

/// The time a frame takes of the link, from blocks of answers to frames of the same length.
///
/// Paced, the link is idle between frames, and a frame's flight there and back is what it takes. At full speed frames
/// wait for each other on the way, and the interval between answers is. Each is too long where the other is right: the
/// shorter one it is.
#[derive(Debug, Default)]
pub(super) struct LinkTime {
    answers: u64,
    first: Micros,
    shortest_flight_us: u64,
}

impl LinkTime {
    /// An answer came at `now`, its frame was `flight_us` on the way, there and back; an estimate of the time in µs, every
    /// now and then.
    pub(super) fn answered(&mut self, now: Micros, flight_us: u64) -> Option<f64> {
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
        Some(interval_us.min(self.shortest_flight_us as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(interval_us: u64, flight_us: impl Fn(u64) -> u64) -> f64 {
        let mut link = LinkTime::default();
        let answers = (0..BLOCK).filter_map(|n| link.answered(Micros(5_000 + n * interval_us), flight_us(n)));
        let [estimate] = answers.collect::<Vec<_>>()[..] else { panic!("one estimate a block") };
        estimate
    }

    #[test]
    fn paced_frames_take_their_flight() {
        assert_eq!(estimate(16_667, |n| 700 + 50 * (n % 3)), 700.0);
    }

    #[test]
    fn frames_at_full_speed_take_the_interval() {
        assert_eq!(estimate(400, |_| 3_200), 400.0);
    }
}
