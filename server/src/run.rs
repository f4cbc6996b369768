//! Stand-in.

use std::num::NonZeroU64;

use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::PixelFormat;

use crate::camera::CameraConfig;
use crate::scene::Radii;
use crate::task::TaskName;

/// A run.
#[derive(Clone, Debug)]
pub struct RunSpec {
    /// Sent.
    pub sent: Sent,
    /// Camera.
    pub camera: CameraConfig,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Source.
    pub source: String,
    /// Task.
    pub task: Option<TaskName>,
    /// Size.
    pub size: Option<Size>,
    /// Pixel.
    pub pixel: PixelFormat,
    /// Rate.
    pub fps: Rate,
    /// Radius.
    pub radius: Radii,
    /// Speed.
    pub speed: f64,
    /// Border.
    pub border: bool,
    /// Seed.
    pub seed: Option<u64>,
    /// Frames.
    pub frames: Option<NonZeroU64>,
}

impl Default for RunSpec {
    fn default() -> Self {
        let sent = Sent {
            source: "ball".into(),
            task: None,
            size: None,
            pixel: PixelFormat::Gray8,
            fps: Rate::Hz(60.0),
            radius: Radii::one(20.0),
            speed: 200.0,
            border: false,
            seed: None,
            frames: None,
        };
        Self { sent, camera: CameraConfig::default() }
    }
}
