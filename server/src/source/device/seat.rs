//! One session's place at a camera: the latest frame that it has not taken yet, and its counts.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared::image::Image;
use tokio::sync::Notify;

use super::error::DeviceError;
use super::figures::DeviceFigures;
use super::layout::FourCc;
use super::stamp::Taken;
use crate::score::latency::{Percentiles, Series};
use crate::source::figures::SourceFigures;

/// What all frames of a camera have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) format: FourCc,
    pub(super) bytes_per_line: u64,
}

/// A frame of the camera, the same for all sessions.
#[derive(Debug)]
pub(super) struct DeviceFrame {
    /// Its index since the first session began, counting frames that the driver lost.
    pub(super) index: u64,
    pub(super) image: Image,
    pub(super) taken: Taken,
    /// How long it took to convert the buffer into the image.
    pub(super) decode: Duration,
}

/// The next thing for a session: a frame, or why there are no more.
pub(super) type Next = Result<Arc<DeviceFrame>, Arc<DeviceError>>;

/// A session's place.
#[derive(Debug)]
pub(super) struct Seat {
    shape: Shape,
    slot: Mutex<Slot>,
    filled: Condvar,
    wake: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Slot {
    next: Option<Next>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    read: u64,
    passed_over: u64,
    broken: u64,
    lost: u64,
    decode: Series,
    age: Series,
    latest: Option<Taken>,
}

impl Seat {
    pub(super) fn new(shape: Shape, wake: Arc<Notify>) -> Self {
        Self { shape, slot: Mutex::default(), filled: Condvar::new(), wake }
    }

    /// Puts a frame here. It replaces one that was not taken. `lost` frames were lost before it.
    pub(super) fn put(&self, frame: &Arc<DeviceFrame>, lost: u64) {
        let mut slot = self.lock();
        let counts = &mut slot.counts;
        counts.read += 1;
        counts.lost += lost;
        counts.decode.add(u64::try_from(frame.decode.as_micros()).ok());
        let from = counts.latest.map_or(frame.taken.from, |latest| latest.from.or(frame.taken.from));
        counts.latest = Some(Taken { from, ..frame.taken });
        let replaced = slot.next.replace(Ok(frame.clone()));
        slot.counts.passed_over += u64::from(replaced.is_some());
        self.tell(slot);
    }

    /// Counts a frame that could not be read.
    pub(super) fn broken(&self) {
        self.lock().counts.broken += 1;
    }

    /// Notes why there are no more frames. A frame that was not taken yet is passed over.
    pub(super) fn fail(&self, error: Arc<DeviceError>) {
        let mut slot = self.lock();
        let replaced = slot.next.replace(Err(error));
        slot.counts.passed_over += u64::from(matches!(replaced, Some(Ok(_))));
        self.tell(slot);
    }

    /// Takes the latest frame, or the failure; waits for it if there is none.
    pub(super) fn take(&self) -> Next {
        let mut slot = self.lock();
        loop {
            match slot.next.take() {
                Some(Ok(frame)) => {
                    let age = Instant::now().saturating_duration_since(frame.taken.at);
                    slot.counts.age.add(u64::try_from(age.as_micros()).ok());
                    return Ok(frame);
                }
                Some(Err(error)) => {
                    // The failure stays: the next call gets it too.
                    slot.next = Some(Err(error.clone()));
                    return Err(error);
                }
                None => slot = self.filled.wait(slot).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Whether [`Self::take`] would not wait.
    pub(super) fn is_ready(&self) -> bool {
        self.lock().next.is_some()
    }

    /// The figures so far.
    pub(super) fn figures(&self) -> SourceFigures {
        let slot = self.lock();
        let Counts { read, passed_over, broken, lost, decode, age, latest } = &slot.counts;
        let device = latest.map(|Taken { timestamp, clock, from, .. }| DeviceFigures {
            format: self.shape.format,
            bytes_per_line: self.shape.bytes_per_line,
            timestamp,
            clock,
            age_from: from,
            lost: *lost,
            age_us: age.percentiles(),
            to_answer_us: Percentiles::default(),
        });
        let (read, passed_over, broken) = (*read, *passed_over, *broken);
        SourceFigures { read, passed_over, broken, decode_us: decode.percentiles(), device }
    }

    fn tell(&self, slot: MutexGuard<'_, Slot>) {
        drop(slot);
        self.filled.notify_all();
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // No holder of the lock panics half-way.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
