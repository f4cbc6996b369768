//! The command line. Every option can also be given by environment; `--help` says how.

use std::env;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use shared::link::webrtc::parse_mtu;

use crate::config::{ServerAddress, Wait};
use crate::pipeline::{
    AUTO, DetectorChoice, PipelineChoice, PipelineError, PipelineOptions, RadiusLimits, detector_names,
};
use crate::workers::Policy;

/// The most worker threads: more than any machine's cores, few enough to start.
const MAX_WORKERS: usize = 1024;

/// The variable of `--pipeline`.
const PIPELINE_VARIABLE: &str = "PLUMB_PIPELINE";

/// The variable of `--detector`.
const DETECTOR_VARIABLE: &str = "PLUMB_DETECTOR";

/// Plumb's client: receives frames from a Plumb server, has a pipeline look at each, answers.
#[derive(Debug, Parser)]
#[command(name = "client", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do instead of a session.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The session.
    #[command(flatten)]
    pub session: SessionArgs,

    /// Say more (-v, -vv, -vvv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true, env = "PLUMB_VERBOSE")]
    pub verbose: u8,

    /// Say only what is wrong
    #[arg(short, long, global = true, env = "PLUMB_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,
}

/// Other things the client does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the circle in image files (PNG, JPEG, PGM)
    Detect(DetectArgs),
}

/// A session with a server.
#[derive(Debug, Args)]
pub struct SessionArgs {
    /// The server's HOST:PORT [default: found on this machine or the local network]
    #[arg(value_name = "SERVER", env = "PLUMB_SERVER")]
    pub server: Option<ServerAddress>,

    /// Print a row a frame instead of opening a window
    #[arg(long, env = "PLUMB_NO_GRAPHICS", value_parser = FalseyValueParser::new())]
    pub no_graphics: bool,

    /// How long to try again while no server is there or it cannot serve yet: a duration such as 30s, or forever
    #[arg(long, value_name = "DURATION", env = "PLUMB_WAIT", allow_hyphen_values = true, default_value = "30s")]
    pub wait: Wait,

    /// Largest SCTP packet in bytes; the smaller of both ends' holds [default: what the path carries: 16000 within a
    /// machine, up to 1400 on a network]
    #[arg(long, value_name = "BYTES", env = "PLUMB_SCTP_MTU", allow_hyphen_values = true, value_parser = parse_mtu)]
    pub sctp_mtu: Option<u32>,

    /// The pipeline and its options.
    #[command(flatten)]
    pub pipeline: PipelineArgs,

    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", env = "PLUMB_WORKERS", allow_hyphen_values = true, value_parser = workers)]
    pub workers: Option<NonZeroUsize>,

    /// When all workers are busy: look at every frame in turn, or only at the latest
    ///
    /// With `every` frames wait in a queue of the server's window. A frame leaves that window when it is answered or when the
    /// server's deadline for it is over (live: its lifetime): a pipeline so slow that frames wait longer finds the queue full
    /// in the end, and a frame that comes then is answered `dropped`.
    #[arg(long, env = "PLUMB_POLICY", default_value = "every")]
    pub policy: PolicyArg,
}

impl SessionArgs {
    /// Worker threads: as asked, else one a core.
    pub fn worker_count(&self) -> NonZeroUsize {
        self.workers.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    }
}

/// Detection in files.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// Image files: PNG, JPEG or PGM, 8 bits a channel
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Print one JSON array instead of a line a file
    #[arg(long)]
    pub json: bool,

    /// The detector and its limits.
    #[command(flatten)]
    pub detector: DetectorArgs,
}

/// Which pipeline, looking for what.
#[derive(Debug, Args)]
pub struct PipelineArgs {
    /// What looks at the frames: hough, or hough-classic, OpenCV's plain gradient method, for comparison; ack, which only
    /// acknowledges them; or auto, which takes hough or ack as the server's task asks for it
    #[arg(long, visible_alias = "detector", value_name = "NAME", env = pipeline_variable(), default_value = AUTO)]
    pub pipeline: String,

    /// The radii.
    #[command(flatten)]
    pub radii: RadiusArgs,
}

impl PipelineArgs {
    /// The pipeline, checked.
    pub fn choice(&self) -> Result<PipelineChoice, PipelineError> {
        PipelineChoice::new(named(&self.pipeline), PipelineOptions { radii: self.radii.limits() })
    }
}

/// Which detector, looking for what.
#[derive(Debug, Args)]
pub struct DetectorArgs {
    /// The detector: hough, which auto is too, or hough-classic, OpenCV's plain gradient method, for comparison
    #[arg(long, value_name = "NAME", env = DETECTOR_VARIABLE, default_value = AUTO)]
    pub detector: String,

    /// The radii.
    #[command(flatten)]
    pub radii: RadiusArgs,
}

impl DetectorArgs {
    /// The detector, checked.
    pub fn choice(&self) -> Result<DetectorChoice, PipelineError> {
        let name = match named(&self.detector) {
            AUTO => detector_names().next().unwrap_or_default(),
            name => name,
        };
        DetectorChoice::new(name, self.radii.limits())
    }
}

/// Which radii are looked for.
#[derive(Debug, Args)]
pub struct RadiusArgs {
    /// Smallest radius looked for, in px [default: 8, or a 60th of the frame's shorter side if that is more]
    #[arg(long, value_name = "PX", env = "PLUMB_MIN_RADIUS", allow_hyphen_values = true)]
    pub min_radius: Option<f64>,

    /// Largest radius looked for, in px [default: a quarter of the frame's shorter side]
    #[arg(long, value_name = "PX", env = "PLUMB_MAX_RADIUS", allow_hyphen_values = true)]
    pub max_radius: Option<f64>,
}

impl RadiusArgs {
    fn limits(&self) -> RadiusLimits {
        RadiusLimits { min: self.min_radius, max: self.max_radius }
    }
}

/// The variable that names the pipeline, unless the detector's does: `--detector` is another name of `--pipeline`.
fn pipeline_variable() -> &'static str {
    let is_set = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
    if is_set(DETECTOR_VARIABLE) && !is_set(PIPELINE_VARIABLE) { DETECTOR_VARIABLE } else { PIPELINE_VARIABLE }
}

/// A pipeline's name as it was given; an empty variable is an unset one.
fn named(text: &str) -> &str {
    if text.is_empty() { AUTO } else { text }
}

/// A worker policy, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyArg {
    /// Look at every frame
    Every,
    /// Look at the latest, answer `dropped` for those it replaces
    Latest,
}

impl From<PolicyArg> for Policy {
    fn from(policy: PolicyArg) -> Self {
        match policy {
            PolicyArg::Every => Self::Every,
            PolicyArg::Latest => Self::Latest,
        }
    }
}

fn workers(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse() {
        Ok(count @ 1..=MAX_WORKERS) => NonZeroUsize::new(count),
        _ => None,
    }
    .ok_or_else(|| format!("must be a whole number from 1 to {MAX_WORKERS}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
