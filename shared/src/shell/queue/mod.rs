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

/// How long the end waits for a thread that does not write: longer than a thread waits for its turn on any machine that
/// still works.
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

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
        let (mut last, mut written) = (Instant::now(), self.written());
        let [mut stood, mut waited, mut turnless] = [Duration::ZERO; 3];
        while self.waiting() > 0 {
            let DrainLimits { standstill, total } = limits();
            let elapsed = std::mem::replace(&mut last, Instant::now()).elapsed();
            if self.is_writing() {
                stood += elapsed;
                waited += elapsed;
                turnless = Duration::ZERO;
            } else {
                turnless += elapsed;
            }
            if std::mem::replace(&mut written, self.written()) != written {
                stood = Duration::ZERO;
            }
            if stood >= standstill || waited >= total || turnless >= TURN_TIMEOUT {
                break;
            }
            thread::sleep(PAUSE);
        }
        self.state.waiting.load(Ordering::Acquire)
    }

    /// Whether the thread could start.
    pub(super) fn has_writer(&self) -> bool {
        self.writer.is_some()
    }

    /// Number of texts lost so far.
    pub(super) fn lost(&self) -> u64 {
        self.state.lost.load(Ordering::Relaxed)
    }

    /// Why the output failed. Returned once.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.state.take_failure()
    }

    /// Whether the output holds the thread up. On a busy machine the thread may also wait for its turn, which says
    /// nothing about the output.
    fn is_writing(&self) -> bool {
        self.writer.is_none() || self.state.is_writing.load(Ordering::Relaxed)
    }

    fn written(&self) -> u64 {
        self.state.written.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> u64 {
        self.state.waiting.load(Ordering::Acquire) + self.state.untold.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Kept;
    use super::*;

    /// Holds the thread up before it writes, as a busy machine does.
    struct Late(Duration);

    impl Beside for Late {
        fn due(&mut self, _now: Instant, _lost: u64) -> (Vec<String>, Option<Instant>) {
            thread::sleep(std::mem::take(&mut self.0));
            (Vec::new(), None)
        }
    }

    #[test]
    fn a_thread_that_gets_its_turn_late_still_writes_everything() {
        let limit = Duration::from_millis(20);
        let kept = Kept::default();
        let queue = Queue::start("late", kept.clone(), Late(10 * limit));
        queue.put("the reason\n".into(), 1000);
        assert_eq!(queue.finish(|| DrainLimits { standstill: limit, total: limit }), 0);
        assert_eq!(kept.bytes(), b"the reason\n");
    }
}
