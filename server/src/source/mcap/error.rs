//! Errors of MCAP files as sources.

use shared::geometry::Size;
use shared::image::PixelFormat;
use thiserror::Error;

use crate::recording::container::ContainerError;

/// Why an MCAP file gives no frames, or no further frames.
#[derive(Debug, Error)]
pub enum McapFileError {
    /// The file cannot be read.
    #[error("{file}: {error}")]
    Container {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: ContainerError,
    },
    /// It has no images.
    #[error(
        "{file} has no images that can be played{has}: name an MCAP file with messages of {}",
        super::message::KINDS
    )]
    NoImages {
        /// The file.
        file: String,
        /// What it has instead.
        has: String,
    },
    /// It has several topics of images.
    #[error("{file} has images in several topics: choose one by --topic: {topics}")]
    SeveralTopics {
        /// The file.
        file: String,
        /// The topics.
        topics: String,
    },
    /// It has no images in the topic that was asked for.
    #[error("{file} has no images in the topic \"{asked}\": write --topic with one of {topics}")]
    NoTopic {
        /// The file.
        file: String,
        /// The topic asked for.
        asked: String,
        /// The topics that have images.
        topics: String,
    },
    /// The topic has no complete image.
    #[error("{file}: the topic {topic} has no image that can be read{why}")]
    NoFrame {
        /// The file.
        file: String,
        /// The topic.
        topic: String,
        /// What is wrong with the first image.
        why: String,
    },
    /// The frames have another depth than the run asks for.
    #[error("{file} has {got} images: {}", depth_advice(*got))]
    Depth {
        /// The file.
        file: String,
        /// Their format.
        got: PixelFormat,
    },
    /// An image has another size than the first.
    #[error("{file}: image {frame} is {got}, the first is {first}: all images must have one size")]
    Changed {
        /// The file.
        file: String,
        /// The image, counted from 0.
        frame: u64,
        /// Its size.
        got: Size,
        /// The size of the first.
        first: Size,
    },
    /// The note on a frame of a recording is malformed.
    #[error("{file}: its note on image {frame} is damaged, so the truth is not known: record the run again")]
    Note {
        /// The file.
        file: String,
        /// The image, counted from 0.
        frame: u64,
    },
}

fn depth_advice(got: PixelFormat) -> &'static str {
    match got {
        PixelFormat::Gray16 => "they are never scaled, so leave --pixel out or write --pixel gray16",
        _ => "--pixel gray16 takes images of 16 bits, so leave --pixel out or write --pixel gray8 or bgr8",
    }
}
