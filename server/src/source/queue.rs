//! A source that blocks, on its own thread behind a bounded queue.

use std::sync::Arc;

use shared::image::Image;
use tokio::sync::Notify;

use super::ahead::{Ahead, Read};
use super::error::SourceError;
use super::seam::{Source, SourceFrame};
use crate::truth::Truth;

/// Number of frames read ahead: enough to hide a slow read at 60 frames per second, few enough that 8192x8192 colour
/// images (201 MB each) stay below 1 GB.
const READ_AHEAD: usize = 4;

/// A frame that was read.
#[derive(Debug)]
pub(super) struct ReadFrame {
    /// Its index at the source.
    pub(super) index: u64,
    /// Its pixels.
    pub(super) image: Image,
}

/// Reads frames one after another, and may block. It ends after the last frame or the first error.
pub(super) type Reader = Box<dyn Iterator<Item = Result<ReadFrame, SourceError>> + Send>;

/// A source whose frames are read on its own thread. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct QueuedSource {
    queue: Ahead<ReadFrame>,
    /// The result that was taken from the queue but not yet asked for.
    next: Option<Read<ReadFrame>>,
    latest: Option<Image>,
}

impl QueuedSource {
    /// Starts the thread, which begins to read.
    pub(super) fn start(reader: Reader) -> Result<Self, SourceError> {
        Ok(Self { queue: Ahead::start(READ_AHEAD, reader)?, next: None, latest: None })
    }
}

impl Source for QueuedSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let next = self.next.take().unwrap_or_else(|| self.queue.next());
        let Some(ReadFrame { index, image }) = next? else { return Ok(None) };
        let image = self.latest.insert(image);
        Ok(Some(SourceFrame { index, image, truth: Truth::Unknown, meta: None }))
    }

    fn image(&self) -> Option<&Image> {
        self.latest.as_ref()
    }

    fn is_ready(&mut self) -> bool {
        if self.next.is_none() {
            self.next = self.queue.try_next();
        }
        self.next.is_some()
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        Some(self.queue.wake())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crossbeam_channel::bounded;
    use shared::geometry::Size;
    use shared::image::PixelFormat;

    use super::*;

    fn frame(index: u64) -> Result<ReadFrame, SourceError> {
        Ok(ReadFrame { index, image: Image::zeros(Size { width: 1, height: 1 }, PixelFormat::Gray8) })
    }

    fn source(reader: impl Iterator<Item = Result<ReadFrame, SourceError>> + Send + 'static) -> QueuedSource {
        QueuedSource::start(Box::new(reader)).unwrap()
    }

    #[test]
    fn all_frames_come_in_order_and_then_the_end() {
        let mut source = source((0..20).map(frame));
        let indices: Vec<u64> = std::iter::from_fn(|| source.next().unwrap().map(|frame| frame.index)).collect();
        assert_eq!(indices, (0..20).collect::<Vec<_>>());
        assert!(source.next().is_err(), "nothing follows the end");
    }

    #[test]
    fn a_failure_comes_after_the_frames_before_it() {
        let failure = || Err(SourceError::NoImages { path: PathBuf::from("there") });
        let mut source = source([frame(0), failure(), frame(1)].into_iter());
        assert_eq!(source.next().unwrap().map(|frame| frame.index), Some(0));
        assert!(matches!(source.next(), Err(SourceError::NoImages { .. })));
    }

    #[test]
    fn a_reader_that_panics_is_a_failure_and_no_end() {
        let mut source = source((0..2).map(|index| if index == 0 { frame(0) } else { panic!("a reader's fault") }));
        assert!(source.next().unwrap().is_some());
        assert!(matches!(source.next(), Err(SourceError::Thread(_))));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_when_a_frame_is_there() {
        let (go, gone) = bounded(0);
        let mut source = source(std::iter::once_with(move || {
            gone.recv().unwrap();
            frame(7)
        }));
        assert!(!source.is_ready());
        go.send(()).unwrap();
        let wake = source.wake().unwrap();
        while !source.is_ready() {
            wake.notified().await;
        }
        assert_eq!(source.next().unwrap().map(|frame| frame.index), Some(7));
    }
}
