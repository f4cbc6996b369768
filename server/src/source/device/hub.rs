//! Shares a camera's frames among the sessions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::error::DeviceError;
use super::seat::{DeviceFrame, Seat, Shape};
use super::stamp::Indices;

/// The camera's frames on their way to all sessions. The camera is read as long as somebody holds this.
#[derive(Debug)]
pub(super) struct Hub {
    shape: Shape,
    shared: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    seats: Vec<Weak<Seat>>,
    indices: Indices,
    failure: Option<Arc<DeviceError>>,
}

impl Hub {
    pub(super) fn new(shape: Shape) -> Self {
        Self { shape, shared: Mutex::default() }
    }

    /// A place for a session, from the next frame on; `wake` is notified of its frames. While no session has a place, the
    /// camera's frames are read and dropped.
    pub(super) fn seat(&self, wake: Arc<Notify>) -> Arc<Seat> {
        let seat = Arc::new(Seat::new(self.shape, wake));
        let mut shared = self.lock();
        match &shared.failure {
            Some(failure) => seat.fail(failure.clone()),
            None => shared.seats.push(Arc::downgrade(&seat)),
        }
        seat
    }

    /// Begins a frame: gives its index, the places that wait for it, and how many frames were lost before it. `None` if
    /// no session waits. Frames are numbered from the first one for which a session waited.
    pub(super) fn begin(&self, sequence: u32) -> Option<Begun> {
        let mut shared = self.lock();
        shared.seats.retain(|seat| seat.strong_count() > 0);
        if shared.seats.is_empty() && shared.indices.is_new() {
            return None;
        }
        let (index, lost) = shared.indices.next(sequence);
        let seats: Vec<_> = shared.seats.iter().filter_map(Weak::upgrade).collect();
        (!seats.is_empty()).then_some(Begun { index, lost, seats })
    }

    /// Tells all sessions, present and future, that there are no more frames.
    pub(super) fn fail(&self, error: DeviceError) {
        let error = Arc::new(error);
        let mut shared = self.lock();
        shared.failure = Some(error.clone());
        shared.seats.iter().filter_map(Weak::upgrade).for_each(|seat| seat.fail(error.clone()));
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // No holder of the lock panics half-way.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A frame for which a session waits.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) index: u64,
    lost: u64,
    seats: Vec<Arc<Seat>>,
}

impl Begun {
    /// Gives the frame to all places that wait for it.
    pub(super) fn give(self, frame: DeviceFrame) {
        let frame = Arc::new(frame);
        self.seats.iter().for_each(|seat| seat.put(&frame, self.lost));
    }

    /// Says that the frame could not be read.
    pub(super) fn broken(self) {
        self.seats.iter().for_each(|seat| seat.broken());
    }
}
