//! The command line. Every option can also be given by environment; `--help` says how.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use shared::link::webrtc::parse_mtu;
use thiserror::Error;

use crate::detect::{DetectorChoice, DetectorError, RadiusLimits};
use crate::workers::Policy;

/// The most worker threads: more than any machine's cores, few enough to start.
const MAX_WORKERS: usize = 1024;

/// Plumb's client: receives frames from a Plumb server, finds the circle in each, answers.
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

    /// How long to wait for a server that is not there yet: a duration such as 30s, or forever
    #[arg(long, value_name = "DURATION", env = "PLUMB_WAIT", allow_hyphen_values = true, default_value = "30s")]
    pub wait: Wait,

    /// Largest SCTP packet in bytes; the smaller of both ends' holds [default: what the path carries: 16000 within a
    /// machine, up to 1400 on a network]
    #[arg(long, value_name = "BYTES", env = "PLUMB_SCTP_MTU", allow_hyphen_values = true, value_parser = parse_mtu)]
    pub sctp_mtu: Option<u32>,

    /// The detector and its limits.
    #[command(flatten)]
    pub detector: DetectorArgs,

    /// Worker threads [default: one a core]
    #[arg(long, value_name = "N", env = "PLUMB_WORKERS", allow_hyphen_values = true, value_parser = workers)]
    pub workers: Option<NonZeroUsize>,

    /// When all workers are busy: look at every frame in turn, or only at the latest
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

/// Which detector, looking for what.
#[derive(Debug, Args)]
pub struct DetectorArgs {
    /// The detector: hough, or hough-classic, OpenCV's plain gradient method, for comparison
    #[arg(long, value_name = "NAME", env = "PLUMB_DETECTOR", default_value = crate::detect::hough::NAME)]
    pub detector: String,

    /// Smallest radius looked for, in px [default: 8, or a 60th of the frame's shorter side if that is more]
    #[arg(long, value_name = "PX", env = "PLUMB_MIN_RADIUS", allow_hyphen_values = true)]
    pub min_radius: Option<f64>,

    /// Largest radius looked for, in px [default: a quarter of the frame's shorter side]
    #[arg(long, value_name = "PX", env = "PLUMB_MAX_RADIUS", allow_hyphen_values = true)]
    pub max_radius: Option<f64>,
}

impl DetectorArgs {
    /// The detector, checked.
    pub fn choice(&self) -> Result<DetectorChoice, DetectorError> {
        DetectorChoice::new(&self.detector, RadiusLimits { min: self.min_radius, max: self.max_radius })
    }
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

/// A server's host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress(pub String);

/// Why a server's address was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a server: write HOST:PORT, for example 127.0.0.1:8080")]
pub struct NotAnAddress(String);

impl FromStr for ServerAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let port = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0);
        if text.rsplit_once(':').is_some_and(port) { Ok(Self(text.into())) } else { Err(NotAnAddress(text.into())) }
    }
}

/// How long to wait for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// So long.
    For(Duration),
    /// Until told to stop.
    Forever,
}

/// Why a wait was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is not a time to wait: a duration such as 30s or 500ms, or forever")]
pub struct NotAWait(String);

impl FromStr for Wait {
    type Err = NotAWait;

    fn from_str(text: &str) -> Result<Self, NotAWait> {
        match text {
            "forever" => Ok(Self::Forever),
            _ => humantime::parse_duration(text).map(Self::For).map_err(|_| NotAWait(text.into())),
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

    #[test]
    fn a_server_needs_host_and_port() {
        for text in ["", "host", ":8080", "host:", "host:0", "host:65536", "host:http"] {
            assert!(text.parse::<ServerAddress>().is_err(), "{text}");
        }
        for text in ["host:1", "127.0.0.1:8080", "[::1]:8080"] {
            assert!(text.parse::<ServerAddress>().is_ok(), "{text}");
        }
    }

    #[test]
    fn a_wait_is_a_duration_or_forever() {
        assert_eq!("forever".parse(), Ok(Wait::Forever));
        assert_eq!("1m 30s".parse(), Ok(Wait::For(Duration::from_secs(90))));
        assert!("30".parse::<Wait>().is_err());
    }
}
