//! The path of a ball's centre while a shutter is open.

use super::ball::Ball;

/// The path of a ball's centre from the opening of the shutter to its closing.
#[derive(Clone, Debug)]
pub struct Path {
    motion: Motion,
    open_s: f64,
}

// Nothing is boxed: each frame makes a path, and must not allocate.
#[derive(Clone, Debug)]
enum Motion {
    /// The true path of a ball, bounces included. It holds the ball at the opening of the shutter.
    Ball(Ball),
    /// A straight line: the position half-way in time, and the velocity in px/s.
    Straight { middle: (f64, f64), velocity: (f64, f64) },
}

impl Path {
    /// The path of a ball from now on, for a time in s.
    pub fn of_ball(ball: Ball, open_s: f64) -> Self {
        Self { motion: Motion::Ball(ball), open_s }
    }

    /// A straight path at constant velocity, in px/s, for a time in s. The centre is at `middle`, in px, half-way in
    /// time.
    pub fn straight(middle: (f64, f64), velocity: (f64, f64), open_s: f64) -> Self {
        Self { motion: Motion::Straight { middle, velocity }, open_s }
    }

    /// The path of a ball at rest.
    pub fn resting(place: (f64, f64)) -> Self {
        Self::straight(place, (0.0, 0.0), 0.0)
    }

    /// The centre half-way in time.
    pub fn middle(&self) -> (f64, f64) {
        match &self.motion {
            Motion::Ball(ball) if self.open_s > 0.0 => {
                let mut ball = ball.clone();
                ball.advance(self.open_s / 2.0);
                ball.centre()
            }
            Motion::Ball(ball) => ball.centre(),
            Motion::Straight { middle, .. } => *middle,
        }
    }

    /// The centre at a time in s after the shutter opened, which may be after it closed.
    pub fn at(&self, time_s: f64) -> (f64, f64) {
        match &self.motion {
            Motion::Ball(ball) => {
                let mut ball = ball.clone();
                ball.advance(time_s);
                ball.centre()
            }
            Motion::Straight { middle, velocity } => {
                let time_s = time_s - self.open_s / 2.0;
                (middle.0 + velocity.0 * time_s, middle.1 + velocity.1 * time_s)
            }
        }
    }

    /// How long the shutter is open, in s.
    pub fn open_s(&self) -> f64 {
        self.open_s
    }

    /// The centre in the middle of each of `count` equal parts of the time, in order.
    pub fn places(&self, count: usize) -> Vec<(f64, f64)> {
        let mut places = Vec::with_capacity(count);
        self.each_place(count, |place| places.push(place));
        places
    }

    /// Calls `each` with the places that [`Self::places`] returns, without allocating.
    pub fn each_place(&self, count: usize, each: impl FnMut((f64, f64))) {
        let part_s = self.open_s / count.max(1) as f64;
        match &self.motion {
            Motion::Ball(ball) => {
                let mut ball = ball.clone();
                let place = |index: usize| {
                    ball.advance(if index == 0 { part_s / 2.0 } else { part_s });
                    ball.centre()
                };
                (0..count).map(place).for_each(each);
            }
            Motion::Straight { middle, velocity } => {
                let place = |index: usize| {
                    let time_s = (index as f64 + 0.5) * part_s - self.open_s / 2.0;
                    (middle.0 + velocity.0 * time_s, middle.1 + velocity.1 * time_s)
                };
                (0..count).map(place).for_each(each);
            }
        }
    }

    /// The length of the path in px. It is approximate where a ball bounces, because the speed changes there.
    pub fn length_px(&self) -> f64 {
        let speed = |(x, y): (f64, f64)| (x * x + y * y).sqrt();
        match &self.motion {
            Motion::Ball(ball) if self.open_s > 0.0 => {
                let mut later = ball.clone();
                later.advance(self.open_s);
                speed(ball.velocity_px_s()).max(speed(later.velocity_px_s())) * self.open_s
            }
            Motion::Ball(_) => 0.0,
            Motion::Straight { velocity, .. } => speed(*velocity) * self.open_s,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;

    use super::*;
    use crate::scene::{BallConfig, Radii, Random};

    #[test]
    fn places_of_a_straight_path_are_evenly_spaced_and_centred() {
        let path = Path::straight((10.0, 20.0), (60.0, -30.0), 0.1);
        assert_eq!(path.places(2), [(8.5, 20.75), (11.5, 19.25)]);
        assert_eq!(path.places(1), [path.middle()]);
        assert!((path.length_px() - 0.1 * 4500_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn places_of_a_ball_follow_its_bounces() {
        let config = BallConfig {
            size: Size { width: 64, height: 48 },
            radius: Radii::one(10.0),
            speed_px_s: 3000.0,
            step_s: 1.0 / 60.0,
            border: false,
        };
        let ball = Ball::start(Random::new(3), &config).expect("a valid configuration");
        let path = Path::of_ball(ball.clone(), 1.0 / 60.0);
        for (index, place) in path.places(1000).into_iter().enumerate() {
            let mut walked = ball.clone();
            walked.advance((index as f64 + 0.5) / 60_000.0);
            let (x, y) = walked.centre();
            assert!((place.0 - x).abs() < 1e-9 && (place.1 - y).abs() < 1e-9, "place {index}");
            assert!((9.5..=53.5).contains(&x) && (9.5..=37.5).contains(&y));
        }
        assert_eq!(path.at(1.0 / 120.0), path.middle());
        let mut half = ball;
        half.advance(1.0 / 120.0);
        assert_eq!(path.middle(), half.centre());
    }
}
