//! Several balls in a frame. Their number, sizes and places are drawn for each frame.
//!
//! Everything is a function of the seed and the frame index: each frame has its own sequence of random numbers, and
//! draws them in a fixed order. First comes the number of balls, then their common direction, then each ball.

use shared::geometry::{Circle, Size};
use thiserror::Error;

use super::ball::{BallConfig, BallError, check};
use super::balls::{Balls, grid, room};
use super::overlap::overlap;
use super::path::Path;
use super::random::{Random, Sequence, Stream};

/// Random places tried for a ball before the whole frame is laid out on the grid. The default's six balls block at most
/// a tenth of the places for each other, so 30 tries fail once in 10³⁰ balls.
const TRIES: usize = 30;

/// Default for the largest share of a disc's area that another disc may cover: outlines stay apart or barely cross.
pub const OVERLAP: f64 = 0.1;

/// The frames of one seed with several balls each.
///
/// At mid-exposure every disc is wholly inside the image. With [`BallConfig::border`], only its centre is. So every
/// ball of the frame counts. Two discs share at most [`GroupConfig::overlap`] of the smaller one's area. While the
/// shutter is open, all balls of a frame move in one random direction at [`BallConfig::speed_px_s`], so their distances
/// do not change.
#[derive(Clone, Debug)]
pub struct GroupScene {
    random: Random,
    config: GroupConfig,
    discs: Vec<Circle>,
    cells: Vec<u32>,
}

/// What the frames may show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupConfig {
    /// The radii of the balls, the size of the frame, and whether balls may leave it in part.
    pub ball: BallConfig,
    /// The number of balls.
    pub balls: Balls,
    /// Largest share of a disc's area that another disc may cover, in [0, 1].
    pub overlap: f64,
}

/// The scene is impossible.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum GroupError {
    /// The options of a ball are impossible.
    #[error(transparent)]
    Ball(#[from] BallError),
    /// There may be no room for so many balls.
    #[error(
        "--balls {asked}: {} balls of radius {radius} px may find no room in {size}; at most {room} have room for \
         certain: show fewer, or make --radius smaller or --size larger", asked.max
    )]
    Room {
        /// The numbers asked for.
        asked: Balls,
        /// The largest radius, in px.
        radius: f64,
        /// The size of the frames.
        size: Size,
        /// How many balls are certain to have room.
        room: u32,
    },
}

/// What the camera sees of several balls while its shutter is open.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The discs at mid-exposure.
    pub discs: &'a [Circle],
    /// The path of every ball while the shutter is open, relative to its place at mid-exposure.
    pub path: Path,
}

impl GroupScene {
    /// A new scene. The same seed and configuration give the same frames on every machine.
    ///
    /// # Errors
    /// [`GroupError`] if a ball is impossible, or if there is no room for the largest number.
    pub fn new(seed: u64, config: &GroupConfig) -> Result<Self, GroupError> {
        check(&config.ball)?;
        let (size, radius) = (config.ball.size, config.ball.radius);
        let room = room(size, radius);
        if config.balls.max > room {
            return Err(GroupError::Room { asked: config.balls, radius: radius.max, size, room });
        }
        let (discs, cells) = (Vec::with_capacity(config.balls.max as usize), Vec::new());
        Ok(Self { random: Random::new(seed), config: *config, discs, cells })
    }

    /// The balls of frame `index`. The shutter is open for the share `exposure` of the time step.
    pub fn group(&mut self, index: u64, exposure: f64) -> Group<'_> {
        let mut draws = self.random.sequence(Stream::Balls, index);
        let count = self.config.balls.draw(&mut draws);
        let (right, down) = draws.direction();
        let speed = self.config.ball.speed_px_s;
        let path = Path::straight((0.0, 0.0), (right * speed, down * speed), exposure * self.config.ball.step_s);
        if !self.scatter(&mut draws, count) {
            self.lay_out(&mut draws, count);
        }
        Group { discs: &self.discs, path }
    }

    /// Draws a place for each ball, and draws again if discs overlap too much. Returns false if a ball finds no place
    /// in [`TRIES`] draws.
    fn scatter(&mut self, draws: &mut Sequence, count: u32) -> bool {
        self.discs.clear();
        for _ in 0..count {
            let radius = self.radius(draws);
            let keep = if self.config.ball.border { 0.0 } else { radius };
            let size = self.config.ball.size;
            let fits = |disc: &Circle| self.discs.iter().all(|other| overlap(*disc, *other) <= self.config.overlap);
            let place = |draws: &mut Sequence| {
                let [x, y] = [size.width, size.height].map(|side| {
                    let (low, high) = (keep - 0.5, f64::from(side) - keep - 0.5);
                    // Rounding may put the result one bit beyond the end.
                    draws.between(low, high).min(high)
                });
                Circle { x, y, radius }
            };
            let Some(disc) = (0..TRIES).map(|_| place(draws)).find(fits) else { return false };
            self.discs.push(disc);
        }
        true
    }

    /// Gives each ball a cell of its own, drawn at random, and a random place inside it.
    ///
    /// This always succeeds. A cell is at least twice the largest radius wide and high ([`grid`]), so every disc has
    /// room in its cell. Discs in different cells share no point, so none overlap. There are at least as many cells as
    /// balls, because [`Self::new`] refuses more than [`room`].
    fn lay_out(&mut self, draws: &mut Sequence, count: u32) {
        let (columns, rows) = grid(self.config.ball.size, self.config.ball.radius);
        self.cells.clear();
        self.discs.clear();
        for _ in 0..count {
            let cell = self.free_cell(draws, columns.saturating_mul(rows));
            self.cells.push(cell);
            let radius = self.radius(draws);
            let mut place = |side: u32, cell: u32, cells: u32| {
                let width = f64::from(side) / f64::from(cells);
                let from = f64::from(cell) * width - 0.5;
                let (low, high) = (from + radius, from + width - radius);
                if low < high { draws.between(low, high).min(high) } else { from + width / 2.0 }
            };
            let (width, height) = (self.config.ball.size.width, self.config.ball.size.height);
            let (x, y) = (place(width, cell % columns, columns), place(height, cell / columns, rows));
            self.discs.push(Circle { x, y, radius });
        }
    }

    /// Draws one of the cells that hold no ball yet. There are `all` cells.
    fn free_cell(&mut self, draws: &mut Sequence, all: u32) -> u32 {
        self.cells.sort_unstable();
        // Fewer balls than cells are placed so far, so at least one cell is free.
        let free = draws.below(all - self.cells.len() as u32);
        self.cells.iter().fold(free, |cell, taken| if *taken <= cell { cell + 1 } else { cell })
    }

    fn radius(&self, draws: &mut Sequence) -> f64 {
        let radii = self.config.ball.radius;
        draws.between(radii.min, radii.max).min(radii.max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scene::Radii;

    const CONFIG: GroupConfig = GroupConfig {
        ball: BallConfig {
            size: Size { width: 640, height: 480 },
            radius: Radii { min: 10.0, max: 40.0 },
            speed_px_s: 1200.0,
            step_s: 1.0 / 60.0,
            border: false,
        },
        balls: Balls { min: 0, max: 6 },
        overlap: 0.1,
    };

    fn scene(config: GroupConfig) -> GroupScene {
        GroupScene::new(1, &config).expect("a possible scene")
    }

    /// Asserts everything that a frame promises. The tolerance is that of rounding.
    fn assert_sound(discs: &[Circle], config: &GroupConfig) {
        let BallConfig { size, radius, border, .. } = config.ball;
        assert!((config.balls.min..=config.balls.max).contains(&(discs.len() as u32)), "{}", discs.len());
        for (place, disc) in discs.iter().enumerate() {
            assert!((radius.min..=radius.max).contains(&disc.radius), "{disc:?}");
            let keep = if border { 0.0 } else { disc.radius } - 1e-9;
            let inside = |at: f64, side: u32| at >= keep - 0.5 && at <= f64::from(side) - keep - 0.5;
            assert!(inside(disc.x, size.width) && inside(disc.y, size.height), "{disc:?} in {size}");
            for other in &discs[..place] {
                assert!(overlap(*disc, *other) <= config.overlap + 1e-9, "{disc:?} and {other:?}");
            }
        }
    }

    #[test]
    fn every_frame_shows_the_number_drawn_and_the_numbers_vary() {
        let mut scene = scene(CONFIG);
        let counts: Vec<usize> = (0..200).map(|index| scene.group(index, 0.0).discs.len()).collect();
        assert!((0..=6).all(|count| counts.contains(&count)), "{counts:?}");
        let mut always =
            GroupScene::new(1, &GroupConfig { balls: Balls { min: 4, max: 4 }, ..CONFIG }).expect("a scene");
        assert!((0..200).all(|index| always.group(index, 0.0).discs.len() == 4));
    }

    // From a second implementation, written in another language.
    #[test]
    fn frames_have_their_golden_places() {
        let mut scene = scene(CONFIG);
        let mut places =
            |index| scene.group(index, 0.0).discs.iter().map(|disc| (disc.x, disc.y, disc.radius)).collect();
        let (second, fourth): (Vec<_>, Vec<_>) = (places(1), places(3));
        assert_eq!(second, []);
        assert_eq!(
            fourth,
            [
                (66.64617600614821, 174.74192014713057, 23.940994504490465),
                (334.2782323227294, 143.22900302026756, 24.66929492613508)
            ]
        );
    }

    #[test]
    fn frames_do_not_depend_on_the_order_of_calls() {
        let (mut forward, mut backward) = (scene(CONFIG), scene(CONFIG));
        let expected: Vec<Vec<Circle>> = (0..50).map(|index| forward.group(index, 0.5).discs.to_vec()).collect();
        for index in (0..50).rev() {
            assert_eq!(backward.group(index, 0.5).discs, expected[index as usize]);
        }
    }

    #[test]
    fn all_balls_move_by_speed_times_exposure() {
        let mut scene = scene(CONFIG);
        for index in 0..20 {
            let path = scene.group(index, 1.0).path;
            assert!((path.length_px() - 20.0).abs() < 1e-9 && path.middle() == (0.0, 0.0));
        }
    }

    #[test]
    fn as_many_as_have_room_are_placed_and_one_more_is_refused() {
        let config = |balls| {
            let size = Size { width: 130, height: 90 };
            let ball = BallConfig { size, radius: Radii::one(10.0), ..CONFIG.ball };
            GroupConfig { ball, balls: Balls { min: balls, max: balls }, overlap: 0.0 }
        };
        let mut full = scene(config(24));
        for index in 0..100 {
            let discs = full.group(index, 0.0).discs;
            assert_eq!(discs.len(), 24);
            assert_sound(discs, &config(24));
        }
        let refused = GroupScene::new(1, &config(25)).unwrap_err().to_string();
        assert!(refused.starts_with("--balls 25: 25 balls of radius 10 px"), "{refused}");
        assert!(refused.contains("in 130x90; at most 24 have"), "{refused}");
    }

    proptest! {
        #[test]
        fn any_scene_that_is_not_refused_keeps_its_promises(
            (width, height) in (20_u32..200, 20_u32..200),
            (least, most) in (0.5..10.0_f64, 0.0..1.0_f64),
            (min, more) in (0_u32..30, 0_u32..30),
            share in 0.0..0.9_f64,
            border: bool,
            seed: u64,
        ) {
            let radius = Radii { min: least, max: least + most * (10.0 - least) };
            let size = Size { width, height };
            let room = room(size, radius);
            let balls = Balls { min: min.min(room), max: (min + more).min(room) };
            let config = GroupConfig { ball: BallConfig { size, radius, border, ..CONFIG.ball }, balls, overlap: share };
            let mut scene = GroupScene::new(seed, &config).expect("there is room");
            for index in 0..5 {
                assert_sound(scene.group(index, 0.0).discs, &config);
            }
        }
    }
}
