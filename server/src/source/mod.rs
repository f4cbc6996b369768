//! Sources: where frames come from, with their truth if it is known.
//!
//! A [`SourceKind`] reads the run specification and gives a [`Supply`], checked before the server listens. Each session
//! opens its own [`Source`] from this supply and plays the same frames from the first. A source that computes frames
//! ([`ball`], and `group` for several balls) runs in the session; one that blocks ([`images`]) runs on its own thread
//! behind a bounded `queue` (`ahead`).
//!
//! To add a source: one file here, its line in `list::SOURCES`, its row in `docs/options.md`.

mod ahead;
pub mod ball;
mod error;
mod group;
pub mod images;
mod list;
mod queue;
mod seam;

pub use ball::{BallScene, BallSource, Motion, UNPACED_STEP_S};
pub use error::SourceError;
pub use group::{BallsScene, BallsSource};
pub use list::{settled, supply};
pub use seam::{Numbered, Source, SourceFrame, SourceKind, StreamFormat, Supply};
