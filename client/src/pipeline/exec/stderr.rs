//! Turns what a program writes to its stderr into log lines. Their length and their rate are bounded.

use std::io;
use std::process::ChildStderr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shared::shell::log::PROGRAMS;
use tracing::{info, warn};

/// Longest line, in bytes: as long as any line of the log may be. The rest of a longer line is left out.
const LONGEST: usize = 1_000;

/// Maximum number of lines per second of all programs together: more than a traceback has.
const LINES: u32 = 100;

/// Lets lines of all programs through: each worker has one, which may end and be started again at once.
static GATE: LazyLock<Mutex<Gate>> = LazyLock::new(|| Mutex::new(Gate::new(Instant::now())));

/// Interval at which the thread checks whether the program has ended, in case a child of the program keeps the stderr
/// open.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Time to wait for the last lines of a program that has ended.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// A thread that logs the lines of a program.
#[derive(Debug)]
pub(super) struct Listener {
    thread: Option<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
}

/// Cuts bytes into lines.
#[derive(Debug, Default)]
struct Lines {
    line: Vec<u8>,
}

/// Lets [`LINES`] lines through per second, and counts the others.
#[derive(Debug)]
struct Gate {
    since: Instant,
    said: u32,
    held: u64,
}

impl Listener {
    /// Logs each line under this name.
    pub(super) fn start(name: String, stderr: ChildStderr) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let listened = is_over.clone();
        let listen = move || listen(&name, &stderr, &listened);
        let thread = thread::Builder::new().name("stderr".into()).spawn(listen);
        let thread = thread.inspect_err(|error| warn!("the program's stderr is not read: {error}")).ok();
        Self { thread, is_over }
    }

    /// Notes that the program has ended. Waits up to [`LAST_WORDS`] for its last lines.
    pub(super) fn end(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let until = Instant::now() + LAST_WORDS;
        while self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) && Instant::now() < until {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn listen(name: &str, stderr: &ChildStderr, is_over: &AtomicBool) {
    let (mut lines, mut bytes) = (Lines::default(), [0; 4096]);
    let admit = || GATE.lock().unwrap_or_else(PoisonError::into_inner).admit(Instant::now());
    let say = |line: &str| match admit() {
        Some(0) => info!(target: PROGRAMS, "{name}: {line}"),
        Some(held) => info!(target: PROGRAMS, "{name}: {line} (after {held} lines more, left out)"),
        None => {}
    };
    loop {
        let mut ready = [PollFd::new(stderr, PollFlags::IN)];
        match poll(&mut ready, Some(&LOOK)) {
            Ok(0) if is_over.load(Ordering::Relaxed) => break,
            Ok(0) => continue,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        }
        match rustix::io::read(stderr, &mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(count) => lines.cut(&bytes[..count], &say),
        }
    }
    lines.finish(&say);
}

impl Lines {
    fn cut(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        let mut pieces = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(piece) = pieces.next() {
            let room = LONGEST - self.line.len();
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if pieces.peek().is_some() {
                self.finish(&mut each);
            }
        }
    }

    /// Passes the line so far to `each`, unless it is empty, and begins a new one.
    fn finish(&mut self, mut each: impl FnMut(&str)) {
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_end();
        if !line.is_empty() {
            each(line);
        }
        self.line.clear();
    }
}

impl Gate {
    fn new(now: Instant) -> Self {
        Self { since: now, said: 0, held: 0 }
    }

    /// How many lines were left out before this one; `None` if this one is left out too.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.said) = (now, 0);
        }
        if self.said >= LINES {
            self.held += 1;
            return None;
        }
        self.said += 1;
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_wherever_the_bytes_are() {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        for piece in ["on", "e\r\ntw", "o\n\nthree\nfo", "ur"] {
            lines.cut(piece.as_bytes(), |line| said.push(line.to_owned()));
        }
        lines.finish(|line| said.push(line.to_owned()));
        assert_eq!(said, ["one", "two", "three", "four"]);
    }

    #[test]
    fn a_line_without_end_needs_bounded_memory_and_is_logged_in_part() {
        let (mut lines, mut said) = (Lines::default(), Vec::new());
        for _ in 0..1_000 {
            lines.cut(&[b'x'; 4096], |line| said.push(line.len()));
        }
        lines.cut(b"\nnext\n", |line| said.push(line.len()));
        assert_eq!((said, lines.line.capacity() <= 2 * LONGEST), (vec![LONGEST, 4], true));
    }

    #[test]
    fn a_flood_is_limited_to_a_hundred_lines_per_second_and_the_rest_is_counted() {
        let start = Instant::now();
        let mut gate = Gate::new(start);
        let said: Vec<_> = (0..2_000).filter_map(|ms| gate.admit(start + Duration::from_millis(ms))).collect();
        assert_eq!((said.len(), said[0], said[99], said[100], said[101]), (200, 0, 0, 900, 0));
    }
}
