//! Reads or renders frames ahead, on a thread of its own, into a bounded queue.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use shared::shell::threads;
use tokio::sync::Notify;

use super::error::SourceError;

/// A frame, the end (`None`), or an error.
pub(super) type Read<T> = Result<Option<T>, SourceError>;

/// Frames that are made on their own thread. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Ahead<T> {
    queue: Receiver<Read<T>>,
    wake: Arc<Notify>,
}

impl<T: Send + 'static> Ahead<T> {
    /// Starts the thread. It takes frames from `reader` until the end or the first error, and is at most `depth` frames
    /// ahead.
    pub(super) fn start(
        depth: usize,
        reader: impl Iterator<Item = Result<T, SourceError>> + Send + 'static,
    ) -> Result<Self, SourceError> {
        let (sender, queue) = bounded(depth);
        let wake = Arc::new(Notify::new());
        let waker = wake.clone();
        let spawned = threads::spawn("source", move || read(reader, &sender, &waker));
        spawned.map_err(|error| SourceError::Thread(error.to_string()))?;
        Ok(Self { queue, wake })
    }

    /// Waits for the next frame, or for the end.
    pub(super) fn next(&self) -> Read<T> {
        self.queue.recv().unwrap_or_else(|_| broken())
    }

    /// The next frame or the end, if it is there already.
    pub(super) fn try_next(&self) -> Option<Read<T>> {
        match self.queue.try_recv() {
            Ok(read) => Some(read),
            Err(TryRecvError::Disconnected) => Some(broken()),
            Err(TryRecvError::Empty) => None,
        }
    }

    /// Notifies when a frame has come.
    pub(super) fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }
}

/// Reads until there is nothing more to read, or the queue's receiver is dropped.
fn read<T>(reader: impl Iterator<Item = Result<T, SourceError>>, queue: &Sender<Read<T>>, waker: &Notify) {
    for frame in reader.map(|frame| frame.map(Some)).chain([Ok(None)]) {
        let is_last = !matches!(frame, Ok(Some(_)));
        if queue.send(frame).is_err() {
            return;
        }
        waker.notify_one();
        if is_last {
            return;
        }
    }
}

/// The error for a thread that ended without a result: it panicked.
fn broken<T>() -> Read<T> {
    Err(SourceError::Thread("it ended without a result".into()))
}
