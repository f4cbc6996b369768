//! The command line: the options of the run ([`RunSpec`]), the options of this machine ([`Local`]), and the files that
//! hold more of them ([`Layers`]). Every option can also be given by an environment variable, which `--help` names.

mod help;

use std::ffi::OsString;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use shared::canvas::colour::Look;
use shared::door::address::{self, ListenAddress};
use shared::shell::manual::{self, Shell};
use shared::shell::options::{CommandLine, Environment};

use crate::browser::HostNames;
use crate::calibrate::CalibrateOptions;
use crate::compare::CompareOptions;
use crate::options::{self, TakesAll};
use crate::output::json::JsonTarget;
use crate::run::{self, Origins, RunSpec};
use crate::serve::Limits;
use crate::sweep::SweepOptions;
use crate::tune::TuneOptions;

/// Address that the server listens on by default: reachable from this machine only.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// Help heading of the options for logging.
const LOGS: &str = "Logs";

/// Help heading of the options for what is shown and written.
const OUTPUT: &str = "Output";

/// Plumb's server: renders frames with known truth, sends them over WebRTC, TCP or gRPC and scores the answers.
#[derive(Debug, Parser)]
#[command(name = "server", version, args_conflicts_with_subcommands = true, after_help = help::SERVE)]
pub struct Cli {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Log more (-v, -vv, -vvv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = LOGS)]
    pub verbose: u8,

    /// Log only errors and warnings
    #[arg(short, long, global = true, help_heading = LOGS)]
    pub quiet: bool,

    /// Files that describe the run.
    #[command(flatten)]
    pub layers: Layers,

    /// Options of the run.
    #[command(flatten)]
    pub spec: RunSpec,

    /// Options of this machine.
    #[command(flatten)]
    pub local: Local,

    /// Where each option of the run was given.
    #[arg(skip)]
    pub origins: Origins,
}

/// What the server can do instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check whether a server answers: exit code 0 if it does, 3 if not
    #[command(after_help = help::HEALTH)]
    Health {
        /// Address that the server listens on
        #[arg(id = "listen", value_name = "ADDR", default_value = DEFAULT_LISTEN)]
        address: ListenAddress,
    },
    /// Complete a run's folder, for example after a crash: make report.json, report.html and frames.parquet from
    /// frames.csv
    #[command(after_help = help::REPORT)]
    Report {
        /// Folder that a run wrote with --out, or that a sweep or a search wrote: report.html then shows its trials
        #[arg(id = "folder", value_name = "RUN", value_hint = ValueHint::DirPath)]
        folder: PathBuf,
    },
    /// Make a token for --token-file: print it, or write it into a new file that only you can read
    #[command(after_help = help::TOKEN)]
    Token {
        /// File to make
        #[arg(id = "token_to", value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Print a script that completes this program's options in a shell
    #[command(after_help = manual::completions_help("server"))]
    Completions {
        /// The shell
        #[arg(id = "shell", value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the man page, or write those of all commands into a folder
    #[command(after_help = manual::man_help("server"))]
    Man {
        /// Folder for the pages: server.1, server-health.1 and so on [default: print server.1]
        #[arg(id = "man_dir", value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
    /// Compare runs: which figures are better or worse, frame by frame where the frames are the same
    #[command(after_help = help::COMPARE)]
    Compare(Box<CompareOptions>),
    /// Run the trials of a plan: a pipeline over noise, blur, radius or any other option, on one machine or many
    #[command(after_help = help::SWEEP)]
    Sweep(Box<SweepOptions>),
    /// Tune: find the setting of a pipeline with the least error, and what it gains over the default
    #[command(after_help = help::TUNE)]
    Tune(Box<TuneOptions>),
    /// Calibrate: fit the model that maps truth to answers, with its uncertainty, and write a correction
    #[command(after_help = help::CALIBRATE)]
    Calibrate(Box<CalibrateOptions>),
}

/// Files that describe the run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Run")]
pub struct Layers {
    /// Read options of the run from this TOML file; its keys are the option names, with _ for -
    #[arg(id = "run", long = "run", value_name = "FILE")]
    pub run: Option<PathBuf>,

    /// Read the options under "Camera" from this TOML file
    #[arg(long, value_name = "FILE")]
    pub camera: Option<PathBuf>,

    /// Print the run with its seed as TOML for --run, then exit
    #[arg(long)]
    pub print_run: bool,
}

/// Options of this machine. They are not part of the run: a run's file cannot hold them, and `--print-run` does not
/// print them.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "This machine")]
pub struct Local {
    /// Address to listen on for clients, as HOST:PORT; port 0 picks a free port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<ListenAddress>,

    /// Admit only clients that hold the token in this file, and prove to them that this server holds it (server token
    /// makes one)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,

    /// Keep this server's key in this file, which is made if it is missing, and sign with it: clients can then ask for
    /// this server (client --server-id). Needs --token-file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub identity: Option<PathBuf>,

    /// Also accept TLS, with the certificate in this file (PEM), followed by the intermediate ones up to its authority.
    /// Clients then connect with --tls-ca
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_key: Option<PathBuf>,

    /// With --dial: call inside TLS, and accept only a client whose certificate is for the called host and signed by
    /// one in this file (PEM)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_ca: Option<PathBuf>,

    /// Call the client that listens at this address (client --listen) instead of listening. --link any then means webrtc,
    /// --wait says how long to try, and the server ends with the session, as with --once
    #[arg(long, value_name = "HOST:PORT", value_parser = callee)]
    pub dial: Option<String>,

    /// Do not announce the server on the local network
    #[arg(long)]
    pub no_announce: bool,

    /// Show the page at http://ADDR/ beyond this machine too: everyone who can reach it sees frames, truth and figures
    #[arg(long)]
    pub dashboard: bool,

    /// More names of this machine by which browsers open the page, with commas between them
    #[arg(long, value_name = "NAME")]
    pub allow_host: Option<HostNames>,

    /// Address that clients send to, if it differs from the one they connect to
    #[arg(long, value_name = "IP", value_parser = ip)]
    pub advertise: Option<IpAddr>,

    /// UDP port or range of ports for the links, such as 40000-40015; each client needs one [default: any free port]
    #[arg(long, value_name = "PORT[-PORT]", value_parser = ports)]
    pub udp_port: Option<RangeInclusive<u16>>,

    /// Open no window: print one row per frame, or show a progress line where stdout is a terminal
    #[arg(long, help_heading = OUTPUT)]
    pub no_graphics: bool,

    /// Print one row per frame also in a terminal, instead of a progress line
    #[arg(long, help_heading = OUTPUT)]
    pub rows: bool,

    /// How gray16 frames are shown.
    #[command(flatten)]
    pub look: Look,

    /// Write the report to this file after each session; stdout (-), pipes and devices get it once, at the end
    #[arg(long, help_heading = OUTPUT, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub json: Option<JsonTarget>,

    /// Write a CSV file with one row per frame: truth, answer, residual, outcome, latency of each stage
    #[arg(long, help_heading = OUTPUT, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub csv: Option<PathBuf>,

    /// Write the verdicts of the gates to this file at the end, as JUnit's XML, which CI systems read
    #[arg(long, help_heading = OUTPUT, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,

    /// Exit with code 1 also if a gate is inconclusive
    #[arg(long, help_heading = OUTPUT)]
    pub strict: bool,

    /// Write everything into this folder, which must be absent or empty: run.toml, frames.csv, report.json,
    /// report.html and frames.parquet
    #[arg(long, help_heading = OUTPUT, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,

    /// With --out: also record every frame, with truth, answer and figures, as run.mcap, for Foxglove and for --source
    #[arg(long, help_heading = OUTPUT)]
    pub record: bool,
    /// Limits on connections to the port.
    #[command(flatten)]
    pub limits: Limits,
}

impl Cli {
    /// Reads the command line, the environment and the files they name.
    ///
    /// # Errors
    /// A usage error, or the help or version text that was asked for. Print it before anything runs.
    pub fn read(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> Result<Self, clap::Error> {
        let command = Self::completed_command();
        let line = CommandLine::new(&command, arguments, environment)?;
        let asked = Self::from_arg_matches(&line.over(command.clone())?)?;
        if asked.command.is_some() {
            return Ok(asked);
        }
        let layers = &asked.layers;
        let named = |id: &str| line.variable(command.get_arguments().find(|option| option.get_id() == id)?);
        let layered = run::layered(command.clone(), layers.run.as_deref(), layers.camera.as_deref());
        let (layered, origins) = layered.map_err(|wrong| {
            clap::Error::raw(ErrorKind::ValueValidation, format!("{}\n", wrong.naming_source(named)))
        })?;
        let origins = over_files(origins, &layered, &line);
        Ok(Self { origins, ..Self::from_arg_matches(&line.over(layered)?)? })
    }

    /// Returns the command line with the settings that all its options share.
    pub fn completed_command() -> clap::Command {
        options::completed(Self::command(), &TakesAll::of::<RunSpec>())
    }
}

/// Adds the options given by environment and command line, which override those of the files.
fn over_files(mut origins: Origins, command: &clap::Command, line: &CommandLine) -> Origins {
    for option in command.get_arguments() {
        let id = option.get_id().as_str();
        match line.variable(option) {
            Some(variable) => origins.set_by(id, variable),
            None if line.names(option) => origins.set_by_the_command_line(id),
            None => {}
        }
    }
    origins
}

fn callee(text: &str) -> Result<String, String> {
    let right = match address::host_and_port(text) {
        Ok((_, 0)) => "HOST:PORT, with the port at which the client listens".into(),
        Ok(_) => return Ok(text.to_owned()),
        Err(right) => right,
    };
    Err(format!("\"{text}\" is not a client to call: write {right}"))
}

fn ip(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not an IP address: write one such as 192.0.2.7 or 2001:db8::7"))
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let wrong = || format!("\"{text}\" is not a port from 1 to 65535, nor a range such as 40000-40015");
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
    fn udp_ports_are_one_or_a_range() {
        assert_eq!(ports("40000"), Ok(40000..=40000));
        assert_eq!(ports("40000-40015"), Ok(40000..=40015));
        for text in ["0", "5-4", "70000", "a", "1-", ""] {
            assert!(ports(text).is_err(), "{text}");
        }
    }
}
