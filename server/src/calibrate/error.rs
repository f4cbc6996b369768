//! Why a calibration failed.

use std::io;
use std::path::PathBuf;

use shared::geometry::Size;
use shared::text::Escaped;
use thiserror::Error;

/// Why a calibration failed.
#[derive(Debug, Error)]
pub enum CalibrateError {
    /// The options are wrong.
    #[error("{0}")]
    Usage(String),
    /// A file or folder cannot be read.
    #[error("{} cannot be read ({error}): name a folder that a run wrote with --out, or a CSV file with the header frame,x,y,u,v", Escaped(path.display()))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
    /// A run did not write this folder, or another program wrote this file.
    #[error("{}: {wrong}; name a folder that a run wrote with --out, or a CSV file with the header frame,x,y,u,v", Escaped(path.display()))]
    NotInput {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        wrong: String,
    },
    /// A row cannot be read.
    #[error("{}, line {line}: {wrong}", Escaped(path.display()))]
    Row {
        /// The table.
        path: PathBuf,
        /// The line.
        line: u64,
        /// What is wrong with it.
        wrong: String,
    },
    /// No frame of a run has a truth.
    #[error("{} has no truth: calibrate a run of --source ball, or give --truth FILE to the run", Escaped(name))]
    NoTruth {
        /// The run.
        name: String,
    },
    /// There are too few frames.
    #[error(
        "{model} has {parameters} parameters and needs at least {needed} frames with an answer{each}; {} has {found}",
        Escaped(name)
    )]
    TooFew {
        /// The model.
        model: String,
        /// Its parameters.
        parameters: usize,
        /// Frames that it needs.
        needed: usize,
        /// Whether they are needed in each pose.
        each: &'static str,
        /// The run or pose that has too few.
        name: String,
        /// Frames that it has.
        found: usize,
    },
    /// All answers are the same.
    #[error(
        "all {frames} answers are at ({x}, {y}): a pipeline that always gives the same answer cannot be calibrated"
    )]
    OnePlace {
        /// Frames.
        frames: usize,
        /// Their place.
        x: f64,
        /// Their place.
        y: f64,
    },
    /// The truth stays at one place.
    #[error(
        "the truth of {} is always at ({x}, {y}): calibrate a run whose ball moves (--speed above 0)",
        Escaped(name)
    )]
    NoMotion {
        /// The run.
        name: String,
        /// The place.
        x: f64,
        /// The place.
        y: f64,
    },
    /// The truth lies on a line.
    #[error(
        "the truth of {} lies on one line, which does not determine {model}: let the ball cross the picture, or fit \
         similarity or offset",
        Escaped(name)
    )]
    OneLine {
        /// The run.
        name: String,
        /// The model.
        model: String,
    },
    /// The runs have different sizes.
    #[error("{} is of {size} images and {} of {other_size}: calibrate runs of one size", Escaped(name), Escaped(other))]
    Sizes {
        /// A run.
        name: String,
        /// Its size.
        size: Size,
        /// Another run.
        other: String,
        /// Its size.
        other_size: Size,
    },
    /// A pose or a start cannot be found.
    #[error("{}: {wrong}", Escaped(name))]
    Degenerate {
        /// The run.
        name: String,
        /// What is wrong.
        wrong: String,
    },
    /// A result cannot be written.
    #[error("cannot write {what}: {error}")]
    Write {
        /// What it is.
        what: String,
        /// What failed.
        error: io::Error,
    },
}

impl CalibrateError {
    /// Whether the arguments are wrong.
    pub(super) fn is_usage(&self) -> bool {
        !matches!(self, Self::Write { .. })
    }
}
