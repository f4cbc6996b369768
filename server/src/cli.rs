//! The command line: what the run does ([`RunSpec`]), what belongs to this machine ([`Local`]), and where else either is
//! said. Every option can also be given by environment; `--help` says how.

use std::ffi::OsString;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use shared::text::Escaped;
use thiserror::Error;

use crate::options::{self, TakesAll};
use crate::output::json::JsonTarget;
use crate::run::{self, RunSpec};

/// Where the server listens unless told: this machine only.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// What stands at the end of `--help`.
const MORE_HELP: &str = "\
Examples:
  server --loopback                              a first try, all in one process
  server --frames 600 --seed 7 --json report.json
  server --noise 10 --radius 10..40 --print-run  that run as TOML, for --run

=false switches a switch off, as in --once=false. The command line goes before
the environment, that before --run FILE, that before --camera FILE. An empty
environment variable is an unset one.

Exit codes: 0 fine, 2 wrong usage, 3 no peer, port taken, connection lost or
fewer frames than asked for with --once, 4 anything else";

/// Plumb's server: renders frames whose truth it knows, sends them over WebRTC, scores the answers.
#[derive(Debug, Parser)]
#[command(name = "server", version, args_conflicts_with_subcommands = true, after_help = MORE_HELP)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Say more (-v, -vv, -vvv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Say only what is wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Where else the run is described.
    #[command(flatten)]
    pub layers: Layers,

    /// What the run does.
    #[command(flatten)]
    pub spec: RunSpec,

    /// What belongs to this machine.
    #[command(flatten)]
    pub local: Local,
}

/// Other things the server does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask whether a server is there: exit code 0 if it answers, 3 if not
    Health {
        /// Where it listens
        #[arg(id = "listen", value_name = "ADDR", default_value = DEFAULT_LISTEN)]
        address: ListenAddress,
    },
}

/// Where else the run is described.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Run")]
pub struct Layers {
    /// Read the run from this TOML file: names of the options of a run, with _ for -, and their values
    #[arg(id = "run", long = "run", value_name = "FILE")]
    pub run: Option<PathBuf>,

    /// Read the camera from this TOML file: names and values of the options under "Camera"
    #[arg(long, value_name = "FILE")]
    pub camera: Option<PathBuf>,

    /// Print the run as TOML that --run reads back, with its seed, and end
    #[arg(long)]
    pub print_run: bool,
}

/// What belongs to this machine and not to the run: never in a run's file, never printed with it.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "This machine")]
pub struct Local {
    /// Where to listen for clients (HOST:PORT; port 0 picks a free one) [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<ListenAddress>,

    /// Do not announce the server on the local network
    #[arg(long)]
    pub no_announce: bool,

    /// The address clients shall send to, where it is not the one they connected to
    #[arg(long, value_name = "IP")]
    pub advertise: Option<IpAddr>,

    /// UDP port or range for the links, one a client, such as 40000-40015 [default: any free one]
    #[arg(long, value_name = "PORT[-PORT]", value_parser = ports)]
    pub udp_port: Option<RangeInclusive<u16>>,

    /// Print a row a frame instead of opening a window
    #[arg(long)]
    pub no_graphics: bool,

    /// Write the report to this file after each session, or to stdout (-), a pipe or a device at the end
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub json: Option<JsonTarget>,

    /// Write the frames to this file as CSV, a row a frame: truth, answer, residual, outcome, latency by stage
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,
}

impl Cli {
    /// Reads the command line, the environment and the files they name.
    ///
    /// # Errors
    /// What is wrong, or the help or version that was asked for: to be printed before anything runs.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let arguments: Vec<_> = arguments.into_iter().collect();
        let command = Self::completed_command();
        let asked = Self::from_arg_matches(&command.clone().try_get_matches_from(&arguments)?)?;
        if asked.command.is_some() {
            return Ok(asked);
        }
        let layers = &asked.layers;
        let layered = run::layered(command, layers.run.as_deref(), layers.camera.as_deref());
        let layered =
            layered.map_err(|wrong| clap::Error::raw(ErrorKind::ValueValidation, format!("{}\n", Escaped(wrong))))?;
        Self::from_arg_matches(&layered.try_get_matches_from(arguments)?)
    }

    /// The command line with what all its options have in common.
    pub fn completed_command() -> clap::Command {
        options::completed(Self::command(), &TakesAll::of::<RunSpec>())
    }
}

/// A host and port to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress(pub String);

/// Why an address was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("\"{0}\" is no address: write HOST:PORT, for example {DEFAULT_LISTEN}")]
pub struct NotAnAddress(String);

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let sound = |(host, port): (&str, &str)| !host.is_empty() && port.parse::<u16>().is_ok();
        if text.rsplit_once(':').is_some_and(sound) { Ok(Self(text.into())) } else { Err(NotAnAddress(text.into())) }
    }
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let wrong = || "must be a port from 1 to 65535, or a range such as 40000-40015".to_owned();
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|&port| port > 0).ok_or_else(wrong);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let range = port(first)?..=port(last)?;
    if range.is_empty() { Err(wrong()) } else { Ok(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::completed_command().debug_assert();
    }

    #[test]
    fn every_option_has_an_environment_variable() {
        for option in Cli::completed_command().get_arguments() {
            let name = options::variable(option.get_id().as_str());
            assert_eq!(option.get_env().map(|env| env.to_string_lossy().into_owned()), Some(name));
        }
    }

    #[test]
    fn udp_ports_are_one_or_a_range() {
        assert_eq!(ports("40000"), Ok(40000..=40000));
        assert_eq!(ports("40000-40015"), Ok(40000..=40015));
        for text in ["0", "5-4", "70000", "a", "1-", ""] {
            assert!(ports(text).is_err(), "{text}");
        }
    }
}
