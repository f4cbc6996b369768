//! Updates the line at regular intervals, on a separate thread.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use shared::shell::status::StatusLine;
use tracing::info;

use super::state::Shared;
use super::text::status;

/// Interval between two lines in a log.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Interval between two updates of a terminal's line.
const LINE_INTERVAL: Duration = Duration::from_millis(200);

/// Time limit for removing the line at the end. A paused terminal would block forever.
const END_LIMIT: Duration = Duration::from_millis(200);

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// At the bottom of a terminal.
    Line,
    /// In the log.
    Log,
}

/// The thread that shows progress, until this is dropped.
#[derive(Debug)]
pub struct Ticker {
    /// Dropping it ends the thread.
    end: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Ticker {
    /// Starts to show the state in `shared`.
    pub fn start(form: Form, shared: Shared) -> Self {
        let (end, ending) = bounded::<()>(0);
        let (ended_sender, ended) = bounded::<()>(0);
        let run = move || {
            // Dropping it signals that the thread has ended.
            let _ended = ended_sender;
            match form {
                Form::Line => draw(&shared, &ending),
                Form::Log => log(&shared, &ending),
            }
        };
        // If the thread cannot be started, there is no line; results are not affected.
        let _ = thread::Builder::new().name("progress".into()).spawn(run);
        Self { end: Some(end), ended }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.end = None;
        // Both results are errors: the thread has ended, or the time is over.
        let _ = self.ended.recv_timeout(END_LIMIT);
    }
}

fn draw(shared: &Shared, ending: &Receiver<()>) {
    let line = StatusLine::show();
    let mut last = None;
    while is_going_on(ending, LINE_INTERVAL) {
        let status = status(&shared.locked(), Instant::now());
        if last.as_ref() != Some(&status) {
            line.set(&status);
            last = Some(status);
        }
    }
}

fn log(shared: &Shared, ending: &Receiver<()>) {
    while is_going_on(ending, LOG_INTERVAL) {
        let text = {
            let state = shared.locked();
            (!state.active.is_empty()).then(|| status(&state, Instant::now()).text)
        };
        if let Some(text) = text {
            info!("{text}");
        }
    }
}

/// Waits this long. Returns false if the run has ended.
fn is_going_on(ending: &Receiver<()>, interval: Duration) -> bool {
    ending.recv_timeout(interval) == Err(RecvTimeoutError::Timeout)
}
