//! Outputs: every form of the results, informed about the sessions by one writer thread.
//!
//! Sessions put events into a bounded queue and never wait ([`Outputs`]); the thread ([`writer`]) hands them to each
//! [`Output`]. A slow output lags, but delays no frame; events that the queue has no room for are counted. [`report`]
//! has the report's types, [`table`] the columns of a frame. The outputs are [`rows`], [`window`], [`json`], [`csv`] and
//! [`folder`]; `html` makes the page of a folder, `worst` finds its worst frames, and [`progress`] is the line for people
//! who wait.
//!
//! To add an output: one file here, its line in `list::outputs`, its option, its row in `docs/options.md`.

pub mod csv;
mod error;
pub mod folder;
pub(crate) mod html;
pub(crate) mod identity;
pub(crate) mod intact;
pub mod json;
mod junit;
mod list;
pub(crate) mod lockable;
pub mod mcap;
pub(crate) mod part;
mod parts;
mod place;
pub mod progress;
mod progress_timeout;
pub(crate) mod regular;
pub mod report;
pub mod rows;
mod seam;
mod summary;
pub mod table;
pub mod watched;
mod whole_rows;
pub mod window;
mod worst;
pub mod writer;

pub use error::OutputError;
pub use list::{Plan, outputs};
pub use parts::Parts;
pub use progress_timeout::Steps;
pub use seam::{Event, Output, Picture, SessionStart};
pub use summary::summary;
pub use worst::{Keeper, KeptCrop};
pub use writer::{Outputs, Writer};
