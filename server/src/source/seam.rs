//! The traits of a source: for the run that makes it, and for the session that plays it.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::protocol::message::Meta;
use tokio::sync::Notify;

use super::error::SourceError;
use super::figures::SourceFigures;
use crate::run::RunSpec;
use crate::task::TaskName;
use crate::truth::Truth;

/// A kind of source, as an entry in the list of sources.
pub trait SourceKind: Send + Sync {
    /// What to write after `--source`.
    fn usage(&self) -> &'static str;

    /// Whether the text after `--source` means this kind.
    fn is_meant(&self, text: &str) -> bool;

    /// Whether frames are computed, so that each can be made again at any time.
    fn is_computed(&self) -> bool {
        false
    }

    /// The files that the text after `--source` means, as far as they are known before they are read. Opens nothing.
    fn files(&self, text: &str) -> Vec<PathBuf> {
        if self.is_computed() { Vec::new() } else { vec![text.into()] }
    }

    /// The supply of frames for the run.
    ///
    /// # Errors
    /// [`SourceError`] names the option, what was wrong and what would be right.
    fn supply(&self, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError>;
}

/// A supply of frames that has been checked. Each session opens its own source from it.
pub trait Supply: Debug + Send + Sync {
    /// The format of its frames.
    fn format(&self) -> StreamFormat;

    /// The task of a run that does not name one.
    fn default_task(&self) -> TaskName;

    /// Its own rate in frames per second, which is then the default; `None` if it has none.
    fn rate_hz(&self) -> Option<f64> {
        None
    }

    /// Whether frames are sent as they arrive, instead of at a rate.
    fn sets_the_pace(&self) -> bool {
        false
    }

    /// Whether its frames come with their truth.
    fn knows_truth(&self) -> bool {
        false
    }

    /// Ids of the run's options that do not affect its frames.
    fn unused_options(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a person should know at the end of the run; `None` if there is nothing to say.
    fn remark(&self) -> Option<String> {
        None
    }

    /// Whether opening a source computes much, as for poses of a lens. Only for sources that compute their frames.
    fn takes_long_to_open(&self) -> bool {
        false
    }

    /// Opens a new source. Each plays the same sequence from index 0.
    ///
    /// # Errors
    /// [`SourceError`] if it cannot be opened any more.
    fn open(&self) -> Result<Box<dyn Source>, SourceError>;

    /// Opens the frames in any order; `None` if they only come in sequence.
    ///
    /// # Errors
    /// As [`Self::open`].
    fn numbered(&self) -> Result<Option<Box<dyn Numbered>>, SourceError> {
        Ok(None)
    }
}

/// Number of frames that are yielded by their index. Playing the ball takes about 11 ns per frame, so the last one takes a
/// second.
pub const NUMBERED_FRAMES: u64 = 100_000_000;

/// Yields frames by their index.
pub trait Numbered: Send {
    /// The frame with this index, which is below [`NUMBERED_FRAMES`]. It does not depend on the frames asked for before.
    fn at(&mut self, index: u64) -> SourceFrame<'_>;
}

/// Size and pixel format, the same in all frames of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamFormat {
    /// Columns and rows.
    pub size: Size,
    /// The layout of a pixel.
    pub pixel: PixelFormat,
}

/// Yields the frames of one session. A skipped tick does not ask for a frame, so it uses up no index.
pub trait Source: Send {
    /// The next frame; `None` at the end. May block while [`Self::is_ready`] is false.
    ///
    /// # Errors
    /// [`SourceError`], which ends the session and becomes its reason.
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError>;

    /// The image of the last frame.
    fn image(&self) -> Option<&Image>;

    /// Whether [`Self::next`] returns without blocking.
    fn is_ready(&mut self) -> bool {
        true
    }

    /// Notifies when a source that was not ready may have become so. Sources that compute frames need none.
    fn wake(&self) -> Option<Arc<Notify>> {
        None
    }

    /// When the last frame was taken, by the timestamp of a camera's driver; `None` if nothing says so.
    fn taken(&self) -> Option<Instant> {
        None
    }

    /// What was read so far; `None` for a source that computes its frames.
    fn figures(&self) -> Option<SourceFigures> {
        None
    }
}

/// A frame, its truth, and what else the source knows about it.
#[derive(Debug)]
pub struct SourceFrame<'a> {
    /// Its index at the source, from 0. Frames that the source skipped count too.
    pub index: u64,
    /// The pixels. The frame counts as captured when the source hands them over.
    pub image: &'a Image,
    /// What they show.
    pub truth: Truth,
    /// Metadata for the client, sent with the pixels.
    pub meta: Option<Meta>,
}
