//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Frames of a quick look.
const QUICK: u64 = 500;

/// Holds the detector `hough` against OpenCV, on the same frames, condition by condition.
#[derive(Debug, Parser)]
#[command(name = "detector")]
pub(crate) struct Options {
    /// Frames of a condition at 640x480; a fifth of it at 1920x1080
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(5..))]
    frames: u64,

    /// A quick look: 500 frames instead
    #[arg(long)]
    quick: bool,

    /// Only the condition of this name, or all whose names contain it; may be given several times
    #[arg(long, value_name = "CONDITION")]
    only: Vec<String>,

    /// Names the conditions, then ends
    #[arg(long)]
    pub(crate) list: bool,

    /// Instead: hough-classic against OpenCV's gradient method, stage by stage, on so many frames of each condition
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20")]
    pub(crate) parity: Option<u64>,

    /// Instead: what hough finds in real pictures, which are fetched from PyPI and Debian
    #[arg(long)]
    pub(crate) pictures: bool,

    /// Instead: false positives of hough in so many empty frames, plain and with clutter, with noise up to 40
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "50000")]
    pub(crate) empty: Option<u64>,

    /// Instead: how often hough counts 0 to 6 balls right, in so many frames
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10000")]
    pub(crate) count: Option<u64>,

    /// Takes conditions that were measured before with as many frames from the last run, which may have been another
    /// version of the detector
    #[arg(long)]
    pub(crate) resume: bool,

    /// Rounds through the frames that are timed; 0 for no times
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,

    /// Threads that measure accuracy [default: one a core]
    #[arg(long)]
    pub(crate) threads: Option<usize>,

    /// Where to write the tables, beside stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Frames of a condition at 640x480.
    pub(crate) fn frames(&self) -> u64 {
        if self.quick { QUICK } else { self.frames }
    }

    /// Whether a condition is asked for, out of all that there are.
    pub(crate) fn wants(&self, name: &str, all: &[String]) -> bool {
        let matches = |wanted: &String| name == wanted || (!all.contains(wanted) && name.contains(wanted.as_str()));
        self.only.is_empty() || self.only.iter().any(matches)
    }
}
