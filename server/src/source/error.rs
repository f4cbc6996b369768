//! Errors of sources.

use std::path::PathBuf;

use shared::geometry::Size;
use shared::image::file::ImageFileError;
use thiserror::Error;

use crate::camera::CameraError;
use crate::scene::BallError;

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
            Self::Ball(BallError::Radius { .. } | BallError::RadiusRange(_)) => &["radius"],
            Self::Ball(BallError::TooLarge { .. }) => &["radius", "size"],
            Self::Ball(BallError::Speed { .. }) => &["speed"],
            Self::Ball(BallError::Step { .. }) => &["fps"],
            Self::Size { .. } => &["size", "source"],
            Self::Thread(_) => &[],
            _ => &["source"],
        };
        ids.iter().map(ToString::to_string).collect()
    }
}
