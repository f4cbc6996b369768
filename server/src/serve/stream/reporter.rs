//! Informs the outputs about a session.

use std::sync::Arc;
use std::time::Duration;

use shared::image::Image;
use shared::time::Micros;

use crate::output::report::SessionReport;
use crate::output::{Event, Outputs, Picture, SessionStart};
use crate::score::record::FrameRecord;
use crate::session::Session;
use crate::task::TaskName;

/// Shortest interval between two pictures or progress reports: the interval at which a window is drawn.
const SHOW_INTERVAL: Duration = Duration::from_micros(33_333);

/// Interval between two reports of a running session: a crash loses at most as much.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Informs the outputs about one session.
pub(super) struct Reporter<'a> {
    outputs: &'a Outputs,
    session: u64,
    next_picture: Micros,
    next_progress: Micros,
    next_report: Micros,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(outputs: &'a Outputs, session: u64) -> Self {
        Self { outputs, session, next_picture: Micros(0), next_progress: Micros(0), next_report: Micros(0) }
    }

    /// Reports that the client said hello.
    pub(super) async fn started(&self, task: TaskName) {
        self.outputs.tell_surely(Event::Started(SessionStart { session: self.session, task })).await;
    }

    /// Reports a frame whose outcome is final.
    pub(super) fn frame(&mut self, record: FrameRecord, session: &Session, now: Micros) {
        self.outputs.tell(Event::Frame { session: self.session, record });
        if self.outputs.shows(self.session) && now >= self.next_progress {
            self.next_progress = now + SHOW_INTERVAL;
            let progress = Box::new(session.tally().progress());
            self.outputs.tell(Event::Progress { session: self.session, progress });
        }
    }

    /// Now and then reports the session so far, for outputs that want it.
    pub(super) fn running(&mut self, now: Micros, report: impl FnOnce() -> SessionReport) {
        if self.outputs.wants_running() && now >= self.next_report {
            self.next_report = now + REPORT_INTERVAL;
            self.outputs.tell(Event::Running(Box::new(report())));
        }
    }

    /// Passes a copy of frame `id` to the window now and then. Called after the link has taken the frame, so that the
    /// copy does not delay it.
    pub(super) fn picture(&mut self, id: u64, image: Option<&Image>, now: Micros) {
        if let Some(image) = image.filter(|_| self.outputs.shows(self.session) && now >= self.next_picture) {
            self.next_picture = now + SHOW_INTERVAL;
            let picture = Picture { frame: Arc::new(image.clone()), answer: None };
            self.outputs.tell(Event::Picture { session: self.session, id, picture });
        }
    }

    /// Now and then passes the window a copy of the frame that was answered last, and of the picture that came back.
    pub(super) fn answered(&mut self, session: &mut Session, now: Micros) {
        let Some((id, frame, answer)) = session.take_pictures() else { return };
        if self.outputs.shows(self.session) && now >= self.next_picture {
            self.next_picture = now + SHOW_INTERVAL;
            let answer = answer.map(|answer| Arc::new(answer.to_image()));
            let picture = Picture { frame: Arc::new(frame.clone()), answer };
            self.outputs.tell(Event::Picture { session: self.session, id, picture });
        }
    }
}
