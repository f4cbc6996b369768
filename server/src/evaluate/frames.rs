//! The frames of an evaluation, rendered ahead.

use std::sync::Arc;
use std::time::Duration;

use shared::image::Image;

use crate::source::{Ahead, Source, SourceError, SourceFrame, Supply};
use crate::truth::Truth;

/// Number of frames rendered ahead. Two hide the rendering whenever it is the quicker of the two; more would only take
/// memory.
const DEPTH: usize = 2;

/// Number of images whose memory is used again: those ahead, the one that is rendered, and the one at the pipeline.
const POOLED: usize = DEPTH + 2;

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

/// Renders frames ahead, on its own thread.
#[derive(Debug)]
pub struct Frames(Ahead<RenderedFrame>);

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
        let renderer = Renderer { source: supply.open()?, pool: Vec::new() };
        Ok(Self(Ahead::start(DEPTH, renderer)?))
    }

    /// Waits at most this long for the next frame.
    ///
    /// # Errors
    /// [`SourceError`] if the source failed. No frame follows.
    pub fn next(&self, limit: Duration) -> Result<Next, SourceError> {
        match self.0.next_within(limit) {
            Some(read) => Ok(read?.map_or(Next::End, Next::Frame)),
            None => Ok(Next::NotYet),
        }
    }
}

/// Takes the frames of a source and copies their pixels, because the source draws the next frame into the same memory.
struct Renderer {
    source: Box<dyn Source>,
    /// Images that were handed out. One that nobody holds any more is used again.
    pool: Vec<Arc<Image>>,
}

impl Iterator for Renderer {
    type Item = Result<RenderedFrame, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self { source, pool } = self;
        let SourceFrame { index, image, truth, .. } = match source.next() {
            Ok(Some(frame)) => frame,
            Ok(None) => return None,
            Err(error) => return Some(Err(error)),
        };
        Some(Ok(RenderedFrame { index, image: shared(pool, image), truth }))
    }
}

/// A copy of the image, in the memory of one that nobody holds if there is one.
fn shared(pool: &mut Vec<Arc<Image>>, image: &Image) -> Arc<Image> {
    for pooled in &mut *pool {
        if let Some(free) = Arc::get_mut(pooled) {
            copy(image, free);
            return pooled.clone();
        }
    }
    let copied = Arc::new(image.clone());
    if pool.len() < POOLED {
        pool.push(copied.clone());
    }
    copied
}

/// Copies an image into another one, whose memory is kept.
fn copy(from: &Image, to: &mut Image) {
    match (from, to) {
        (Image::Gray8(from), Image::Gray8(to)) => to.clone_from(from),
        (Image::Bgr8(from), Image::Bgr8(to)) => to.clone_from(from),
        (Image::Gray16(from), Image::Gray16(to)) => to.clone_from(from),
        (from, to) => *to = from.clone(),
    }
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
        assert!(places.len() <= POOLED, "{}", places.len());
    }
}
