//! The command line. Every option can also be given by environment; `--help` says how.
//!
//! `session` has the options of a session, `detect` those for files, `pipeline` those that choose the pipeline.

mod detect;
mod headings;
mod pipeline;
mod session;
mod two_words;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueHint};
use shared::shell::manual::{self, Shell};
use shared::shell::options::{CommandLine, Environment, completed};

use self::detect::DETECT_HELP;
use self::session::Given;
use self::two_words::in_two_words;
use crate::config::Wait;

pub use detect::DetectArgs;
pub use pipeline::{DetectorArgs, PipelineArgs, RadiusArgs};
pub use session::{PolicyArg, SessionArgs};

/// Default time for which a calling client keeps trying.
pub const DEFAULT_WAIT: Wait = Wait::For(Duration::from_secs(30));

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
  4  any other error, such as a server that does not stop after the command x";

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
    #[command(after_help = manual::completions_help("client"))]
    Completions {
        /// The shell
        #[arg(id = "shell", value_name = "SHELL")]
        shell: Shell,
    },
    /// Print the man page, or write those of all commands into a folder
    #[command(after_help = manual::man_help("client"))]
    Man {
        /// Folder for the pages: client.1, client-detect.1 and so on [default: print client.1]
        #[arg(id = "man_dir", value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::completed_command().debug_assert();
    }
}
