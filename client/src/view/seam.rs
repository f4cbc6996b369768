//! What a view is: it is told what happens in a session.

use shared::protocol::message::Stream;

use crate::pipeline::Answers;
use crate::session::{Detection, ReceivedFrame};
use crate::tally::Tally;

/// Is told what happens in a session. Never waits.
pub trait View: Send {
    /// The server said what it will send; answers like these will be given.
    fn greeted(&mut self, _stream: &Stream, _answers: &'static dyn Answers) {}

    /// A frame arrived.
    fn received(&mut self, _frame: &ReceivedFrame) {}

    /// A frame was answered.
    fn detected(&mut self, _detection: &Detection, _tally: &Tally) {}

    /// The session is over.
    fn ended(&mut self, _tally: &Tally) {}
}

/// Shows nothing.
#[derive(Debug)]
pub struct NoView;

impl View for NoView {}
