//! The thread that records.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError};
use shared::shell::threads;
use tracing::{error, warn};

use super::file::RecordingFile;
use super::queue::{Counts, Entry, RecordedFrame, Recorder, Shared};

/// Longest time for which a chunk gathers messages. A crash loses at most this much.
const CHUNK_TIME: Duration = Duration::from_secs(1);

/// Size of a chunk in bytes: small enough to keep in memory, and large enough that the index costs little.
const CHUNK_BYTES: usize = 1 << 20;

/// Starts the thread that writes this file.
pub(super) fn start(file: RecordingFile, path: &Path) -> io::Result<Recorder> {
    let (recorder, entries, shared) = Recorder::new();
    let place = path.display().to_string();
    let writing = Writing { file: Some(file), place, shared, chunk: Chunk::default() };
    threads::spawn("recording", move || writing.run(&entries))?;
    Ok(recorder)
}

/// The messages that are gathered for the next chunk.
#[derive(Default)]
struct Chunk {
    bytes: usize,
    /// When its first message came.
    began: Option<Instant>,
    /// The counts of the frames in it.
    frames: Vec<Arc<Counts>>,
}

struct Writing {
    /// `None` once it has failed.
    file: Option<RecordingFile>,
    place: String,
    shared: Arc<Shared>,
    chunk: Chunk,
}

impl Writing {
    fn run(mut self, entries: &Receiver<Entry>) {
        loop {
            let entry = match self.chunk.began {
                Some(began) => entries.recv_deadline(began + CHUNK_TIME),
                None => entries.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match entry {
                Ok(Entry::Frame(frame)) => self.frame(&frame),
                Ok(Entry::Outcome(session, record)) => {
                    let bytes = self.file.as_mut().map_or(0, |file| file.outcome(session, &record));
                    self.gathered(bytes, None);
                }
                Ok(Entry::Settle(settled)) => {
                    self.flush();
                    settled.notify_one();
                }
                Ok(Entry::Finish { report, done }) => {
                    self.flush();
                    let _ = done.send(self.finish(&report));
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.flush();
                    self.finish("");
                    return;
                }
            }
        }
    }

    fn frame(&mut self, frame: &RecordedFrame) {
        match self.file.as_mut().map(|file| file.frame(frame)) {
            Some(Some(bytes)) => self.gathered(bytes, Some(&frame.counts)),
            Some(None) => {
                if self.shared.is_first_without_channels() {
                    let place = &self.place;
                    warn!(
                        "the recording {place} has no channels left for session {} and later ones: their frames are \
                         counted as not recorded; for more sessions start another run",
                        frame.session
                    );
                }
                self.lost(&frame.counts);
            }
            None => self.lost(&frame.counts),
        }
        self.shared.taken(frame.data.len());
    }

    /// Notes that messages of this many bytes were added to the chunk, and writes the chunk if it is large enough.
    fn gathered(&mut self, bytes: usize, frame: Option<&Arc<Counts>>) {
        self.chunk.frames.extend(frame.cloned());
        if bytes == 0 {
            return;
        }
        self.chunk.bytes += bytes;
        let began = *self.chunk.began.get_or_insert_with(Instant::now);
        if self.chunk.bytes >= CHUNK_BYTES || began.elapsed() >= CHUNK_TIME {
            self.flush();
        }
    }

    /// Writes the chunk.
    fn flush(&mut self) {
        let Some(file) = &mut self.file else { return };
        match file.flush() {
            Ok(()) => {
                let chunk = std::mem::take(&mut self.chunk);
                chunk.frames.iter().for_each(|counts| _ = counts.recorded.fetch_add(1, Ordering::Relaxed));
                self.shared.wake();
            }
            Err(wrong) => self.fail(&wrong),
        }
    }

    /// Abandons the file, which keeps its whole chunks.
    fn fail(&mut self, wrong: &io::Error) {
        let place = &self.place;
        error!("cannot write the recording to {place}: {wrong}; the run goes on, and the missing frames are counted");
        if let Some(file) = self.file.take() {
            file.cut();
        }
        let chunk = std::mem::take(&mut self.chunk);
        chunk.frames.iter().for_each(|counts| self.lost(counts));
        self.shared.failed();
    }

    fn lost(&self, counts: &Counts) {
        counts.not_recorded.fetch_add(1, Ordering::Relaxed);
        self.shared.count_missing();
    }

    /// Completes the file. Returns whether it is complete.
    fn finish(&mut self, report: &str) -> bool {
        let Some(file) = self.file.take() else { return false };
        file.finish(report)
            .inspect_err(|wrong| {
                let place = &self.place;
                error!("cannot complete the recording {place}: {wrong}; it has every frame, and can be replayed");
            })
            .is_ok()
    }
}
