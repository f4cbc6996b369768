//! Sources: where frames and their truth come from.

use shared::image::{Image, PixelFormat};
use shared::protocol::message::Meta;
use thiserror::Error;

use crate::camera::Camera;
use crate::scene::{BallConfig, BallError, Scene};
use crate::score::Truth;

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

/// Why there is no ball to show.
#[derive(Clone, Debug, Error, PartialEq)]
#[error(transparent)]
pub struct SourceError(#[from] BallError);

/// What is to be seen.
#[derive(Clone, Copy, Debug)]
pub struct BallScene {
    /// The ball and its room.
    pub ball: BallConfig,
    /// Pixels of the camera.
    pub pixel: PixelFormat,
    /// Seed of everything random.
    pub seed: u64,
}

impl BallScene {
    /// A fresh source: each plays the same sequence from index 0.
    ///
    /// # Errors
    /// [`SourceError`] when the ball's size or motion is impossible.
    pub fn source(&self) -> Result<BallSource, SourceError> {
        let scene = Scene::new(self.seed, &self.ball)?;
        Ok(BallSource { scene, camera: Camera::new(self.ball.size, self.pixel) })
    }
}

/// A bouncing ball, seen by a camera.
#[derive(Debug)]
pub struct BallSource {
    scene: Scene,
    camera: Camera,
}

impl Source for BallSource {
    fn frame(&mut self, index: u64) -> SourceFrame<'_> {
        let ball = self.scene.at(index);
        SourceFrame { image: self.camera.render(ball), truth: Truth::Ball(ball), meta: None }
    }
}
