//! Pipelines: what is under test. An image in, an answer out.
//!
//! A [`Pipeline`] sees a single [`Frame`] and nothing else: no earlier frame, no clock, no truth. The same
//! pixels therefore give the same answer, to the bit, in any order. Scratch memory is the only thing kept between
//! frames; once a size has been seen, frames of that size allocate nothing.
//!
//! - [`PipelineChoice`] checks what the user asks for; the server's task makes a [`ChosenPipeline`] of it.
//! - [`Answers`] says how a pipeline's answers are counted and shown.
//! - `corrected` applies a correction to the circles of another pipeline, for `--correct`.
//! - `ack` acknowledges frames. `annotate` and `edges` answer with an image.
//! - [`exec`] hands the frames to another program, in any language.
//! - All others find a circle, with a [`Detector`], or all of them, with a [`DetectorOfAll`]:
//! - [`hough`], the default: gradient voting, then a least-squares fit to the intensities.
//! - [`classic`], for comparison: the plain gradient method as OpenCV does it.
//! - [`fuzz`]: the properties of every answer, checked on frames from a fuzzer.
//!
//! To add a pipeline: one file or folder here, its line in `list`, its name in `docs/options.md`.
//!
//! Conventions: arrays are `[rows, columns]`; pixel centres are at integer coordinates, the origin is the centre of
//! the top-left pixel, x to the right, y down; lengths are in pixels.

pub use shared::geometry::{Circle, Covariance};

pub use answers::{AnswerKind, Answers, NoAnswers};
pub use choice::{AUTO, ChosenPipeline, PipelineChoice};
pub use circle::CircleKind;
pub use corrected::{NotCorrected, corrected_answer};
pub use count::CountKind;
pub use detector::{Detector, DetectorOfAll, Estimate};
pub use detectors::{DetectorChoice, detector_names};
pub use error::PipelineError;
pub use exec::{CommandError, Program};
pub use frame::Frame;
pub use image_answer::image_payload;
pub(crate) use image_answer::shortened;
pub use list::kinds;
pub use options::{DEFAULT_TIMEOUT, PipelineOptions, timeout};
pub use parameters::{Parameter, Parameters};
pub use radii::{
    DEFAULT_MAX_RADIUS_OF_SIDE, DEFAULT_MIN_AXIS_RATIO, DEFAULT_MIN_RADIUS_OF_SIDE, DEFAULT_MIN_RADIUS_PX,
    MIN_AXIS_RATIO, RadiusError, RadiusLimits, RadiusRange,
};
pub use seam::{Pipeline, PipelineKind, PipelineMaker};

mod ack;
mod annotate;
mod answers;
mod choice;
mod circle;
pub mod classic;
mod corrected;
mod count;
mod detector;
mod detectors;
mod edges;
mod error;
pub mod exec;
mod frame;
pub mod fuzz;
pub mod hough;
mod image;
mod image_answer;
mod list;
mod options;
mod parameters;
mod radii;
mod seam;
#[cfg(test)]
mod testing;
