//! Sources: where frames come from, with their truth where it is known.
//!
//! A [`SourceKind`] reads the run specification and gives a [`Supply`], checked before the server listens; each
//! session opens a [`Source`] of its own from it and plays the same frames from the first on. What computes frames
//! ([`ball`]) runs in the session; what blocks ([`images`]) runs on a thread of its own behind a bounded `queue`.
//!
//! To add a source: one file here, its line in `list::SOURCES`, its row in `docs/options.md`.

pub mod ball;
mod error;
pub mod images;
mod list;
mod queue;
mod seam;

pub use ball::{BallScene, BallSource, Motion, UNPACED_STEP_S};
pub use error::SourceError;
pub use list::supply;
pub use seam::{Source, SourceFrame, SourceKind, StreamFormat, Supply};
