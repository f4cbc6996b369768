//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// Number of frames with `--quick`.
const QUICK: u64 = 500;

/// Compares the detector `hough` with OpenCV on the same frames, condition by condition.
#[derive(Debug, Parser)]
#[command(name = "detector")]
pub(crate) struct Options {
    /// Frames of a condition at 640x480; a fifth of it at 1920x1080
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(5..))]
    frames: u64,

    /// Measure only 500 frames
    #[arg(long)]
    quick: bool,

    /// Measure only the condition with this name, or all whose names contain it; may be given several times
    #[arg(long, value_name = "CONDITION")]
    only: Vec<String>,

    /// List the conditions and exit
    #[arg(long)]
    pub(crate) list: bool,

    /// Instead compare hough-classic with OpenCV's gradient method, stage by stage, on this many frames of each
    /// condition
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20")]
    pub(crate) parity: Option<u64>,

    /// Instead show what hough finds in real pictures, which are fetched from PyPI and Debian
    #[arg(long)]
    pub(crate) pictures: bool,

    /// Instead count the false positives of hough in this many empty frames, plain and with clutter, with noise up to
    /// 40
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "50000")]
    pub(crate) empty: Option<u64>,

    /// Instead measure how often hough counts 0 to 6 balls correctly, in this many frames
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "10000")]
    pub(crate) count: Option<u64>,

    /// Reuse the last run's results for conditions that it measured with as many frames; it may have run another
    /// version of the detector
    #[arg(long)]
    pub(crate) resume: bool,

    /// Number of timed rounds through the frames; 0 to measure no times
    #[arg(long, default_value_t = 5)]
    rounds: usize,

    /// Measure only the accuracy of hough: OpenCV is not started, and no times are measured
    #[arg(long)]
    pub(crate) alone: bool,

    /// Number of threads that measure accuracy [default: one per core]
    #[arg(long)]
    pub(crate) threads: Option<usize>,

    /// Also write the tables to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Passed by cargo to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Number of timed rounds.
    pub(crate) fn rounds(&self) -> usize {
        if self.alone { 0 } else { self.rounds }
    }

    /// Frames of a condition at 640x480.
    pub(crate) fn frames(&self) -> u64 {
        if self.quick { QUICK } else { self.frames }
    }

    /// Whether to measure the condition with this name. `all` has the names of all conditions.
    pub(crate) fn wants(&self, name: &str, all: &[String]) -> bool {
        let matches = |wanted: &String| name == wanted || (!all.contains(wanted) && name.contains(wanted.as_str()));
        self.only.is_empty() || self.only.iter().any(matches)
    }
}
