//! What a person sees of a session: rows in the terminal, or a window.

pub mod sections;
mod terminal;
mod window;

use shared::protocol::message::Stream;

use crate::session::{Detection, ReceivedFrame};
use crate::tally::Tally;

pub use terminal::TerminalView;
pub use window::{Received, WindowView};

/// Is told what happens in a session. Never waits.
pub trait View: Send {
    /// The server said what it will send.
    fn greeted(&mut self, _stream: &Stream) {}

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
