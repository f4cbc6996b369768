//! The progress of the run: a line at the bottom of a terminal, or a log line every 10 s if there is no terminal.
//!
//! [`ProgressOutput`] keeps the latest state of each session (`state`), and `text` makes one line of it. A separate
//! thread (`ticker`) shows the line, because a terminal may be paused and must not block the outputs' thread. [`gates`]
//! judges running sessions.

pub mod gates;
mod output;
mod state;
mod text;
mod ticker;

pub use output::ProgressOutput;
pub use state::{Goal, Shared};
pub use ticker::{Form, Ticker};
