//! Errors of sources.

use std::path::PathBuf;

use shared::geometry::Size;
use shared::image::PixelFormat;
use shared::image::file::ImageFileError;
use thiserror::Error;

use crate::camera::CameraError;
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
    /// The ball is impossible.
    #[error(transparent)]
    Ball(#[from] BallError),
    /// The camera is impossible.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// An option that belongs to another source.
    #[error("--{option} does not apply to --source {source_name}: leave it out, or use --source ball")]
    Option {
        /// The option.
        option: String,
        /// The source.
        source_name: String,
    },
    /// The task needs the truth to score anything, and the source does not know the truth.
    #[error(
        "--task {task} needs to know the truth, and --source {source_name} does not: use --source ball, or --task ack"
    )]
    NoTruth {
        /// The task.
        task: TaskName,
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
    /// The folder has no image.
    #[error("the folder {} has no image: it takes PNG, JPEG and PGM files", path.display())]
    NoImages {
        /// The folder.
        path: PathBuf,
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
    #[error("none of the folder's {0} images could be read: the lines before this one say why")]
    AllBroken(usize),
    /// The images differ in size.
    #[error("{} is {got}, {} is {first_size}: all images of a folder must have one size", path.display(), first.display())]
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
    /// The images do not have the size that was asked for.
    #[error("--size {asked} is not the size of the images, which is {size}: leave --size out")]
    Size {
        /// The size asked for.
        asked: Size,
        /// The size of the images.
        size: Size,
    },
    /// The reading thread could not be started, or ended without a result.
    #[error("the source's thread failed: {0}")]
    Thread(String),
}

impl SourceError {
    /// Ids of the options that this error is about.
    pub fn options(&self) -> Vec<String> {
        let ids: &[&str] = match self {
            Self::Camera(CameraError::Value(wrong)) => return vec![wrong.key.replace('-', "_")],
            Self::Option { option, .. } => return vec![option.replace('-', "_"), "source".into()],
            Self::Camera(CameraError::Colour { .. }) => &["contrast", "pixel"],
            Self::Ball(ball) | Self::Group(GroupError::Ball(ball)) => options_of(ball),
            Self::Group(GroupError::Room { .. }) => &["balls", "radius", "size"],
            Self::OnlyCount { option } | Self::NotCount { option, .. } => {
                return vec![option.replace('-', "_"), "task".into()];
            }
            Self::NoTruth { .. } => &["task", "source"],
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
