//! A ball that moves in straight lines and bounces off the edges of the image.
//!
//! The two axes are independent. Along each, the centre stays in `[r − ½, side − ½ − r]` px, so the whole disc stays
//! inside. With a border it stays in `[−½, side − ½]`, so only the centre stays inside.

use shared::flow::pacer::MAX_INTERVAL_S;
use shared::geometry::Size;
use shared::text::Figure;
use thiserror::Error;

use super::axis::{Axis, X, Y};
use super::radius::Radii;
use super::random::Random;

/// Highest nominal speed accepted, in px/s. It crosses a 1920-px image 500 times per second; beyond that a picture of
/// motion means nothing.
pub const MAX_SPEED_PX_S: f64 = 1e6;

/// Longest step accepted, in s: that of the lowest frame rate.
pub const MAX_STEP_S: f64 = MAX_INTERVAL_S;

/// The ball's size, the room it moves in, and its speed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BallConfig {
    /// The image the ball stays inside.
    pub size: Size,
    /// Radius in px, in `(0, shorter side / 2]`. The largest radius sets the walls.
    pub radius: Radii,
    /// Nominal speed along each axis in px/s, in `[0, MAX_SPEED_PX_S]`. The speed of each straight stretch is uniform
    /// in `[½, 1½)` times this.
    pub speed_px_s: f64,
    /// Time between two frames in s, in `(0, MAX_STEP_S]`.
    pub step_s: f64,
    /// Whether a part of the ball may leave the image. Its centre always stays inside.
    pub border: bool,
}

impl BallConfig {
    /// Lowest and highest coordinate of the centre along a side, in px.
    pub(super) fn room(&self, side: u32) -> (f64, f64) {
        let keep = if self.border { 0.0 } else { self.radius.max };
        // Subtracting in this order keeps `low ≤ high` after rounding, because `radius ≤ side − radius` was checked.
        (keep - 0.5, f64::from(side) - keep - 0.5)
    }
}

/// The configuration of the ball is invalid.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum BallError {
    /// The radius is not a positive finite number.
    #[error("radius {} px is not a positive number", Figure(.got))]
    Radius {
        /// The radius asked for, in px.
        got: f64,
    },
    /// The range of radii is empty.
    #[error("radius {0}: the first must not be greater than the second, for example 10..40")]
    RadiusRange(Radii),
    /// The disc does not fit into the image.
    #[error("radius {} px does not fit into {size}: at most {limit} px", Figure(.got))]
    TooLarge {
        /// The radius asked for, in px.
        got: f64,
        /// The image it must fit into.
        size: Size,
        /// The largest radius that fits, in px.
        limit: f64,
    },
    /// The speed is negative, too high or not a number.
    #[error("speed {} px/s is not between 0 and {MAX_SPEED_PX_S}", Figure(.got))]
    Speed {
        /// The speed asked for, in px/s.
        got: f64,
    },
    /// The time between frames is zero, negative, too long or not a number.
    #[error("{} s between frames is not above 0 and at most {MAX_STEP_S}", Figure(.got))]
    Step {
        /// The step asked for, in s.
        got: f64,
    },
}

/// A ball at one moment.
#[derive(Clone, Debug)]
pub struct Ball {
    random: Random,
    step_s: f64,
    x: Axis,
    y: Axis,
}

impl Ball {
    /// The ball of a seed at frame 0: at a random place in its room, moving in one of the four diagonal directions.
    pub fn start(random: Random, config: &BallConfig) -> Result<Self, BallError> {
        check(config)?;
        let x = Axis::start(&random, &X, config.room(config.size.width), config.speed_px_s);
        let y = Axis::start(&random, &Y, config.room(config.size.height), config.speed_px_s);
        Ok(Self { random, step_s: config.step_s, x, y })
    }

    /// Moves by one frame.
    pub fn step(&mut self) {
        self.advance(self.step_s);
    }

    /// Moves for a time in s, which must not be negative.
    pub fn advance(&mut self, time_s: f64) {
        self.x.advance(time_s, &self.random, &X);
        self.y.advance(time_s, &self.random, &Y);
    }

    /// Moves back to where the ball was a time in s before frame 0. Only for the ball of frame 0.
    pub(super) fn retreat(&mut self, time_s: f64) {
        self.x.retreat(time_s);
        self.y.retreat(time_s);
    }

    /// Shifts the ball and its room.
    pub(super) fn shift(&mut self, (right, down): (f64, f64)) {
        self.x.shift(right);
        self.y.shift(down);
    }

    /// The centre, in image coordinates.
    pub fn centre(&self) -> (f64, f64) {
        (self.x.position, self.y.position)
    }

    /// The velocity along x and y, in px/s. It is zero along an axis without room.
    pub fn velocity_px_s(&self) -> (f64, f64) {
        (self.x.velocity, self.y.velocity)
    }
}

pub(super) fn check(config: &BallConfig) -> Result<(), BallError> {
    let BallConfig { size, radius, speed_px_s, step_s, .. } = *config;
    let limit = f64::from(size.shorter_side()) / 2.0;
    for got in [radius.min, radius.max] {
        if !(got.is_finite() && got > 0.0) {
            return Err(BallError::Radius { got });
        }
    }
    if radius.min > radius.max {
        return Err(BallError::RadiusRange(radius));
    }
    if radius.max > limit {
        return Err(BallError::TooLarge { got: radius.max, size, limit });
    }
    if !(0.0..=MAX_SPEED_PX_S).contains(&speed_px_s) {
        return Err(BallError::Speed { got: speed_px_s });
    }
    if !(step_s > 0.0 && step_s <= MAX_STEP_S) {
        return Err(BallError::Step { got: step_s });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scene::axis::MAX_BOUNCES_PER_STEP;

    const VGA: BallConfig = BallConfig {
        size: Size { width: 640, height: 480 },
        radius: Radii::one(20.0),
        speed_px_s: 200.0,
        step_s: 1.0 / 60.0,
        border: false,
    };

    fn ball(seed: u64, config: &BallConfig) -> Ball {
        Ball::start(Random::new(seed), config).expect("a valid configuration")
    }

    fn refused(config: BallConfig) -> String {
        Ball::start(Random::new(0), &config).expect_err("an invalid configuration").to_string()
    }

    #[test]
    fn errors_name_the_wrong_value_and_the_limit() {
        assert_eq!(refused(BallConfig { radius: Radii::one(0.0), ..VGA }), "radius 0 px is not a positive number");
        assert_eq!(
            refused(BallConfig { radius: Radii::one(f64::NAN), ..VGA }),
            "radius NaN px is not a positive number"
        );
        assert_eq!(
            refused(BallConfig { radius: Radii::one(241.0), ..VGA }),
            "radius 241 px does not fit into 640x480: at most 240 px"
        );
        assert_eq!(refused(BallConfig { speed_px_s: -1.0, ..VGA }), "speed -1 px/s is not between 0 and 1000000");
        assert_eq!(refused(BallConfig { speed_px_s: f64::NAN, ..VGA }), "speed NaN px/s is not between 0 and 1000000");
        assert_eq!(refused(BallConfig { speed_px_s: 2e6, ..VGA }), "speed 2000000 px/s is not between 0 and 1000000");
        assert_eq!(refused(BallConfig { step_s: 0.0, ..VGA }), "0 s between frames is not above 0 and at most 3600");
        assert_eq!(
            refused(BallConfig { step_s: f64::INFINITY, ..VGA }),
            "inf s between frames is not above 0 and at most 3600"
        );
    }

    #[test]
    fn work_per_step_is_bounded_for_a_fast_ball_in_little_room() {
        let config = BallConfig {
            size: Size { width: 41, height: 41 },
            radius: Radii::one(20.499_999_999),
            speed_px_s: MAX_SPEED_PX_S,
            step_s: MAX_STEP_S,
            border: false,
        };
        let mut ball = ball(1, &config);
        for _ in 0..100 {
            ball.step();
        }
        assert_eq!(ball.x.bounces, 100 * u64::from(MAX_BOUNCES_PER_STEP));
    }

    #[test]
    fn an_axis_without_room_does_not_move() {
        let config = BallConfig { radius: Radii::one(240.0), ..VGA };
        let mut ball = ball(1, &config);
        let from = ball.centre();
        ball.step();
        assert_eq!(ball.centre().1, 239.5);
        assert_eq!(ball.velocity_px_s().1, 0.0);
        assert_ne!(ball.centre().0, from.0);
    }

    #[test]
    fn an_invalid_range_of_radii_is_refused() {
        let range = |min, max| BallConfig { radius: Radii { min, max }, ..VGA };
        assert!(refused(range(40.0, 10.0)).contains("40..10"));
        assert!(refused(range(10.0, 241.0)).contains("at most 240 px"));
        assert!(refused(range(-1.0, 40.0)).contains("-1"));
    }

    #[test]
    fn with_a_border_only_the_centre_stays_inside() {
        let mut ball = ball(3, &BallConfig { border: true, speed_px_s: 2000.0, ..VGA });
        let (mut cut, mut frames) = (0, 0);
        for _ in 0..2000 {
            ball.step();
            let (x, y) = ball.centre();
            assert!((-0.5..=639.5).contains(&x) && (-0.5..=479.5).contains(&y));
            frames += 1;
            cut += i32::from(!(19.5..=619.5).contains(&x) || !(19.5..=459.5).contains(&y));
        }
        // 1 − (600 · 440) / (640 · 480) = 14 % of the area is within 20 px of the border.
        assert!((200..400).contains(&cut), "{cut} of {frames}");
    }

    #[test]
    fn a_ball_without_speed_stays_at_rest() {
        let mut ball = ball(9, &BallConfig { speed_px_s: 0.0, ..VGA });
        let from = ball.centre();
        ball.step();
        assert_eq!(ball.centre(), from);
    }

    #[test]
    fn seeds_start_all_over_the_image_and_in_every_direction() {
        let balls: Vec<Ball> = (0..200).map(|seed| ball(seed, &VGA)).collect();
        for (right, down) in [(false, false), (false, true), (true, false), (true, true)] {
            let here = balls.iter().filter(|b| (b.centre().0 > 319.5) == right && (b.centre().1 > 239.5) == down);
            let there = balls.iter().filter(|b| (b.x.velocity > 0.0) == right && (b.y.velocity > 0.0) == down);
            // 50 expected, standard deviation 6.1; four of them.
            assert!((26..=74).contains(&here.count()));
            assert!((26..=74).contains(&there.count()));
        }
    }

    proptest! {
        #[test]
        fn the_whole_disc_stays_inside_at_an_allowed_speed(
            seed: u64,
            (width, height) in (16_u32..2000, 16_u32..2000),
            fill in 0.01..=1.0,
            speed_px_s in 0.0..=MAX_SPEED_PX_S,
            step_s in 1e-4..=1.0,
        ) {
            let size = Size { width, height };
            let radius = f64::from(size.shorter_side()) / 2.0 * fill;
            let mut ball = ball(seed, &BallConfig { size, radius: Radii::one(radius), speed_px_s, step_s, border: false });
            for _ in 0..20 {
                ball.step();
                let (x, y) = ball.centre();
                prop_assert!(x >= radius - 0.5 && x <= f64::from(width) - radius - 0.5, "x {x}");
                prop_assert!(y >= radius - 0.5 && y <= f64::from(height) - radius - 0.5, "y {y}");
                for axis in [&ball.x, &ball.y].into_iter().filter(|axis| axis.low < axis.high) {
                    let speed = axis.velocity.abs();
                    prop_assert!(speed >= 0.5 * speed_px_s && speed <= 1.5 * speed_px_s, "{speed} px/s");
                }
            }
        }
    }
}
