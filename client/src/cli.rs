//! The command line. Every option can also be given by environment; `--help` says how.

use std::ffi::OsString;
use std::net::Ipv6Addr;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};
use shared::canvas::colour::Look;
use shared::door::address::ListenAddress;
use shared::lens::Correction;
use shared::link::Kind;
use shared::link::webrtc::parse_mtu;
use shared::shell::manual::Shell;
use shared::shell::options::{CommandLine, Environment, Refusal, completed};

use crate::config::{ServerAddress, Wait};
use crate::listen::Listening;
use crate::pipeline::{
    AUTO, DEFAULT_TIMEOUT, DetectorChoice, PipelineChoice, PipelineError, PipelineOptions, RadiusLimits,
    detector_names, exec,
};
use crate::workers::Policy;

/// How long a client that calls keeps trying, unless told otherwise.
pub const DEFAULT_WAIT: Wait = Wait::For(Duration::from_secs(30));

/// Largest number of worker threads: more than any machine has cores, but few enough to start.
const MAX_WORKERS: usize = 1024;

/// Least value of `--min-axis-ratio`: below it, an ellipse of the smallest radius is thinner than its own edge.
const MIN_AXIS_RATIO: f64 = 0.1;

/// Range of `--pipeline-timeout`: from less than any program needs to longer than anybody watches.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3600);

/// Text at the end of `--help`.
const MORE_HELP: &str = "\
Examples:
  client                                 find a server here or on the network
  client 192.0.2.7:8080 --wait forever   wait for this server
  client --listen 0.0.0.0:8080           wait for servers that call (--dial)
  client --pipeline hough-classic --workers 1
  client detect photo.png scans/*.jpg    find circles in files, without a server

Use =false to turn a switch off, as in --no-graphics=false. The command line
overrides the environment. An empty environment variable counts as unset.

Exit codes:
  0  success: the server said bye, or Ctrl-C, SIGTERM, q or closing the window
     stopped the client
  2  wrong usage, or a pipeline that cannot do the server's task
  3  no server, port taken, or connection lost
  4  any other error, such as a server that does not stop on x";

/// Text at the end of `detect --help`.
const DETECT_HELP: &str = "\
Examples:
  client detect photo.png                            print one line per file
  client detect --all photo.png                      print a line for each circle too
  client detect --all --draw found scans/*.jpg       draw the circles into copies in found/
  client detect --explain photo.png                  say why candidates were rejected
  client detect --min-radius 40 --json scans/*.jpg   print one JSON array

Exit codes:
  0  all files were read, with or without a circle
  2  wrong usage
  4  a file could not be read, or the results could not be written";

/// Text at the end of `completions --help`.
const COMPLETIONS_HELP: &str = "\
Examples:
  client completions bash > ~/.local/share/bash-completion/completions/client
  client completions zsh > ~/.zfunc/_client      with ~/.zfunc in $fpath
  client completions fish > ~/.config/fish/completions/client.fish

Exit codes:
  0  the script is printed
  2  wrong usage
  4  stdout cannot be written";

/// Text at the end of `man --help`.
const MAN_HELP: &str = "\
Examples:
  client man | man -l -
  client man ~/.local/share/man/man1

Exit codes:
  0  the pages are made
  2  wrong usage
  4  a page cannot be written";

/// Help heading of the options for finding and connecting to the server.
const CONNECTION: &str = "Connection";

/// Help heading of the options for the pipeline.
const PIPELINE: &str = "Pipeline";

/// Help heading of the options for commands to a running client.
const COMMANDS: &str = "Commands";

/// Help heading of the options for what is shown and written.
const OUTPUT: &str = "Output";

/// Help heading of the options for logging.
const LOGS: &str = "Logs";

/// Plumb's client: receives frames from a Plumb server, runs a pipeline on each and sends the answers back.
#[derive(Debug, Parser)]
#[command(name = "client", version, args_conflicts_with_subcommands = true, after_help = MORE_HELP)]
pub struct Cli {
    /// What to do instead of a session.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The session.
    #[command(flatten)]
    pub session: SessionArgs,

    /// Log more (-v, -vv, -vvv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true, help_heading = LOGS)]
    pub verbose: u8,

    /// Log only errors and warnings
    #[arg(short, long, global = true, help_heading = LOGS)]
    pub quiet: bool,
}

impl Cli {
    /// Reads the command line and the environment.
    ///
    /// # Errors
    /// A usage error, or the help or version text that was asked for. Print it before anything runs.
    pub fn read(arguments: impl IntoIterator<Item = OsString>, environment: Environment) -> Result<Self, clap::Error> {
        let command = Self::completed_command();
        let arguments: Vec<_> = arguments.into_iter().collect();
        let line = CommandLine::new(&command, arguments.clone(), environment);
        let line = line.map_err(|refused| in_two_words(&arguments, refused))?;
        let mut cli = Self::from_arg_matches(&line.over(command.clone())?)?;
        cli.session.choose_way(|id| {
            let option = command.get_arguments().find(|option| option.get_id() == id);
            option.map_or(Given::Nowhere, |option| Given::of(&line, option))
        })?;
        Ok(cli)
    }

    /// Returns the command line with the settings that all its options share.
    pub fn completed_command() -> clap::Command {
        completed(Self::command())
    }
}

/// What the client can do instead of a session.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the circle in image files (PNG, JPEG, PGM, PPM, BMP, TIFF, WebP)
    #[command(after_help = DETECT_HELP)]
    Detect(DetectArgs),
    /// Print a script that completes this program's options in a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        #[arg(id = "shell", value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the man page, or write those of all commands into a folder
    #[command(after_help = MAN_HELP)]
    Man {
        /// Folder for the pages: client.1, client-detect.1 and so on [default: print client.1]
        #[arg(id = "man_dir", value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
}

/// A session with a server.
#[derive(Debug, Args)]
pub struct SessionArgs {
    /// HOST:PORT of the server [default: a server found on this machine or the local network]
    #[arg(value_name = "SERVER")]
    pub server: Option<ServerAddress>,

    /// Listen at this address, as HOST:PORT, for servers that call (server --dial), instead of calling one; port 0 picks
    /// a free port. Several servers may call, with any link
    // The environment variable is not PLUMB_LISTEN, which is the server's.
    #[arg(id = "client_listen", long = "listen", help_heading = CONNECTION, value_name = "ADDR")]
    pub listen: Option<ListenAddress>,

    /// With --listen: end after one session, as a client that calls does
    #[arg(long, help_heading = CONNECTION)]
    pub once: bool,

    /// How long to keep trying while there is no server, or the server cannot serve yet; with --listen, how long to wait
    /// for the first call: a duration such as 30s, or forever [default: 30s, or forever with --listen]
    #[arg(long, help_heading = CONNECTION, value_name = "DURATION")]
    pub wait: Option<Wait>,

    /// Link to ask the server for: webrtc; tcp, which is quicker on a network without loss; or grpc
    #[arg(long, help_heading = CONNECTION, value_name = "KIND", default_value = "webrtc", hide_possible_values = true)]
    pub link: Kind,

    /// Admit only servers that hold the token in this file, and prove to them that this client holds it (`server token`
    /// makes one)
    #[arg(long, help_heading = CONNECTION, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,

    /// Largest SCTP packet in bytes; the link uses the smaller value of its two ends [default: chosen by path: 16000
    /// within a machine, up to 1400 on a network]
    #[arg(long, help_heading = CONNECTION, value_name = "BYTES", value_parser = parse_mtu)]
    pub sctp_mtu: Option<u32>,

    /// The pipeline and its options.
    #[command(flatten)]
    pub pipeline: PipelineArgs,

    /// Number of worker threads [default: one per core]
    #[arg(long, help_heading = PIPELINE, value_name = "N", value_parser = workers)]
    pub workers: Option<NonZeroUsize>,

    /// What to do while all workers are busy: queue every frame, or keep only the latest
    ///
    /// With `every`, the queue holds as many frames as the server's window. The server stops counting a frame in its
    /// window when it is answered, or when its deadline (in live delivery, its lifetime) passes. If the pipeline is so
    /// slow that frames wait longer than that, the queue fills up. A frame that finds it full is answered `dropped`.
    #[arg(long, help_heading = PIPELINE, default_value = "every")]
    pub policy: PolicyArg,

    /// Get a frame only when you ask for it with the command n. The server needs no option for this
    #[arg(long, help_heading = COMMANDS)]
    pub pull: bool,

    /// Read commands from stdin, one per line: n (next frame, with --pull), q (quit this client), x (quit client and server,
    /// if the server was started with --let-clients-stop). The keys n, q and x in the window do the same
    #[arg(long, help_heading = COMMANDS)]
    pub commands: bool,

    /// Print one row per frame instead of opening a window
    #[arg(long, help_heading = OUTPUT)]
    pub no_graphics: bool,

    /// How gray16 frames are shown.
    #[command(flatten)]
    pub look: Look,
}

impl SessionArgs {
    /// Where and how long to listen, if the client is not to call.
    pub fn listening(&self) -> Option<Listening> {
        let ListenAddress(address) = self.listen.clone()?;
        Some(Listening { address, once: self.once, wait: self.wait.unwrap_or(Wait::Forever) })
    }

    /// Number of worker threads: as given, or one per core.
    pub fn worker_count(&self) -> NonZeroUsize {
        self.workers.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    }
}

/// Where an option was given.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Given {
    CommandLine,
    /// By this environment variable.
    Variable(String),
    Nowhere,
}

impl Given {
    fn of(line: &CommandLine, option: &clap::Arg) -> Self {
        match line.variable(option) {
            Some(variable) => Self::Variable(variable),
            None if line.names(option) => Self::CommandLine,
            None => Self::Nowhere,
        }
    }
}

impl SessionArgs {
    /// Decides between a server to call and an address to listen on. The command line overrides the environment.
    ///
    /// # Errors
    /// If both were given in the same place, or a link was given to a client that listens.
    fn choose_way(&mut self, given: impl Fn(&str) -> Given) -> Result<(), Refusal> {
        let refused = |place: &str, reason: &str| Refusal { place: place.into(), reason: reason.into() };
        match (given("server"), given("client_listen")) {
            (Given::Nowhere, _) | (_, Given::Nowhere) => {}
            (Given::CommandLine, Given::Variable(_)) => self.listen = None,
            (Given::Variable(_), Given::CommandLine) => self.server = None,
            (server, _) => {
                let place = if let Given::Variable(name) = server { name } else { "SERVER".into() };
                let reason = "a client calls a server or listens for servers, not both: leave out SERVER or --listen";
                return Err(refused(&place, reason));
            }
        }
        if self.listen.is_some() && given("link") == Given::CommandLine {
            let reason = "a client that listens takes the link that the server asks for: leave out --link or --listen";
            return Err(refused("--link", reason));
        }
        // With several sessions, no command says which of them it is for.
        let commanded = [("--pull", self.pull), ("--commands", self.commands)];
        if self.listen.is_some()
            && let Some((place, _)) = commanded.into_iter().find(|(_, is_given)| *is_given)
        {
            let reason = "commands are for a client that calls its server: leave it out, or leave out --listen";
            return Err(refused(place, reason));
        }
        Ok(())
    }
}

/// Detection in files.
#[derive(Debug, Args)]
pub struct DetectArgs {
    /// Image files: PNG, JPEG, PGM, PPM, BMP, TIFF or WebP; "-" reads one from standard input. They are read as by OpenCV's imread: without alpha, and turned as their EXIF data says (-v logs this)
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The detector and its limits.
    #[command(flatten)]
    pub detector: DetectorArgs,

    /// Find all circles of each file instead of one
    #[arg(id = "detect_all", long = "all", help_heading = PIPELINE)]
    pub all: bool,

    /// With --all: report at most this many circles of each file, the most certain ones
    #[arg(long, help_heading = PIPELINE, value_name = "N", value_parser = max_count)]
    pub max_count: Option<NonZeroUsize>,

    /// Smallest ratio of the half-axes of an ellipse to be found: 1 finds circles only [default: 0.55, a disc seen at 57°
    /// to its axis]
    #[arg(long, help_heading = PIPELINE, value_name = "RATIO", value_parser = axis_ratio)]
    pub min_axis_ratio: Option<f64>,

    /// List every candidate with the evidence for it, and why it was rejected
    #[arg(long, help_heading = OUTPUT)]
    pub explain: bool,

    /// Write each picture with what was found drawn into it, as PNG, to this folder; with --explain, the rejected
    /// candidates too. No file that is read is replaced
    #[arg(long, help_heading = OUTPUT, value_name = "FOLDER")]
    pub draw: Option<PathBuf>,

    /// Print one JSON array instead of one line per file
    // The environment variable is not PLUMB_JSON, which names the server's output file.
    #[arg(id = "detect_json", long = "json", help_heading = OUTPUT)]
    pub json: bool,
}

impl DetectArgs {
    /// Checks the options that need another one.
    ///
    /// # Errors
    /// If `--max-count` is given without `--all`.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.max_count.is_some() && !self.all {
            let reason = "it limits how many circles --all reports: add --all, or leave it out";
            return Err(Refusal { place: "--max-count".into(), reason: reason.into() });
        }
        Ok(())
    }
}

/// The pipeline and the radii it looks for.
#[derive(Debug, Args)]
pub struct PipelineArgs {
    /// Pipeline that answers the frames: hough (finds circles and counts them); hough-classic (OpenCV's plain gradient
    /// method, for comparison); ack (only acknowledges frames); annotate (draws what hough finds into the frame); edges
    /// (Canny's edges); exec:COMMAND (your own program, in any language: docs/exec.md); or auto (hough, ack or
    /// annotate, as the server's task requires)
    #[arg(long, help_heading = PIPELINE, visible_alias = "detector", value_name = "NAME", default_value = AUTO, value_parser = pipeline)]
    pub pipeline: String,

    /// With exec:COMMAND: longest time that the program may take for a frame, at most half of the server's deadline. If it
    /// takes longer, the frame counts as dropped and the program is started again [default: 1s]
    #[arg(long, help_heading = PIPELINE, value_name = "DURATION", value_parser = timeout)]
    pub pipeline_timeout: Option<Duration>,

    /// Take each circle back to where the ball is before it is answered, by the correction.toml that server calibrate wrote
    #[arg(long, help_heading = PIPELINE, value_name = "FILE", value_parser = correction)]
    pub correct: Option<Arc<Correction>>,

    /// The radii.
    #[command(flatten)]
    pub radii: RadiusArgs,
}

impl PipelineArgs {
    /// Checks the options and returns the pipeline.
    pub fn choice(&self) -> Result<PipelineChoice, PipelineError> {
        let (radii, timeout) = (self.radii.limits(), self.pipeline_timeout.unwrap_or(DEFAULT_TIMEOUT));
        if self.pipeline_timeout.is_some() && !self.pipeline.starts_with(exec::PREFIX) {
            return Err(PipelineError::OnlyPrograms { pipeline: self.pipeline.clone() });
        }
        let correction = self.correct.clone();
        PipelineChoice::new(&self.pipeline, PipelineOptions { radii, timeout, correction, ..Default::default() })
    }
}

/// The detector and the radii it looks for.
#[derive(Debug, Args)]
pub struct DetectorArgs {
    /// Detector to use: hough; hough-classic (OpenCV's plain gradient method, for comparison); or auto (hough)
    #[arg(long, help_heading = PIPELINE, visible_alias = "pipeline", value_name = "NAME", default_value = AUTO, value_parser = detector)]
    pub detector: String,

    /// The radii.
    #[command(flatten)]
    pub radii: RadiusArgs,
}

impl DetectorArgs {
    /// Checks the options and returns the detector.
    pub fn choice(&self) -> Result<DetectorChoice, PipelineError> {
        let name = match self.detector.as_str() {
            AUTO => detector_names().next().unwrap_or_default(),
            name => name,
        };
        DetectorChoice::new(name, self.radii.limits())
    }
}

/// Which radii are looked for.
#[derive(Debug, Args)]
pub struct RadiusArgs {
    /// Smallest radius to look for, in px [default: 8, or 1/60 of the frame's shorter side if that is larger]
    #[arg(long, help_heading = PIPELINE, value_name = "PX", value_parser = radius)]
    pub min_radius: Option<f64>,

    /// Largest radius to look for, in px [default: 1/2 of the frame's shorter side]
    #[arg(long, help_heading = PIPELINE, value_name = "PX", value_parser = radius)]
    pub max_radius: Option<f64>,
}

impl RadiusArgs {
    /// The limits, not yet checked.
    pub fn limits(&self) -> RadiusLimits {
        RadiusLimits { min: self.min_radius, max: self.max_radius }
    }
}

/// A worker policy, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyArg {
    /// Queue every frame
    Every,
    /// Keep the latest frame; answer `dropped` for each frame it replaces
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

/// Replaces the error if a host and a port were given as two arguments. Any other error is returned unchanged.
fn in_two_words(arguments: &[OsString], refused: clap::Error) -> clap::Error {
    let is_one_too_many = matches!(
        refused.kind(),
        ErrorKind::UnknownArgument | ErrorKind::ArgumentConflict | ErrorKind::InvalidSubcommand
    );
    let words: Vec<_> = arguments.iter().skip(1).filter_map(|argument| argument.to_str()).collect();
    match words.windows(2).find_map(|words| joined(words[0], words[1])) {
        Some((words, right)) if is_one_too_many => {
            Refusal { place: "SERVER".into(), reason: format!("\"{words}\" is not a server: write {right}") }.into()
        }
        _ => refused,
    }
}

/// Returns both words as written, and the server address they make when joined by a colon.
fn joined(host: &str, port: &str) -> Option<(String, String)> {
    port.parse::<u16>().ok().filter(|_| !host.starts_with('-'))?;
    let bracketed = if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() };
    let right: ServerAddress = format!("{bracketed}:{port}").parse().ok()?;
    Some((format!("{host} {port}"), right.0))
}

fn correction(file: &str) -> Result<Arc<Correction>, String> {
    Correction::read(Path::new(file)).map(Arc::new).map_err(|wrong| wrong.to_string())
}

fn pipeline(text: &str) -> Result<String, String> {
    known(text, PipelineChoice::new(text, PipelineOptions::default()))
}

fn detector(text: &str) -> Result<String, String> {
    match text {
        AUTO => Ok(text.to_owned()),
        name => known(name, DetectorChoice::new(name, RadiusLimits::default())),
    }
}

fn known<T>(name: &str, chosen: Result<T, PipelineError>) -> Result<String, String> {
    match chosen {
        Ok(_) => Ok(name.to_owned()),
        Err(PipelineError::Unknown { known, .. }) => Err(format!("\"{name}\" is not a pipeline: write one of {known}")),
        Err(PipelineError::UnknownDetector { known, .. }) => {
            Err(format!("\"{name}\" is not a detector of circles: write one of {AUTO}, {known}"))
        }
        Err(other) => Err(other.to_string()),
    }
}

fn workers(text: &str) -> Result<NonZeroUsize, String> {
    let count = text.parse().ok().filter(|count| (1..=MAX_WORKERS).contains(count)).and_then(NonZeroUsize::new);
    count.ok_or_else(|| format!("\"{text}\" is not a whole number from 1 to {MAX_WORKERS}"))
}

fn timeout(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|timeout| TIMEOUTS.contains(timeout));
    duration.ok_or_else(|| format!("\"{text}\" is not a duration from 1ms to 1h, such as 500ms or 1s"))
}

fn max_count(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a whole number of circles, such as 5"))
}

fn axis_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio: &f64| (MIN_AXIS_RATIO..=1.0).contains(ratio));
    ratio.ok_or_else(|| {
        format!("\"{text}\" is not a ratio of half-axes: write a number from {MIN_AXIS_RATIO} to 1, such as 0.55")
    })
}

fn radius(text: &str) -> Result<f64, String> {
    let px = text.parse().ok().filter(|px: &f64| px.is_finite() && *px > 0.0);
    px.ok_or_else(|| format!("\"{text}\" is not a radius in px: write a number above 0, for example 8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::completed_command().debug_assert();
    }
}
