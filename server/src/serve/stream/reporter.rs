//! Informs the outputs about a session.

use std::sync::Arc;
use std::time::Duration;

use shared::image::Image;
use shared::time::Micros;

use crate::metrics::Metrics;
use crate::output::report::SessionReport;
use crate::output::{Event, Keeper, Outputs, Picture, SessionStart};
use crate::score::record::FrameRecord;
use crate::session::{AnsweredFrame, Capture, Session, SessionConfig};
use crate::task::TaskName;

/// Shortest interval between two pictures or progress reports: the interval at which a window is drawn.
const SHOW_INTERVAL: Duration = Duration::from_micros(33_333);

/// Shortest interval between two pictures for pages of browsers. It is longer than for windows, because sessions have
/// priority over pages.
const PAGE_INTERVAL: Duration = Duration::from_millis(100);

/// Shortest interval between two progress reports for a line of text: a person reads no faster.
const LINE_INTERVAL: Duration = Duration::from_millis(200);

/// Interval between two reports of a running session: a crash loses at most as much.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Informs the outputs about one session. Methods that wait take `&mut self`, because a keeper must not be shared
/// between threads.
pub(super) struct Reporter<'a> {
    outputs: &'a Outputs,
    metrics: &'a Metrics,
    session: u64,
    /// Finds the worst frames, if an output wants their pictures.
    keeper: Option<Keeper>,
    next_picture: Micros,
    next_progress: Micros,
    next_report: Micros,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(outputs: &'a Outputs, metrics: &'a Metrics, config: &SessionConfig) -> Self {
        let session = config.number;
        let keeper = outputs.wants_crops().then(|| Keeper::new(session, config.task, config.warmup));
        let [next_picture, next_progress, next_report] = [Micros(0); 3];
        Self { outputs, metrics, session, keeper, next_picture, next_progress, next_report }
    }

    /// Whether it looks at the frames that were answered.
    pub(super) fn keeps_crops(&self) -> bool {
        self.keeper.is_some()
    }

    /// Passes on pictures of the frames that were answered just now and are among the worst of the session so far.
    pub(super) fn keep_worst(&mut self, session: &mut Session) {
        let Some(keeper) = &mut self.keeper else { return };
        while let Some(AnsweredFrame { id, truth, answer, image }) = session.next_answered() {
            if let Some(crop) = keeper.answered(id, truth, answer, image) {
                self.outputs.tell(Event::Crop(Box::new(crop)));
            }
        }
    }

    /// Reports that the client said hello.
    pub(super) async fn started(&mut self, task: TaskName) {
        self.metrics.began();
        self.outputs.tell_surely(Event::Started(SessionStart { session: self.session, task })).await;
    }

    /// Reports a frame that is handed to the link.
    pub(super) fn sent(&self, capture: &Capture) {
        self.metrics.sent(capture.raw_bytes, capture.wire_bytes);
    }

    /// Reports a frame whose outcome is final.
    pub(super) fn frame(&mut self, record: FrameRecord, session: &Session, now: Micros) {
        self.metrics.finished(&record);
        self.outputs.tell(Event::Frame { session: self.session, record });
        let interval = match (self.outputs.shows(self.session), self.outputs.wants_progress()) {
            (true, _) => Some(SHOW_INTERVAL),
            (false, true) => Some(LINE_INTERVAL),
            (false, false) => None,
        };
        if let Some(interval) = interval.filter(|_| now >= self.next_progress) {
            self.next_progress = now + interval;
            let progress = Box::new(session.tally().progress());
            self.outputs.tell(Event::Progress { session: self.session, progress });
        }
    }

    /// Waits a moment if the outputs are far behind.
    pub(super) async fn catch_up(&mut self) {
        self.outputs.catch_up().await;
    }

    /// Now and then reports the session so far, for outputs that want it.
    pub(super) fn running(&mut self, now: Micros, report: impl FnOnce() -> SessionReport) {
        if now >= self.next_report && self.outputs.wants_running(self.session) {
            self.next_report = now + REPORT_INTERVAL;
            self.outputs.tell(Event::Running(Box::new(report())));
        }
    }

    /// Whether a picture is due, for the window or for a page.
    fn is_picture_due(&mut self, now: Micros) -> bool {
        if now < self.next_picture {
            return false;
        }
        let interval = match (self.outputs.shows(self.session), self.outputs.shows_on_page(self.session)) {
            (true, _) => SHOW_INTERVAL,
            (false, true) => PAGE_INTERVAL,
            (false, false) => return false,
        };
        self.next_picture = now + interval;
        true
    }

    /// Passes a copy of frame `id` to window and pages now and then. Called after the link has taken the frame, so that the
    /// copy does not delay it.
    pub(super) fn picture(&mut self, id: u64, image: Option<&Image>, now: Micros) {
        if let Some(image) = image.filter(|_| self.is_picture_due(now)) {
            let picture = Picture { frame: Arc::new(image.clone()), answer: None };
            self.outputs.tell(Event::Picture { session: self.session, id, picture });
        }
    }

    /// Now and then passes window and pages a copy of the frame that was answered last, and of the picture that came back.
    pub(super) fn answered(&mut self, session: &mut Session, now: Micros) {
        let Some((id, frame, answer)) = session.take_pictures() else { return };
        if self.is_picture_due(now) {
            let answer = answer.map(|answer| Arc::new(answer.to_image()));
            let picture = Picture { frame: Arc::new(frame.clone()), answer };
            self.outputs.tell(Event::Picture { session: self.session, id, picture });
        }
    }
}
