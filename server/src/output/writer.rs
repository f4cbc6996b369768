//! The writer: one thread that passes events from a bounded queue to every output.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use shared::shell::threads;
use tracing::{error, info, warn};

use super::error::OutputError;
use super::mcap::Recorder;
use super::parts::Parts;
use super::progress_timeout::{END_LIMITS, ProgressTimeout, STOP_LIMITS, Steps, Unfinished};
use super::seam::{Event, Output};
use super::watched::Watched;

/// Capacity of the event queue: 0.8 s of an unpaced stream of 2,500 frames per second, in 1.5 MB.
const CAPACITY: usize = 2048;

/// Time to gather events between two rounds of writing. Each wake-up of the thread costs the frames about 20 us
/// (measured at 60 rows per second), and neither people nor files need more frequent writes.
const GATHERING: Duration = Duration::from_millis(25);

/// Pause between two attempts to put an event that must not be lost into a full queue.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// Interval at which a run that waits for its outputs says so.
const END_INTERVAL: Duration = Duration::from_secs(2);

/// Events in the queue above which an unpaced stream waits for its outputs.
const CROWDED: usize = CAPACITY * 3 / 4;

/// Longest time that an unpaced stream waits for its outputs before each frame. If they are stuck, it goes on slowly.
const CROWDED_LIMIT: Duration = Duration::from_millis(100);

/// The sessions' handle to the outputs; cheap to clone.
#[derive(Clone, Debug)]
pub struct Outputs {
    queue: Sender<Message>,
    lost_frames: Arc<AtomicU64>,
    shown: Shown,
    wants_running: bool,
    recorder: Option<Recorder>,
    wants_progress: bool,
    wants_crops: bool,
}

/// An entry of the queue.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most are events; a box would be an allocation each")]
enum Message {
    Event(Event),
    /// Whoever waits for it knows that all earlier entries were handled.
    Handled(Sender<()>),
    End,
}

/// The run's handle to the writer thread, which ends it.
#[derive(Debug)]
pub struct Writer {
    queue: Sender<Message>,
    done: Receiver<bool>,
    /// What the outputs have done.
    steps: Steps,
    /// What they leave unfinished if nobody waits for them.
    parts: Vec<Parts>,
    lost_frames: Arc<AtomicU64>,
    /// Whether any output needs every frame.
    needs_every_frame: bool,
}

/// Which session the window shows, set by the window's output, and which sessions pages of browsers show.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    window: Arc<AtomicU64>,
    pages: Watched,
}

impl Shown {
    /// Shown by these pages, and by no window yet.
    pub fn by(pages: Watched) -> Self {
        Self { window: Arc::default(), pages }
    }

    /// Sets the session that the window shows from now on; 0 for none.
    pub fn set(&self, session: u64) {
        self.window.store(session, Ordering::Relaxed);
    }
}

impl Outputs {
    /// Starts the thread. `shown` holds the session that the window shows, if there is a window.
    ///
    /// # Errors
    /// The error of the first [`Output::begin`] that fails.
    pub fn start(mut outputs: Vec<Box<dyn Output>>, shown: &Shown) -> Result<(Self, Writer), OutputError> {
        let steps = Steps::default();
        outputs.iter_mut().for_each(|output| output.count_in(&steps));
        outputs.iter_mut().try_for_each(|output| output.begin())?;
        let wants_running = outputs.iter().any(|output| output.wants_running());
        let recorder = outputs.iter().find_map(|output| output.recorder());
        let wants_progress = outputs.iter().any(|output| output.wants_progress());
        let wants_crops = outputs.iter().any(|output| output.wants_crops());
        let needs_every_frame = outputs.iter().any(|output| output.needs_every_frame());
        let parts = outputs.iter().filter_map(|output| output.parts()).collect();
        let (queue, messages) = bounded(CAPACITY);
        let (done_sender, done) = bounded(1);
        let lost_frames = Arc::new(AtomicU64::new(0));
        let counter = steps.clone();
        let run = move || {
            let all_good = tell_all(&messages, outputs, &counter);
            let _ = done_sender.send(all_good);
        };
        if let Err(error) = threads::spawn("outputs", run) {
            return Err(OutputError { what: "results", place: "a thread of their own".into(), error });
        }
        let writer =
            Writer { queue: queue.clone(), done, steps, parts, lost_frames: lost_frames.clone(), needs_every_frame };
        let shown = shown.clone();
        Ok((Self { queue, lost_frames, shown, wants_running, recorder, wants_progress, wants_crops }, writer))
    }

    /// Queues an event without waiting. If the queue is full, a frame is counted as lost, and pictures and progress are
    /// dropped.
    pub fn tell(&self, event: Event) {
        if let Err(TrySendError::Full(Message::Event(Event::Frame { .. }))) = self.queue.try_send(Message::Event(event))
        {
            self.lost_frames.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Queues an event that no output may miss. Waits while the queue is full, without holding up other sessions.
    pub async fn tell_surely(&self, event: Event) {
        let mut message = Message::Event(event);
        while let Err(TrySendError::Full(again)) = self.queue.try_send(message) {
            message = again;
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Waits a moment if the outputs are far behind, so that an unpaced stream goes no faster than they do. Safe to
    /// cancel.
    pub async fn catch_up(&self) {
        let end = Instant::now() + CROWDED_LIMIT;
        while self.queue.len() > CROWDED && Instant::now() < end {
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Waits at most this long until the outputs have handled all events queued so far. Returns whether they have.
    pub fn wait(&self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        let (handled, all_handled) = bounded(1);
        // An error at either end: the thread has ended, so it has handled all that it ever will, or the time is over.
        match self.queue.send_deadline(Message::Handled(handled), end) {
            Ok(()) => all_handled.recv_deadline(end) != Err(RecvTimeoutError::Timeout),
            Err(error) => error.is_disconnected(),
        }
    }

    /// Whether an output wants the reports of this session while it goes on.
    pub fn wants_running(&self, session: u64) -> bool {
        self.wants_running || self.shown.pages.shows(session)
    }

    /// Where sessions record their frames, if the run is recorded.
    pub fn recorder(&self) -> Option<&Recorder> {
        self.recorder.as_ref()
    }

    /// Whether an output wants the progress of every session.
    pub fn wants_progress(&self) -> bool {
        self.wants_progress
    }

    /// Whether an output wants pictures of the worst frames.
    pub fn wants_crops(&self) -> bool {
        self.wants_crops
    }

    /// Whether the window shows this session: only then is its progress useful.
    pub fn shows(&self, session: u64) -> bool {
        self.shown.window.load(Ordering::Relaxed) == session
    }

    /// Whether a page of a browser shows this session.
    pub fn shows_on_page(&self, session: u64) -> bool {
        self.shown.pages.shows(session)
    }
}

impl Writer {
    /// Waits until every output has handled all events queued so far. Returns whether everything is written.
    pub fn finish(self, was_stopped: bool) -> bool {
        let limits = if was_stopped { STOP_LIMITS } else { END_LIMITS };
        let timeout = ProgressTimeout::new(limits, self.steps.count(), Instant::now());
        let all_good = self.ended(timeout).unwrap_or_else(|unfinished| {
            error!("{unfinished}");
            for parts in &self.parts {
                // They are of no use, but do no harm either.
                let _ = parts.remove();
            }
            false
        });
        let lost = self.lost_frames.load(Ordering::Relaxed);
        if lost > 0 {
            warn!("frames missing in rows and files: {lost} (an output was too slow)");
        }
        all_good && (lost == 0 || !self.needs_every_frame)
    }

    /// Waits for the end of the thread, and says how far it is.
    fn ended(&self, mut timeout: ProgressTimeout) -> Result<bool, Unfinished> {
        let mut say = Instant::now() + END_INTERVAL;
        let mut is_told = false;
        loop {
            let now = Instant::now();
            let look = timeout.look(self.steps.count(), now)?;
            if now >= say {
                say = now + END_INTERVAL;
                let waiting = self.queue.len().saturating_sub(usize::from(is_told));
                info!("waiting for the outputs: {waiting} frames and reports are not written yet");
            }
            if !is_told {
                // If the thread failed, this is noticed below.
                is_told = self.queue.send_deadline(Message::End, look).is_ok();
            }
            match self.done.recv_deadline(look) {
                Ok(all_good) => return Ok(all_good),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(Unfinished::Failed),
            }
        }
    }
}

/// Passes events to all outputs until the end. Returns whether every output has everything.
/// Counts what was done.
fn tell_all(queue: &Receiver<Message>, outputs: Vec<Box<dyn Output>>, steps: &Steps) -> bool {
    let mut outputs: Vec<_> = outputs.into_iter().map(|output| Told { output, has_failed: false }).collect();
    'run: while let Ok(first) = queue.recv() {
        for message in std::iter::once(first).chain(queue.try_iter()) {
            match message {
                Message::Event(event) => {
                    outputs.iter_mut().for_each(|told| told.attempt(|output| event.tell(output)));
                }
                Message::Handled(sender) => {
                    // The receiver may have stopped waiting.
                    let _ = sender.send(());
                }
                Message::End => break 'run,
            }
            steps.done();
        }
        outputs.iter_mut().for_each(|told| told.attempt(|output| output.flush()));
        thread::sleep(GATHERING);
    }
    for told in &mut outputs {
        told.attempt(|output| output.finish());
        steps.done();
    }
    outputs.iter().all(|told| !told.has_failed && told.output.is_complete())
}

/// An output, and whether it has failed.
struct Told {
    output: Box<dyn Output>,
    has_failed: bool,
}

impl Told {
    fn attempt(&mut self, tell: impl FnOnce(&mut dyn Output) -> Result<(), OutputError>) {
        if self.has_failed {
            return;
        }
        if let Err(wrong) = tell(&mut *self.output) {
            error!("{wrong}; the {} is left as it is, the run goes on", self.output.name());
            self.has_failed = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::output::seam::SessionStart;
    use crate::task::TaskName;

    /// Records the sessions it receives; if set to fail, fails from the third on.
    struct Notes {
        sessions: Sender<u64>,
        fails: bool,
    }

    impl Output for Notes {
        fn name(&self) -> String {
            "notes".into()
        }

        fn started(&mut self, start: SessionStart) -> Result<(), OutputError> {
            if self.fails && start.session == 3 {
                return Err(OutputError { what: "notes", place: "paper".into(), error: io::Error::other("torn") });
            }
            let _ = self.sessions.send(start.session);
            Ok(())
        }
    }

    fn written(fails: bool) -> (Vec<u64>, bool) {
        let (sessions, noted) = crossbeam_channel::unbounded();
        let (other_sessions, others) = crossbeam_channel::unbounded();
        let failing = Box::new(Notes { sessions, fails });
        let sound = Box::new(Notes { sessions: other_sessions, fails: false });
        let (outputs, writer) = Outputs::start(vec![failing, sound], &Shown::default()).unwrap();
        for session in 1..=5 {
            outputs.tell(Event::Started(SessionStart { session, task: TaskName::default() }));
        }
        let all_good = writer.finish(false);
        assert_eq!(others.iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5], "the others are told everything");
        (noted.iter().collect(), all_good)
    }

    #[test]
    fn every_output_gets_everything_in_order() {
        assert_eq!(written(false), (vec![1, 2, 3, 4, 5], true));
    }

    #[test]
    fn an_output_that_failed_is_not_used_again_and_the_end_says_so() {
        assert_eq!(written(true), (vec![1, 2], false));
    }

    /// An output that blocks until it is released, and may need every frame.
    struct Stuck(Receiver<()>, bool);

    impl Output for Stuck {
        fn name(&self) -> String {
            "stuck".into()
        }

        fn started(&mut self, _: SessionStart) -> Result<(), OutputError> {
            let _ = self.0.recv();
            Ok(())
        }

        fn needs_every_frame(&self) -> bool {
            self.1
        }
    }

    #[tokio::test]
    async fn a_stuck_output_delays_nobody_and_what_is_lost_is_counted() {
        let (release, held) = bounded(0);
        let (outputs, writer) = Outputs::start(vec![Box::new(Stuck(held, false))], &Shown::default()).unwrap();
        let start = || Event::Started(SessionStart { session: 1, task: TaskName::default() });
        let frame = || Event::Frame { session: 1, record: crate::output::report::tests::record(0) };
        outputs.tell(start());
        (0..2 * CAPACITY).for_each(|_| outputs.tell(frame()));
        let lost = outputs.lost_frames.load(Ordering::Relaxed);
        assert!((CAPACITY as u64..=1 + CAPACITY as u64).contains(&lost), "{lost}");
        drop(release);
        outputs.tell_surely(start()).await;
        assert!(writer.finish(false));
    }

    /// An output that takes longer for everything than a stream.
    struct Slow(Arc<AtomicU64>);

    impl Output for Slow {
        fn name(&self) -> String {
            "slow".into()
        }

        fn frame(&mut self, _: u64, _: &crate::score::record::FrameRecord) -> Result<(), OutputError> {
            thread::sleep(Duration::from_micros(200));
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }

        fn needs_every_frame(&self) -> bool {
            true
        }
    }

    #[tokio::test]
    async fn an_unpaced_stream_waits_for_outputs_that_are_behind_and_loses_no_frame() {
        let written = Arc::new(AtomicU64::new(0));
        let (outputs, writer) = Outputs::start(vec![Box::new(Slow(written.clone()))], &Shown::default()).unwrap();
        let frames = 3 * CAPACITY as u64;
        for id in 0..frames {
            outputs.tell(Event::Frame { session: 1, record: crate::output::report::tests::record(id) });
            outputs.catch_up().await;
        }
        assert!(writer.finish(false), "no frame is missing");
        assert_eq!(written.load(Ordering::Relaxed), frames);
    }

    /// An output that leaves a file unfinished.
    struct Leaving(Stuck, Parts);

    impl Output for Leaving {
        fn name(&self) -> String {
            "leaving".into()
        }

        fn started(&mut self, start: SessionStart) -> Result<(), OutputError> {
            self.0.started(start)
        }

        fn parts(&self) -> Option<Parts> {
            Some(self.1.clone())
        }
    }

    #[test]
    fn a_stopped_run_gives_a_stuck_output_up_and_leaves_no_unfinished_file() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".frames.parquet.x1.part", "frames.csv", ".other.x1.part"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let (_release, held) = bounded(0);
        let leaving = Leaving(Stuck(held, false), Parts::of(folder.path(), &["frames.parquet"]));
        let (outputs, writer) = Outputs::start(vec![Box::new(leaving)], &Shown::default()).unwrap();
        outputs.tell(Event::Started(SessionStart { session: 1, task: TaskName::default() }));
        assert!(!writer.finish(true));
        let left = std::fs::read_dir(folder.path()).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".other.x1.part", "frames.csv"]);
    }

    #[test]
    fn a_file_with_missing_frames_is_reported_at_the_end() {
        for needs_every_frame in [false, true] {
            let (release, held) = bounded(0);
            let stuck = Box::new(Stuck(held, needs_every_frame));
            let (outputs, writer) = Outputs::start(vec![stuck], &Shown::default()).unwrap();
            outputs.tell(Event::Started(SessionStart { session: 1, task: TaskName::default() }));
            let frame = || Event::Frame { session: 1, record: crate::output::report::tests::record(0) };
            (0..2 * CAPACITY).for_each(|_| outputs.tell(frame()));
            drop(release);
            assert_eq!(writer.finish(false), !needs_every_frame);
        }
    }
}
