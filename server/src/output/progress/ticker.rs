//! Shows the line again and again, on a thread of its own.

use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use shared::shell::status::StatusLine;
use tracing::info;

use super::state::Shared;
use super::text::status;

/// Interval between two lines in a log.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// Interval between two looks at a terminal's line.
const LINE_INTERVAL: Duration = Duration::from_millis(200);

/// How long the end waits until the line is taken away: a paused terminal never lets go.
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
    /// Starts to show what `shared` knows.
    pub fn start(form: Form, shared: Shared) -> Self {
        let (end, ending) = bounded::<()>(0);
        let (ended_sender, ended) = bounded::<()>(0);
        let run = move || {
            // Dropping it tells that the thread has ended.
            let _ended = ended_sender;
            match form {
                Form::Line => draw(&shared, &ending),
                Form::Log => log(&shared, &ending),
            }
        };
        // Without a thread there is no line, which harms no result.
        let _ = thread::Builder::new().name("progress".into()).spawn(run);
        Self { end: Some(end), ended }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.end = None;
        // An error either way: the thread has ended, or the time is over.
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

/// Waits this long. Returns false once the end has come.
fn is_going_on(ending: &Receiver<()>, interval: Duration) -> bool {
    ending.recv_timeout(interval) == Err(RecvTimeoutError::Timeout)
}
