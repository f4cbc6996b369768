//! The queue between the sessions and the thread that records.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender, bounded};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::protocol::encoding::Encoding;
use shared::protocol::message::Meta;
use shared::time::Micros;
use tokio::sync::Notify;
use tracing::warn;

use crate::score::record::FrameRecord;
use crate::session::Capture;
use crate::truth::Truth;

/// Maximum number of bytes of frames in the queue: 3.5 s of 640x480 gray at 60 frames per second, longer than a disk's
/// usual pauses.
const MOST_BYTES: usize = 64 << 20;

/// Maximum number of entries in the queue. Frames fill at most half of it, so that outcomes have room too. Each entry
/// takes a few hundred bytes in addition to its pixels.
const MOST_ENTRIES: usize = 8192;

/// An entry of the queue.
pub(super) enum Entry {
    /// A frame that was captured.
    Frame(Box<RecordedFrame>),
    /// A frame's outcome is final.
    Outcome(u64, Box<FrameRecord>),
    /// Write the messages gathered so far, then reply.
    Settle(Arc<Notify>),
    /// The run is over: add the report, and reply whether everything was written.
    Finish { report: String, done: Sender<bool> },
}

/// A frame that was captured.
#[cfg_attr(not(feature = "mcap"), allow(dead_code, reason = "only the file reads most of it"))]
pub(super) struct RecordedFrame {
    pub(super) session: u64,
    pub(super) id: u64,
    pub(super) source_index: u64,
    pub(super) truth: Truth,
    pub(super) meta: Option<Meta>,
    pub(super) captured: Micros,
    /// When it was captured and when it was encoded, in ns since 1970.
    pub(super) times_ns: [u64; 2],
    pub(super) size: Size,
    pub(super) pixel: PixelFormat,
    /// How `data` is encoded: raw, or a picture.
    pub(super) encoding: Encoding,
    pub(super) data: Vec<u8>,
    /// Counts the frame once it is written or lost.
    pub(super) counts: Arc<Counts>,
}

/// Counts of a session's frames.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) recorded: AtomicU64,
    pub(super) not_recorded: AtomicU64,
    held_us: AtomicU64,
}

/// State shared by the sessions and the thread.
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Bytes of the frames in the queue.
    waiting: AtomicUsize,
    /// Set when the file can no longer be written.
    has_failed: AtomicBool,
    /// Set when the file has no channels left for further sessions.
    lacks_channels: AtomicBool,
    /// Number of frames and outcomes missing from the file.
    missing: AtomicU64,
    wakes: Mutex<Vec<Weak<Notify>>>,
    /// Whether the warning was logged that a stream waits for the disk.
    has_said: AtomicBool,
    /// The origin of the server's clock, in ns since 1970.
    origin_ns: OnceLock<u64>,
}

impl Shared {
    /// Notes that a frame of this many bytes has left the queue.
    pub(super) fn taken(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::AcqRel);
        self.wake();
    }

    /// Notes that the file can no longer be written.
    pub(super) fn failed(&self) {
        self.has_failed.store(true, Ordering::Release);
        self.wake();
    }

    /// Notes that the file has no channels left. Returns whether this is new.
    pub(super) fn is_first_without_channels(&self) -> bool {
        !self.lacks_channels.swap(true, Ordering::Relaxed)
    }

    /// Counts a frame or an outcome that is missing from the file.
    pub(super) fn count_missing(&self) {
        self.missing.fetch_add(1, Ordering::Relaxed);
    }

    fn has_room(&self, bytes: usize) -> bool {
        let waiting = self.waiting.load(Ordering::Acquire);
        waiting == 0 || waiting + bytes <= MOST_BYTES
    }

    /// Wakes the sessions that wait, so that they check for room again.
    pub(super) fn wake(&self) {
        let mut wakes = self.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.retain(|wake| wake.upgrade().map(|wake| wake.notify_one()).is_some());
    }
}

/// The run's handle to its recording. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    queue: Sender<Entry>,
    shared: Arc<Shared>,
}

impl Recorder {
    /// Makes a queue; the receiver is for the thread.
    pub(super) fn new() -> (Self, Receiver<Entry>, Arc<Shared>) {
        let (queue, entries) = bounded(MOST_ENTRIES);
        let shared = Arc::new(Shared::default());
        (Self { queue, shared: shared.clone() }, entries, shared)
    }

    /// The handle of a session that begins at `now`. If it `holds`, it waits for the disk instead of leaving frames
    /// out.
    pub fn session(&self, number: u64, holds: bool, now: Micros) -> SessionRecorder {
        let wall_ns = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, ns);
        let origin_ns = *self.shared.origin_ns.get_or_init(|| wall_ns().saturating_sub(now.0 * 1000));
        let wake = Arc::new(Notify::new());
        let mut wakes = self.shared.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.push(Arc::downgrade(&wake));
        drop(wakes);
        let counts = Arc::default();
        SessionRecorder { recorder: self.clone(), number, holds, origin_ns, counts, wake, last_bytes: 0, held: None }
    }

    /// Whether a frame of this many bytes may be added.
    fn has_room(&self, bytes: usize) -> bool {
        let has_failed = self.shared.has_failed.load(Ordering::Acquire);
        has_failed || (self.shared.has_room(bytes) && self.queue.len() < MOST_ENTRIES / 2)
    }

    /// Records the outcome of a frame.
    pub(in crate::output) fn outcome(&self, session: u64, record: &FrameRecord) {
        if self.queue.try_send(Entry::Outcome(session, Box::new(record.clone()))).is_err() {
            self.shared.count_missing();
        }
    }

    /// Adds this report and waits until everything is written. Returns whether the file is complete.
    pub(in crate::output) fn finish(&self, report: String) -> bool {
        let (done, whether) = bounded(1);
        let is_whole = self.queue.send(Entry::Finish { report, done }).is_ok() && whether.recv() == Ok(true);
        let missing = self.shared.missing.load(Ordering::Relaxed);
        if missing > 0 {
            // A file that failed has had its own message.
            let because = if self.shared.has_failed.load(Ordering::Acquire) {
                "it could not be written to its end"
            } else if self.shared.lacks_channels.load(Ordering::Relaxed) {
                "it had no channels left"
            } else {
                "the disk was too slow or did not respond"
            };
            warn!("frames or answers missing in the recording: {missing} ({because})");
        }
        is_whole && missing == 0
    }
}

/// A session's handle to the recording. Clones have the same counts.
#[derive(Clone, Debug)]
pub struct SessionRecorder {
    recorder: Recorder,
    number: u64,
    holds: bool,
    origin_ns: u64,
    counts: Arc<Counts>,
    wake: Arc<Notify>,
    /// Bytes of the last frame, which predict those of the next one.
    last_bytes: usize,
    /// When the stream began to wait.
    held: Option<Instant>,
}

/// A frame that was captured, for the recording.
#[derive(Clone, Copy, Debug)]
pub struct Captured<'a> {
    /// Its id.
    pub id: u64,
    /// Its source's index, its truth and its times.
    pub capture: Capture,
    /// Its pixels.
    pub image: &'a Image,
    /// Its encoding on the link.
    pub encoding: Encoding,
    /// The encoded bytes that were sent.
    pub data: &'a [u8],
    /// Its metadata.
    pub meta: Option<&'a Meta>,
}

/// What became of a session's frames in the recording: `recording` of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecordingReport {
    /// Frames that the file has.
    pub recorded: u64,
    /// Frames that were sent but are missing in the file, because the disk was too slow or full, or did not respond, or
    /// because the file has no channel left.
    pub not_recorded: u64,
    /// How long the stream waited for the disk, in µs; 0 for a paced stream, which never waits.
    pub held_us: u64,
}

impl SessionRecorder {
    /// Whether the next frame may be captured. Always true for a stream that does not wait for the disk.
    pub fn is_ready(&mut self) -> bool {
        let is_ready = !self.holds || self.recorder.has_room(self.last_bytes);
        if is_ready {
            if let Some(since) = self.held.take() {
                let us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.counts.held_us.fetch_add(us, Ordering::Relaxed);
            }
        } else if self.held.is_none() {
            self.held = Some(Instant::now());
            self.say();
        }
        is_ready
    }

    fn say(&self) {
        if !self.recorder.shared.has_said.swap(true, Ordering::Relaxed) {
            warn!("--record: the stream waits for the disk, which cannot keep up with it; --fps sets a pace");
        }
    }

    /// Notifies a session that was not ready when it should check again.
    pub fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// Records a frame, if there is room for it.
    pub fn add(&mut self, frame: Captured<'_>) {
        let Captured { id, capture, image, encoding, data, meta } = frame;
        let mut memory = Vec::new();
        // LZ4 is only a transport encoding: record the pixels.
        let (encoding, data) = match encoding {
            Encoding::Png | Encoding::Jpeg => (encoding, data),
            Encoding::Raw | Encoding::Lz4 => (Encoding::Raw, image.view().wire_bytes(&mut memory)),
        };
        self.last_bytes = data.len();
        let shared = &self.recorder.shared;
        // A waiting stream asked for room for the previous frame. This frame may be larger.
        let has_room = self.holds || self.recorder.has_room(data.len());
        if shared.has_failed.load(Ordering::Acquire) || !has_room {
            return self.lost();
        }
        let [captured_ns, encoded_ns] =
            [capture.captured, capture.encoded].map(|at| self.origin_ns.saturating_add(at.0.saturating_mul(1000)));
        let frame = RecordedFrame {
            session: self.number,
            id,
            source_index: capture.source_index,
            truth: capture.truth,
            meta: meta.cloned(),
            captured: capture.captured,
            times_ns: [captured_ns, encoded_ns],
            size: image.size(),
            pixel: image.format(),
            encoding,
            data: data.to_vec(),
            counts: self.counts.clone(),
        };
        shared.waiting.fetch_add(frame.data.len(), Ordering::AcqRel);
        if let Err(refused) = self.recorder.queue.try_send(Entry::Frame(Box::new(frame))) {
            if let Entry::Frame(frame) = refused.into_inner() {
                shared.waiting.fetch_sub(frame.data.len(), Ordering::AcqRel);
            }
            self.lost();
        }
    }

    fn lost(&self) {
        self.counts.not_recorded.fetch_add(1, Ordering::Relaxed);
        self.recorder.shared.count_missing();
    }

    /// Waits at most this long until all entries so far are written, so that the counts are final.
    pub async fn settle(&self, limit: Duration) {
        let settled = Arc::new(Notify::new());
        if self.recorder.queue.try_send(Entry::Settle(settled.clone())).is_ok() {
            let _ = tokio::time::timeout(limit, settled.notified()).await;
        }
    }

    /// The counts so far.
    pub fn report(&self) -> RecordingReport {
        let Counts { recorded, not_recorded, held_us } = &*self.counts;
        let [recorded, not_recorded, held_us] =
            [recorded, not_recorded, held_us].map(|count| count.load(Ordering::Relaxed));
        RecordingReport { recorded, not_recorded, held_us }
    }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of 16 MiB. Four of them fit into the queue.
    fn add(session: &mut SessionRecorder, id: u64) {
        let image = Image::zeros(Size { width: 4096, height: 4096 }, PixelFormat::Gray8);
        let at = Micros(id * 100);
        let capture =
            Capture { source_index: id, truth: Truth::Empty, captured: at, encoded: at, raw_bytes: 0, wire_bytes: 0 };
        session.add(Captured { id, capture, image: &image, encoding: Encoding::Lz4, data: &[1], meta: None });
    }

    #[test]
    fn a_paced_stream_goes_on_and_counts_the_frames_that_find_no_room() {
        let (recorder, entries, shared) = Recorder::new();
        let mut session = recorder.session(1, false, Micros(0));
        for id in 0..7 {
            assert!(session.is_ready());
            add(&mut session, id);
        }
        assert_eq!(session.report(), RecordingReport { recorded: 0, not_recorded: 3, held_us: 0 });
        let frames: Vec<_> = entries.try_iter().collect();
        let [Entry::Frame(first), .., Entry::Frame(last)] = &frames[..] else { panic!("frames") };
        assert_eq!((frames.len(), last.id, first.encoding, first.data.len()), (4, 3, Encoding::Raw, 16 << 20));
        shared.taken(16 << 20);
        add(&mut session, 7);
        assert_eq!((session.report().not_recorded, entries.len()), (3, 1));
    }

    #[tokio::test]
    async fn a_stream_without_a_pace_waits_for_room_and_says_how_long() {
        let (recorder, _entries, shared) = Recorder::new();
        let mut session = recorder.session(1, true, Micros(0));
        for id in 0..4 {
            assert!(session.is_ready());
            add(&mut session, id);
        }
        assert!(!session.is_ready());
        let wake = session.wake();
        shared.taken(16 << 20);
        wake.notified().await;
        assert!(session.is_ready());
        let report = session.report();
        assert!(report.not_recorded == 0 && report.held_us > 0, "{report:?}");
    }

    #[test]
    fn small_frames_leave_room_for_answers() {
        let (recorder, entries, _) = Recorder::new();
        let mut session = recorder.session(1, true, Micros(0));
        let record = crate::output::report::tests::record(0);
        let image = Image::zeros(Size { width: 1, height: 1 }, PixelFormat::Gray8);
        let at = Micros(0);
        let capture =
            Capture { source_index: 0, truth: Truth::Empty, captured: at, encoded: at, raw_bytes: 0, wire_bytes: 0 };
        let mut frames = 0;
        while session.is_ready() {
            session.add(Captured {
                id: frames,
                capture,
                image: &image,
                encoding: Encoding::Raw,
                data: &[],
                meta: None,
            });
            frames += 1;
        }
        (0..frames).for_each(|_| recorder.outcome(1, &record));
        assert_eq!((entries.len() as u64, frames, session.report().not_recorded), (2 * frames, 4096, 0));
        assert_eq!(recorder.shared.missing.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn nobody_waits_for_a_file_that_can_no_longer_be_written() {
        let (recorder, entries, shared) = Recorder::new();
        let mut session = recorder.session(1, true, Micros(0));
        (0..4).for_each(|id| add(&mut session, id));
        shared.failed();
        assert!(session.is_ready());
        add(&mut session, 4);
        assert_eq!((session.report().not_recorded, entries.len()), (1, 4));
    }

    #[test]
    fn times_are_those_of_the_clock_since_1970() {
        let (recorder, entries, _) = Recorder::new();
        let before = SystemTime::UNIX_EPOCH.elapsed().map_or(0, ns);
        let mut session = recorder.session(1, false, Micros(0));
        add(&mut session, 30);
        let Ok(Entry::Frame(frame)) = entries.try_recv() else { panic!("a frame") };
        let after = SystemTime::UNIX_EPOCH.elapsed().map_or(0, ns);
        let captured = frame.times_ns[0] - 3_000_000;
        assert!((before..=after).contains(&captured), "{before} {captured} {after}");
    }
}
