//! Opens a source with its first frame: on the thread that makes the session's first frame.

use std::sync::Arc;

use shared::image::Image;

use super::error::SourceError;
use super::seam::{Source, SourceFrame, Supply};

/// A source that computes its frames, and is opened when the first one is asked for.
pub(crate) struct Deferred {
    supply: Arc<dyn Supply>,
    source: Option<Box<dyn Source>>,
}

impl Deferred {
    /// A source of this supply.
    pub(crate) fn new(supply: Arc<dyn Supply>) -> Self {
        Self { supply, source: None }
    }
}

impl Source for Deferred {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let source = match self.source.take() {
            Some(source) => source,
            None => self.supply.open()?,
        };
        self.source.insert(source).next()
    }

    fn image(&self) -> Option<&Image> {
        self.source.as_ref()?.image()
    }
}
