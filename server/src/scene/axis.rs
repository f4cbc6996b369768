//! Motion along one axis, in straight stretches between two walls.
//!
//! The ball bounces at the exact time it hits a wall, and leaves with a new random speed. The arithmetic uses only
//! + − × ÷ on `f64`, so every machine computes the same positions to the last bit.

use super::random::{Random, Stream};

/// Maximum number of bounces along one axis in one step, so that a fast ball with very little room cannot delay a
/// frame. The rest of the step is then skipped. A 20-px ball at 200 px/s reaches this limit only in less than 0.02 px
/// of room.
pub(super) const MAX_BOUNCES_PER_STEP: u32 = 256;

/// The motion along one axis, in px and px/s; `low ≤ position ≤ high` always.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) position: f64,
    pub(super) velocity: f64,
    /// The speed of each straight stretch is uniform in `[½, 1½)` times this.
    nominal_speed: f64,
    /// Bounces so far.
    pub(super) bounces: u64,
}

/// The random streams of one axis.
pub(super) struct Streams {
    position: Stream,
    direction: Stream,
    speed: Stream,
}

pub(super) const X: Streams =
    Streams { position: Stream::PositionX, direction: Stream::DirectionX, speed: Stream::SpeedX };
pub(super) const Y: Streams =
    Streams { position: Stream::PositionY, direction: Stream::DirectionY, speed: Stream::SpeedY };

impl Axis {
    /// The motion at frame 0: at a random position between `low` and `high`, in a random direction.
    pub(super) fn start(random: &Random, streams: &Streams, (low, high): (f64, f64), nominal_speed: f64) -> Self {
        let position = (low + random.uniform(streams.position, 0) * (high - low)).min(high);
        let mut axis = Self { low, high, position, velocity: 0.0, nominal_speed, bounces: 0 };
        if low < high {
            let speed = axis.next_speed(random, streams);
            axis.velocity = if random.uniform(streams.direction, 0) < 0.5 { -speed } else { speed };
        }
        axis
    }

    /// Moves for a time, with all bounces in it, at most [`MAX_BOUNCES_PER_STEP`].
    pub(super) fn advance(&mut self, time_s: f64, random: &Random, streams: &Streams) {
        let mut left_s = time_s;
        for _ in 0..MAX_BOUNCES_PER_STEP {
            if self.velocity == 0.0 {
                return;
            }
            let wall = if self.velocity > 0.0 { self.high } else { self.low };
            let hit_s = (wall - self.position) / self.velocity;
            if hit_s > left_s {
                let moved = self.position + self.velocity * left_s;
                // Rounding may carry it beyond the wall by the last bit.
                self.position = moved.clamp(self.low, self.high);
                return;
            }
            left_s -= hit_s;
            self.bounce(wall, random, streams);
        }
    }

    /// Shifts position and walls.
    pub(super) fn shift(&mut self, by: f64) {
        for place in [&mut self.low, &mut self.high, &mut self.position] {
            *place += by;
        }
    }

    /// Moves back in time, to before frame 0. No speeds are drawn for that time, so the ball moves in straight lines
    /// and leaves the walls at the speed with which it met them.
    pub(super) fn retreat(&mut self, time_s: f64) {
        let room = self.high - self.low;
        if self.velocity == 0.0 || room <= 0.0 {
            return;
        }
        let way = self.position - self.low - self.velocity * time_s;
        let folded = way.rem_euclid(2.0 * room);
        if folded > room {
            self.velocity = -self.velocity;
        }
        self.position = (self.low + folded.min(2.0 * room - folded)).clamp(self.low, self.high);
    }

    fn bounce(&mut self, wall: f64, random: &Random, streams: &Streams) {
        self.position = wall;
        self.bounces += 1;
        let speed = self.next_speed(random, streams);
        self.velocity = if wall == self.low { speed } else { -speed };
    }

    /// The speed of the stretch that starts after `bounces` bounces.
    fn next_speed(&self, random: &Random, streams: &Streams) -> f64 {
        self.nominal_speed * (0.5 + random.uniform(streams.speed, self.bounces))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounces_at_the_exact_time_of_the_hit() {
        let random = Random::new(5);
        let fast = 200.0 * (0.5 + random.uniform(Stream::SpeedX, 1));
        let mut axis =
            Axis { low: 0.0, high: 100.0, position: 90.0, velocity: 200.0, nominal_speed: 200.0, bounces: 0 };
        axis.advance(0.1, &random, &X);
        // 0.05 s to the wall, 0.05 s back at the new speed; one rounding each.
        assert!((axis.position - (100.0 - 0.05 * fast)).abs() < 1e-12, "at {} px", axis.position);
        assert_eq!(axis.velocity, -fast);
        assert_eq!(axis.bounces, 1);
    }

    #[test]
    fn before_its_start_it_moved_straight_and_between_the_walls() {
        let mut axis = Axis { low: 0.0, high: 10.0, position: 4.0, velocity: 2.0, nominal_speed: 2.0, bounces: 0 };
        axis.retreat(1.5);
        assert_eq!((axis.position, axis.velocity), (1.0, 2.0));
        axis.retreat(1.0);
        assert_eq!((axis.position, axis.velocity), (1.0, -2.0), "0.5 s before it left the wall");
    }

    #[test]
    fn a_step_may_contain_several_bounces() {
        let random = Random::new(5);
        let mut axis = Axis { low: 0.0, high: 1.0, position: 0.5, velocity: 100.0, nominal_speed: 100.0, bounces: 0 };
        let mut time_s = 0.005;
        let speeds: Vec<f64> = (1..=4).map(|n| 100.0 * (0.5 + random.uniform(Stream::SpeedX, n))).collect();
        time_s += 1.0 / speeds[0] + 1.0 / speeds[1] + 1.0 / speeds[2] + 0.25 / speeds[3];
        axis.advance(time_s, &random, &X);
        assert_eq!(axis.bounces, 4);
        assert!((axis.position - 0.25).abs() < 1e-12, "at {} px", axis.position);
    }
}
