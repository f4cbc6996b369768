//! The whole run specification, made of its parts.

use std::hash::{BuildHasher, RandomState};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use shared::flow::pacer::Rate;
use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::protocol::message::Meta;

use super::delivered::Delivered;
use super::judged::Judged;
use super::lens_file::{self, LensFileError};
use super::meta::{self, GivenMeta, MetaError};
use super::rate::{DEFAULT_RATE, FrameRate};
use super::sent::{DEFAULT_SIZE, Sent};
use crate::camera::CameraConfig;
use crate::options;
use crate::scene::{Balls, OVERLAP, Radii};
use crate::task::TaskName;

/// What a run does.
#[derive(Args, Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunSpec {
    /// What is sent.
    #[command(flatten)]
    #[serde(flatten)]
    pub sent: Sent,

    /// How it is delivered.
    #[command(flatten)]
    #[serde(flatten)]
    pub delivered: Delivered,

    /// What the camera does to the light.
    #[command(flatten)]
    #[serde(flatten)]
    pub camera: CameraConfig,

    /// How it is judged.
    #[command(flatten)]
    #[serde(flatten)]
    pub judged: Judged,

    /// Ids of the options that the run's source does not use.
    #[arg(skip)]
    #[serde(skip)]
    pub unused: Vec<String>,
}

impl RunSpec {
    /// The specification with a fixed seed, drawn at random if none was chosen.
    #[must_use]
    pub fn with_seed(mut self) -> Self {
        self.sent.seed.get_or_insert_with(drawn_seed);
        self
    }

    /// The specification with size, pixel format, task and rate from its source, and what follows from them, if they
    /// were not chosen. A rate that no pacer can have, as a damaged file may name it, counts as unknown.
    #[must_use]
    pub fn of_source(mut self, size: Size, pixel: PixelFormat, default_task: TaskName, rate_hz: Option<f64>) -> Self {
        if matches!(self.sent.fps, None | Some(FrameRate::OfSource)) {
            self.sent.fps = Some(FrameRate::Given(rate_hz.and_then(Rate::paced).unwrap_or(DEFAULT_RATE)));
        }
        let size = *self.sent.size.get_or_insert(size);
        self.sent.pixel.get_or_insert(pixel);
        self.sent.radius.get_or_insert(Radii::for_size(size));
        let task = *self.sent.task.get_or_insert(default_task);
        if task == TaskName::count() {
            self.sent.balls = Some(self.balls());
            self.sent.overlap = Some(self.overlap());
        }
        self
    }

    /// The specification with these options noted as not used by its source.
    #[must_use]
    pub fn without(self, unused: Vec<String>) -> Self {
        Self { unused, ..self }
    }

    /// The specification with the metadata of its file, below that of its options.
    ///
    /// # Errors
    /// [`MetaError`] names option or file, the key, what was wrong and what would be right.
    pub fn with_meta(mut self) -> Result<Self, MetaError> {
        let merged = meta::merged(self.sent.meta_file.as_deref(), &self.sent.meta)?;
        self.sent.meta = if merged.is_empty() { Vec::new() } else { vec![GivenMeta(merged)] };
        Ok(self)
    }

    /// The specification with what the file of its lens says, below the options of the lens.
    ///
    /// # Errors
    /// [`LensFileError`] names the file, what was wrong and what would be right.
    pub fn with_lens(mut self) -> Result<Self, LensFileError> {
        let Some(path) = self.sent.lens.as_deref() else { return Ok(self) };
        let file = lens_file::read(path)?;
        if let Some(size) = self.sent.size.filter(|size| *size != file.size) {
            return Err(LensFileError::OtherSize { file: path.into(), expected: file.size, found: size });
        }
        self.sent.size = Some(file.size);
        let lens = &mut self.camera.lens;
        lens.focal.get_or_insert(file.focal);
        lens.centre.get_or_insert(file.centre);
        lens.distortion.get_or_insert(file.distortion);
        Ok(self)
    }

    /// Metadata of the stream; `None` if there is none.
    pub fn meta(&self) -> Option<Meta> {
        Some(meta::all(&self.sent.meta)).filter(|meta| !meta.is_empty())
    }

    /// What is wrong with a warm-up that takes all frames. `None` if it leaves some.
    pub fn too_warm(&self) -> Option<String> {
        let warmup = self.judged.warmup;
        let frames = self.sent.frames.filter(|frames| frames.get() <= warmup)?;
        Some(format!(
            "--warmup {warmup} leaves nothing of --frames {frames}: write fewer than {frames}, or more frames"
        ))
    }

    /// How often frames are due. Before the run has its source, the default stands for the source's own rate.
    pub fn rate(&self) -> Rate {
        match self.sent.fps {
            Some(FrameRate::Given(rate)) => rate,
            None | Some(FrameRate::OfSource) => DEFAULT_RATE,
        }
    }

    /// Radii of the ball, in px.
    pub fn radius(&self) -> Radii {
        self.sent.radius.unwrap_or_else(|| Radii::for_size(self.size()))
    }

    /// How many balls a frame of the task `count` shows.
    pub fn balls(&self) -> Balls {
        self.sent.balls.unwrap_or_else(|| Balls::for_size(self.size(), self.radius()))
    }

    /// Largest share of a disc's area that another one may cover, in the task `count`.
    pub fn overlap(&self) -> f64 {
        self.sent.overlap.unwrap_or(OVERLAP)
    }

    /// Size of the frames.
    pub fn size(&self) -> Size {
        self.sent.size.unwrap_or(DEFAULT_SIZE)
    }

    /// Pixel format of the frames. Before the run has its source, gray8 stands for the source's own.
    pub fn pixel(&self) -> PixelFormat {
        self.sent.pixel.unwrap_or_default()
    }
}

impl Default for RunSpec {
    fn default() -> Self {
        options::defaults()
    }
}

/// A random seed, short enough to be typed again.
fn drawn_seed() -> u64 {
    RandomState::new().hash_one(std::process::id()) >> 32
}
