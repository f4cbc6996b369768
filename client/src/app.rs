//! Builds what the command line asks for and runs it.

use std::future::Future;

use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::rows::{Rows, Target};
use shared::shell::runtime;
use shared::shell::stop::{Stop, stop_pair};
use shared::shell::tls_files;
use shared::shell::token_file::admission_of_client;
use shared::shell::window::{Controls, OnKey, Place, beside_window_or_rows};
use tokio::time::sleep;
use tracing::{error, info};

use crate::cli::{DEFAULT_WAIT, SessionArgs};
use crate::commands::{Commander, Commands, commands, read_lines};
use crate::config::Config;
use crate::connect::Connecting;
use crate::listen::{self, Listening};
use crate::run;
use crate::session::End;
use crate::tally::Tally;
use crate::verdict::{SessionError, failure};
use crate::view::{TerminalView, View, WindowView};

/// Runs a session as the command line asks for it.
pub fn run(args: &SessionArgs) -> Exit {
    let pipeline = match args.pipeline.choice() {
        Ok(pipeline) => pipeline,
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Usage;
        }
    };
    let admission = match admission_of_client(args.token_file.as_deref(), args.server_id) {
        Ok(admission) => admission,
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Usage;
        }
    };
    let tls = match tls_files::tls(args.tls_cert.as_deref(), args.tls_key.as_deref(), args.tls_ca.as_deref()) {
        Ok(tls) => tls,
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Usage;
        }
    };
    let config = Config {
        server: args.server.clone().into(),
        wait: args.wait.unwrap_or(DEFAULT_WAIT),
        link: args.link,
        admission,
        tls,
        sctp_mtu: args.sctp_mtu,
        pull: args.pull,
        pipeline,
        workers: args.worker_count(),
        policy: args.policy.into(),
    };
    let listening = args.listening();
    let (stopper, stop) = stop_pair();
    let rows = Rows::start(Target::Stdout, stopper.clone());
    let mut window = WindowView::new(&waiting_for(&config, listening.as_ref()), args.look, rows.clone());
    if listening.is_none() {
        window = window.naming_keys(args.pull);
    }
    let board = (!args.no_graphics).then(|| window.board());
    let (commander, commands) = commands(stopper.clone(), args.pull);
    // With several sessions, a key cannot say which one it is for.
    let on_key = listening.is_none().then(|| on_key(&commander));
    let controls = Controls { stopper: &stopper, on_key, takes_terminal: !args.commands };
    beside_window_or_rows(board.as_ref(), &rows, &controls, |place| {
        if args.commands {
            read_lines(std::io::stdin(), commander);
        }
        match (&listening, place) {
            (Some(listening), Place::Window) => on_runtime(listen::serve(listening, config, Box::new(window), stop)),
            (Some(listening), Place::Rows) => {
                on_runtime(listen::serve(listening, config, Box::new(rows.clone()), stop))
            }
            (None, Place::Window) => on_runtime(session(&config, &mut window, stop, commands)),
            (None, Place::Rows) if args.pull && !args.commands => {
                error!("{NOBODY_ASKS}");
                Exit::Usage
            }
            (None, Place::Rows) => on_runtime(session(&config, &mut TerminalView::new(rows.clone()), stop, commands)),
        }
    })
}

/// What the window says before there is a session.
fn waiting_for(config: &Config, listening: Option<&Listening>) -> String {
    match (listening, config.server.address()) {
        (Some(listening), _) => format!("waiting for a server to call {}", listening.address),
        (None, Some(server)) => format!("waiting for a server at {}", server.0),
        (None, None) => "looking for a server".into(),
    }
}

/// The error if `--pull` is given but nobody can give the command `n`.
const NOBODY_ASKS: &str = "--pull waits for the command n, and without a window nobody can give it: add --commands, and \
                           write n, q or x to stdin, one per line";

/// What the keys n and x do in the window.
fn on_key(commander: &Commander) -> OnKey {
    let commander = commander.clone();
    OnKey::new(move |key| commander.press(key))
}

fn on_runtime(work: impl Future<Output = Exit>) -> Exit {
    let runtime = match runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!("cannot start the runtime: {}", with_advice(&error));
            return Exit::Other;
        }
    };
    let exit = runtime.block_on(work);
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
        let ended = run::run(link, config, view, stop.clone(), &mut commands).await?;
        let (End::NeverBegan { reason }, _) = &ended else { return Ok(ended) };
        let Some(pause) = connecting.begin_again(reason) else { return Ok(ended) };
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.stopped() => return Err(SessionError::StoppedEarly),
        }
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
