//! A queue of texts for an output that may be slow, stuck or gone. Nothing waits for that output.
//!
//! Writers put texts into a bounded queue, and a thread writes them out. Texts that find no room are counted.

mod out;
mod state;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, unbounded};

use out::Out;
use state::State;

pub(super) use out::Beside;

/// Interval of checks on the progress of writing.
const PAUSE: Duration = Duration::from_millis(5);

/// The side that texts are put into; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    texts: Sender<String>,
    state: Arc<State>,
    /// Absent if the thread could not start: every text is then lost and counted.
    writer: Option<Thread>,
}

/// When to give up on an output.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrainLimits {
    /// The output accepted nothing for this long.
    pub(super) standstill: Duration,
    /// The output was waited for this long in total.
    pub(super) total: Duration,
}

impl Queue {
    /// Starts a thread with this name that writes to `output`.
    pub(super) fn start(name: &str, output: impl Write + Send + 'static, beside: impl Beside) -> Self {
        let (texts, waiting) = unbounded();
        let state = Arc::new(State::default());
        let out = Out::new(output, beside, state.clone());
        let writer = thread::Builder::new().name(name.into()).spawn(move || out.run(&waiting));
        Self { texts, state, writer: writer.ok().map(|writer| writer.thread().clone()) }
    }

    /// Queues a text. If the thread could not start, or more than `room` bytes would wait, the text is lost and
    /// counted.
    pub(super) fn put(&self, text: String, room: usize) {
        let waiting = self.state.waiting_bytes.load(Ordering::Relaxed);
        if self.writer.is_none() || waiting.saturating_add(text.len()) > room {
            return self.state.lose(1);
        }
        self.state.expect(text.len());
        // The thread ends only once all senders are gone.
        let _ = self.texts.send(text);
    }

    /// Makes the thread call [`Beside::due`].
    pub(super) fn wake(&self) {
        let _ = self.texts.send(String::new());
    }

    /// Waits until everything is written, within the limits of `limits`. Returns how many texts still wait.
    pub(super) fn finish(&self, limits: impl Fn() -> DrainLimits) -> u64 {
        self.state.is_ending.store(true, Ordering::Relaxed);
        self.wake();
        self.writer.iter().for_each(Thread::unpark);
        let start = Instant::now();
        let (mut moved, mut written) = (start, self.written());
        while self.waiting() > 0 {
            let (now, DrainLimits { standstill, total }) = (Instant::now(), limits());
            if std::mem::replace(&mut written, self.written()) != written {
                moved = now;
            }
            if now - moved >= standstill || now - start >= total {
                break;
            }
            thread::sleep(PAUSE);
        }
        self.state.waiting.load(Ordering::Acquire)
    }

    /// Number of texts lost so far.
    pub(super) fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }

    /// Why the output failed. Returned once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.state.take_failure()
    }

    fn written(&self) -> u64 {
        self.state.written.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> u64 {
        self.state.waiting.load(Ordering::Acquire) + self.state.untold.load(Ordering::Relaxed)
    }
}
