//! The options of a session: where the server is, which pipeline answers, and what is shown.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use clap::{Args, ValueEnum, ValueHint};
use shared::admission::ServerId;
use shared::canvas::colour::Look;
use shared::door::address::ListenAddress;
use shared::link::Kind;
use shared::link::webrtc::parse_mtu;
use shared::shell::options::{CommandLine, Refusal};

use super::headings::{OUTPUT, PIPELINE};
use super::pipeline::PipelineArgs;
use crate::config::{ServerAddress, Wait};
use crate::listen::Listening;
use crate::workers::{MAX_WORKERS, Policy};

/// Help heading of the options for finding and connecting to the server.
const CONNECTION: &str = "Connection";

/// Help heading of the options for commands to a running client.
const COMMANDS: &str = "Commands";

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

    /// With --listen: end after the first session
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

    /// Accept only the server with this fingerprint, which a server with --identity logs. Needs --token-file
    #[arg(long, help_heading = CONNECTION, value_name = "FINGERPRINT")]
    pub server_id: Option<ServerId>,

    /// Connect inside TLS, and accept only a server whose certificate is for the given host and signed by one in this
    /// file (PEM)
    #[arg(long, help_heading = CONNECTION, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_ca: Option<PathBuf>,

    /// With --listen: also accept TLS, with the certificate in this file (PEM), followed by the intermediate ones up to
    /// its authority. Servers then call with --tls-ca
    #[arg(long, help_heading = CONNECTION, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_cert: Option<PathBuf>,

    /// The private key of --tls-cert (PEM)
    #[arg(long, help_heading = CONNECTION, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub tls_key: Option<PathBuf>,

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

    /// Read commands from stdin, one per line: n (next frame, with --pull), q (quit this client), x (quit client and
    /// server, if the server was started with --let-clients-stop). The keys n, q and x in the window do the same
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
    /// Where and how long to listen, if the client does not call.
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
pub(super) enum Given {
    CommandLine,
    /// By this environment variable.
    Variable(String),
    Nowhere,
}

impl Given {
    pub(super) fn of(line: &CommandLine, option: &clap::Arg) -> Self {
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
    pub(super) fn choose_way(&mut self, given: impl Fn(&str) -> Given) -> Result<(), Refusal> {
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
        // With several sessions, a command cannot say which one it is for.
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

fn workers(text: &str) -> Result<NonZeroUsize, String> {
    let count = text.parse().ok().filter(|count| (1..=MAX_WORKERS).contains(count)).and_then(NonZeroUsize::new);
    count.ok_or_else(|| format!("\"{text}\" is not a whole number from 1 to {MAX_WORKERS}"))
}
