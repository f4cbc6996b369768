//! The writing thread of a queue.

use std::io::{self, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::state::State;

/// Bytes written at once: as many as a pipe accepts whole (Linux, `PIPE_BUF`), so that a slow reader's progress shows.
const CHUNK: usize = 4 << 10;

/// Pause between two attempts at an output that would block.
const PAUSE: Duration = Duration::from_millis(5);

/// Additional work of the writing thread.
pub(in crate::shell) trait Beside: Send + 'static {
    /// Takes the number of texts lost since the last call. Returns the texts due by `now`, and when to ask again.
    fn due(&mut self, _now: Instant, _lost: u64) -> (Vec<String>, Option<Instant>) {
        (Vec::new(), None)
    }

    /// How long the thread rests after writing, so that more texts gather.
    fn nap(&self) -> Duration {
        Duration::ZERO
    }

    /// Called once, when the output has failed.
    fn failed(&mut self, _error: &io::Error) {}
}

/// The thread's side of a queue. If a write to the output fails, the texts in the buffer and all later texts are lost.
pub(super) struct Out<W, B> {
    output: W,
    buffer: Vec<u8>,
    /// Number of texts in the buffer.
    texts: u64,
    has_failed: bool,
    state: Arc<State>,
    beside: B,
}

impl<W: Write, B: Beside> Out<W, B> {
    /// Writes to `output` the queued texts and those of `beside`.
    pub(super) fn new(output: W, beside: B, state: Arc<State>) -> Self {
        Self { output, buffer: Vec::new(), texts: 0, has_failed: false, state, beside }
    }

    /// Writes until all senders are gone.
    pub(super) fn run(mut self, waiting: &Receiver<String>) {
        loop {
            let (due, next) = self.beside.due(Instant::now(), self.state.untold.swap(0, Ordering::Relaxed));
            for text in due {
                self.state.expect(text.len());
                self.put(&text);
            }
            match waiting.try_recv() {
                Ok(text) => self.put(&text),
                Err(TryRecvError::Disconnected) => return self.flush(),
                Err(TryRecvError::Empty) if self.texts > 0 => {
                    self.flush();
                    self.nap();
                }
                Err(TryRecvError::Empty) => match wait(waiting, next) {
                    Ok(text) => self.put(&text),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                },
            }
        }
    }

    fn nap(&self) {
        if !self.state.is_ending.load(Ordering::Relaxed) {
            thread::park_timeout(self.beside.nap());
        }
    }

    fn put(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.buffer.extend_from_slice(text.as_bytes());
        self.texts += 1;
        if self.buffer.len() >= CHUNK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.has_failed
            && let Err(error) = self.write_all()
        {
            self.has_failed = true;
            self.beside.failed(&error);
            self.state.fail(error);
        }
        if self.has_failed {
            self.state.lose(self.texts);
        }
        self.state.waiting_bytes.fetch_sub(self.buffer.len(), Ordering::Relaxed);
        self.state.waiting.fetch_sub(self.texts, Ordering::Release);
        self.buffer.clear();
        self.texts = 0;
    }

    fn write_all(&mut self) -> io::Result<()> {
        self.state.is_writing.store(true, Ordering::Relaxed);
        let written = self.write();
        self.state.is_writing.store(false, Ordering::Relaxed);
        written
    }

    fn write(&mut self) -> io::Result<()> {
        let mut rest = &self.buffer[..];
        while !rest.is_empty() {
            match self.output.write(&rest[..rest.len().min(CHUNK)]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(bytes) => {
                    rest = &rest[bytes..];
                    self.state.written.fetch_add(bytes as u64, Ordering::Relaxed);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
        self.output.flush()
    }
}

fn wait(waiting: &Receiver<String>, next: Option<Instant>) -> Result<String, RecvTimeoutError> {
    match next {
        Some(next) => waiting.recv_deadline(next),
        None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
    }
}
