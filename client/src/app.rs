//! Builds what the command line asks for and runs it.

use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::rows::{Rows, Target};
use shared::shell::runtime;
use shared::shell::stop::{Stop, stop_pair};
use shared::shell::window::{Place, beside_window_or_rows};
use tracing::{error, info};

use crate::cli::SessionArgs;
use crate::config::Config;
use crate::connect::{ConnectError, Connecting};
use crate::run;
use crate::session::End;
use crate::tally::Tally;
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
    let config = Config {
        server: args.server.clone().into(),
        wait: args.wait,
        sctp_mtu: args.sctp_mtu,
        pipeline,
        workers: args.worker_count(),
        policy: args.policy.into(),
    };
    let (stopper, stop) = stop_pair();
    let rows = Rows::start(Target::Stdout, stopper.clone());
    let mut window = WindowView::new(config.server.address(), rows.clone());
    let board = (!args.no_graphics).then(|| window.board());
    let exit = beside_window_or_rows(board.as_ref(), &rows, &stopper, |place| match place {
        Place::Window => work(&config, &mut window, stop),
        Place::Rows => work(&config, &mut TerminalView::new(rows.clone()), stop),
    });
    match rows.finish(|| stopper.is_stopped()) {
        Ok(()) => exit,
        Err(lost) => {
            error!("{lost}");
            Exit::of([exit, Exit::Other])
        }
    }
}

fn work(config: &Config, view: &mut dyn View, stop: Stop) -> Exit {
    let runtime = match runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!("cannot start the runtime: {}", with_advice(&error));
            return Exit::Other;
        }
    };
    let exit = runtime.block_on(session(config, view, stop));
    // A look-up of a host name may hang for seconds. It must not delay the exit.
    runtime.shutdown_background();
    exit
}

/// Connects, runs one session and logs how it ended. If the link breaks before the session begins, connects again while
/// there is time to wait.
pub async fn session(config: &Config, view: &mut dyn View, mut stop: Stop) -> Exit {
    let mut connecting = Connecting::begin(&config.server, config.wait, config.sctp_mtu);
    loop {
        let connected = tokio::select! {
            connected = connecting.link() => connected,
            () = stop.stopped() => return stopped_early(),
        };
        let link = match connected {
            Ok(link) => link,
            Err(wrong) => return not_connected(&wrong),
        };
        match run::run(link, config, view, stop.clone()).await {
            Ok((End::NeverBegan { reason }, _)) if connecting.may_begin_again(&reason) => {}
            Ok((end, tally)) => return ended(&end, &tally, view),
            Err(wrong) => {
                error!("{wrong}");
                return Exit::Other;
            }
        }
    }
}

fn not_connected(wrong: &ConnectError) -> Exit {
    error!("{wrong}");
    Exit::NoPeer
}

/// Logs that no session began, so that a caller waiting for a session to end does not mistake this for its end.
fn stopped_early() -> Exit {
    error!("stopped before there was a session");
    Exit::NoPeer
}

fn ended(end: &End, tally: &Tally, view: &mut dyn View) -> Exit {
    view.ended(tally);
    match end {
        End::ServerLeft { reason } if tally.received == 0 => {
            error!("the server said bye before the first frame: {reason}");
            Exit::NoPeer
        }
        End::ServerLeft { reason } => {
            info!("the server said bye: {reason}");
            Exit::Fine
        }
        End::Stopped => Exit::Fine,
        End::ServerGone { reason } | End::NeverBegan { reason } => {
            error!("the server is gone: {reason}");
            Exit::NoPeer
        }
        End::Rejected { reason } => {
            error!("cannot work with this server: {reason}");
            Exit::NoPeer
        }
        End::Unable { reason } => {
            error!("{reason}");
            Exit::Usage
        }
    }
}
