//! Sources: where frames and their truth come from.

use shared::geometry::Circle;
use shared::image::{Image, PixelFormat};
use shared::protocol::message::Meta;
use thiserror::Error;

use crate::camera::{Camera, CameraConfig, CameraError, Limit};
use crate::scene::{BallConfig, BallError, ScatteredScene, Scene, Shot};

/// The step of a scene whose rate only the window limits, in seconds: as at 60 frames a second.
pub const UNPACED_STEP_S: f64 = 1.0 / 60.0;

/// Yields frames.
pub trait Source: Send {
    /// The frame of this index. Indices count from 0; each is asked for once, in order.
    fn frame(&mut self, index: u64) -> SourceFrame<'_>;
}

/// A frame, what it shows, and whatever else the source knows of it.
#[derive(Debug)]
pub struct SourceFrame<'a> {
    /// The pixels.
    pub image: &'a Image,
    /// What they show.
    pub truth: Truth,
    /// For the client, beside the pixels.
    pub meta: Option<Meta>,
}

/// What a frame really shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Truth {
    /// A ball.
    Ball {
        /// Where it is.
        circle: Circle,
        /// How well that can be known at best.
        limit: Limit,
    },
    /// No ball: the right answer is none.
    Empty,
    /// The source does not know: counts and latency only.
    Unknown,
}

/// Why there is nothing to show.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum SourceError {
    /// The ball is impossible.
    #[error(transparent)]
    Ball(#[from] BallError),
    /// The camera is.
    #[error(transparent)]
    Camera(#[from] CameraError),
}

/// How the ball gets from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Motion {
    /// It moves and bounces, so that frames follow each other.
    #[default]
    Bouncing,
    /// Place and direction are drawn anew for each frame, so that frames do not depend on each other.
    Scattered,
}

/// What is to be seen, and by which camera.
#[derive(Clone, Copy, Debug)]
pub struct BallScene {
    /// The ball and its room.
    pub ball: BallConfig,
    /// How it moves.
    pub motion: Motion,
    /// The camera's effects.
    pub camera: CameraConfig,
    /// Pixels of the camera.
    pub pixel: PixelFormat,
    /// Seed of everything random.
    pub seed: u64,
}

impl BallScene {
    /// A fresh source: each plays the same sequence from index 0.
    ///
    /// # Errors
    /// [`SourceError`] when the ball's size or motion, or the camera, is impossible.
    pub fn source(&self) -> Result<BallSource, SourceError> {
        let scene = match self.motion {
            Motion::Bouncing => Place::Bouncing(Box::new(Scene::new(self.seed, &self.ball)?)),
            Motion::Scattered => Place::Scattered(ScatteredScene::new(self.seed, &self.ball)?),
        };
        let camera = Camera::new(self.ball.size, self.pixel, &self.camera, self.ball.border, self.seed)?;
        Ok(BallSource { scene, camera, exposure: self.camera.exposure })
    }
}

/// A ball, seen by a camera. Any frame may be asked for, in any order; in order they are quickest.
#[derive(Clone, Debug)]
pub struct BallSource {
    scene: Place,
    camera: Camera,
    exposure: f64,
}

#[derive(Clone, Debug)]
enum Place {
    Bouncing(Box<Scene>),
    Scattered(ScatteredScene),
}

impl Place {
    fn shot(&mut self, index: u64, exposure: f64) -> Shot {
        match self {
            Self::Bouncing(scene) => scene.shot(index, exposure),
            Self::Scattered(scene) => scene.shot(index, exposure),
        }
    }
}

impl Source for BallSource {
    fn frame(&mut self, index: u64) -> SourceFrame<'_> {
        let shot = self.scene.shot(index, self.exposure);
        let picture = self.camera.render(&shot, index);
        let truth = picture.ball.map_or(Truth::Empty, |(circle, limit)| Truth::Ball { circle, limit });
        SourceFrame { image: picture.image, truth, meta: None }
    }
}
