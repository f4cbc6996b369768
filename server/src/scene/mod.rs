//! What there is to see: a ball whose place in every frame follows from a seed.
//!
//! A scene knows no camera, clock or network. Frame 0 is the start; each later index is one step of
//! [`BallConfig::step_s`] further on.

use shared::geometry::Circle;

mod ball;
mod random;

pub use ball::{Ball, BallConfig, BallError, MAX_SPEED_PX_S, MAX_STEP_S};
pub use random::{Random, Stream};

/// The scene of one seed.
#[derive(Clone, Debug)]
pub struct Scene {
    start: Ball,
    latest: Ball,
    /// The index `latest` belongs to.
    index: u64,
}

impl Scene {
    /// The same seed and configuration give the same scene on every machine.
    pub fn new(seed: u64, config: &BallConfig) -> Result<Self, BallError> {
        let start = Ball::start(Random::new(seed), config)?;
        Ok(Self { latest: start.clone(), start, index: 0 })
    }

    /// Where the ball is in frame `index`, in image coordinates.
    ///
    /// The answer does not depend on what was asked before. Going on from the last index costs one step a frame;
    /// an earlier index is replayed from the start.
    pub fn at(&mut self, index: u64) -> Circle {
        if index < self.index {
            self.latest = self.start.clone();
            self.index = 0;
        }
        while self.index < index {
            self.latest.step();
            self.index += 1;
        }
        self.latest.circle()
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;

    use super::*;

    fn scene(seed: u64) -> Scene {
        let size = Size { width: 640, height: 480 };
        let config = BallConfig { size, radius: 20.0, speed_px_s: 200.0, step_s: 1.0 / 60.0 };
        Scene::new(seed, &config).expect("a valid configuration")
    }

    // From a second implementation, written in another language; 508 and 688 bounces lie before the last.
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
    fn the_order_of_asking_does_not_matter() {
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
    fn seeds_differ() {
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
