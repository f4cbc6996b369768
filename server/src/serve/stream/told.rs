//! What the outputs are told of a session.

use std::sync::Arc;
use std::time::Duration;

use shared::image::Image;
use shared::time::Micros;

use crate::output::{Event, Outputs, SessionStart};
use crate::score::record::FrameRecord;
use crate::session::Session;
use crate::task::TaskName;

/// Pictures and progress go out at most this often: as often as a window is drawn.
const SHOW_INTERVAL: Duration = Duration::from_micros(33_333);

/// Tells the outputs of one session.
pub(super) struct Told<'a> {
    outputs: &'a Outputs,
    session: u64,
    next_picture: Micros,
    next_progress: Micros,
}

impl<'a> Told<'a> {
    pub(super) fn new(outputs: &'a Outputs, session: u64) -> Self {
        Self { outputs, session, next_picture: Micros(0), next_progress: Micros(0) }
    }

    /// The client has said hello.
    pub(super) async fn started(&self, task: TaskName) {
        self.outputs.tell_surely(Event::Started(SessionStart { session: self.session, task })).await;
    }

    /// A frame's outcome is final.
    pub(super) fn frame(&mut self, record: FrameRecord, session: &Session, now: Micros) {
        self.outputs.tell(Event::Frame { session: self.session, record });
        if self.outputs.shows(self.session) && now >= self.next_progress {
            self.next_progress = now + SHOW_INTERVAL;
            let progress = Box::new(session.tally().progress());
            self.outputs.tell(Event::Progress { session: self.session, progress });
        }
    }

    /// The link has taken the frame of this id: whoever shows it gets a copy now and then. Only now, so that the copy
    /// delays the frame by nothing.
    pub(super) fn picture(&mut self, id: u64, image: Option<&Image>, now: Micros) {
        if let Some(image) = image.filter(|_| self.outputs.shows(self.session) && now >= self.next_picture) {
            self.next_picture = now + SHOW_INTERVAL;
            self.outputs.tell(Event::Picture { session: self.session, id, image: Arc::new(image.clone()) });
        }
    }
}
