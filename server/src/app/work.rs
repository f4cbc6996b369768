//! Serving, from the open port to the exit code.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use client::config::{Server as ClientTarget, ServerAddress};
use shared::door::admission::Admission;
use shared::door::discovery::Identity;
use shared::door::listen::{cannot_listen, listen};
use shared::flow::pacer::Rate;
use shared::link::memory;
use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::runtime;
use shared::shell::stop::{Stop, Stopper};
use shared::shell::threads;
use shared::shell::tls_files;
use shared::shell::token_file::{admission_of_server, warn_if_exposed};
use shared::shell::window::Board;
use shared::tls::Tls;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::embedded::Embedded;
use super::page;
use super::verdict::{RunResult, exit, is_once};
use crate::announce;
use crate::browser::Pages;
use crate::cli::{DEFAULT_LISTEN, Local};
use crate::gate::Judge;
use crate::metrics::Metrics;
use crate::output::window::Sessions;
use crate::output::writer::Shown;
use crate::output::{OutputError, Outputs, Plan, Writer, outputs};
use crate::run::{LinkKind, RunSpec};
use crate::serve::{self, Ended, Entrance, ServeConfig};
use crate::session::SessionConfig;
use crate::source::{StreamFormat, Supply};
use crate::task::TaskName;

/// Time after which a read is reported as slow: even the slowest disk reads such a file in less.
const SLOW_READ: Duration = Duration::from_millis(500);

/// Everything that a run does except drawing the window.
pub(super) struct Work<'a> {
    pub(super) spec: &'a RunSpec,
    pub(super) local: &'a Local,
    pub(super) task: TaskName,
    pub(super) judge: Arc<Judge>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) pages: Arc<Pages>,
    pub(super) supply: Arc<dyn Supply>,
    pub(super) shown: Shown,
    pub(super) board: Option<Board<Sessions>>,
    /// Whether people follow the run in a window.
    pub(super) has_window: bool,
}

impl Work<'_> {
    /// Opens the outputs of this plan and serves on this thread until the end.
    pub(super) fn run(self, plan: Plan<'_>, stopper: &Stopper, stop: Stop) -> Exit {
        match runtime::start() {
            Ok(runtime) => runtime.block_on(self.serve(plan, stopper, stop)),
            Err(error) => {
                error!("cannot start the runtime: {}", with_advice(&error));
                Exit::Other
            }
        }
    }

    async fn serve(self, plan: Plan<'_>, stopper: &Stopper, mut stop: Stop) -> Exit {
        match self.start(plan, &mut stop).await {
            Ok(Some(started)) => self.serve_clients(started, stopper, stop).await,
            Ok(None) => exit(self.spec, &RunResult { gates: self.judge.verdicts(), ..RunResult::stopped_early() }),
            Err(Refused { wrong, exit }) => {
                error!("{wrong}");
                exit
            }
        }
    }

    /// Opens the outputs of this plan and the entrance. `None` if the run was stopped meanwhile.
    pub(super) async fn start(&self, plan: Plan<'_>, stop: &mut Stop) -> Result<Option<Started>, Refused> {
        let Some((admission, tls)) = secrets(self.local, stop).await? else { return Ok(None) };
        let unwritable = |wrong: OutputError| {
            let exit = if wrong.lacks_a_thread() { Exit::Other } else { Exit::Usage };
            Refused { wrong: wrong.with_advice(), exit }
        };
        let Some(outputs) = outputs(plan, stop).await.map_err(unwritable)? else { return Ok(None) };
        let opened = self.open(admission, tls).await?;
        let started = Outputs::start(outputs, &self.shown);
        let (outputs, writer) = started.map_err(unwritable)?;
        Ok(Some(Started { opened, outputs, writer }))
    }

    /// Serves until the end.
    pub(super) async fn serve_clients(self, started: Started, stopper: &Stopper, stop: Stop) -> Exit {
        let Started { opened, outputs, writer } = started;
        let Opened { way, addresses, target, admission, tls } = opened;
        info!("{}, seed {}", way.describe(), self.spec.sent.seed.unwrap_or_default());
        if let Some(address) = addresses.first() {
            page::tell(*address, self.local.dashboard, self.has_window || self.spec.delivered.loopback);
        }
        if let Some(board) = &self.board {
            board.write(|sessions| sessions.wait_for(way.waiting()));
        }
        let identity = addresses.first().map_or_else(Identity::default, |&address| announce::identity(address));
        let config = self.config(identity, (admission.clone(), tls), stopper);
        let is_loopback = self.spec.delivered.loopback;
        let is_announced = !self.local.no_announce && !is_loopback && !addresses.is_empty();
        let _announcement = is_announced.then(|| announce::announce(&addresses, &config.identity));
        let client =
            is_loopback.then(|| Embedded::start(target, admission, self.spec.delivered.link.of_loopback(), stopper));
        let served = match way {
            Way::Listen { entrance, .. } => serve::serve(entrance, config, outputs, stop).await,
            Way::Dial(client) => {
                Ok(serve::call(&client, self.spec.delivered.link.of_dial(), config, outputs, stop).await)
            }
        };
        let all_written = writer.finish(matches!(&served, Ok(served) if matches!(served.ended, Ended::Stopped)));
        let client_failed = client.and_then(Embedded::stop);
        if let Some(remark) = self.supply.remark() {
            warn!("{remark}");
        }
        let (gates, strict) = (self.judge.verdicts(), self.local.strict);
        exit(self.spec, &RunResult { served, all_written, client_failed, gates, strict })
    }

    fn config(&self, identity: Identity, (admission, tls): (Admission, Tls), stopper: &Stopper) -> ServeConfig {
        let (sent, delivered) = (&self.spec.sent, &self.spec.delivered);
        let StreamFormat { size, pixel } = self.supply.format();
        let session = SessionConfig {
            number: 0,
            size,
            pixel,
            encoding: delivered.encoding,
            // A camera's frames are sent as they arrive.
            rate: if self.supply.sets_the_pace() { Rate::Max } else { self.spec.rate() },
            window: delivered.window,
            delivery: delivered.delivery,
            deadline: delivered.deadline,
            task: self.task,
            meta: self.spec.meta(),
            frames: sent.frames,
            warmup: self.spec.judged.warmup,
            duration: sent.duration,
            let_clients_stop: delivered.let_clients_stop,
        };
        ServeConfig {
            supply: self.supply.clone(),
            session,
            judge: self.judge.clone(),
            metrics: self.metrics.clone(),
            pages: self.pages.clone(),
            once: is_once(self.spec),
            stopper: stopper.clone(),
            wait: delivered.wait,
            identity,
            limits: self.local.limits.clone(),
            advertise: self.local.advertise,
            admission,
            tls,
            link: delivered.link,
            udp_ports: self.local.udp_port.clone(),
            sctp_mtu: delivered.sctp_mtu,
        }
    }

    /// Opens the entrance that the command line asks for, if the clients come to the server.
    async fn open(&self, admission: Admission, tls: Tls) -> Result<Opened, Refused> {
        if let Some(client) = &self.local.dial {
            let way = Way::Dial(client.clone());
            return Ok(Opened { way, addresses: Vec::new(), target: ClientTarget::Any, admission, tls });
        }
        if self.spec.delivered.link == LinkKind::Memory {
            let (listener, dialer) = memory::endpoint();
            let target = ClientTarget::InProcess(dialer);
            let way = Way::Listen { entrance: Entrance::Memory(listener), name: "memory".into() };
            return Ok(Opened { way, addresses: Vec::new(), target, admission, tls });
        }
        let (listeners, addresses) = self.listen().await?;
        let names: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        let target = ClientTarget::Named(ServerAddress(names.first().cloned().unwrap_or_default()));
        let way = Way::Listen { entrance: Entrance::Port(listeners), name: names.join(" and ") };
        warn_if_exposed(&admission, &addresses);
        Ok(Opened { way, addresses, target, admission, tls })
    }

    /// Listens where the command line says; a loopback run without an address takes any free port.
    async fn listen(&self) -> Result<(Vec<TcpListener>, Vec<SocketAddr>), Refused> {
        let asked = match &self.local.listen {
            Some(address) => address.0.as_str(),
            None if self.spec.delivered.loopback => "127.0.0.1:0",
            None => DEFAULT_LISTEN,
        };
        let listeners = listen(asked).await.map_err(|error| refused_to_listen(asked, &error))?;
        let addresses: io::Result<_> = listeners.iter().map(TcpListener::local_addr).collect();
        Ok((listeners, addresses.map_err(|error| refused_to_listen(asked, &error))?))
    }
}

/// Reads the files of the token, the identity and TLS. `None` if the run was stopped meanwhile.
///
/// Opening a pipe waits until somebody writes to it. A thread waits, which the end of the process ends.
async fn secrets(local: &Local, stop: &mut Stop) -> Result<Option<(Admission, Tls)>, Refused> {
    let Local { token_file, identity, tls_cert, tls_key, tls_ca, .. } = local.clone();
    let (tell, mut told) = oneshot::channel();
    let read = move || {
        let read = admission_of_server(token_file.as_deref(), identity.as_deref())
            .map_err(|wrong| wrong.to_string())
            .and_then(|admission| {
                let tls = tls_files::tls(tls_cert.as_deref(), tls_key.as_deref(), tls_ca.as_deref());
                Ok((admission, tls.map_err(|wrong| wrong.to_string())?))
            });
        // Nobody waits after a stop.
        let _ = tell.send(read);
    };
    threads::spawn("secrets", read).map_err(|error| Refused { wrong: error.to_string(), exit: Exit::Other })?;
    let mut slow = pin!(sleep(SLOW_READ));
    let mut is_slow = false;
    loop {
        tokio::select! {
            read = &mut told => {
                // The thread answers unless it panicked, which was logged.
                let read = read.unwrap_or_else(|_| Err("the files of the token and of TLS were not read".into()));
                return read.map(Some).map_err(Refused::usage);
            }
            () = &mut slow, if !is_slow => {
                is_slow = true;
                info!("waiting for somebody to write the files of --token-file, --identity or --tls-*");
            }
            () = stop.stopped() => return Ok(None),
        }
    }
}

/// A run that could not start.
#[derive(Debug)]
pub(super) struct Refused {
    /// What was wrong, and what would be right.
    pub(super) wrong: String,
    /// The exit code.
    pub(super) exit: Exit,
}

impl Refused {
    /// Options that conflict.
    pub(super) fn usage(wrong: String) -> Self {
        Self { wrong, exit: Exit::Usage }
    }
}

/// A run that is ready to serve.
pub(super) struct Started {
    opened: Opened,
    outputs: Outputs,
    writer: Writer,
}

impl Started {
    /// The handle to the outputs.
    pub(super) fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// The addresses of the port; none if there is no port.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.opened.addresses
    }
}

/// How clients and server meet, ready to serve.
struct Opened {
    way: Way,
    /// The port's addresses; empty if there is no port.
    addresses: Vec<SocketAddr>,
    /// How a client in this process connects.
    target: ClientTarget,
    /// Who is admitted.
    admission: Admission,
    /// The certificate for callers, and the certificates that called clients are checked by.
    tls: Tls,
}

/// How clients and server meet.
enum Way {
    /// Clients come to this entrance, whose name is for people.
    Listen { entrance: Entrance, name: String },
    /// The server calls the client that listens at HOST:PORT.
    Dial(String),
}

impl Way {
    /// What the server does, for the log.
    fn describe(&self) -> String {
        match self {
            Self::Listen { name, .. } => format!("listening on {name}"),
            Self::Dial(client) => format!("calling {client}"),
        }
    }

    /// What the server waits for, for its window.
    fn waiting(&self) -> String {
        match self {
            Self::Listen { name, .. } => format!("waiting for a client on {name}"),
            Self::Dial(client) => format!("calling the client at {client}"),
        }
    }
}

fn refused_to_listen(asked: &str, error: &io::Error) -> Refused {
    let (wrong, exit) = cannot_listen(asked, error, "server");
    Refused { wrong, exit }
}
