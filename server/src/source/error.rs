//! Errors of sources.

use std::path::PathBuf;

use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::image::file::{self, ImageFileError};
use shared::memory::NoMemory;
use shared::shell::exit::Exit;
use thiserror::Error;

use super::device::DeviceError;
#[cfg(feature = "mcap")]
use super::mcap::McapFileError;
use super::truth_file::TruthError;
use super::video::VideoError;
use crate::camera::CameraError;
use crate::run::{LensFileError, MetaError};
use crate::scene::{BallError, GroupError};
use crate::task::TaskName;

/// Why a source gives no frames, or no more.
#[derive(Debug, Error)]
pub enum SourceError {
    /// No kind of source matches.
    #[error("--source \"{got}\" {why}: write {right}")]
    Unknown {
        /// What was written.
        got: String,
        /// What the written text is instead.
        why: &'static str,
        /// What would be accepted.
        right: String,
    },
    /// The metadata of the run is refused.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// The file of the lens is refused.
    #[error(transparent)]
    Lens(#[from] LensFileError),
    /// The ball is impossible.
    #[error(transparent)]
    Ball(#[from] BallError),
    /// The camera is impossible.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// There is no memory for a frame.
    #[error(transparent)]
    Memory(#[from] NoMemory),
    /// An option that belongs to another source.
    #[error("--{option} does not apply to --source {source_name}: leave it out, or use --source ball")]
    Option {
        /// The option.
        option: String,
        /// The source.
        source_name: String,
    },
    /// An option that belongs to the task `count`.
    #[error("--{option} is for --task count only: leave it out, or add --task count")]
    OnlyCount {
        /// The option.
        option: &'static str,
    },
    /// An option that cannot go with the task `count`.
    #[error("--{option} does not go with --task count: {right}")]
    NotCount {
        /// The option.
        option: &'static str,
        /// Why, and what would be right.
        right: &'static str,
    },
    /// The task `count` with a source that shows one ball.
    #[error(
        "--task count does not go with --source {source_name}, which shows one ball: use --task circle, or --source ball"
    )]
    OneBall {
        /// The source.
        source_name: &'static str,
    },
    /// The frames of the source have another pixel format than was asked for.
    #[error("--pixel {pixel} does not apply to --source {source_name}, whose frames are gray16: leave it out")]
    NotDeep {
        /// The pixel format asked for.
        pixel: PixelFormat,
        /// The source.
        source_name: &'static str,
    },
    /// An option that belongs to the depth camera.
    #[error("--depth-noise is for --source depth only: leave it out, or add --source depth")]
    OnlyDepth,
    /// The scene of several balls is impossible.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The folder cannot be read.
    #[error("cannot read the folder {}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What failed.
        error: std::io::Error,
    },
    /// The folder has no image, or the pattern matches none.
    #[error("{what} has no image: name a folder with {} files, or a pattern that matches some", file::ENDINGS.join(", "))]
    NoImages {
        /// The folder or the pattern.
        what: String,
    },
    /// The pattern cannot be read.
    #[error("--source \"{pattern}\" is not a pattern ({error}): write one such as 'frames/*.png', in quotes")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        error: glob::PatternError,
    },
    /// The file went away between two looks at it.
    #[error("{path} is no longer there")]
    Gone {
        /// The file.
        path: String,
    },
    /// An image cannot be read.
    #[error("{}: {error}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: ImageFileError,
    },
    /// None of the images can be shown.
    #[error("none of the {0} images could be read: the lines before this one say why")]
    AllBroken(usize),
    /// The images differ in size.
    #[error("{} is {got}, {} is {first_size}: all images must have one size", path.display(), first.display())]
    Mixed {
        /// The image that differs.
        path: PathBuf,
        /// Its size.
        got: Size,
        /// The first image.
        first: PathBuf,
        /// Its size.
        first_size: Size,
    },
    /// An image has not as many bits per pixel as the run sends.
    #[error(
        "{} has {}: {}",
        path.display(),
        if *pixel == PixelFormat::Gray16 { "8 bits a channel" } else { "16 bits" },
        if *pixel == PixelFormat::Gray16 { "--pixel gray16 takes gray images of 16 bits alone, write --pixel gray8 or bgr8" }
        else { "write --pixel gray16, for a folder of such images" }
    )]
    Depth {
        /// The image.
        path: PathBuf,
        /// The pixel format of the run.
        pixel: PixelFormat,
    },
    /// The frames do not have the size that was asked for.
    #[error("--size {asked} is not the size of the {of}, which is {size}: leave --size out")]
    Size {
        /// The size asked for.
        asked: Size,
        /// The size of the frames.
        size: Size,
        /// What the frames are.
        of: &'static str,
    },
    /// The video cannot be played.
    #[error(transparent)]
    Video(#[from] VideoError),
    /// The MCAP file cannot be played.
    #[cfg(feature = "mcap")]
    #[error(transparent)]
    Mcap(#[from] super::mcap::McapFileError),
    /// A topic for another source.
    #[error("--topic is for MCAP files only, such as --source run.mcap: leave it out, or name such a source")]
    OnlyMcap,
    /// The camera gives no frames.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A format of cameras for another source.
    #[error("--device-format is for cameras only, such as --source camera:0: leave it out")]
    OnlyDevice,
    /// The source cannot be played again from its start.
    #[error("--loop does not apply to --source {source_name}, which {why}: leave it out")]
    NoLoop {
        /// The source.
        source_name: String,
        /// Why not.
        why: &'static str,
    },
    /// The source has no rate of its own.
    #[error(
        "--fps source takes the rate of a video, and --source {source_name} has none: write a number, such as --fps 60, \
         or --fps max"
    )]
    NoRate {
        /// The source.
        source_name: String,
    },
    /// The file of the truth cannot be used.
    #[error(transparent)]
    Truth(#[from] TruthError),
    /// The source knows its truth.
    #[error(
        "--truth \"{path}\" does not apply to --source {source_name}, which knows its own truth: leave it out, or use a \
         video or a folder of images"
    )]
    KnowsTruth {
        /// The file.
        path: String,
        /// The source.
        source_name: String,
    },
    /// The file of the truth is for another task.
    #[error("--task {task} cannot be scored with {path}, whose rows are {header}: use --task {right}, or leave it out")]
    OtherTruth {
        /// The task.
        task: TaskName,
        /// The file.
        path: String,
        /// Its header.
        header: &'static str,
        /// The task that it is for.
        right: TaskName,
    },
    /// The reading thread could not be started, or ended without a result.
    #[error("the source's thread failed: {0}")]
    Thread(String),
}

impl SourceError {
    /// The error for a file that is no longer there.
    pub(super) fn gone(path: &str) -> Self {
        Self::Gone { path: path.to_owned() }
    }

    /// The exit code of a run that fails with this before it begins. An address that gives nothing may be the right one.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Video(VideoError::Silent { .. }) | Self::Memory(_) => Exit::Other,
            _ => Exit::Usage,
        }
    }

    /// Ids of the options that this error is about.
    pub fn options(&self) -> Vec<String> {
        let ids: &[&str] = match self {
            Self::Camera(CameraError::Value(wrong)) => return vec![wrong.key.replace('-', "_")],
            Self::Option { option, .. } => return vec![option.replace('-', "_"), "source".into()],
            Self::Meta(wrong) => return wrong.options(),
            Self::Lens(LensFileError::OtherSize { .. }) => &["lens", "size"],
            Self::Lens(_) => &["lens"],
            Self::Camera(CameraError::Lensed { option, lens, .. }) => {
                return vec![option.replace('-', "_"), (*lens).into()];
            }
            Self::Camera(CameraError::Rolling { option, .. }) => {
                return vec![(*option).into(), "rolling_shutter".into()];
            }
            Self::Camera(CameraError::NoRoom { lens, .. }) => return vec!["radius".into(), (*lens).into()],
            Self::Camera(CameraError::Needs { option, .. }) => return vec![option.replace('-', "_")],
            Self::Camera(CameraError::TwoPoses) => &["pose", "poses"],
            Self::Camera(CameraError::ShadedRing) => &["ring", "shade"],
            Self::Camera(CameraError::Colour { .. }) => &["contrast", "pixel"],
            Self::Ball(ball) | Self::Group(GroupError::Ball(ball)) => options_of(ball),
            Self::Group(GroupError::Room { .. }) => &["balls", "radius", "size"],
            Self::OnlyCount { option } | Self::NotCount { option, .. } => {
                return vec![option.replace('-', "_"), "task".into()];
            }
            Self::OneBall { .. } => &["task", "source"],
            Self::NotDeep { .. } => &["pixel", "source"],
            Self::OnlyDepth => &["depth_noise", "source"],
            Self::OnlyDevice | Self::Device(DeviceError::Unreadable { .. } | DeviceError::OtherFormat { .. }) => {
                &["device_format", "source"]
            }
            #[cfg(feature = "mcap")]
            Self::Mcap(McapFileError::SeveralTopics { .. } | McapFileError::NoTopic { .. }) => &["topic", "source"],
            #[cfg(feature = "mcap")]
            Self::Mcap(McapFileError::Depth { .. }) => &["pixel", "source"],
            Self::OnlyMcap => &["topic", "source"],
            Self::Device(DeviceError::NoFormat { .. }) => &["pixel", "source"],
            Self::NoLoop { .. } => &["loop", "source"],
            Self::NoRate { .. } => &["fps", "source"],
            Self::Truth(_) => &["truth"],
            Self::KnowsTruth { .. } => &["truth", "source"],
            Self::OtherTruth { .. } => &["task", "truth"],
            Self::Size { .. } => &["size", "source"],
            Self::Depth { .. } | Self::Camera(CameraError::Deep) => &["pixel", "source"],
            Self::Thread(_) => &[],
            _ => &["source"],
        };
        ids.iter().map(ToString::to_string).collect()
    }
}

fn options_of(ball: &BallError) -> &'static [&'static str] {
    match ball {
        BallError::Radius { .. } | BallError::RadiusRange(_) => &["radius"],
        BallError::TooLarge { .. } => &["radius", "size"],
        BallError::Speed { .. } => &["speed"],
        BallError::Step { .. } => &["fps"],
    }
}
