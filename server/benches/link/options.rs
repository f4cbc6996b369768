//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Compares the whole path with the bare link, raw TCP and an aiortc + OpenCV pipeline, on the same frames.
#[derive(Debug, Parser)]
#[command(name = "link", args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) end: Option<Command>,

    /// Number of rounds. Each round runs every contender once; the tables give medians
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Seconds each contender runs; twice as long at 60 frames/s
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,

    /// Run only one round of 1.5 seconds
    #[arg(long)]
    quick: bool,

    /// Run only contenders whose group and name contain this ("60 fps: ours"); may be given several times
    #[arg(long, value_name = "TEXT")]
    only: Vec<String>,

    /// List the contenders and exit
    #[arg(long)]
    pub(crate) list: bool,

    /// Use the programs as last built
    #[arg(long)]
    pub(crate) no_build: bool,

    /// Also write the tables to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Passed by cargo to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Number of rounds.
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    /// How long an unpaced contender runs.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_secs_f64(if self.quick { 1.5 } else { self.seconds.clamp(1.0, 3600.0) })
    }

    /// Whether the contender with this name is to run.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| name.contains(wanted.as_str()))
    }
}

/// Other roles of this program: it is also the ends of the links that it measures, each in a separate process.
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

    /// Port of the source. With it this end is the sink; without it this end is the source, which prints its port.
    #[arg(long)]
    pub(crate) port: Option<u16>,

    /// File of frames, one after another.
    #[arg(long)]
    pub(crate) frames: PathBuf,

    /// Bytes per frame.
    #[arg(long)]
    pub(crate) frame_bytes: usize,

    #[arg(long)]
    pub(crate) seconds: f64,

    /// Frames per second. Without it, as fast as the window allows.
    #[arg(long)]
    pub(crate) fps: Option<f64>,

    /// Largest SCTP packet.
    #[arg(long)]
    pub(crate) mtu: Option<u32>,
}

/// Transport of the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wire {
    /// Raw TCP.
    Tcp,
    /// A stream of gRPC messages.
    Grpc,
    /// This repository's link.
    Link,
}
