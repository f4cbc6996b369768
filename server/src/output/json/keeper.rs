//! Writes the report after each session, on its own thread: a slow disk holds up neither a session nor a row.
//!
//! After each write the thread rests for a multiple of the time that the write took. Sessions that end meanwhile are
//! written together, so a report of 65 MB is not rewritten for every short session.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use shared::shell::threads;
use tracing::{error, info};

use super::document::Document;
use crate::output::report::SessionReport;

/// Rest after a write, as a multiple of the write's duration: so the report takes at most a tenth of a disk's and a
/// core's time.
const REST_FACTOR: u32 = 9;

/// The output's handle to the thread.
#[derive(Debug)]
pub(in crate::output) struct Keeper {
    document: Arc<Mutex<Document>>,
    /// Signals that there is something new; dropped at the end.
    news: Sender<()>,
    thread: JoinHandle<bool>,
}

impl Keeper {
    /// Starts the thread, which hands the report to `write` whenever it changes. `document` itself is already written.
    pub(in crate::output) fn start<W>(document: Document, place: &str, write: W) -> io::Result<Self>
    where
        W: FnMut(&[u8]) -> io::Result<()> + Send + 'static,
    {
        let written = document.changes();
        let document = Arc::new(Mutex::new(document));
        let (news, received) = bounded(1);
        let keeping = Keeping { document: document.clone(), place: place.to_owned(), write, written, failing: false };
        let thread = threads::spawn("report", move || keeping.run(&received))?;
        Ok(Self { document, news, thread })
    }

    /// Adds a session, without waiting for the disk.
    pub(super) fn add(&self, session: &SessionReport) -> io::Result<()> {
        self.change(|document| document.add(session))
    }

    /// Changes the report, without waiting for the disk.
    pub(in crate::output) fn change<T>(&self, change: impl FnOnce(&mut Document) -> T) -> T {
        let changed = change(&mut locked(&self.document));
        // If the channel is full, the thread will check in any case.
        let _ = self.news.try_send(());
        changed
    }

    /// The report's text.
    pub(in crate::output) fn text(&self) -> String {
        locked(&self.document).text()
    }

    /// Writes the latest changes. Returns whether everything is written.
    pub(in crate::output) fn finish(self) -> bool {
        let Self { news, thread, .. } = self;
        drop(news);
        thread.join().unwrap_or(false)
    }
}

fn locked(document: &Mutex<Document>) -> MutexGuard<'_, Document> {
    // The document is consistent even after a panic, because sessions are added in one step.
    document.lock().unwrap_or_else(PoisonError::into_inner)
}

/// State of the thread.
struct Keeping<W> {
    document: Arc<Mutex<Document>>,
    place: String,
    write: W,
    /// How often the report had been changed when it was last written.
    written: u64,
    failing: bool,
}

impl<W: FnMut(&[u8]) -> io::Result<()>> Keeping<W> {
    /// Writes until the end. Returns whether everything is written.
    fn run(mut self, news: &Receiver<()>) -> bool {
        let mut rest_until = Instant::now();
        loop {
            let is_over = wait(news, rest_until);
            let started = Instant::now();
            self.write_news();
            rest_until = Instant::now() + started.elapsed() * REST_FACTOR;
            if is_over {
                return self.written == locked(&self.document).changes();
            }
        }
    }

    fn write_news(&mut self) {
        let (changes, text) = {
            let document = locked(&self.document);
            if document.changes() == self.written {
                return;
            }
            (document.changes(), document.text())
        };
        match (self.write)(text.as_bytes()) {
            Ok(()) => {
                self.written = changes;
                if std::mem::take(&mut self.failing) {
                    info!("the report is written to {} again", self.place);
                }
            }
            Err(wrong) if !self.failing => {
                self.failing = true;
                error!(
                    "cannot write the report to {}: {wrong}; the run goes on, and the report is tried again after \
                     each session and at the end; until then the last good one stays",
                    self.place
                );
            }
            Err(_) => {}
        }
    }
}

/// Waits for news, then until the rest is over. Returns whether the run is over.
fn wait(news: &Receiver<()>, rest_until: Instant) -> bool {
    if news.recv().is_err() {
        return true;
    }
    loop {
        match news.recv_deadline(rest_until) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::{run, session};

    fn sessions(text: &[u8]) -> Vec<u64> {
        let report: serde_json::Value = serde_json::from_slice(text).unwrap();
        report["sessions"].as_array().unwrap().iter().map(|session| session["session"].as_u64().unwrap()).collect()
    }

    #[test]
    fn a_slow_disk_delays_nobody_and_sessions_that_ended_meanwhile_are_written_together() {
        let (begin, begun) = bounded(0);
        let (release, released) = bounded::<()>(0);
        let (written, writings) = crossbeam_channel::unbounded();
        let write = move |text: &[u8]| {
            let _ = begin.send(());
            let _ = released.recv();
            written.send(sessions(text)).map_err(io::Error::other)
        };
        let keeper = Keeper::start(Document::new(&run()).unwrap(), "slow", write).unwrap();
        keeper.add(&session(1)).unwrap();
        begun.recv().unwrap();
        // The disk is stuck from here on.
        (2..=100).for_each(|number| keeper.add(&session(number)).unwrap());
        drop((release, begun));
        assert!(keeper.finish());
        let writings: Vec<_> = writings.iter().collect();
        assert_eq!(writings[0], [1]);
        assert_eq!(writings.last().unwrap(), &(1..=100).collect::<Vec<_>>());
        assert_eq!(writings.len(), 2, "the 99 that ended meanwhile went out at once");
    }

    #[test]
    fn a_report_that_could_not_be_written_is_written_whole_later() {
        let (written, writings) = crossbeam_channel::unbounded();
        let (refuse, refused) = bounded(1);
        let write = move |text: &[u8]| {
            // Fails once.
            if refuse.try_send(()).is_ok() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written.send(sessions(text)).map_err(io::Error::other)
        };
        let keeper = Keeper::start(Document::new(&run()).unwrap(), "full", write).unwrap();
        keeper.add(&session(1)).unwrap();
        while refused.is_empty() {
            std::thread::yield_now();
        }
        assert!(keeper.finish(), "the end tries again");
        assert_eq!(writings.iter().collect::<Vec<_>>(), [[1]]);
    }

    #[test]
    fn a_report_that_is_not_written_in_the_end_is_reported() {
        let keeper = Keeper::start(Document::new(&run()).unwrap(), "full", |_| Err(io::ErrorKind::StorageFull.into()));
        let keeper = keeper.unwrap();
        keeper.add(&session(1)).unwrap();
        assert!(!keeper.finish());
    }

    #[test]
    fn without_a_session_there_is_nothing_new_to_write() {
        let keeper =
            Keeper::start(Document::new(&run()).unwrap(), "unused", |_| Err(io::ErrorKind::StorageFull.into()));
        assert!(keeper.unwrap().finish());
    }
}
