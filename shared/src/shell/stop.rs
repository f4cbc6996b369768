//! Stops all parts of a program, on a signal, a key or a closed window.

#![allow(unsafe_code, reason = "a call of the C library that has no safe form")]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{debug, info, warn};

use super::descriptors::with_advice;
use super::threads::at_once;
use super::{children, keys, runtime};

/// Time after a signal in which another one is the same request. `timeout` and some supervisors signal a program and then
/// its group, and an impatient person presses Ctrl-C twice.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// Time after which a stop takes long enough to say what would end it.
const LONG_STOP: Duration = Duration::from_secs(3);

/// Whether this process is the first of a container, and does not listen for signals yet.
static FIRST: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(std::process::id() == 1)));

/// Lets Ctrl-C and SIGTERM end a process that is the first of a container, until it handles them itself. Otherwise the
/// kernel ignores them for such a process.
///
/// # Errors
/// If a signal cannot be handled.
#[cfg(unix)]
pub fn end_on_signals_as_first_process() -> std::io::Result<()> {
    use signal_hook::flag::register_conditional_shutdown;
    if FIRST.load(Ordering::SeqCst) {
        for signal in [libc::SIGINT, libc::SIGTERM] {
            register_conditional_shutdown(signal, 128 + signal, FIRST.clone())?;
        }
    }
    Ok(())
}

/// There is no such process on this system.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn end_on_signals_as_first_process() -> std::io::Result<()> {
    Ok(())
}

/// Tells everyone who waits on the matching [`Stop`] to stop.
#[derive(Clone, Debug)]
pub struct Stopper(Arc<Told>);

/// Everyone who is to be told.
#[derive(Debug)]
struct Told {
    flag: watch::Sender<bool>,
    calls: Mutex<Calls>,
}

/// What is called at the stop.
#[derive(Default)]
struct Calls {
    next: u64,
    all: BTreeMap<u64, Call>,
}

type Call = Arc<dyn Fn() + Send + Sync>;

/// A call at the stop. Dropping it takes the call back.
#[derive(Debug)]
#[must_use = "dropping it takes the call back"]
pub struct OnStop {
    told: Arc<Told>,
    number: u64,
}

/// Learns that it is time to stop.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// A stopper and the stop that listens to it.
pub fn stop_pair() -> (Stopper, Stop) {
    let (stopper, stop) = watch::channel(false);
    (Stopper(Arc::new(Told { flag: stopper, calls: Mutex::default() })), Stop(stop))
}

impl Stopper {
    /// Tells everyone to stop, and waits for the calls of [`Self::on_stop`]. Idempotent.
    pub fn stop(&self) {
        self.0.flag.send_replace(true);
        let calls: Vec<_> = std::mem::take(&mut self.0.calls().all).into_values().collect();
        drop(at_once(calls.len(), |place| calls[place]()));
    }

    /// Whether stopping was requested.
    pub fn is_stopped(&self) -> bool {
        *self.0.flag.borrow()
    }

    /// Calls this at the stop, once, or now if that was before. For work that waits for something else than the stop.
    pub fn on_stop(&self, call: impl Fn() + Send + Sync + 'static) -> OnStop {
        let mut calls = self.0.calls();
        let number = calls.next;
        calls.next += 1;
        if !self.is_stopped() {
            calls.all.insert(number, Arc::new(call));
        } else {
            drop(calls);
            call();
        }
        OnStop { told: self.0.clone(), number }
    }

    /// Stops on Ctrl-C (SIGINT), SIGTERM and SIGHUP, also as process 1 of a container. Another SIGINT or SIGTERM, more than
    /// a second later, ends the process at once with 128 and the signal's number, whatever it waits for, and kills the
    /// programs that it has started. Files are then as after `kill -9`.
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
                    FIRST.store(false, Ordering::SeqCst);
                    let _ = ready.send(());
                    runtime.block_on(follow(signals, &stopper));
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

impl Told {
    fn calls(&self) -> MutexGuard<'_, Calls> {
        // Each change is complete before anything can panic.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all.keys()).finish()
    }
}

impl Drop for OnStop {
    fn drop(&mut self) {
        self.told.calls().all.remove(&self.number);
    }
}

/// Stops on the first signal, and ends the process on a later one.
async fn follow(mut signals: Signals, stopper: &Stopper) {
    let name = signals.next().await;
    let first = Instant::now();
    debug!("stopping on {name}");
    stopper.stop();
    let code = tokio::select! {
        code = another(&mut signals, first + SAME_REQUEST) => code,
        () = sleep_until(first + LONG_STOP) => {
            info!("stopping takes long: another Ctrl-C ends the program at once, as kill -9 does");
            another(&mut signals, first).await
        }
    };
    keys::restore();
    children::kill();
    exit_at_once(code);
}

/// Waits for another signal after this time, and returns the process's exit code.
async fn another(signals: &mut Signals, after: Instant) -> i32 {
    loop {
        let code = signals.again().await;
        if Instant::now() >= after {
            return code;
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

    async fn next(&mut self) -> &'static str {
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

    /// Waits for SIGINT or SIGTERM, and returns the exit code of a process that it ends. A terminal that closes is no
    /// request to hurry.
    async fn again(&mut self) -> i32 {
        tokio::select! {
            () = received(self.interrupt.recv()) => 128 + libc::SIGINT,
            () = received(self.terminate.recv()) => 128 + libc::SIGTERM,
        }
    }
}

/// Waits for a signal; for ever if there can be none any more.
#[cfg(unix)]
async fn received(signal: impl Future<Output = Option<()>>) {
    if signal.await.is_none() {
        std::future::pending::<()>().await;
    }
}

/// Ends the process without the code that runs at its end, which may wait for the same thing as the stop does.
#[cfg(unix)]
fn exit_at_once(code: i32) -> ! {
    // SAFETY: `_exit` ends the process. It takes any code, and nothing runs after it.
    unsafe { libc::_exit(code) }
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

    async fn next(&mut self) -> &'static str {
        self.0.recv().await;
        "Ctrl-C"
    }

    /// Waits for Ctrl-C, and returns the exit code of a process that it ends.
    async fn again(&mut self) -> i32 {
        /// `STATUS_CONTROL_C_EXIT`.
        const CONTROL_C: u32 = 0xC000_013A;
        self.0.recv().await;
        CONTROL_C.cast_signed()
    }
}

/// Ends the process.
#[cfg(windows)]
fn exit_at_once(code: i32) -> ! {
    std::process::exit(code)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn a_call_comes_once_at_the_stop_unless_it_is_taken_back_and_at_once_after_it() {
        let (stopper, _stop) = stop_pair();
        let counts: [Arc<AtomicU32>; 3] = std::array::from_fn(|_| Arc::default());
        let [kept, taken_back, late] = counts.clone().map(|count| move || _ = count.fetch_add(1, Ordering::SeqCst));
        let _kept = stopper.on_stop(kept);
        drop(stopper.on_stop(taken_back));
        assert_eq!(counts[0].load(Ordering::SeqCst), 0);
        stopper.stop();
        stopper.stop();
        let _late = stopper.on_stop(late);
        assert_eq!(counts.map(|count| count.load(Ordering::SeqCst)), [1, 0, 1]);
    }
}
