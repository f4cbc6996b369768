//! The options of `server compare`.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueHint};

use super::subset::By;
use crate::gate::GivenGates;
use crate::options::whole;

/// Default number of rounds. It shows a latency that is 5 % larger with a power of 95 % (`simulation`).
const ROUNDS: &str = "12";

/// Most rounds: as many as the type counts.
const MAX_ROUNDS: u64 = u32::MAX as u64;

/// The options of `server compare`.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Compare")]
pub struct CompareOptions {
    /// Runs to compare: folders that a run wrote with --out, or reports. The others are compared with the first
    #[arg(id = "compare", value_name = "RUN", value_hint = ValueHint::AnyPath)]
    pub runs: Vec<PathBuf>,

    /// Run this TOML file and others in turns (ABBA), and also compare their latencies; give two or more files
    #[arg(id = "compare-run", long = "run", value_name = "FILE", action = ArgAction::Append, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,

    /// With --run: how often each file is run
    #[arg(long, value_name = "N", default_value = ROUNDS, value_parser = |text: &str| whole::<NonZeroU32>(text, MAX_ROUNDS))]
    pub rounds: NonZeroU32,

    /// With --run: start this command as the client of each run; give one, or one for each file. PLUMB_SERVER is the
    /// server's address
    #[arg(id = "compare-client", long = "client", value_name = "COMMAND", action = ArgAction::Append)]
    pub clients: Vec<String>,

    /// Compare the run with the newest run in this folder that passed and has the same specification
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub baseline: Option<PathBuf>,

    /// With --baseline: keep a copy of the run there, unless it failed
    #[arg(long)]
    pub keep: bool,

    /// Condition on the comparison, such as 'worse == 0', 'error_px.l1.mean.ratio <= 1.05' or
    /// 'latency_us.p50.difference <= 1ms'; repeatable. If one fails or has no data, exit with code 1
    #[arg(id = "compare-gate", long = "gate", value_name = "CONDITION", action = ArgAction::Append)]
    pub gates: Vec<GivenGates>,

    /// Exit with code 1 also if a gate is inconclusive
    #[arg(id = "compare-strict", long = "strict")]
    pub strict: bool,

    /// Show figures by subset of the frames: radius (of the ball in each frame), contrast and noise (of each run),
    /// separated by commas. A single run is enough
    #[arg(id = "compare-by", long = "by", value_name = "NAME", value_delimiter = ',')]
    pub by: Vec<By>,

    /// Write the whole result to this file as JSON; - for stdout
    #[arg(id = "compare-json", long = "json", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub json: Option<PathBuf>,

    /// Write the tables to this file as Markdown, for a pull request or $GITHUB_STEP_SUMMARY; - for stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub markdown: Option<PathBuf>,
}
