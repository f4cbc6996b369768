//! What can be wrong with the line of an answer.

use shared::geometry::{Size, SizeError};
use shared::image::PixelFormat;
use shared::protocol::message::PayloadError;
use thiserror::Error;

/// What is wrong with a line.
#[derive(Debug, Error)]
pub(super) enum AnswerError {
    #[error("\"{0}\" is not a JSON object in a line")]
    NotJson(String),
    #[error("{field} is missing")]
    Missing { field: &'static str },
    #[error("{field} is not {expected}")]
    Type { field: &'static str, expected: &'static str },
    #[error("kind \"{kind}\" is not one of {expected} or dropped, which the task {task} accepts")]
    Kind { kind: String, task: &'static str, expected: String },
    #[error("\"{0}\" is not a JSON object in a line: JSON has no NaN and no Infinity")]
    NotFinite(String),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error("width and height: {0}")]
    Size(#[from] SizeError),
    #[error("bytes {bytes}: an image of {size} {pixel} has {need}")]
    OtherLength { bytes: u64, size: Size, pixel: PixelFormat, need: usize },
    #[error("bytes {bytes}: an image has at most {most} here, as many as its frame")]
    TooLarge { bytes: u64, most: usize },
}
