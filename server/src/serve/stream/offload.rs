//! Makes slow frames on a thread of their own.
//!
//! Otherwise the session's thread would answer nobody meanwhile: not its client's pings, not the other sessions, and not a
//! request to stop.

use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use shared::image::Image;
use shared::shell::threads;
use shared::time::Micros;
use tokio::sync::{Notify, oneshot};
use tracing::warn;

use super::frames::{FrameMaker, MadeFrame, MakeError};
use crate::output::mcap::{RecordingReport, SessionRecorder};
use crate::source::{SourceError, SourceFigures};

/// Time to make a frame from which on it is slow. Ten sessions of one thread then keep the others waiting for at most a
/// tenth of a second. Handing a frame over to another thread takes some 20 µs, and more on a busy machine.
const SLOW: Duration = Duration::from_millis(10);

/// Slow frames in a row after which another thread makes them: one or two may have been interrupted on a busy machine.
const IN_A_ROW: u32 = 3;

/// Time of a frame after which another thread makes the next one in any case: more than that keeps the session's thread for
/// longer than ten sessions may.
const VERY_SLOW: Duration = Duration::from_millis(100);

/// Time of a frame that is worth a warning by itself, because nobody should wait for three of them.
const WORTH_A_WARNING: Duration = Duration::from_secs(1);

/// The frames of a session, made on its thread or on one of their own.
pub(super) struct Frames {
    maker: Place,
    worker: Option<Worker>,
    session: u64,
    source_wake: Option<Arc<Notify>>,
    /// Of the maker's recording, which this only watches.
    recording: Option<SessionRecorder>,
    /// Whether frames are slow. So they are until the first one shows that they are not.
    are_slow: bool,
    /// Frames in a row that were slow, up to the last one.
    slow: u32,
    has_warned: bool,
}

/// What came of making a frame; `None` at the source's end.
pub(super) type Made = Result<Option<MadeFrame>, MakeError>;

/// Where the maker is.
enum Place {
    Here(Box<FrameMaker>),
    /// At the worker, with this frame.
    Away(Box<Away>),
}

struct Away {
    id: u64,
    /// `None` once the worker has failed.
    returns: Option<oneshot::Receiver<Returned>>,
    /// What the maker knew when it left.
    figures: Option<SourceFigures>,
    /// Measurements of the link since then.
    flights: Vec<Flight>,
}

/// The maker's return from the worker.
struct Returned {
    maker: Box<FrameMaker>,
    made: Made,
    took: Duration,
}

/// The time of a frame and its answer on the link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    pub(super) id: u64,
    pub(super) flight_us: u64,
    pub(super) round_trip_us: u64,
    pub(super) at: Micros,
}

impl Frames {
    /// The frames of this session.
    pub(super) fn new(maker: FrameMaker, session: u64) -> Self {
        let (source_wake, recording) = (maker.wake(), maker.watched_recording());
        let maker = Place::Here(Box::new(maker));
        Self { maker, worker: None, session, source_wake, recording, are_slow: true, slow: 0, has_warned: false }
    }

    /// Notifies when the source may have become ready; `None` for a source that always is.
    pub(super) fn source_wake(&self) -> Option<Arc<Notify>> {
        self.source_wake.clone()
    }

    /// Notifies when the recording may take a frame again; `None` without a recording.
    pub(super) fn recorder_wake(&self) -> Option<Arc<Notify>> {
        self.recording.as_ref().map(SessionRecorder::wake)
    }

    /// Whether a frame can be made without waiting for the source, the recording or the frame before.
    pub(super) fn is_ready(&mut self) -> bool {
        self.here().is_some_and(FrameMaker::is_ready)
    }

    /// Makes frame `id`, as [`FrameMaker::make`]. `None` if another thread makes it: then [`Self::made`] returns it.
    pub(super) fn make(&mut self, id: u64, waited_us: u64) -> Option<Made> {
        if !self.are_slow {
            self.worker = None;
        } else if self.send_away(id, waited_us) {
            return None;
        }
        let Place::Here(maker) = &mut self.maker else { return None };
        let start = Instant::now();
        let made = maker.make(id, waited_us);
        self.took(start.elapsed());
        Some(made)
    }

    /// Waits for the frame that another thread makes, and returns its id with it; never returns while there is none.
    /// Safe to cancel.
    pub(super) async fn made(&mut self) -> (u64, Made) {
        let Place::Away(away) = &mut self.maker else { return std::future::pending().await };
        let Some(returns) = &mut away.returns else { return std::future::pending().await };
        let id = away.id;
        match returns.await {
            Ok(returned) => (id, self.returned(returned)),
            Err(_) => {
                away.returns = None;
                (id, Err(SourceError::Thread("it ended while it made a frame".into()).into()))
            }
        }
    }

    /// Records the frame that was made last, once. Called after the link has the frame, so that the copy does not delay
    /// it.
    pub(super) fn record(&mut self) {
        if let Some(maker) = self.here() {
            maker.record();
        }
    }

    /// Forgets the frame that was made last, which is not sent.
    pub(super) fn forget(&mut self) {
        if let Some(maker) = self.here() {
            maker.forget();
        }
    }

    /// The pixels of the last frame, unless another is being made.
    pub(super) fn image(&self) -> Option<&Image> {
        match &self.maker {
            Place::Here(maker) => maker.image(),
            Place::Away(_) => None,
        }
    }

    /// Takes the answer to a frame as a measurement of the link.
    pub(super) fn answered(&mut self, flight: Flight) {
        match &mut self.maker {
            Place::Here(maker) => maker.answered(flight),
            Place::Away(away) => away.flights.push(flight),
        }
    }

    /// What the source has read; `None` for one that computes its frames.
    pub(super) fn figures(&self) -> Option<SourceFigures> {
        match &self.maker {
            Place::Here(maker) => maker.figures(),
            Place::Away(away) => away.figures.clone(),
        }
    }

    /// The recording's counts so far.
    pub(super) fn recording(&self) -> Option<RecordingReport> {
        self.recording.as_ref().map(SessionRecorder::report)
    }

    /// The recording's counts, once all recorded frames are written, or after this long. A frame that is being made is not
    /// waited for.
    pub(super) async fn recorded(&mut self, limit: Duration) -> Option<RecordingReport> {
        self.record();
        let recording = self.recording.as_ref()?;
        recording.settle(limit).await;
        Some(recording.report())
    }

    /// Keeps a client's place until the frame that is being made is done, if one is. So there are never more such frames
    /// than places.
    pub(super) fn keep<T: Send + 'static>(mut self, place: T) {
        if let Place::Away(away) = &mut self.maker
            && let Some(returns) = away.returns.take()
        {
            tokio::spawn(async move {
                let _ = returns.await;
                drop(place);
            });
        }
    }

    /// Has the worker make a frame. Returns whether it does: the system may start no thread for it.
    fn send_away(&mut self, id: u64, waited_us: u64) -> bool {
        let Some(worker) = self.worker.take().or_else(Worker::start) else { return false };
        let Place::Here(maker) = &mut self.maker else { return false };
        // So that a session that ends meanwhile counts it.
        maker.record();
        let figures = maker.figures();
        let (to, returns) = oneshot::channel();
        let away = Away { id, returns: Some(returns), figures, flights: Vec::new() };
        if let Place::Here(maker) = mem::replace(&mut self.maker, Place::Away(Box::new(away))) {
            // If the worker is gone, `made` says so.
            let _ = worker.0.send(Job { maker, id, waited_us, to });
        }
        self.worker = Some(worker);
        true
    }

    fn returned(&mut self, returned: Returned) -> Made {
        let Returned { mut maker, made, took } = returned;
        if let Place::Away(away) = &mut self.maker {
            mem::take(&mut away.flights).into_iter().for_each(|flight| maker.answered(flight));
        }
        self.maker = Place::Here(maker);
        self.took(took);
        made
    }

    /// Notes how long a frame took.
    fn took(&mut self, time: Duration) {
        if time <= SLOW {
            (self.are_slow, self.slow) = (false, 0);
            return;
        }
        self.slow = self.slow.saturating_add(1);
        self.are_slow |= self.slow >= IN_A_ROW || time >= VERY_SLOW;
        let is_worth_it = self.slow >= IN_A_ROW || time >= WORTH_A_WARNING;
        if is_worth_it && !mem::replace(&mut self.has_warned, true) {
            let (session, ms) = (self.session, time.as_millis());
            warn!(kind = "slow", "session {session}: a frame takes {ms} ms to render and encode, so fewer may be sent");
        }
    }

    fn here(&mut self) -> Option<&mut FrameMaker> {
        match &mut self.maker {
            Place::Here(maker) => Some(maker),
            Place::Away(_) => None,
        }
    }
}

/// A thread that makes frames. It ends when this is dropped.
struct Worker(SyncSender<Job>);

struct Job {
    maker: Box<FrameMaker>,
    id: u64,
    waited_us: u64,
    to: oneshot::Sender<Returned>,
}

impl Worker {
    /// `None` if the system starts no more threads.
    fn start() -> Option<Self> {
        let (jobs, work) = sync_channel(1);
        threads::spawn("frames", move || serve(&work)).ok().map(|_| Self(jobs))
    }
}

fn serve(jobs: &Receiver<Job>) {
    while let Ok(Job { mut maker, id, waited_us, to }) = jobs.recv() {
        let start = Instant::now();
        let made = maker.make(id, waited_us);
        // If the session has ended, the maker ends here.
        let _ = to.send(Returned { maker, made, took: start.elapsed() });
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use crossbeam_channel::{Sender, unbounded};
    use shared::geometry::Size;
    use shared::image::PixelFormat;
    use shared::protocol::encoding::StreamEncoding;
    use shared::protocol::message::Delivery;
    use shared::time::MonotonicClock;

    use super::*;
    use crate::encode::FrameEncoder;
    use crate::source::{Source, SourceFrame};
    use crate::truth::Truth;

    /// Makes its first frames slowly, and says which threads make them. The last one panics.
    struct Slow {
        slow: u64,
        all: u64,
        image: Image,
        index: u64,
        threads: Sender<ThreadId>,
    }

    impl Source for Slow {
        fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
            assert!(self.index < self.all, "the test wants this panic");
            if self.index < self.slow {
                thread::sleep(2 * SLOW);
            }
            self.threads.send(thread::current().id()).unwrap();
            self.index += 1;
            Ok(Some(SourceFrame { index: self.index - 1, image: &self.image, truth: Truth::Unknown, meta: None }))
        }

        fn image(&self) -> Option<&Image> {
            Some(&self.image)
        }
    }

    fn frames(slow: u64, all: u64, threads: Sender<ThreadId>) -> Frames {
        let image = Image::zeros(Size { width: 1, height: 1 }, PixelFormat::Gray8);
        let source = Box::new(Slow { slow, all, image, index: 0, threads });
        let encoder = FrameEncoder::new(StreamEncoding::Raw, Delivery::Reliable);
        Frames::new(FrameMaker::new(source, encoder, 1 << 16, MonotonicClock::start(), None), 1)
    }

    async fn next(frames: &mut Frames, id: u64) -> Result<u64, MakeError> {
        let made = match frames.make(id, 0) {
            Some(made) => made,
            None => {
                assert!(!frames.is_ready() && frames.image().is_none());
                let (of, made) = frames.made().await;
                assert_eq!(of, id);
                made
            }
        };
        made.map(|made| made.expect("there is always another").capture.source_index)
    }

    #[tokio::test]
    async fn slow_frames_are_made_elsewhere_and_quick_ones_here_again_all_in_order() {
        let (threads, made_by) = unbounded();
        let mut frames = frames(5, u64::MAX, threads);
        for id in 0..60 {
            assert_eq!(next(&mut frames, id).await.ok(), Some(id));
            frames.answered(Flight { id, flight_us: 1, round_trip_us: 1, at: Micros(id) });
        }
        let here = thread::current().id();
        let elsewhere: Vec<_> = made_by.try_iter().map(|thread| thread != here).collect();
        // The sixth frame shows that they are quick again.
        assert!(elsewhere[..6].iter().all(|elsewhere| *elsewhere), "{elsewhere:?}");
        // On a busy machine a few of the others may be slow too.
        assert!(elsewhere.contains(&false), "{elsewhere:?}");
        assert!(frames.image().is_some());
    }

    #[tokio::test]
    async fn a_frame_that_panics_elsewhere_is_an_error_and_the_rest_of_the_session_goes_on() {
        let (threads, _made_by) = unbounded();
        let mut frames = frames(1, 1, threads);
        assert_eq!(next(&mut frames, 0).await.ok(), Some(0));
        let error = next(&mut frames, 1).await.unwrap_err().to_string();
        assert_eq!(error, "the source's thread failed: it ended while it made a frame");
        assert!(!frames.is_ready());
        frames.answered(Flight { id: 0, flight_us: 1, round_trip_us: 1, at: Micros(0) });
        assert!(frames.recorded(Duration::from_secs(9)).await.is_none() && frames.figures().is_none());
    }

    #[tokio::test]
    async fn a_place_is_kept_until_the_frame_is_made_and_no_longer() {
        let (threads, made_by) = unbounded();
        let mut frames = frames(1, 1, threads);
        assert!(frames.make(0, 0).is_none());
        let (place, mut free) = oneshot::channel::<()>();
        frames.keep(place);
        assert!(
            free.try_recv().is_err_and(|error| error == oneshot::error::TryRecvError::Empty) || !made_by.is_empty()
        );
        assert!(free.await.is_err());
        assert_eq!(made_by.len(), 1);

        let (threads, _made_by) = unbounded();
        let (place, free) = oneshot::channel::<()>();
        self::frames(0, 1, threads).keep(place);
        assert!(free.await.is_err(), "nothing is being made");
    }
}
