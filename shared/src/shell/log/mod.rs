//! Logging: one line per event on stderr, so that stdout holds only rows.
//!
//! Nothing waits for stderr: a paused terminal or a reader that does not read costs lines, which are counted, but no
//! frames. Output that a peer can cause is bounded: a line has a longest length (`line`), a kind of failure gets one
//! line per second, after a burst for what is no failure (`limit`), and control characters are escaped, wherever they come from.

mod limit;
mod line;

use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use tracing::{Event, Subscriber, error};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::queue::{Beside, DrainLimits, Queue};
use super::standard::Target;
use super::{guarded, threads};

use limit::Limiter;
use line::{Kind, Line, Style};

/// Maximum number of bytes of lines that wait for stderr: some two thousand lines.
const ROOM: usize = 256 << 10;

/// How long the end waits for a stderr that accepts nothing, and how long in total: within the second in which a stop
/// must complete.
const DRAIN_LIMITS: DrainLimits =
    DrainLimits { standstill: Duration::from_millis(200), total: Duration::from_millis(500) };

/// How many lines about the beginnings of sessions, and as many about their ends, may come at once: as many as sessions
/// that a server takes at a time (`--max-sessions`, by default). Further ones have a line per second, because anybody can
/// cause them by the thousand.
pub const SESSIONS_AT_ONCE: u64 = 256;

/// Target of the lines that a user's program writes to its stderr. They are logged in whichever process starts it.
pub const PROGRAMS: &str = "client::program";

/// The lines of the first logging that started.
static STARTED: OnceLock<Lines> = OnceLock::new();

/// Logging, until this is dropped. Then the waiting lines are written, if stderr accepts them.
#[derive(Debug)]
#[must_use = "logging ends when this is dropped"]
pub struct Logging(Lines);

/// Starts logging: warnings with `quiet`, else what people should know, and more with each `verbose`.
///
/// Events of libraries are logged from the second `-v` on, because their warnings are about packets and do not help a
/// user.
pub fn start(program: &'static str, verbose: u8, quiet: bool) -> Logging {
    let style = Style { program, has_colours: AutoStream::choice(&io::stderr()) != ColorChoice::Never };
    let lines = Lines::to(Target::Stderr.open(), style);
    if !lines.queue.has_writer() {
        // stderr may be closed.
        let _ = writeln!(io::stderr(), "{program}: there is no log: {}", threads::MORE_THREADS);
    }
    // If logging was started before, as in tests, the first start stays in effect.
    let _ = tracing_subscriber::registry().with(filter(program, verbose, quiet)).with(lines.clone()).try_init();
    // The default hook writes to stderr and waits for it.
    panic::set_hook(Box::new(panicked));
    let _ = STARTED.set(lines.clone());
    Logging(lines)
}

fn filter(program: &'static str, verbose: u8, quiet: bool) -> Targets {
    let (ours, theirs) = match (quiet, verbose) {
        (true, _) => (LevelFilter::WARN, LevelFilter::OFF),
        (false, 0) => (LevelFilter::INFO, LevelFilter::OFF),
        (false, 1) => (LevelFilter::DEBUG, LevelFilter::OFF),
        (false, 2) => (LevelFilter::TRACE, LevelFilter::WARN),
        (false, _) => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    // The server's embedded client logs nothing of its own unless asked: the server's lines say the same.
    let embedded = if verbose > 0 { ours } else { LevelFilter::WARN };
    let targets = ["shared", "client", "server"]
        .map(|target| (target, if target == program || target == "shared" { ours } else { embedded }));
    Targets::new().with_default(theirs).with_targets(targets).with_target(PROGRAMS, ours)
}

fn panicked(info: &PanicHookInfo<'_>) {
    // It becomes an error, which says enough.
    if guarded::is_guarded() {
        return;
    }
    let message = info.payload_as_str().unwrap_or("no message");
    let place = info.location().map_or_else(String::new, |location| format!(" at {location}"));
    error!(kind = "panic", "panicked{place}: {message}");
    let backtrace = std::backtrace::Backtrace::capture();
    if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
        backtrace.to_string().lines().for_each(|line| error!("{line}"));
    }
}

/// Writes the waiting lines, if stderr accepts them: for an end at which nothing is dropped.
pub(super) fn finish() {
    if let Some(lines) = STARTED.get() {
        lines.finish();
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Sends events as lines to stderr.
#[derive(Clone, Debug)]
struct Lines {
    style: Style,
    queue: Queue,
    limiter: Arc<Mutex<Limiter<Kind>>>,
}

impl Lines {
    fn to(output: impl io::Write + Send + 'static, style: Style) -> Self {
        let limiter = Arc::new(Mutex::new(Limiter::new()));
        let queue = Queue::start("log", output, HeldBack { style, limiter: limiter.clone() });
        Self { style, queue, limiter }
    }

    fn finish(&self) {
        let held = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).all();
        held.into_iter().for_each(|line| self.queue.put(line + "\n", ROOM));
        self.queue.finish(|| DRAIN_LIMITS);
    }

    /// Queues a line. A line of a kind that was written less than a second ago is held back.
    fn put(&self, line: Line) {
        let text = match line.kind {
            Some(kind) => {
                let mut limiter = self.limiter.lock().unwrap_or_else(PoisonError::into_inner);
                limiter.admit(kind, line.burst, line.text, Instant::now())
            }
            None => Some(line.text),
        };
        match text {
            Some(text) => self.queue.put(text + "\n", ROOM),
            // Wakes the thread, so that it learns when the line is due.
            None => self.queue.wake(),
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.put(self.style.line(event));
    }
}

/// What the thread writes in addition: held lines that are due, and how many lines found no room.
struct HeldBack {
    style: Style,
    limiter: Arc<Mutex<Limiter<Kind>>>,
}

impl Beside for HeldBack {
    fn due(&mut self, now: Instant, lost: u64) -> (Vec<String>, Option<Instant>) {
        let (mut lines, next) = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).due(now);
        if lost > 0 {
            lines.push(self.style.warning(&format!("{lost} log lines dropped: stderr was blocked for a while")));
        }
        (lines.into_iter().map(|line| line + "\n").collect(), next)
    }
}

#[cfg(test)]
mod tests;
