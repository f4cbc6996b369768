//! The options of `server tune`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::sweep::jobs::jobs;

/// What is tuned, and where the results go.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Tune")]
pub struct TuneOptions {
    /// The plan: the run, the pipeline, its parameters and what is asked of it
    #[arg(id = "tune", value_name = "PLAN.toml", value_hint = ValueHint::FilePath)]
    pub plan: PathBuf,

    /// Folder for the results. The same command continues where an earlier one stopped
    #[arg(id = "tune-out", long = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,

    /// Trials that run at the same time [default: one per core; 1 if latency counts]
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
}
