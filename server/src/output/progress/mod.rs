//! How far the run is, for people who wait: a line at the bottom of a terminal, or a log line every 10 s elsewhere.
//!
//! [`ProgressOutput`] keeps what each session last said of itself (`state`); `text` makes one line of it. A thread of its
//! own (`ticker`) shows the line, because a terminal may be paused and the outputs' thread must go on. [`gates`] judges
//! sessions that go on.

pub mod gates;
mod output;
mod state;
mod text;
mod ticker;

pub use output::ProgressOutput;
pub use state::{Goal, Shared};
pub use ticker::{Form, Ticker};
