//! A server inside another program, on its own thread.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use clap::Args;
use crossbeam_channel::{Sender, bounded};
use shared::shell::exit::Exit;
use shared::shell::runtime;
use shared::shell::stop::{Stop, Stopper, stop_pair};
use shared::shell::threads;
use thiserror::Error;

use super::work::{Refused, Work};
use super::{judge, page, run_of, settled, together};
use crate::browser::PagesOutput;
use crate::cli::Local;
use crate::metrics::Metrics;
use crate::output::report::Run;
use crate::output::writer::Shown;
use crate::output::{Output, Outputs, Plan};
use crate::run::{Origins, RunSpec};
use crate::source::Supply;

/// The options of a hosted server.
#[derive(Args, Clone, Debug)]
pub struct HostedOptions {
    /// Options of the run.
    #[command(flatten)]
    pub spec: RunSpec,

    /// Options of this machine. No rows are printed, and no window opens.
    #[command(flatten)]
    pub local: Local,
}

/// Why a server could not start.
#[derive(Debug, Error)]
pub enum HostedError {
    /// An option is impossible: what is wrong, and what would be right.
    #[error("{0}")]
    Usage(String),
    /// Something else failed, such as a port that is taken.
    #[error("{0}")]
    Start(String),
}

impl From<Refused> for HostedError {
    fn from(Refused { wrong, exit }: Refused) -> Self {
        if exit == Exit::Usage { Self::Usage(wrong) } else { Self::Start(wrong) }
    }
}

/// A server on its own thread. It keeps running when this is dropped.
#[derive(Debug)]
pub struct Hosted {
    run: Run,
    address: Option<SocketAddr>,
    outputs: Outputs,
    stopper: Stopper,
    thread: JoinHandle<Exit>,
}

impl Hosted {
    /// Starts a server, and returns when it listens. `output` receives the results.
    ///
    /// # Errors
    /// [`HostedError`] if the options are impossible, or if the server cannot listen or write.
    pub fn start(
        options: HostedOptions,
        origins: &Origins,
        output: impl FnOnce(&RunSpec) -> Box<dyn Output>,
    ) -> Result<Self, HostedError> {
        let HostedOptions { spec, local } = options;
        let settled =
            together::calling(spec, &local, origins).map_err(Refused::usage).and_then(|spec| settled(spec, origins));
        let (spec, supply) = settled.map_err(HostedError::from)?;
        let (run, more) = (run_of(&spec), vec![output(&spec)]);
        let (stopper, stop) = stop_pair();
        let (listening, listens) = bounded(1);
        let hosting = Hosting { spec, local, supply, more, stopper: stopper.clone(), stop };
        let spawned = threads::spawn("server", move || hosting.serve(&listening));
        let no_thread = |wrong: &dyn std::fmt::Display| HostedError::Start(format!("cannot start a server: {wrong}"));
        let thread = spawned.map_err(|error| no_thread(&error))?;
        let (address, outputs) = listens.recv().map_err(|_| no_thread(&"its thread ended without a result"))??;
        Ok(Self { run, address, outputs, stopper, thread })
    }

    /// The address it listens on; `None` without a port.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// What it runs.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The handle to its outputs. The results of a client that has ended may still be in their queue.
    pub fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Tells it to stop, which it does within a second.
    pub fn stop(&self) {
        self.stopper.stop();
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits until it has ended. Returns its exit code.
    pub fn join(self) -> Exit {
        self.thread.join().unwrap_or(Exit::Other)
    }
}

/// The arguments of the thread.
struct Hosting {
    spec: RunSpec,
    local: Local,
    supply: Arc<dyn Supply>,
    more: Vec<Box<dyn Output>>,
    stopper: Stopper,
    stop: Stop,
}

/// The address and the outputs, or why there are none.
type Listening = Result<(Option<SocketAddr>, Outputs), HostedError>;

impl Hosting {
    fn serve(self, listening: &Sender<Listening>) -> Exit {
        match runtime::start() {
            Ok(runtime) => runtime.block_on(self.serve_on_runtime(listening)),
            Err(error) => {
                let _ = listening.send(Err(HostedError::Start(cannot_start(&error))));
                Exit::Other
            }
        }
    }

    async fn serve_on_runtime(self, listening: &Sender<Listening>) -> Exit {
        let Self { spec, local, supply, mut more, stopper, mut stop } = self;
        let task = spec.sent.task.unwrap_or_default();
        let (judge, metrics) = (judge(&spec), Arc::new(Metrics::new(task)));
        let pages = page::pages(&spec, &local, supply.format(), &judge);
        let shown = Shown::by(pages.watched().clone());
        more.push(Box::new(PagesOutput::new(pages.clone())));
        let plan = Plan { task, run: run_of(&spec), rows: None, frames: false, window: None, local: &local, more };
        let (spec, local, board, has_window) = (&spec, &local, None, false);
        let work = Work { spec, local, task, judge, metrics, pages, supply, shown, board, has_window };
        match work.start(plan, &mut stop).await {
            Ok(Some(started)) => {
                // The caller still waits for the address, because it holds the receiver.
                let _ = listening.send(Ok((started.addresses().first().copied(), started.outputs().clone())));
                work.serve_clients(started, &stopper, stop).await
            }
            // Nobody can stop it before it listens.
            Ok(None) => Exit::Other,
            Err(refused) => {
                let exit = refused.exit;
                let _ = listening.send(Err(refused.into()));
                exit
            }
        }
    }
}

fn cannot_start(error: &io::Error) -> String {
    format!("cannot start the runtime: {}", shared::shell::descriptors::with_advice(error))
}
