//! The options of `server sweep`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::jobs::jobs;
use super::plan::MAX_TRIALS;
use super::shard::{MAX_SHARDS, Shard};
use crate::options::whole;

/// What `server sweep` does, with which trials.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Sweep")]
pub struct SweepOptions {
    /// PLAN.toml runs the trials of this plan; "plan PLAN.toml" prints them, with an estimate of the time; "merge
    /// DIR..." writes the table of all trials in these folders
    #[arg(id = "sweep", value_name = "[plan|merge] PATH", value_hint = ValueHint::AnyPath)]
    pub words: Vec<PathBuf>,

    /// Folder for the results. Trials of the plan that it already has are not run again. With merge: folder for
    /// sweep.parquet [default: the first DIR]
    #[arg(id = "sweep-out", long = "out", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,

    /// Trials that run at the same time [default: one per core; 1 if latency counts]
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,

    /// Run only one part of the trials: its number and the number of parts, such as 1/8 [default: from the variables of
    /// Slurm, AWS Batch or Kubernetes, else all]
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,

    /// Number of shards, for an engine that gives only the index; for a Kubernetes Job, its completions
    #[arg(long, value_name = "N", value_parser = |text: &str| whole::<NonZeroU64>(text, MAX_SHARDS))]
    pub shards: Option<NonZeroU64>,

    /// With plan: print the command of this trial instead
    #[arg(id = "sweep-command", long = "command", value_name = "TRIAL", value_parser = |text: &str| whole::<NonZeroU64>(text, MAX_TRIALS))]
    pub command: Option<NonZeroU64>,

    /// With merge: also merge trials of different versions of Plumb
    #[arg(long)]
    pub mixed: bool,

    /// Find where this condition ceases to hold along the axis of --along, such as 'missed <= 1%', instead of running
    /// all trials
    #[arg(long, value_name = "CONDITION")]
    pub find: Option<String>,

    /// With --find: the axis, between its smallest and its largest value
    #[arg(long, value_name = "AXIS")]
    pub along: Option<String>,
}
