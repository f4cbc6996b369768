//! A source that blocks, on its own thread behind a bounded queue.

use std::sync::Arc;
use std::time::Instant;

use shared::image::Image;
use shared::protocol::message::Meta;
use tokio::sync::Notify;

use super::ahead::{Ahead, Read};
use super::error::SourceError;
use super::figures::{Counting, SourceFigures};
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
    /// What they show.
    pub(super) truth: Truth,
    /// Its metadata.
    pub(super) meta: Option<Meta>,
}

/// What a reader found.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most are frames; a box would be an allocation each")]
pub(super) enum Reading {
    /// The next frame.
    Frame(ReadFrame),
    /// A frame that could not be read and is skipped.
    Broken,
}

/// Reads frames one after another, and may block. It ends after the last frame or the first error.
pub(super) type Reader = Box<dyn Iterator<Item = Result<Reading, SourceError>> + Send>;

/// A source whose frames are read on its own thread. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct QueuedSource {
    queue: Ahead<ReadFrame>,
    /// The result that was taken from the queue but not yet asked for.
    next: Option<Read<ReadFrame>>,
    latest: Option<Image>,
    counting: Counting,
}

/// Counts what a reader finds, and passes its frames on.
struct Counted {
    reader: Reader,
    counting: Counting,
}

impl Iterator for Counted {
    type Item = Result<ReadFrame, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let started = Instant::now();
        loop {
            match self.reader.next()? {
                Ok(Reading::Frame(frame)) => {
                    self.counting.read(started.elapsed());
                    return Some(Ok(frame));
                }
                Ok(Reading::Broken) => self.counting.broken(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl QueuedSource {
    /// Starts the thread, which begins to read.
    pub(super) fn start(reader: Reader) -> Result<Self, SourceError> {
        let counting = Counting::default();
        let counted = Counted { reader, counting: counting.clone() };
        Ok(Self { queue: Ahead::start(READ_AHEAD, counted)?, next: None, latest: None, counting })
    }
}

impl Source for QueuedSource {
    fn next(&mut self) -> Result<Option<SourceFrame<'_>>, SourceError> {
        let next = self.next.take().unwrap_or_else(|| self.queue.next());
        let Some(ReadFrame { index, image, truth, meta }) = next? else { return Ok(None) };
        let image = self.latest.insert(image);
        Ok(Some(SourceFrame { index, image, truth, meta }))
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

    fn figures(&self) -> Option<SourceFigures> {
        Some(self.counting.figures())
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;
    use shared::geometry::Size;
    use shared::image::PixelFormat;

    use super::*;

    fn frame(index: u64) -> Result<Reading, SourceError> {
        let image = Image::zeros(Size { width: 1, height: 1 }, PixelFormat::Gray8);
        Ok(Reading::Frame(ReadFrame { index, image, truth: Truth::Unknown, meta: None }))
    }

    fn source(reader: impl Iterator<Item = Result<Reading, SourceError>> + Send + 'static) -> QueuedSource {
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
    fn frames_that_were_read_or_broken_are_counted() {
        let mut source = source([frame(0), Ok(Reading::Broken), Ok(Reading::Broken), frame(3)].into_iter());
        let mut indices = Vec::new();
        while let Some(frame) = source.next().unwrap() {
            indices.push(frame.index);
        }
        let figures = source.figures().unwrap();
        assert_eq!((indices, figures.read, figures.broken), (vec![0, 3], 2, 2));
        assert!(figures.decode_us.p50 <= figures.decode_us.max && figures.decode_us.max.is_some());
    }

    #[test]
    fn a_failure_comes_after_the_frames_before_it() {
        let failure = || Err(SourceError::NoImages { what: "there".into() });
        let mut source = source([frame(0), failure(), frame(1)].into_iter());
        assert_eq!(source.next().unwrap().map(|frame| frame.index), Some(0));
        assert!(matches!(source.next(), Err(SourceError::NoImages { .. })));
    }

    #[test]
    fn a_reader_that_panics_is_a_failure_not_an_end() {
        let mut source = source((0..2).map(|index| if index == 0 { frame(0) } else { panic!("a reader's fault") }));
        assert!(source.next().unwrap().is_some());
        assert!(matches!(source.next(), Err(SourceError::Thread(_))));
    }

    #[tokio::test]
    async fn a_waiting_reader_wakes_when_a_frame_arrives() {
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
