//! A ball whose place and direction are drawn for each frame, so that frames are independent.

use super::ball::{BallConfig, BallError, check};
use super::path::Path;
use super::random::{Random, Sequence, Stream};
use super::{Radii, Shot};

/// The independent frames of one seed.
///
/// In each frame the ball moves in a straight line, in a random direction, at exactly [`BallConfig::speed_px_s`]. So
/// the path during an exposure is exactly speed · time long. The whole disc is inside the image along all of the path;
/// along an axis without room for that, the ball is in the middle. With a border the disc is always cut instead: at
/// mid-exposure its centre is inside the image, less than a radius from a random side.
#[derive(Clone, Debug)]
pub struct ScatteredScene {
    random: Random,
    config: BallConfig,
    /// What is added to all coordinates.
    offset: (f64, f64),
}

impl ScatteredScene {
    /// A new scene. The same seed and configuration give the same places on every machine.
    ///
    /// # Errors
    /// [`BallError`] when the ball's size or speed is impossible.
    pub fn new(seed: u64, config: &BallConfig) -> Result<Self, BallError> {
        check(config)?;
        Ok(Self { random: Random::new(seed), config: *config, offset: (0.0, 0.0) })
    }

    /// The same scene with all coordinates increased by these.
    #[must_use]
    pub fn moved(self, offset: (f64, f64)) -> Self {
        Self { offset, ..self }
    }

    /// The shot of frame `index` with the shutter open for the share `exposure` of the step.
    pub fn shot(&self, index: u64, exposure: f64) -> Shot {
        let radius = self.radii().draw(&self.random, index);
        let open_s = exposure * self.config.step_s;
        let mut draws = self.random.sequence(Stream::Scatter, index);
        let (right, down) = draws.direction();
        let velocity = (right * self.config.speed_px_s, down * self.config.speed_px_s);
        let reach = ((velocity.0 * open_s / 2.0).abs(), (velocity.1 * open_s / 2.0).abs());
        let middle =
            if self.config.border { self.cut(&mut draws, radius) } else { self.whole(&mut draws, radius, reach) };
        let middle = (middle.0 + self.offset.0, middle.1 + self.offset.1);
        Shot { radius, path: Path::straight(middle, velocity, open_s) }
    }

    fn radii(&self) -> Radii {
        self.config.radius
    }

    /// The middle of a path along which the whole disc is inside; `reach` is half the path along each axis.
    fn whole(&self, draws: &mut Sequence, radius: f64, reach: (f64, f64)) -> (f64, f64) {
        let mut place = |side: u32, reach: f64| {
            let (low, high) = (radius + reach - 0.5, f64::from(side) - radius - reach - 0.5);
            if low < high { draws.between(low, high).min(high) } else { (f64::from(side) - 1.0) / 2.0 }
        };
        (place(self.config.size.width, reach.0), place(self.config.size.height, reach.1))
    }

    /// The centre of a cut disc near the left, right, upper or lower side, all equally likely.
    fn cut(&self, draws: &mut Sequence, radius: f64) -> (f64, f64) {
        let [width, height] = [self.config.size.width, self.config.size.height].map(f64::from);
        let side = draws.below(4);
        let inset = draws.uniform() * radius;
        let along = draws.uniform();
        match side {
            0 => (inset - 0.5, along * height - 0.5),
            1 => (width - 0.5 - inset, along * height - 0.5),
            2 => (along * width - 0.5, inset - 0.5),
            _ => (along * width - 0.5, height - 0.5 - inset),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;

    use super::*;

    const CONFIG: BallConfig = BallConfig {
        size: Size { width: 640, height: 480 },
        radius: Radii { min: 10.0, max: 40.0 },
        speed_px_s: 1200.0,
        step_s: 1.0 / 60.0,
        border: false,
    };

    #[test]
    fn the_path_is_as_long_as_speed_times_exposure_and_inside() {
        let scene = ScatteredScene::new(7, &CONFIG).expect("a valid configuration");
        for index in 0..1000 {
            let shot = scene.shot(index, 1.0);
            assert!((shot.path.length_px() - 20.0).abs() < 1e-9);
            for (x, y) in shot.path.places(50) {
                assert!(x >= shot.radius - 0.5 && x <= 639.5 - shot.radius, "frame {index}");
                assert!(y >= shot.radius - 0.5 && y <= 479.5 - shot.radius, "frame {index}");
            }
        }
    }

    #[test]
    fn with_a_border_every_disc_is_cut_and_every_centre_is_inside() {
        let scene = ScatteredScene::new(7, &BallConfig { border: true, ..CONFIG }).expect("a valid configuration");
        for index in 0..1000 {
            let disc = scene.shot(index, 0.0).circle();
            let room = [disc.x + 0.5, 639.5 - disc.x, disc.y + 0.5, 479.5 - disc.y];
            assert!(room.iter().all(|&room| room >= 0.0), "frame {index}");
            assert!(room.iter().any(|&room| room < disc.radius), "frame {index}");
        }
    }

    #[test]
    fn frames_do_not_depend_on_the_order_of_calls() {
        let scene = ScatteredScene::new(1, &CONFIG).expect("a valid configuration");
        let forward: Vec<_> = (0..20).map(|index| scene.shot(index, 0.5).circle()).collect();
        for index in (0..20).rev() {
            assert_eq!(scene.shot(index, 0.5).circle(), forward[index as usize]);
        }
    }

    // From a second implementation, written in another language.
    #[test]
    fn frames_have_their_golden_places() {
        let scene = ScatteredScene::new(1, &CONFIG).expect("a valid configuration");
        let disc = scene.shot(3, 0.0).circle();
        assert_eq!((disc.x, disc.y, disc.radius), (521.0271541769109, 48.85257706435262, 27.342695803402002));
    }
}
