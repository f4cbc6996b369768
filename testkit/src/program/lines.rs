//! Reads a program's output line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::limit::LIMIT;

/// Longest time to wait for the rest of a program's output after its end.
const REST_TIMEOUT: Duration = Duration::from_secs(10);

/// Lines of output, gathered by a separate thread.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Gathered>, Condvar)>);

#[derive(Default)]
struct Gathered {
    lines: Vec<String>,
    complete: bool,
}

impl Lines {
    /// Gathers the lines of an output as they come.
    pub(crate) fn of(output: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let gathering = lines.clone();
        thread::spawn(move || {
            let (gathered, news) = &*gathering.0;
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                gathered.lock().unwrap().lines.push(line);
                news.notify_all();
            }
            gathered.lock().unwrap().complete = true;
            news.notify_all();
        });
        lines
    }

    /// No lines: the caller took the output and reads it.
    pub(crate) fn taken() -> Self {
        let lines = Self::default();
        lines.0.0.lock().unwrap().complete = true;
        lines
    }

    /// Waits for a line that contains `text`.
    pub fn wait_for(&self, text: &str) -> String {
        let found = |lines: &[String]| lines.iter().find(|line| line.contains(text)).cloned();
        self.wait_until(&format!("\"{text}\""), found)
    }

    /// Waits for at least `count` lines.
    pub fn wait_for_count(&self, count: usize) {
        self.wait_until(&format!("line {count}"), |lines| (lines.len() >= count).then_some(()));
    }

    fn wait_until<T>(&self, what: &str, find: impl Fn(&[String]) -> Option<T>) -> T {
        let (gathered, news) = &*self.0;
        let deadline = Instant::now() + LIMIT;
        let mut now = gathered.lock().unwrap();
        loop {
            if let Some(found) = find(&now.lines) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!now.complete && !left.is_zero(), "no {what} in {:#?}", now.lines);
            now = news.wait_timeout(now, left).unwrap().0;
        }
    }

    /// The lines so far.
    pub fn so_far(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    /// All lines, once the output is closed. If a grandchild keeps it open, only the lines so far.
    pub(crate) fn all(&self) -> Vec<String> {
        let (gathered, news) = &*self.0;
        let closed = news.wait_timeout_while(gathered.lock().unwrap(), REST_TIMEOUT, |now| !now.complete);
        closed.unwrap().0.lines.clone()
    }
}
