//! Sources: where frames come from, with their truth if it is known.
//!
//! A [`SourceKind`] reads the run specification and gives a [`Supply`], checked before the server listens. Each session
//! opens its own [`Source`] from this supply and plays the same frames from the first. A source that computes frames
//! ([`ball`], `group` for several balls, and [`depth`]) runs where its session makes frames; one that blocks ([`images`],
//! [`video`]) runs on its own thread behind a bounded `queue` (`ahead`), which counts its `figures`; [`video`] leaves
//! decoding to ffmpeg. A source that computes much when it is opened is `deferred` to its first frame. [`device`] is a
//! camera, read once for all sessions: each takes its latest frame. `mcap` plays MCAP files: Plumb's recordings with their
//! truth, and recordings of other programs. `truthed` adds the truth of a file (`truth_file`) to any source that knows
//! none.
//!
//! To add a source: one file here, its line in `list::SOURCES`, its row in `docs/options.md`.

mod ahead;
pub mod ball;
mod deferred;
pub mod depth;
pub mod device;
mod error;
mod figures;
mod group;
pub mod images;
mod list;
#[cfg(feature = "mcap")]
pub mod mcap;
mod queue;
mod seam;
pub(crate) mod truth_file;
mod truthed;
pub mod video;

pub use ball::{BallScene, BallSource, Motion, UNPACED_STEP_S};
pub(crate) use deferred::Deferred;
pub use depth::{DepthScene, DepthSource};
pub use device::{DeviceError, DeviceFigures, FourCc};
pub use error::SourceError;
pub use figures::SourceFigures;
pub use group::{BallsScene, BallsSource};
pub(crate) use list::{files, is_computed, is_no_file};
pub use list::{settled, supply};
#[cfg(feature = "mcap")]
pub use mcap::McapFileError;
pub use seam::{NUMBERED_FRAMES, Numbered, Source, SourceFrame, SourceKind, StreamFormat, Supply};
pub use truth_file::TruthError;
