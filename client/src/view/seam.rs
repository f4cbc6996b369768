//! The trait of a view, which is notified of events in a session.

use shared::protocol::message::Stream;

use crate::pipeline::Answers;
use crate::session::{Detection, ReceivedFrame};
use crate::tally::Tally;

/// Receives the events of a session. Its methods never block.
pub trait View: Send {
    /// The server announced its stream; the pipeline's answers will be of this kind.
    fn greeted(&mut self, _stream: &Stream, _answers: &'static dyn Answers) {}

    /// A frame arrived.
    fn received(&mut self, _frame: &ReceivedFrame) {}

    /// A frame was answered.
    fn detected(&mut self, _detection: &Detection, _tally: &Tally) {}

    /// The session is over.
    fn ended(&mut self, _tally: &Tally) {}
}

/// Makes the views of several sessions.
pub trait Views: Send + Sync {
    /// The view of the session with this number.
    fn of(&self, session: u64) -> Box<dyn View>;
}

/// Shows nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoView;

impl View for NoView {}

impl Views for NoView {
    fn of(&self, _session: u64) -> Box<dyn View> {
        Box::new(*self)
    }
}
