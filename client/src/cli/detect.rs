//! The options of `client detect`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use shared::shell::options::Refusal;

use super::headings::{OUTPUT, PIPELINE};
use super::pipeline::DetectorArgs;
use crate::pipeline::MIN_AXIS_RATIO;

/// Text at the end of `detect --help`.
pub(super) const DETECT_HELP: &str = "\
Examples:
  client detect photo.png                            print one line per file
  client detect --all photo.png                      print a line for each circle too
  client detect --all --draw found scans/*.jpg       draw the circles into copies in found/
  client detect --explain photo.png                  say why candidates were rejected
  client detect --min-radius 40 --json scans/*.jpg   print one JSON array

Exit codes:
  0  all files were read, with or without a circle
  2  wrong usage
  4  a file could not be read, or the results could not be written";

/// Detection in files.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// Image files: PNG, JPEG, PGM, PPM, BMP, TIFF or WebP; "-" reads one from standard input. They are read as by
    /// OpenCV's imread: without alpha, and turned as their EXIF data says (-v logs this)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The detector and its limits.
    #[command(flatten)]
    pub detector: DetectorArgs,

    /// Find all circles of each file instead of one
    #[arg(id = "detect_all", long = "all", help_heading = PIPELINE)]
    pub all: bool,

    /// With --all: report at most this many circles of each file, the most certain ones
    #[arg(long, help_heading = PIPELINE, value_name = "N", value_parser = max_count)]
    pub max_count: Option<NonZeroUsize>,

    /// Smallest ratio of the half-axes of an ellipse to be found: 1 finds circles only [default: 0.55, a disc seen at 57°
    /// to its axis]
    #[arg(long, help_heading = PIPELINE, value_name = "RATIO", value_parser = axis_ratio)]
    pub min_axis_ratio: Option<f64>,

    /// List every candidate with the evidence for it, and why it was rejected
    #[arg(long, help_heading = OUTPUT)]
    pub explain: bool,

    /// Write each picture with what was found drawn into it, as PNG, to this folder; with --explain, the rejected
    /// candidates too. No file that is read is replaced
    #[arg(long, help_heading = OUTPUT, value_name = "FOLDER")]
    pub draw: Option<PathBuf>,

    /// Print one JSON array instead of one line per file
    // The environment variable is not PLUMB_JSON, which names the server's output file.
    #[arg(id = "detect_json", long = "json", help_heading = OUTPUT)]
    pub json: bool,
}

impl DetectArgs {
    /// Checks the options that need another one.
    ///
    /// # Errors
    /// If `--max-count` is given without `--all`.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.max_count.is_some() && !self.all {
            let reason = "it limits how many circles --all reports: add --all, or leave it out";
            return Err(Refusal { place: "--max-count".into(), reason: reason.into() });
        }
        Ok(())
    }
}

fn max_count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a whole number of circles, such as 5"))
}

fn axis_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio: &f64| (MIN_AXIS_RATIO..=1.0).contains(ratio));
    ratio.ok_or_else(|| {
        format!("\"{text}\" is not a ratio of half-axes: write a number from {MIN_AXIS_RATIO} to 1, such as 0.55")
    })
}
