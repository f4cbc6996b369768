//! Builds what the command line asks for and runs it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread;

use client::config::{Config as ClientConfig, ServerAddress, Wait};
use client::detect::{DetectorChoice, RadiusLimits, hough};
use client::view::NoView;
use client::workers::Policy;
use shared::geometry::Size;
use shared::link::discovery::Identity;
use shared::shell::exit::Exit;
use shared::shell::rows::{Rows, Target};
use shared::shell::stop::{Stop, Stopper, stop_pair};
use shared::shell::window::{self, Screen};
use tokio::net::TcpListener;
use tracing::{debug, error, info, warn};

use crate::announce;
use crate::cli::{Cli, DEFAULT_LISTEN, Local};
use crate::report::{JsonTarget, Reporter, Run};
use crate::run::{RunConfig, RunSpec};
use crate::scene::BallConfig;
use crate::serve::{self, ServeConfig, Served};
use crate::session::{End, SessionConfig};
use crate::source::{BallScene, Motion, UNPACED_STEP_S};
use crate::view::{TerminalView, View, WindowView, summary};

/// Serves as the command line asks for it, or prints what run that is.
pub fn run(cli: Cli) -> Exit {
    let (spec, local) = (cli.spec.settled(), cli.local);
    let config = config(&spec, &local);
    if let Err(wrong) = config.scene.source() {
        error!("{wrong}");
        return Exit::Usage;
    }
    if cli.layers.print_run {
        return print(&spec);
    }
    let reporter = match Reporter::open(local.json.as_ref(), report_run(&spec, &config)) {
        Ok(reporter) => reporter,
        Err(wrong) => {
            error!("{wrong}: name a file that can be written");
            return Exit::Usage;
        }
    };
    let screen = if local.no_graphics { None } else { screen(spec.sent.size) };
    let work = Work { spec, local, config, reporter };
    let (stopper, stop) = stop_pair();
    match screen {
        Some(screen) => in_window(screen, work, &stopper, stop),
        None => in_terminal(work, &stopper, stop),
    }
}

fn print(spec: &RunSpec) -> Exit {
    match io::stdout().write_all(spec.to_toml().as_bytes()) {
        Ok(()) => Exit::Fine,
        Err(wrong) => {
            error!("cannot write the run to stdout: {wrong}");
            Exit::Other
        }
    }
}

fn config(spec: &RunSpec, local: &Local) -> ServeConfig {
    let RunSpec { sent, delivered, camera } = spec;
    let ball = BallConfig {
        size: sent.size,
        radius: sent.radius,
        speed_px_s: sent.speed,
        step_s: sent.fps.hz().map_or(UNPACED_STEP_S, f64::recip),
        border: sent.border,
    };
    // A settled specification has a seed.
    let seed = sent.seed.unwrap_or_default();
    ServeConfig {
        scene: BallScene { ball, motion: Motion::Bouncing, camera: *camera, pixel: sent.pixel, seed },
        session: SessionConfig {
            number: 0,
            size: sent.size,
            pixel: sent.pixel,
            encoding: delivered.encoding,
            rate: sent.fps,
            window: delivered.window,
            delivery: delivered.delivery,
            deadline: delivered.deadline,
            frames: sent.frames,
            duration: sent.duration,
        },
        once: delivered.once || delivered.loopback,
        // Known once it listens.
        identity: Identity { name: String::new(), id: String::new() },
        advertise: local.advertise,
        udp_ports: local.udp_port.clone(),
        sctp_mtu: delivered.sctp_mtu,
    }
}

fn report_run(spec: &RunSpec, config: &ServeConfig) -> Run {
    Run { version: env!("CARGO_PKG_VERSION"), seed: config.scene.seed, config: RunConfig::new(spec) }
}

fn screen(size: Size) -> Option<Screen> {
    let size = WindowView::window_size(size);
    match Screen::open("Plumb server", size.width, size.height) {
        Ok(screen) => Some(screen),
        Err(reason) => {
            warn!("{reason}: rows instead of a window (--no-graphics asks for them)");
            None
        }
    }
}

fn in_terminal(work: Work, stopper: &Stopper, stop: Stop) -> Exit {
    let rows = Rows::start(work.rows_target());
    let exit = work.run(&|_| Arc::new(TerminalView::new(rows.clone())), stopper, stop);
    let lost = rows.finish();
    if lost > 0 {
        warn!("rows lost: {lost} (the output was closed or too slow)");
    }
    exit
}

fn in_window(screen: Screen, work: Work, stopper: &Stopper, stop: Stop) -> Exit {
    let rows = Rows::start(work.rows_target());
    let view = WindowView::new("starting".into());
    let mut painter = view.painter(work.spec.sent.size);
    let seen = |address: &str| -> Arc<dyn View> {
        view.set_waiting(format!("waiting for a client on {address}"));
        Arc::new(WindowAndSummary { window: view.clone(), rows: rows.clone() })
    };
    let exit = window::beside(screen, stopper, move |screen| painter.show(screen), || work.run(&seen, stopper, stop));
    rows.finish();
    exit
}

/// A window, and a summary on the terminal after each session.
struct WindowAndSummary {
    window: WindowView,
    rows: Rows,
}

impl View for WindowAndSummary {
    fn started(&self, session: u64) {
        self.window.started(session);
    }

    fn sent(&self, session: u64, id: u64, image: &shared::image::Image) {
        self.window.sent(session, id, image);
    }

    fn scored(&self, session: u64, score: &crate::score::FrameScore, tally: &crate::score::summary::Tally) {
        self.window.scored(session, score, tally);
    }

    fn ended(&self, report: &crate::report::SessionReport) {
        self.window.ended(report);
        self.rows.summary(summary(report));
    }
}

/// Everything but the screen.
struct Work {
    spec: RunSpec,
    local: Local,
    config: ServeConfig,
    reporter: Reporter,
}

impl Work {
    fn rows_target(&self) -> Target {
        if self.local.json == Some(JsonTarget::Stdout) { Target::Stderr } else { Target::Stdout }
    }

    /// Serves on this thread; `view` makes what shows it, told where the server listens.
    fn run(self, view: &(dyn Fn(&str) -> Arc<dyn View> + Sync), stopper: &Stopper, stop: Stop) -> Exit {
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.serve(view, stopper, stop)),
            Err(error) => {
                error!("cannot start the runtime: {error}");
                Exit::Other
            }
        }
    }

    async fn serve(mut self, view: &(dyn Fn(&str) -> Arc<dyn View> + Sync), stopper: &Stopper, stop: Stop) -> Exit {
        stopper.stop_on_signals();
        let (listener, address) = match self.listen().await {
            Ok(listening) => listening,
            Err((wrong, exit)) => {
                error!("{wrong}");
                return exit;
            }
        };
        if let Err(wrong) = self.reporter.begin() {
            error!("{wrong}");
            return Exit::Usage;
        }
        info!("listening on {address}, seed {}", self.config.scene.seed);
        self.config.identity = announce::identity(address);
        let failed = Arc::new(OnceLock::new());
        let announced = !self.local.no_announce && !self.spec.delivered.loopback;
        let _announcement = announced.then(|| announce::announce(address, &self.config.identity));
        if self.spec.delivered.loopback {
            embed_client(&address.to_string(), stopper.clone(), stop.clone(), failed.clone());
        }
        let served = serve::serve(listener, self.config, view(&address.to_string()), &mut self.reporter, stop).await;
        if let Err(wrong) = self.reporter.finish() {
            error!("{wrong}");
            return Exit::Other;
        }
        match served {
            Ok(Served::Once(End::ClientGone { .. })) => Exit::NoPeer,
            Ok(Served::Stopped) if failed.get().is_some() => *failed.get().unwrap_or(&Exit::Other),
            Ok(_) => Exit::Fine,
            Err(wrong) => {
                error!("{wrong}");
                Exit::Other
            }
        }
    }

    /// Listens where the command line says; a loopback run that was told nothing takes any free port.
    async fn listen(&self) -> Result<(TcpListener, SocketAddr), (String, Exit)> {
        let asked = match &self.local.listen {
            Some(address) => address.0.as_str(),
            None if self.spec.delivered.loopback => "127.0.0.1:0",
            None => DEFAULT_LISTEN,
        };
        let listener = TcpListener::bind(asked).await.map_err(|error| cannot_listen(asked, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(asked, &error))?;
        Ok((listener, address))
    }
}

fn cannot_listen(asked: &str, error: &std::io::Error) -> (String, Exit) {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::AddrInUse => (
            format!("{asked} is taken: another server may be running; choose another port with --listen"),
            Exit::NoPeer,
        ),
        _ => (
            format!(
                "cannot listen on {asked}: {error}; name an address of this machine and a port that is free to you"
            ),
            Exit::Usage,
        ),
    }
}

/// Runs a client on a thread of its own against this server, over the same real link as any other.
///
/// Nobody else knows where this server listens: where the client fails, `failed` says how and the server stops.
fn embed_client(address: &str, stopper: Stopper, stop: Stop, failed: Arc<OnceLock<Exit>>) {
    let detector = match DetectorChoice::new(hough::NAME, RadiusLimits::default()) {
        Ok(detector) => detector,
        Err(wrong) => return error!("no client: {wrong}"),
    };
    let config = ClientConfig {
        server: Some(ServerAddress(address.to_owned())),
        wait: Wait::Forever,
        // The server's holds for both.
        sctp_mtu: None,
        detector,
        workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        policy: Policy::Every,
    };
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return error!("no client: {error}"),
        };
        let exit = runtime.block_on(client::app::session(&config, &mut NoView, stop));
        debug!("the embedded client ended: {exit:?}");
        if exit != Exit::Fine {
            let _ = failed.set(exit);
            stopper.stop();
        }
    };
    if let Err(error) = thread::Builder::new().name("client".into()).spawn(run) {
        error!("no client: {error}");
    }
}
