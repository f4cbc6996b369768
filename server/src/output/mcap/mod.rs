//! The recording: the frames of a run with their truth, answers and figures, as an MCAP file that Foxglove shows and
//! `--source` replays.
//!
//! After a session has handed a frame to the link, it puts a copy into a bounded queue (`queue`). A separate thread
//! makes messages and writes them (`writer`, `file`). While the queue is full, an unpaced stream waits. A paced stream
//! goes on and counts the frame as `not_recorded`.

#[cfg(feature = "mcap")]
mod file;
#[cfg(not(feature = "mcap"))]
#[path = "no_file.rs"]
mod file;
mod queue;
#[cfg(feature = "mcap")]
mod repair;
mod writer;

pub use queue::{Captured, Recorder, RecordingReport, SessionRecorder};

#[cfg(feature = "mcap")]
pub(super) use repair::repair;

use std::io;
use std::path::Path;

use crate::output::report::Run;
use crate::task::TaskName;

/// What completing an interrupted recording kept and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Its messages.
    pub messages: u64,
    /// Bytes after its last whole chunk, which were removed.
    pub cut_bytes: u64,
}

/// Completes an interrupted recording. Without the feature `mcap` it does nothing.
///
/// # Errors
/// Never without the feature.
#[cfg(not(feature = "mcap"))]
pub(super) fn repair(_: &Path, _: &str, _: &str) -> io::Result<Option<Repaired>> {
    Ok(None)
}

/// Creates the file and starts its thread.
///
/// # Errors
/// If the file is there already or cannot be written.
pub(super) fn start(path: &Path, run: &Run, task: TaskName) -> io::Result<Recorder> {
    writer::start(file::RecordingFile::create(path, run, task)?, path)
}
