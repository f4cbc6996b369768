//! Builds the run that the command line asks for, and runs it.
//!
//! `together` refuses options that conflict. `work` opens everything that is needed and serves until the end.
//! `embedded` is the client of `--loopback`. `page` is what browsers see of the run. `live` chooses between rows and a progress line. `verdict` decides the
//! exit code. [`Hosted`] is a server inside another program. Everything is checked here, so that errors are reported
//! before anything runs.

mod embedded;
mod hosted;
mod inputs;
mod live;
mod page;
mod together;
mod verdict;
mod work;

use std::io::{self, Write};
use std::sync::Arc;

use shared::link::grpc;
use shared::protocol::message::Delivery;
use shared::shell::exit::Exit;
use shared::shell::rows::{Rows, Target};
use shared::shell::standard::unless_reader_left;
use shared::shell::stop::stop_pair;
use shared::shell::window::{Board, Controls, Place, beside_window_or_rows};
use tracing::error;

use crate::browser::PagesOutput;
use crate::cli::{Cli, Local};
use crate::gate::{self, Judge};
use crate::metrics::Metrics;
use crate::output::Plan;
use crate::output::json::JsonTarget;
use crate::output::report::Run;
use crate::output::window::{Sessions, WindowOutput};
use crate::output::writer::Shown;
use crate::run::{LinkKind, Origins, RunConfig, RunSpec};
use crate::source::{self, Supply};

pub use hosted::{Hosted, HostedError, HostedOptions};

use live::Live;
use work::{Refused, Work};

/// Serves as the command line asks, or prints the run specification.
pub fn run(cli: Cli) -> Exit {
    let settled = together::calling(cli.spec, &cli.local, &cli.origins)
        .map_err(Refused::usage)
        .and_then(|spec| settled(spec, &cli.origins))
        .and_then(|settled| {
            inputs::spared(&cli.layers, &cli.local, &settled.0).map_err(Refused::usage)?;
            Ok(settled)
        });
    let (spec, supply) = match settled {
        Ok(settled) => settled,
        Err(Refused { wrong, exit }) => {
            error!("{wrong}");
            return exit;
        }
    };
    if cli.layers.print_run { print(&spec) } else { serve(&spec, &cli.local, supply, cli.quiet) }
}

/// Completes the run, and checks that its options do not conflict.
fn settled(spec: RunSpec, origins: &Origins) -> Result<(RunSpec, Arc<dyn Supply>), Refused> {
    let usage = Refused::usage;
    if spec.delivered.link == LinkKind::Memory && !spec.delivered.loopback {
        let wrong = "--link memory is a link within one process: it needs --loopback";
        return Err(usage(origins.explained(wrong, &["link".into(), "loopback".into()])));
    }
    if spec.delivered.link.is_stream() && spec.delivered.delivery == Delivery::Live {
        let wrong = format!(
            "--link {} does not go with --delivery live, because a stream repeats what was lost: write --link webrtc, or \
             --delivery reliable",
            spec.delivered.link.name()
        );
        return Err(usage(origins.explained(&wrong, &["link".into(), "delivery".into()])));
    }
    if spec.delivered.link == LinkKind::Grpc && !grpc::IS_BUILT {
        let wrong = "--link grpc is not in this build: build it with the cargo feature grpc";
        return Err(usage(origins.explained(wrong, &["link".into()])));
    }
    let (spec, supply) = source::settled(spec).map_err(|wrong| Refused {
        exit: wrong.exit(),
        wrong: origins.explained(&wrong.to_string(), &wrong.options()),
    })?;
    gate::check(&spec.judged.conditions(), spec.sent.task.unwrap_or_default())
        .map_err(|wrong| usage(origins.explained(&format!("--gate: {wrong}"), &["gate".into()])))?;
    match together::conflict(&spec, supply.format()) {
        Some((wrong, options)) => Err(usage(origins.explained(&wrong, &options))),
        None => Ok((spec, supply)),
    }
}

fn print(spec: &RunSpec) -> Exit {
    match unless_reader_left(io::stdout().write_all(spec.to_toml().as_bytes())) {
        Ok(()) => Exit::Fine,
        Err(wrong) => {
            error!("cannot write the run to stdout: {wrong}");
            Exit::Other
        }
    }
}

fn serve(spec: &RunSpec, local: &Local, supply: Arc<dyn Supply>, is_quiet: bool) -> Exit {
    let task = spec.sent.task.unwrap_or_default();
    let (stopper, stop) = stop_pair();
    let rows = Rows::start(rows_target(local), stopper.clone());
    let sessions = Sessions::new(supply.format().size, task, local.look, "starting".into());
    let board = (!local.no_graphics).then(|| Board::new(sessions));
    let work = |place| {
        let window = board.as_ref().filter(|_| place == Place::Window);
        let (judge, metrics) = (judge(spec), Arc::new(Metrics::new(task)));
        let pages = page::pages(spec, local, supply.format(), &judge);
        let shown = Shown::by(pages.watched().clone());
        let live = Live::of(local, rows.target(), place, is_quiet);
        let mut more = live.outputs(spec, &judge, &metrics);
        more.push(Box::new(PagesOutput::new(pages.clone())));
        let plan = Plan {
            task,
            run: run_of(spec),
            rows: Some(rows.clone()),
            frames: live.frames,
            window: window.map(|board| WindowOutput::new(board.clone(), shown.clone(), task, local.look)),
            local,
            more,
        };
        let has_window = place == Place::Window;
        let board = board.clone();
        Work { spec, local, task, judge, metrics, pages, supply, shown, board, has_window }.run(plan, &stopper, stop)
    };
    beside_window_or_rows(board.as_ref(), &rows, &Controls::of(&stopper), work)
}

/// The gates of a run.
fn judge(spec: &RunSpec) -> Arc<Judge> {
    Arc::new(Judge::new(&run_of(spec), spec.judged.conditions()))
}

fn run_of(spec: &RunSpec) -> Run {
    let seed = spec.sent.seed.unwrap_or_default();
    Run { version: env!("CARGO_PKG_VERSION"), seed, config: RunConfig::new(spec) }
}

fn rows_target(local: &Local) -> Target {
    if local.json == Some(JsonTarget::Stdout) { Target::Stderr } else { Target::Stdout }
}
