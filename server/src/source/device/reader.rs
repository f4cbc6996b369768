//! The thread that takes frames from a camera and gives them to the sessions.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use shared::image::PixelFormat;
use shared::shell::threads;
use tracing::warn;

use super::error::DeviceError;
use super::hub::Hub;
use super::pixels::BufferFormat;
use super::seat::DeviceFrame;
use super::stamp::Stamp;
use crate::source::error::SourceError;

/// How long one wait for a frame lasts. The thread then checks whether it is still needed.
const LOOK: Duration = Duration::from_millis(200);

/// Longest time without a frame. Cameras in the dark expose for up to a few seconds.
pub(super) const SILENCE: Duration = Duration::from_secs(10);

/// Pause after a buffer failed or turned out to be missing: less than a frame's time.
const PAUSE: Duration = Duration::from_millis(10);

/// The system's errors for a buffer that failed, and for a device that is gone.
const EIO: i32 = 5;
const ENODEV: i32 = 19;

/// A camera that gives buffers.
pub(super) trait Camera: Send {
    /// Waits for a buffer, at most this long; `false` if none came.
    fn wait(&mut self, limit: Duration) -> io::Result<bool>;

    /// Gives the next buffer to `take`, then back to the driver. [`ErrorKind::WouldBlock`] if there is none.
    fn next(&mut self, take: &mut dyn FnMut(Buffer<'_>)) -> io::Result<()>;

    /// Whether the device is still there. Called after an error that leaves this open.
    fn is_there(&self) -> bool;
}

/// A buffer that the driver has handed out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) stamp: Stamp,
    /// Now, on the monotonic clock.
    pub(super) monotonic: Duration,
    /// Whether the driver says that its pixels are damaged.
    pub(super) is_damaged: bool,
}

/// How to read the buffers.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// The device, for messages.
    pub(super) device: String,
    pub(super) format: BufferFormat,
    pub(super) pixel: PixelFormat,
    /// Longest time without a frame.
    pub(super) silence: Duration,
}

/// Starts the thread. It ends when nobody holds the hub any more, or when the camera fails.
///
/// # Errors
/// [`SourceError::Thread`] if the system gives no thread.
pub(super) fn start(camera: Box<dyn Camera>, job: Job, hub: &Arc<Hub>) -> Result<(), SourceError> {
    let hub = Arc::downgrade(hub);
    let spawned = threads::spawn("camera", move || read(camera, &job, &hub));
    spawned.map(|_| ()).map_err(|error| SourceError::Thread(error.to_string()))
}

fn read(mut camera: Box<dyn Camera>, job: &Job, hub: &Weak<Hub>) {
    let (mut read, mut latest, mut warned) = (0, Instant::now(), false);
    loop {
        let Some(hub) = hub.upgrade() else { return };
        let mut is_whole = false;
        let step = camera.wait(LOOK).and_then(|is_there| match is_there {
            true => camera.next(&mut |buffer| is_whole = passed_on(buffer, job, &hub)),
            false => Ok(()),
        });
        if is_whole {
            (read, latest) = (read + 1, Instant::now());
        }
        let failure = step.err().and_then(|error| failure(&error, &*camera, job, read, &mut warned));
        let is_silent = latest.elapsed() >= job.silence;
        let silent = || DeviceError::Silent { device: job.device.clone(), seconds: job.silence.as_secs(), read };
        if let Some(failure) = failure.or_else(|| is_silent.then(silent)) {
            return hub.fail(failure);
        }
    }
}

/// Makes a frame of a buffer for the sessions that wait for one. Returns whether the buffer was whole, as far as it was
/// checked.
fn passed_on(buffer: Buffer<'_>, job: &Job, hub: &Hub) -> bool {
    let started = Instant::now();
    let Some(begun) = hub.begin(buffer.stamp.sequence) else { return !buffer.is_damaged };
    let whole = (!buffer.is_damaged).then_some(buffer.bytes);
    match whole.and_then(|bytes| job.format.image(bytes, job.pixel)) {
        Some(image) => {
            let taken = buffer.stamp.taken(started, buffer.monotonic);
            let index = begun.index;
            begun.give(DeviceFrame { index, image, taken, decode: started.elapsed() });
            true
        }
        None => {
            begun.broken();
            false
        }
    }
}

/// The error with which the camera ends; `None` if it may go on.
fn failure(error: &io::Error, camera: &dyn Camera, job: &Job, read: u64, warned: &mut bool) -> Option<DeviceError> {
    let device = job.device.clone();
    match error.kind() {
        ErrorKind::Interrupted => None,
        ErrorKind::WouldBlock => {
            // The driver announced a buffer that was not there, and may do so again at once.
            thread::sleep(PAUSE);
            None
        }
        _ if error.raw_os_error() == Some(ENODEV) || !camera.is_there() => {
            Some(DeviceError::Unplugged { device, read })
        }
        // EIO: a frame was lost on its way, or the camera stopped. If it stopped, the limit on silence ends the session.
        _ if error.raw_os_error() == Some(EIO) => {
            if !std::mem::replace(warned, true) {
                warn!("{device}: {error}; waiting for its next frame");
            }
            // The same error may come again at once.
            thread::sleep(PAUSE);
            None
        }
        _ => Some(DeviceError::Broken { device, read, error: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use crossbeam_channel::{Receiver, Sender, unbounded};
    use shared::geometry::Size;

    use super::super::layout::{FourCc, Layout};
    use super::super::seat::{Seat, Shape};
    use super::super::stamp::{AgeFrom, Timestamp};
    use super::*;

    /// A buffer's bytes and its place in the driver's count, or an error's number.
    type Step = Result<(&'static [u8], u32), i32>;

    /// A camera that does what the test says.
    struct Played {
        steps: Receiver<Step>,
        step: Option<Step>,
        is_there: Arc<AtomicBool>,
    }

    impl Camera for Played {
        fn wait(&mut self, limit: Duration) -> io::Result<bool> {
            self.step = self.steps.recv_timeout(limit).ok();
            Ok(self.step.is_some())
        }

        fn next(&mut self, take: &mut dyn FnMut(Buffer<'_>)) -> io::Result<()> {
            match self.step.take() {
                None => Err(ErrorKind::WouldBlock.into()),
                Some(Err(number)) => Err(io::Error::from_raw_os_error(number)),
                Some(Ok((bytes, sequence))) => {
                    let monotonic = Duration::from_secs(9);
                    let time = monotonic - Duration::from_millis(20);
                    let stamp = Stamp { flags: 0x1_2000, time, sequence };
                    take(Buffer { bytes, stamp, monotonic, is_damaged: bytes == b"bad" });
                    Ok(())
                }
            }
        }

        fn is_there(&self) -> bool {
            self.is_there.load(Ordering::Relaxed)
        }
    }

    struct Stage {
        hub: Arc<Hub>,
        steps: Sender<Step>,
        is_there: Arc<AtomicBool>,
    }

    impl Stage {
        /// A camera of 2x1 pixels with one byte of padding, GREY.
        fn new(silence: Duration) -> Self {
            let (steps, played) = unbounded();
            let is_there = Arc::new(AtomicBool::new(true));
            let layout = Layout::of(FourCc(*b"GREY")).unwrap();
            let format = BufferFormat { layout, size: Size { width: 2, height: 1 }, stride: 3 };
            let hub = Arc::new(Hub::new(Shape { format: layout.code, bytes_per_line: 3 }));
            let job = Job { device: "/dev/video7".into(), format, pixel: PixelFormat::Gray8, silence };
            let camera = Played { steps: played, step: None, is_there: is_there.clone() };
            start(Box::new(camera), job, &hub).unwrap();
            Self { hub, steps, is_there }
        }

        fn seat(&self) -> Arc<Seat> {
            self.hub.seat(Arc::default())
        }

        fn play(&self, steps: impl IntoIterator<Item = Step>) {
            steps.into_iter().for_each(|step| self.steps.send(step).unwrap());
        }
    }

    fn shot(bytes: &'static [u8], sequence: u32) -> Step {
        Ok((bytes, sequence))
    }

    const LONG: Duration = Duration::from_secs(600);

    /// Waits until the reader has processed this many frames.
    fn wait_for(seat: &Seat, frames: u64) {
        while seat.figures().read + seat.figures().broken < frames {
            thread::yield_now();
        }
    }

    fn words(seat: &Seat) -> String {
        seat.take().unwrap_err().to_string()
    }

    #[test]
    fn a_session_takes_the_latest_frame_and_those_before_it_are_passed_over() {
        let stage = Stage::new(LONG);
        let seat = stage.seat();
        stage.play([shot(b"abc", 5), shot(b"def", 6), shot(b"gh", 7)]);
        wait_for(&seat, 3);
        let frame = seat.take().unwrap();
        assert_eq!((frame.index, frame.image.bytes()), (2, &b"gh"[..]));
        let figures = seat.figures();
        assert_eq!((figures.read, figures.passed_over, figures.broken), (3, 2, 0));
        assert!(!seat.is_ready());
    }

    #[test]
    fn sessions_see_the_same_frames_and_later_ones_join_at_the_cameras_index() {
        let stage = Stage::new(LONG);
        let first = stage.seat();
        stage.play([shot(b"abc", 0)]);
        wait_for(&first, 1);
        let second = stage.seat();
        stage.play([shot(b"def", 3)]);
        let joined = second.take().unwrap();
        wait_for(&first, 2);
        let frames = [joined, first.take().unwrap()];
        assert!(Arc::ptr_eq(&frames[0], &frames[1]), "it is not even copied");
        assert_eq!(frames[0].index, 3, "the driver lost two");
        let lost = [&first, &second].map(|seat| seat.figures().device.unwrap().lost);
        assert_eq!((lost, second.figures().read, first.figures().passed_over), ([2, 2], 1, 1));
    }

    #[test]
    fn the_report_says_what_the_timestamps_are_and_how_old_frames_were() {
        let stage = Stage::new(LONG);
        let seat = stage.seat();
        assert_eq!(seat.figures().device, None, "no timestamp yet");
        stage.play([shot(b"abc", 0)]);
        seat.take().unwrap();
        let device = seat.figures().device.unwrap();
        assert_eq!((device.format.to_string().as_str(), device.bytes_per_line), ("GREY", 3));
        assert_eq!((device.timestamp, device.age_from), (Timestamp::StartOfExposure, AgeFrom::Timestamp));
        assert!(device.age_us.max >= Some(20_000), "{device:?}");
    }

    #[test]
    fn damaged_frames_are_counted_and_keep_their_index() {
        let stage = Stage::new(LONG);
        let seat = stage.seat();
        stage.play([shot(b"bad", 0), shot(b"a", 1), Err(EIO), shot(b"abc", 2)]);
        wait_for(&seat, 3);
        assert_eq!(seat.take().unwrap().index, 2);
        assert_eq!((seat.figures().broken, seat.figures().read), (2, 1));
    }

    #[test]
    fn a_camera_that_is_unplugged_ends_every_session_and_those_to_come() {
        let stage = Stage::new(LONG);
        let seat = stage.seat();
        stage.play([shot(b"abc", 0), Err(ENODEV)]);
        wait_for(&seat, 1);
        while seat.take().is_ok() {}
        assert_eq!(words(&seat), "/dev/video7 was unplugged, or its driver left, after 1 frame");
        assert_eq!(words(&stage.seat()), words(&seat), "it stays true");
    }

    #[test]
    fn an_error_of_a_missing_camera_is_reported_as_unplugged_and_other_errors_unchanged() {
        let stage = Stage::new(LONG);
        let seat = stage.seat();
        stage.is_there.store(false, Ordering::Relaxed);
        stage.play([Err(EIO)]);
        assert!(words(&seat).contains("was unplugged"), "{}", words(&seat));
        let stage = Stage::new(LONG);
        let seat = stage.seat();
        stage.play([Err(22)]);
        assert!(words(&seat).starts_with("/dev/video7 broke after 0 frames: "), "{}", words(&seat));
    }

    #[test]
    fn a_camera_that_gives_nothing_for_long_ends_the_session() {
        let stage = Stage::new(Duration::from_millis(1));
        let seat = stage.seat();
        assert!(
            words(&seat).starts_with("/dev/video7 gave no whole frame for 0 s, after 0 frames"),
            "{}",
            words(&seat)
        );
    }

    #[test]
    fn the_thread_ends_when_nobody_uses_the_camera() {
        let Stage { hub, steps, .. } = Stage::new(LONG);
        drop(hub);
        while steps.send(shot(b"abc", 0)).is_ok() {
            thread::yield_now();
        }
    }
}
