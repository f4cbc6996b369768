//! The client of `--loopback`, on a thread of its own.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::thread;

use client::config::{Config as ClientConfig, Server as ClientTarget, Wait};
use client::pipeline::PipelineChoice;
use client::view::NoView;
use client::workers::Policy;
use shared::shell::exit::Exit;
use shared::shell::stop::{Stop, Stopper};
use tracing::{debug, error};

/// Runs a client on a thread of its own against this server.
///
/// Nobody else knows where this server listens: where the client fails, `failed` says how and the server stops.
pub(super) fn embed_client(target: ClientTarget, stopper: Stopper, stop: Stop, failed: Arc<OnceLock<Exit>>) {
    let config = ClientConfig {
        server: target,
        wait: Wait::Forever,
        // The server's holds for both.
        sctp_mtu: None,
        pipeline: PipelineChoice::auto(),
        workers: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        policy: Policy::Every,
    };
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return error!("no client: {error}"),
        };
        let exit = runtime.block_on(client::app::session(&config, &mut NoView, stop));
        debug!("the embedded client ended with exit code {}", exit as u8);
        if exit != Exit::Fine {
            let _ = failed.set(exit);
            stopper.stop();
        }
    };
    if let Err(error) = thread::Builder::new().name("client".into()).spawn(run) {
        error!("no client: {error}");
    }
}
