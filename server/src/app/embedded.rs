//! The client of `--loopback`, on its own thread.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use client::commands::Commands;
use client::config::{Config as ClientConfig, Server as ClientTarget, Wait};
use client::pipeline::PipelineChoice;
use client::view::NoView;
use client::workers::Policy;
use shared::door::admission::Admission;
use shared::link::Kind;
use shared::shell::descriptors::with_advice;
use shared::shell::exit::Exit;
use shared::shell::runtime;
use shared::shell::stop::{Stop, Stopper, stop_pair};
use shared::shell::threads;
use shared::tls::Tls;
use tracing::{debug, error};

/// Maximum time that the client keeps trying: the time limit for opening one link (`OPENING_LIMIT` in `shared`). Its
/// server already listens, so a failure such as too few file descriptors will not go away.
const WAIT: Wait = Wait::For(Duration::from_secs(10));

/// A client in this process.
pub(super) struct Embedded {
    stopper: Stopper,
    failed: Arc<OnceLock<Exit>>,
}

impl Embedded {
    /// Starts a client against this server.
    ///
    /// Nobody else knows where this server listens, so the server stops if the client fails. Only the server handles
    /// signals, and says `bye` to its client: if both did, chance would decide which of them ends the session.
    pub(super) fn start(target: ClientTarget, admission: Admission, link: Kind, server: &Stopper) -> Self {
        let (stopper, stop) = stop_pair();
        let (server, failed) = (server.clone(), Arc::new(OnceLock::new()));
        let telling = failed.clone();
        let give_up = move |exit| {
            let _ = telling.set(exit);
            server.stop();
        };
        let on_a_thread = give_up.clone();
        let run = move || session(target, admission, link, stop).map(on_a_thread);
        if let Err(error) = threads::spawn("client", run) {
            error!("no client: {error}");
            give_up(Exit::Other);
        }
        Self { stopper, failed }
    }

    /// Stops the client if it still waits for a session. Returns how it failed before that, if it did.
    pub(super) fn stop(self) -> Option<Exit> {
        let failed = self.failed.get().copied();
        self.stopper.stop();
        failed
    }
}

/// Runs the client. Returns how it failed, if it did.
fn session(target: ClientTarget, admission: Admission, link: Kind, stop: Stop) -> Option<Exit> {
    let config = ClientConfig {
        server: target,
        link,
        admission,
        tls: Tls::default(),
        wait: WAIT,
        // The server's setting applies to both ends.
        sctp_mtu: None,
        pull: false,
        pipeline: PipelineChoice::auto(),
        workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        policy: Policy::Every,
    };
    let runtime = match runtime::start() {
        Ok(runtime) => runtime,
        Err(error) => {
            error!("no client: {}", with_advice(&error));
            return Some(Exit::Other);
        }
    };
    let exit = runtime.block_on(client::app::session(&config, &mut NoView, stop, Commands::none()));
    debug!("the embedded client ended with exit code {}", exit as u8);
    (exit != Exit::Fine).then_some(exit)
}
