//! Telling everything to stop, from a signal, a key or a closed window.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::{debug, warn};

/// Tells everyone who waits on the matching [`Stop`] to stop.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

/// Learns that it is time to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// A stopper and what listens to it.
pub fn stop_pair() -> (Stopper, Stop) {
    let (stopper, stop) = watch::channel(false);
    (Stopper(Arc::new(stopper)), Stop(stop))
}

impl Stopper {
    /// Tells everyone to stop. Idempotent.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Stops on Ctrl-C (SIGINT) and SIGTERM, also as process 1 of a container. Needs a tokio runtime.
    pub fn stop_on_signals(&self) {
        let stopper = self.clone();
        tokio::spawn(async move {
            match signal().await {
                Ok(name) => debug!("stopping on {name}"),
                Err(error) => return warn!("cannot listen for signals: {error}"),
            }
            stopper.stop();
        });
    }
}

impl Stop {
    /// Waits until it is time to stop; for ever when nobody is left to say so. Safe to cancel.
    pub async fn stopped(&mut self) {
        if self.0.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether it is time to stop.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }
}

#[cfg(unix)]
async fn signal() -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| "SIGINT"),
        _ = terminate.recv() => Ok("SIGTERM"),
    }
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<&'static str> {
    tokio::signal::ctrl_c().await.map(|()| "Ctrl-C")
}
