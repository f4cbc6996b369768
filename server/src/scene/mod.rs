//! Scenes: a ball whose place in every frame follows from a seed.
//!
//! A scene knows no camera, clock or network. Frame 0 is the start; each later frame is one step of
//! [`BallConfig::step_s`] later. A [`Scene`] plays a ball that moves and bounces. A [`ScatteredScene`] draws place and
//! direction for each frame, for tests and benchmarks that need independent frames.

use shared::geometry::Circle;

mod axis;
mod ball;
mod balls;
mod group;
mod overlap;
mod path;
mod radius;
mod random;
mod scattered;

pub use ball::{Ball, BallConfig, BallError, MAX_SPEED_PX_S, MAX_STEP_S};
pub use balls::{Balls, MAX_BALLS, NotBalls};
pub use group::{Group, GroupConfig, GroupError, GroupScene, OVERLAP};
pub use path::Path;
pub use radius::{NotARadius, Radii};
pub use random::{Random, Sequence, Stream};
pub use scattered::ScatteredScene;

/// What the camera sees while its shutter is open: a ball of one size on its path.
#[derive(Clone, Debug)]
pub struct Shot {
    /// The ball's radius in px.
    pub radius: f64,
    /// The centre's path while the shutter is open.
    pub path: Path,
}

impl Shot {
    /// The disc at mid-exposure: the truth of the frame.
    pub fn circle(&self) -> Circle {
        let (x, y) = self.path.middle();
        Circle { x, y, radius: self.radius }
    }
}

/// The scene of one seed.
#[derive(Clone, Debug)]
pub struct Scene {
    random: Random,
    radii: Radii,
    step_s: f64,
    start: Ball,
    latest: Ball,
    /// The frame index of `latest`.
    index: u64,
}

impl Scene {
    /// A new scene. The same seed and configuration give the same scene on every machine.
    pub fn new(seed: u64, config: &BallConfig) -> Result<Self, BallError> {
        let random = Random::new(seed);
        let start = Ball::start(random.clone(), config)?;
        let (radii, step_s) = (config.radius, config.step_s);
        Ok(Self { random, radii, step_s, latest: start.clone(), start, index: 0 })
    }

    /// The same scene with all coordinates increased by these.
    #[must_use]
    pub fn moved(mut self, by: (f64, f64)) -> Self {
        self.start.shift(by);
        self.latest.shift(by);
        self
    }

    /// The ball at the time of frame `index`, in image coordinates.
    ///
    /// The result does not depend on earlier calls. A later index costs one step per frame; an earlier index is
    /// replayed from the start.
    pub fn at(&mut self, index: u64) -> Circle {
        self.shot(index, 0.0).circle()
    }

    /// The shot of a shutter that opens at the time of frame `index` and stays open for the share `exposure` of the
    /// step.
    pub fn shot(&mut self, index: u64, exposure: f64) -> Shot {
        self.seek(index);
        let radius = self.radii.draw(&self.random, index);
        Shot { radius, path: Path::of_ball(self.latest.clone(), exposure * self.step_s) }
    }

    /// The shot of frame `index`, with the scene as it was `delay_s` earlier. The radius is that of the frame.
    pub fn shot_before(&mut self, index: u64, exposure: f64, delay_s: f64) -> Shot {
        // Goes back by whole steps, to the last one before that time, then forward to the time.
        let steps = (delay_s / self.step_s).ceil().max(0.0) as u64;
        let ball = if steps <= index {
            self.seek(index - steps);
            let mut ball = self.latest.clone();
            ball.advance((steps as f64 * self.step_s - delay_s).max(0.0));
            ball
        } else {
            let mut ball = self.start.clone();
            let time_s = index as f64 * self.step_s - delay_s;
            if time_s < 0.0 {
                ball.retreat(-time_s);
            } else {
                ball.advance(time_s);
            }
            ball
        };
        let radius = self.radii.draw(&self.random, index);
        Shot { radius, path: Path::of_ball(ball, exposure * self.step_s) }
    }

    fn seek(&mut self, index: u64) {
        if index < self.index {
            self.latest = self.start.clone();
            self.index = 0;
        }
        while self.index < index {
            self.latest.step();
            self.index += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;

    use super::*;

    fn scene(seed: u64) -> Scene {
        let size = Size { width: 640, height: 480 };
        let config =
            BallConfig { size, radius: Radii::one(20.0), speed_px_s: 200.0, step_s: 1.0 / 60.0, border: false };
        Scene::new(seed, &config).expect("a valid configuration")
    }

    // From a second implementation, written in another language. Before the last frame there are 508 bounces along one
    // axis and 688 along the other.
    #[test]
    fn frames_have_their_golden_places() {
        let mut scene = scene(1);
        let place = |circle: Circle| (circle.x, circle.y);
        assert_eq!(place(scene.at(0)), (248.39364794295662, 65.05458100544669));
        assert_eq!(place(scene.at(1)), (245.5754347625508, 67.90089081809721));
        assert_eq!(place(scene.at(600)), (608.1197062924863, 79.75123725500347));
        assert_eq!(place(scene.at(100_000)), (497.72062351705245, 184.4197613040446));
    }

    #[test]
    fn the_order_of_calls_does_not_matter() {
        let forward: Vec<Circle> = {
            let mut scene = scene(8);
            (0..500).map(|i| scene.at(i)).collect()
        };
        let mut asked = scene(8);
        for index in [499, 0, 250, 250, 251, 3, 498, 1] {
            assert_eq!(asked.at(index), forward[index as usize], "frame {index}");
        }
    }

    #[test]
    fn the_circle_of_a_shot_is_the_ball_at_mid_exposure() {
        let mut scene = scene(4);
        let half_steps = BallConfig {
            size: Size { width: 640, height: 480 },
            radius: Radii::one(20.0),
            speed_px_s: 200.0,
            step_s: 1.0 / 120.0,
            border: false,
        };
        let mut finer = Scene::new(4, &half_steps).expect("a valid configuration");
        for index in 0..500 {
            let (middle, then) = (scene.shot(index, 1.0).circle(), finer.at(2 * index + 1));
            assert!((middle.x - then.x).abs() < 1e-9 && (middle.y - then.y).abs() < 1e-9, "frame {index}");
        }
    }

    #[test]
    fn a_delayed_shot_is_the_scene_of_that_time_before_the_frame() {
        let finer = BallConfig {
            size: Size { width: 640, height: 480 },
            radius: Radii::one(20.0),
            speed_px_s: 200.0,
            step_s: 1.0 / 600.0,
            border: false,
        };
        let (mut scene, mut finer) = (scene(4), Scene::new(4, &finer).expect("a valid configuration"));
        for index in 3..500 {
            // 2.3 frames, which is 23 fine steps.
            let (delayed, then) = (scene.shot_before(index, 0.0, 2.3 / 60.0).circle(), finer.at(10 * index - 23));
            assert!((delayed.x - then.x).abs() < 1e-9 && (delayed.y - then.y).abs() < 1e-9, "frame {index}");
        }
        let (start, next) = (scene.at(0), scene.at(1));
        let before = scene.shot_before(0, 0.0, 1.0 / 60.0).circle();
        assert!((before.x - (2.0 * start.x - next.x)).abs() < 1e-9, "straight on, to before its start");
    }

    #[test]
    fn different_seeds_give_different_scenes() {
        assert_ne!(scene(1).at(0), scene(2).at(0));
    }

    #[test]
    fn consecutive_frames_are_at_most_one_and_a_half_nominal_steps_apart() {
        let mut scene = scene(4);
        let mut last = scene.at(0);
        for index in 1..2000 {
            let next = scene.at(index);
            // 1½ · 200 px/s / 60 Hz, plus rounding.
            assert!((next.x - last.x).abs() < 5.0 + 1e-9 && (next.y - last.y).abs() < 5.0 + 1e-9);
            last = next;
        }
    }
}
