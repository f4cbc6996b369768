//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Holds the whole path against the bare link, raw TCP and an aiortc + OpenCV pipeline, on the same frames.
#[derive(Debug, Parser)]
#[command(name = "link", args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) end: Option<Command>,

    /// Rounds; each runs every contender once, the tables give medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds each contender runs for; twice this at 60 frames a second
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,

    /// A quick look: one round of a second and a half
    #[arg(long)]
    quick: bool,

    /// Only contenders whose group and name contain this ("60 fps: ours"); may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,

    /// Names the contenders, then ends
    #[arg(long)]
    pub(crate) list: bool,

    /// Takes the programs as they were last built
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Where to write the tables, beside stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// What cargo says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Rounds.
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    /// How long a contender runs.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(if self.quick { 1.5 } else { self.seconds.clamp(1.0, 3600.0) })
    }

    /// Whether a contender of this name is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| name.contains(wanted.as_str()))
    }
}

/// What this program also is: the ends of the links it measures, each a process of its own.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// One end of a link.
    #[command(hide = true)]
    End(EndOptions),
}

/// One end of a link.
#[derive(Clone, Debug, Args)]
pub(crate) struct EndOptions {
    #[arg(long)]
    pub(crate) wire: Wire,

    /// The source's port: this end is the sink, else the source, which says the port it took.
    #[arg(long)]
    pub(crate) port: Option<u16>,

    /// File of frames, one after the other.
    #[arg(long)]
    pub(crate) frames: PathBuf,

    /// Bytes of a frame.
    #[arg(long)]
    pub(crate) frame_bytes: usize,

    #[arg(long)]
    pub(crate) seconds: f64,

    /// Frames a second; as fast as the window allows when absent.
    #[arg(long)]
    pub(crate) fps: Option<f64>,

    /// Largest SCTP packet.
    #[arg(long)]
    pub(crate) mtu: Option<u32>,
}

/// What carries the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    /// Raw TCP.
    Tcp,
    /// The link of this repository.
    Link,
}
