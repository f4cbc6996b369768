//! A run's folder: all results of a run, in files that other programs can read.
//!
//! | file | content | made |
//! |---|---|---|
//! | `run.toml` | the run specification with its seed, for `--run`; version and machine as comments | at the start |
//! | `frames.csv` | one row per frame | as the frames end |
//! | `report.json` | the report; during the run, with the sessions so far | replaced every second, and at the end |
//! | `junit.xml` | the verdicts on the run's gates, if it has any | at the end |
//! | `run.mcap` | with `--record`: the frames, their truth and their answers, see [`mcap`](crate::output::mcap) | as the frames are sent |
//! | `report.html` | the same for people: one page, which needs nothing else | renamed at the end |
//! | `worst/` | pictures of the worst frames, if the source cannot show them again | every second, and at the end |
//! | `frames.parquet` | the same rows with types, and facts about the whole run as metadata | renamed at the end |
//!
//! [`output`](FolderOutput) writes them during a run: `claim` takes the folder, `run_file` has the text of `run.toml`,
//! and `tables` writes the rows, `crops` the pictures. [`renew`] completes a folder after a crash. The page comes from
//! `output::html`.

mod claim;
mod crops;
mod facts;
mod output;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "no_parquet.rs"]
mod parquet;
pub mod renew;
mod run_file;
mod tables;

pub use output::FolderOutput;

/// The run specification.
const RUN: &str = "run.toml";

/// The table of frames as text.
const FRAMES: &str = "frames.csv";

/// The report.
const REPORT: &str = "report.json";

/// The table of frames with types.
const TABLE: &str = "frames.parquet";

/// The recording.
const RECORDING: &str = "run.mcap";

/// The page.
const PAGE: &str = "report.html";

/// The folder of the pictures.
const WORST: &str = "worst";

/// The verdicts.
const VERDICTS: &str = "junit.xml";

/// The files of a folder.
pub(super) const FILES: [&str; 7] = [RUN, FRAMES, REPORT, TABLE, RECORDING, PAGE, VERDICTS];

/// The files that are renamed when they are complete, or replaced.
const RENAMED: [&str; 5] = [REPORT, TABLE, VERDICTS, PAGE, RECORDING];

#[cfg(test)]
mod tests;
