//! Builds what the command line asks for and runs it.

use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::rows::{Rows, Target};
use shared::shell::runtime;
use shared::shell::stop::{Stop, stop_pair};
use shared::shell::window::{Controls, OnKey, Place, beside_window_or_rows};
use thiserror::Error;
use tracing::{error, info};

use crate::cli::SessionArgs;
use crate::commands::{Commander, Commands, commands, read_lines};
use crate::config::Config;
use crate::connect::{ConnectError, Connecting};
use crate::run;
use crate::session::End;
use crate::tally::Tally;
use crate::view::{TerminalView, View, WindowView};
use crate::workers::PoolError;

/// Runs a session as the command line asks for it.
pub fn run(args: &SessionArgs) -> Exit {
    let pipeline = match args.pipeline.choice() {
        Ok(pipeline) => pipeline,
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Usage;
        }
    };
    let config = Config {
        server: args.server.clone().into(),
        wait: args.wait,
        link: args.link,
        sctp_mtu: args.sctp_mtu,
        pull: args.pull,
        pipeline,
        workers: args.worker_count(),
        policy: args.policy.into(),
    };
    let (stopper, stop) = stop_pair();
    let rows = Rows::start(Target::Stdout, stopper.clone());
    let mut window = WindowView::new(config.server.address(), args.look, rows.clone()).naming_keys(args.pull);
    let board = (!args.no_graphics).then(|| window.board());
    let (commander, commands) = commands(stopper.clone(), args.pull);
    let controls = Controls { stopper: &stopper, on_key: Some(on_key(&commander)), takes_terminal: !args.commands };
    let exit = beside_window_or_rows(board.as_ref(), &rows, &controls, |place| {
        if args.commands {
            read_lines(std::io::stdin(), commander);
        }
        match place {
            Place::Window => work(&config, &mut window, stop, commands),
            Place::Rows if args.pull && !args.commands => {
                error!("{NOBODY_ASKS}");
                Exit::Usage
            }
            Place::Rows => work(&config, &mut TerminalView::new(rows.clone()), stop, commands),
        }
    });
    match rows.finish(|| stopper.is_stopped()) {
        Ok(()) => exit,
        Err(lost) => {
            error!("{lost}");
            Exit::of([exit, Exit::Other])
        }
    }
}

/// What is wrong with a client that waits for requests that nobody can make.
const NOBODY_ASKS: &str = "--pull waits for the command n, and without a window nobody can give it: add --commands, and \
                           write n, q or x on stdin, one a line";

/// What the keys n and x do in the window.
fn on_key(commander: &Commander) -> OnKey {
    let commander = commander.clone();
    OnKey::new(move |key| commander.press(key))
}

fn work(config: &Config, view: &mut dyn View, stop: Stop, commands: Commands) -> Exit {
    let runtime = match runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!("cannot start the runtime: {}", with_advice(&error));
            return Exit::Other;
        }
    };
    let exit = runtime.block_on(session(config, view, stop, commands));
    // A look-up of a host name may hang for seconds. It must not delay the exit.
    runtime.shutdown_background();
    exit
}

/// Runs a session and logs how it ended.
pub async fn session(config: &Config, view: &mut dyn View, stop: Stop, commands: Commands) -> Exit {
    match connected_session(config, view, stop, commands).await {
        Ok((end, tally)) => {
            view.ended(&tally);
            logged(&end, &tally)
        }
        Err(wrong) => {
            error!("{wrong}");
            wrong.exit()
        }
    }
}

/// Why there was no session.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The server could not be reached.
    #[error(transparent)]
    NotConnected(#[from] ConnectError),
    /// The client was told to stop. A caller that waits for a session to end should not mistake this for its end.
    #[error("stopped before there was a session")]
    StoppedEarly,
    /// The workers could not be started.
    #[error(transparent)]
    Workers(#[from] PoolError),
}

impl SessionError {
    /// The exit code of a client that ends like this.
    pub fn exit(&self) -> Exit {
        match self {
            Self::NotConnected(_) | Self::StoppedEarly => Exit::NoPeer,
            Self::Workers(_) => Exit::Other,
        }
    }
}

/// Connects and runs one session. If the link breaks before the session begins, connects again while there is time to
/// wait.
///
/// # Errors
/// [`SessionError`] if there was no session.
pub async fn connected_session(
    config: &Config,
    view: &mut dyn View,
    mut stop: Stop,
    mut commands: Commands,
) -> Result<(End, Tally), SessionError> {
    let mut connecting = Connecting::begin(config);
    loop {
        let link = tokio::select! {
            connected = connecting.link(&mut commands) => connected?,
            () = stop.stopped() => return Err(SessionError::StoppedEarly),
        };
        match run::run(link, config, view, stop.clone(), &mut commands).await? {
            (End::NeverBegan { reason }, _) if connecting.may_begin_again(&reason) => {}
            ended => return Ok(ended),
        }
    }
}

/// How a session ended badly, with the exit code; `None` if it ended as it should.
pub fn failure(end: &End, tally: &Tally) -> Option<(Exit, String)> {
    match end {
        End::ServerLeft { reason } if tally.received == 0 => {
            Some((Exit::NoPeer, format!("the server said bye before the first frame: {reason}")))
        }
        End::ServerLeft { .. } | End::Stopped | End::BothStopped => None,
        End::ServerStays { reason } => {
            Some((Exit::Other, format!("the server stays: {reason}; only this client ends")))
        }
        End::ServerGone { reason } | End::NeverBegan { reason } => {
            Some((Exit::NoPeer, format!("the server is gone: {reason}")))
        }
        End::Rejected { reason } => Some((Exit::NoPeer, format!("cannot work with this server: {reason}"))),
        End::Unable { reason } => Some((Exit::Usage, reason.clone())),
    }
}

fn logged(end: &End, tally: &Tally) -> Exit {
    if let Some((exit, wrong)) = failure(end, tally) {
        error!("{wrong}");
        return exit;
    }
    match end {
        End::ServerLeft { reason } => info!("the server said bye: {reason}"),
        End::BothStopped => info!("the server stops too"),
        _ => {}
    }
    Exit::Fine
}
