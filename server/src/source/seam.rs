//! What a source is, to the run that makes it and to the session that plays it.

use std::fmt::Debug;
use std::sync::Arc;

use shared::geometry::Size;
use shared::image::{Image, PixelFormat};
use shared::protocol::message::Meta;
use tokio::sync::Notify;

use super::error::SourceError;
use crate::run::RunSpec;
use crate::task::TaskName;
use crate::truth::Truth;

/// A kind of source, as it is listed.
pub trait SourceKind: Send + Sync {
    /// What to write after `--source`.
    fn usage(&self) -> &'static str;

    /// Whether this kind is meant by what was written there.
    fn is_meant(&self, text: &str) -> bool;

    /// The supply of frames that the run asks for.
    ///
    /// # Errors
    /// [`SourceError`] names the option, what was wrong and what would be right.
    fn supply(&self, run: &RunSpec) -> Result<Box<dyn Supply>, SourceError>;
}

/// A supply of frames that was checked: each session opens a source of its own.
pub trait Supply: Debug + Send + Sync {
    /// What its frames look like.
    fn format(&self) -> StreamFormat;

    /// The task of a run that names none.
    fn default_task(&self) -> TaskName;

    /// Ids of the options of a run that its frames do not depend on.
    fn unused_options(&self) -> Vec<String> {
        Vec::new()
    }

    /// A fresh source: each plays the same sequence from index 0.
    ///
    /// # Errors
    /// [`SourceError`] where it cannot be opened any more.
    fn open(&self) -> Result<Box<dyn Source>, SourceError>;
}

/// Size and pixels, the same in all frames of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamFormat {
    /// Columns and rows.
    pub size: Size,
    /// The layout of a pixel.
    pub pixel: PixelFormat,
}

/// Yields frames, one session's. A skipped tick asks for none, so it consumes no index.
pub trait Source: Send {
    /// The next frame; `None` at the end. May block while [`Self::is_ready`] is false.
    ///
    /// # Errors
    /// [`SourceError`] ends the session, which says why.
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError>;

    /// The image of the last frame.
    fn image(&self) -> Option<&Image>;

    /// Whether [`Self::next`] returns at once.
    fn is_ready(&mut self) -> bool {
        true
    }

    /// Is notified when a source that was not ready may have become so. Sources that compute need none.
    fn wake(&self) -> Option<Arc<Notify>> {
        None
    }
}

/// A frame, what it shows, and whatever else the source knows of it.
#[derive(Debug)]
pub struct SourceFrame<'a> {
    /// Its place at the source, counted from 0; what the source passed over counts too.
    pub index: u64,
    /// The pixels. The moment the source hands them over is when they were captured.
    pub image: &'a Image,
    /// What they show.
    pub truth: Truth,
    /// For the client, beside the pixels.
    pub meta: Option<Meta>,
}
