//! What a person sees of the sessions: rows in the terminal, or a window.

pub mod sections;
mod terminal;
mod told;
mod watched;
mod window;

use shared::image::Image;

use crate::report::SessionReport;
use crate::score::FrameScore;
use crate::score::summary::Tally;

pub use terminal::{TerminalView, summary};
pub use window::{Sessions, WindowView};

/// Is told what happens in the sessions, by several threads. Never waits.
pub trait View: Send + Sync {
    /// A session's client has said hello.
    fn started(&self, _session: u64) {}

    /// A frame was sent.
    fn sent(&self, _session: u64, _id: u64, _image: &Image) {}

    /// A frame's score is final.
    fn scored(&self, _session: u64, _score: &FrameScore, _tally: &Tally) {}

    /// A session is over.
    fn ended(&self, _report: &SessionReport) {}
}
