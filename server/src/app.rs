//! Builds what the command line asks for and runs it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread;

use client::config::{Config as ClientConfig, Server as ClientTarget, ServerAddress, Wait};
use client::detect::{DetectorChoice, RadiusLimits, hough};
use client::view::NoView;
use client::workers::Policy;
use shared::door::discovery::Identity;
use shared::link::memory;
use shared::shell::exit::Exit;
use shared::shell::rows::{Rows, Target};
use shared::shell::stop::{Stop, Stopper, stop_pair};
use shared::shell::window::{self, Screen};
use tokio::net::TcpListener;
use tracing::{debug, error, info, warn};

use crate::announce;
use crate::camera::{CameraFileError, CameraOptions};
use crate::cli::{DEFAULT_LISTEN, ServeArgs};
use crate::report::{JsonTarget, Reporter, Run, RunConfig};
use crate::scene::BallConfig;
use crate::serve::{self, Entrance, LinkKind, ServeConfig, Served};
use crate::session::{End, SessionConfig};
use crate::source::{BallScene, Motion, UNPACED_STEP_S};
use crate::view::{TerminalView, View, WindowView, summary};

/// Serves as the command line asks for it.
pub fn run(args: &ServeArgs) -> Exit {
    if args.link == LinkKind::Memory && !args.loopback {
        error!("--link memory is a link within one process: it needs --loopback");
        return Exit::Usage;
    }
    let camera = match camera(args) {
        Ok(camera) => camera,
        Err(wrong) => {
            error!("{wrong}");
            return Exit::Usage;
        }
    };
    let config = config(args, &camera);
    if let Err(wrong) = config.scene.source() {
        error!("{wrong}");
        return Exit::Usage;
    }
    let reporter = match Reporter::open(args.json.as_ref(), report_run(args, &config)) {
        Ok(reporter) => reporter,
        Err(wrong) => {
            error!("{wrong}: name a file that can be written");
            return Exit::Usage;
        }
    };
    let work = Work { args, config, reporter };
    let (stopper, stop) = stop_pair();
    match if args.no_graphics { None } else { screen(args) } {
        Some(screen) => in_window(screen, work, &stopper, stop),
        None => in_terminal(work, &stopper, stop),
    }
}

/// The camera's options, and those of its file where the command line says nothing.
fn camera(args: &ServeArgs) -> Result<CameraOptions, CameraFileError> {
    let file = args.camera.as_deref().map(CameraOptions::read).transpose()?;
    Ok(args.effects.or(file.unwrap_or_default()))
}

fn config(args: &ServeArgs, camera: &CameraOptions) -> ServeConfig {
    let step_s = args.fps.hz().map_or(UNPACED_STEP_S, f64::recip);
    let ball = BallConfig {
        size: args.size,
        radius: camera.radii(),
        speed_px_s: args.speed,
        step_s,
        border: camera.has_border(),
    };
    let session = SessionConfig {
        number: 0,
        size: args.size,
        pixel: args.pixel,
        encoding: args.encoding,
        rate: args.fps,
        window: args.window,
        delivery: args.delivery,
        deadline: args.deadline,
        frames: args.frames,
        duration: args.duration,
    };
    ServeConfig {
        scene: BallScene {
            ball,
            motion: Motion::Bouncing,
            camera: camera.config(),
            pixel: args.pixel,
            seed: args.seed.unwrap_or_else(drawn_seed),
        },
        session,
        once: args.once || args.loopback,
        // Known once it listens.
        identity: Identity { name: String::new(), id: String::new() },
        advertise: args.advertise,
        udp_ports: args.udp_port.clone(),
        sctp_mtu: args.sctp_mtu,
    }
}

/// A seed nobody chose, short enough to be typed again.
fn drawn_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id()) >> 32
}

fn report_run(args: &ServeArgs, config: &ServeConfig) -> Run {
    let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    Run {
        version: env!("CARGO_PKG_VERSION"),
        seed: config.scene.seed,
        config: RunConfig {
            width: args.size.width,
            height: args.size.height,
            pixel: args.pixel.to_string(),
            fps: args.fps.hz(),
            window: args.window.get(),
            deadline_us: micros(args.deadline),
            frames: args.frames.map(Into::into),
            duration_us: args.duration.map(micros),
            radius_px: config.scene.ball.radius.min,
            radius_max_px: config.scene.ball.radius.max,
            speed_px_s: args.speed,
            border: config.scene.ball.border,
            camera: config.scene.camera,
            encoding: args.encoding,
            delivery: args.delivery.name(),
            lifetime_us: config.session.lifetime().map(micros),
            sctp_mtu: args.sctp_mtu,
            loopback: args.loopback,
        },
    }
}

fn screen(args: &ServeArgs) -> Option<Screen> {
    let size = WindowView::window_size(args.size);
    match Screen::open("Plumb server", size.width, size.height) {
        Ok(screen) => Some(screen),
        Err(reason) => {
            warn!("{reason}: rows instead of a window (--no-graphics asks for them)");
            None
        }
    }
}

fn in_terminal(work: Work<'_>, stopper: &Stopper, stop: Stop) -> Exit {
    let rows = Rows::start(work.rows_target());
    let exit = work.run(&|_| Arc::new(TerminalView::new(rows.clone())), stopper, stop);
    let lost = rows.finish();
    if lost > 0 {
        warn!("rows lost: {lost} (the output was closed or too slow)");
    }
    exit
}

fn in_window(screen: Screen, work: Work<'_>, stopper: &Stopper, stop: Stop) -> Exit {
    let rows = Rows::start(work.rows_target());
    let view = WindowView::new("starting".into());
    let mut painter = view.painter(work.args.size);
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
struct Work<'a> {
    args: &'a ServeArgs,
    config: ServeConfig,
    reporter: Reporter,
}

impl Work<'_> {
    fn rows_target(&self) -> Target {
        if self.args.json == Some(JsonTarget::Stdout) { Target::Stderr } else { Target::Stdout }
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
        let Opened { entrance, name, address, target } = match self.open().await {
            Ok(opened) => opened,
            Err((wrong, exit)) => {
                error!("{wrong}");
                return exit;
            }
        };
        if let Err(wrong) = self.reporter.begin() {
            error!("{wrong}");
            return Exit::Usage;
        }
        info!("listening on {name}, seed {}", self.config.scene.seed);
        if let Some(address) = address {
            self.config.identity = announce::identity(address);
        }
        let failed = Arc::new(OnceLock::new());
        let announced = address.filter(|_| !self.args.no_announce && !self.args.loopback);
        let _announcement = announced.map(|address| announce::announce(address, &self.config.identity));
        if self.args.loopback {
            embed_client(target, stopper.clone(), stop.clone(), failed.clone());
        }
        let served = serve::serve(entrance, self.config, view(&name), &mut self.reporter, stop).await;
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

    /// Opens the way in that the command line asks for.
    async fn open(&self) -> Result<Opened, (String, Exit)> {
        if self.args.link == LinkKind::Memory {
            let (listener, dialer) = memory::endpoint();
            let target = ClientTarget::InProcess(dialer);
            return Ok(Opened { entrance: Entrance::Memory(listener), name: "memory".into(), address: None, target });
        }
        let (listener, address) = self.listen().await?;
        let name = address.to_string();
        let target = ClientTarget::Named(ServerAddress(name.clone()));
        Ok(Opened { entrance: Entrance::Port(listener), name, address: Some(address), target })
    }

    /// Listens where the command line says; a loopback run that was told nothing takes any free port.
    async fn listen(&self) -> Result<(TcpListener, SocketAddr), (String, Exit)> {
        let asked = match &self.args.listen {
            Some(address) => address.0.as_str(),
            None if self.args.loopback => "127.0.0.1:0",
            None => DEFAULT_LISTEN,
        };
        let listener = TcpListener::bind(asked).await.map_err(|error| cannot_listen(asked, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(asked, &error))?;
        Ok((listener, address))
    }
}

/// A way in that is open.
struct Opened {
    entrance: Entrance,
    /// Where, for people.
    name: String,
    /// The port's address.
    address: Option<SocketAddr>,
    /// How a client of this process comes in.
    target: ClientTarget,
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

/// Runs a client on a thread of its own against this server.
///
/// Nobody else knows where this server listens: where the client fails, `failed` says how and the server stops.
fn embed_client(target: ClientTarget, stopper: Stopper, stop: Stop, failed: Arc<OnceLock<Exit>>) {
    let detector = match DetectorChoice::new(hough::NAME, RadiusLimits::default()) {
        Ok(detector) => detector,
        Err(wrong) => return error!("no client: {wrong}"),
    };
    let config = ClientConfig {
        server: target,
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
