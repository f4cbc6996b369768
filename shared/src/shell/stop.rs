//! Stops all parts of a program, on a signal, a key or a closed window.

#![allow(unsafe_code, reason = "a call of the C library that has no safe form")]

use std::sync::{Arc, mpsc};
use std::thread;

use tokio::sync::watch;
use tracing::{debug, warn};

use super::descriptors::with_advice;
use super::runtime;

/// Tells everyone who waits on the matching [`Stop`] to stop.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<watch::Sender<bool>>);

/// Learns that it is time to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// A stopper and the stop that listens to it.
pub fn stop_pair() -> (Stopper, Stop) {
    let (stopper, stop) = watch::channel(false);
    (Stopper(Arc::new(stopper)), Stop(stop))
}

impl Stopper {
    /// Tells everyone to stop. Idempotent.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether stopping was requested.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Stops on Ctrl-C (SIGINT), SIGTERM and SIGHUP, also as process 1 of a container.
    ///
    /// When this returns, these signals have no other effect. SIGHUP stays ignored if it was ignored at the start, as
    /// `nohup` requires. A separate thread listens, so signals are noticed to the very end, even while results are
    /// written and no runtime is left.
    pub fn stop_on_signals(&self) {
        let stopper = self.clone();
        let (ready, listens) = mpsc::sync_channel(1);
        let listen = move || {
            let listening = runtime::start().and_then(|runtime| {
                let signals = runtime.block_on(async { Signals::listen() })?;
                Ok((runtime, signals))
            });
            match listening {
                Ok((runtime, signals)) => {
                    let _ = ready.send(());
                    let name = runtime.block_on(signals.next());
                    debug!("stopping on {name}");
                    stopper.stop();
                }
                Err(error) => warn!("cannot listen for signals: {}", with_advice(&error)),
            }
        };
        match thread::Builder::new().name("signals".into()).spawn(listen) {
            // If it cannot listen, the channel closes.
            Ok(_) => drop(listens.recv()),
            Err(error) => warn!("cannot listen for signals: {error}"),
        }
    }
}

impl Stop {
    /// Waits until it is time to stop; for ever if every stopper is gone. Safe to cancel.
    pub async fn stopped(&mut self) {
        if self.0.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The signals that request a stop.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// Absent if it was ignored at the start.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = if is_ignored(libc::SIGHUP)? { None } else { Some(signal(SignalKind::hangup())?) };
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())?, hangup })
    }

    async fn next(mut self) -> &'static str {
        let hung_up = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = hung_up => "SIGHUP",
        }
    }
}

/// Whether this process ignores a signal.
#[cfg(unix)]
fn is_ignored(signal: libc::c_int) -> std::io::Result<bool> {
    // SAFETY: an all-zero `sigaction` is valid. With no new action given, the call only writes the current one into it.
    let (status, action) = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        (libc::sigaction(signal, std::ptr::null(), &raw mut action), action)
    };
    if status == 0 { Ok(action.sa_sigaction == libc::SIG_IGN) } else { Err(std::io::Error::last_os_error()) }
}

/// The signals that request a stop.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(mut self) -> &'static str {
        self.0.recv().await;
        "Ctrl-C"
    }
}
