//! The frames of an evaluation, rendered ahead.

use std::sync::Arc;
use std::time::Duration;

use shared::image::Image;
use shared::shell::threads;

use super::queue::{Queue, Taken};
use crate::source::{Source, SourceError, SourceFrame, StreamFormat, Supply};
use crate::truth::Truth;

/// Maximum number of frames rendered ahead. The renderer is woken once for half of them: of the 30 µs that this takes,
/// each frame bears 4.
const DEPTH: usize = 16;

/// Memory for the frames rendered ahead, in bytes: 16 of 1920x1080 in colour. Of the largest frames there are two.
const MEMORY: usize = 96 << 20;

/// Images whose memory is used again besides those ahead: the one that is rendered, and the one at the pipeline.
const BESIDE: usize = 2;

/// A frame, ready for the pipeline.
#[derive(Clone, Debug)]
pub struct RenderedFrame {
    /// Its index at the source.
    pub index: u64,
    /// Its pixels. They never change, however long somebody keeps them.
    pub image: Arc<Image>,
    /// What they show.
    pub truth: Truth,
}

/// Renders frames ahead, on its own thread, which ends when this is dropped.
#[derive(Debug)]
pub struct Frames(Arc<Queue<Rendered>>);

/// A frame, the end, or an error.
type Rendered = Result<Option<RenderedFrame>, SourceError>;

/// What [`Frames::next`] found.
#[derive(Debug)]
pub enum Next {
    /// The next frame.
    Frame(RenderedFrame),
    /// The source has no more frames.
    End,
    /// The next frame is not ready yet.
    NotYet,
}

impl Frames {
    /// Starts to render the frames of this supply.
    ///
    /// # Errors
    /// [`SourceError`] if the source cannot be opened.
    pub fn start(supply: &dyn Supply) -> Result<Self, SourceError> {
        let StreamFormat { size, pixel } = supply.format();
        let depth = (MEMORY / pixel.bytes(size).max(1)).clamp(2, DEPTH);
        let queue = Arc::new(Queue::new(depth));
        let renderer = Renderer { source: supply.open()?, pool: Vec::new(), most: depth + BESIDE };
        let producer = Producer(queue.clone());
        let spawned = threads::spawn("renderer", move || renderer.run(&producer.0));
        spawned.map_err(|error| SourceError::Thread(error.to_string()))?;
        Ok(Self(queue))
    }

    /// Waits at most this long for the next frame.
    ///
    /// # Errors
    /// [`SourceError`] if the source failed. No frame follows.
    pub fn next(&self, limit: Duration) -> Result<Next, SourceError> {
        match self.0.take(limit) {
            Taken::Item(rendered) => Ok(rendered?.map_or(Next::End, Next::Frame)),
            Taken::Nothing => Ok(Next::NotYet),
            // The thread panicked: it ends with an end or an error.
            Taken::Over => Err(SourceError::Thread("it ended without a result".into())),
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The renderer's end of the queue, which ends with the thread, even if the thread panics.
struct Producer(Arc<Queue<Rendered>>);

impl Drop for Producer {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Takes the frames of a source and copies their pixels, because the source draws the next frame into the same memory.
struct Renderer {
    source: Box<dyn Source>,
    /// Images that were handed out. An image is used again once nobody refers to it.
    pool: Vec<Arc<Image>>,
    /// Maximum number of images in the pool.
    most: usize,
}

impl Renderer {
    /// Renders until the end, an error, or until nobody takes frames any more.
    fn run(mut self, queue: &Queue<Rendered>) {
        loop {
            let rendered = self.next();
            let is_last = !matches!(rendered, Ok(Some(_)));
            if !queue.put(rendered) || is_last {
                return;
            }
        }
    }

    fn next(&mut self) -> Rendered {
        let Self { source, pool, most } = self;
        let Some(SourceFrame { index, image, truth, .. }) = source.next()? else { return Ok(None) };
        Ok(Some(RenderedFrame { index, image: shared(pool, *most, image), truth }))
    }
}

/// A copy of the image, in the memory of one that nobody holds if there is one.
fn shared(pool: &mut Vec<Arc<Image>>, most: usize, image: &Image) -> Arc<Image> {
    for pooled in &mut *pool {
        if let Some(free) = Arc::get_mut(pooled) {
            free.copy_from(image);
            return pooled.clone();
        }
    }
    let copied = Arc::new(image.clone());
    if pool.len() < most {
        pool.push(copied.clone());
    }
    copied
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::RunSpec;
    use crate::source;

    fn frames() -> Frames {
        let supply = source::supply(&RunSpec::default().with_seed()).unwrap();
        Frames::start(&*supply).unwrap()
    }

    fn next(frames: &Frames) -> RenderedFrame {
        loop {
            if let Next::Frame(frame) = frames.next(Duration::from_secs(1)).unwrap() {
                return frame;
            }
        }
    }

    #[test]
    fn a_frame_that_is_kept_does_not_change_while_others_are_rendered() {
        let frames = frames();
        let kept = next(&frames);
        let pixels = kept.image.bytes().to_vec();
        let later: Vec<_> = (0..20).map(|_| next(&frames)).collect();
        assert_eq!(kept.image.bytes(), pixels);
        assert!(later.iter().all(|frame| frame.image.bytes() != pixels), "each shows the ball elsewhere");
        assert_eq!(later.iter().map(|frame| frame.index).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    }

    #[test]
    fn the_memory_of_frames_that_nobody_keeps_is_used_again() {
        let frames = frames();
        let places = (0..50).map(|_| next(&frames).image.bytes().as_ptr()).collect::<std::collections::BTreeSet<_>>();
        assert!(places.len() <= DEPTH + BESIDE, "{}", places.len());
    }
}
