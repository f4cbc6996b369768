//! Keeps the frames that were sent until they are answered: for tasks that compare answers with frames, and for
//! pictures of the worst frames.

use std::collections::VecDeque;

use shared::image::{Image, ImageView};

use super::Session;
use crate::score::cells::Cell;
use crate::truth::Truth;

/// Most bytes of the frames that are kept only for pictures: ten of 1920x1080 in colour, more than the default window.
const MOST_BYTES: usize = 64 << 20;

/// Most images whose memory waits to be used again. One is enough unless several answers come at once.
const MOST_FREE: usize = 2;

/// Kept frames, oldest first.
#[derive(Debug, Default)]
pub(super) struct KeptFrames {
    frames: VecDeque<(u64, Image)>,
    /// Images of frames that are no longer kept. Their memory is used again.
    free: Vec<Image>,
    /// The frame that was answered last, and whether the answer has a picture. `None` after [`Session::take_pictures`].
    answered: Option<(u64, bool)>,
    /// Whether frames are kept for pictures.
    is_for_pictures: bool,
    /// Frames that were answered since the last [`Session::next_answered`]. Only if frames are kept for pictures.
    new_answers: VecDeque<u64>,
}

/// A frame that was kept until its answer came.
#[derive(Debug)]
pub struct AnsweredFrame<'a> {
    /// Its id.
    pub id: u64,
    /// What it shows.
    pub truth: Truth,
    /// The answer, in the task's columns.
    pub answer: &'a [Cell],
    /// Its pixels.
    pub image: &'a Image,
}

impl KeptFrames {
    /// The frame with this id, if it is kept.
    pub(super) fn get(&self, id: u64) -> Option<&Image> {
        self.frames.iter().find(|(kept, _)| *kept == id).map(|(_, image)| image)
    }

    /// Notes that the answer to this frame was accepted. `is_read` says that the client looked at the frame.
    pub(super) fn answered(&mut self, id: u64, is_read: bool) {
        self.answered = Some((id, is_read));
        if self.is_for_pictures && is_read {
            self.new_answers.push_back(id);
        }
    }

    fn add(&mut self, id: u64, image: &Image) {
        let kept = match self.free.pop() {
            Some(mut free) => {
                free.copy_from(image);
                free
            }
            None => image.clone(),
        };
        self.frames.push_back((id, kept));
    }

    /// Removes the frames that no longer wait for an answer.
    fn remove(&mut self, waits: impl Fn(u64) -> bool) {
        for _ in 0..self.frames.len() {
            let Some((id, image)) = self.frames.pop_front() else { break };
            if waits(id) {
                self.frames.push_back((id, image));
            } else {
                self.free.push(image);
            }
        }
        self.free.truncate(MOST_FREE);
    }

    /// Removes the oldest frames so that at most this many stay.
    fn limit(&mut self, most: usize) {
        let excess = self.frames.len().saturating_sub(most);
        self.free.extend(self.frames.drain(..excess).map(|(_, image)| image));
        self.free.truncate(MOST_FREE);
    }
}

impl Session {
    /// Keeps frames for pictures too, so that [`Self::next_answered`] returns them.
    pub fn keep_for_pictures(&mut self) {
        self.kept.is_for_pictures = true;
    }

    /// Whether the shell has to call [`Self::keep`] with a frame of this truth. An answer to a frame without truth has no
    /// error, so no picture of that frame is wanted.
    pub fn keeps_frame(&self, truth: Truth) -> bool {
        self.compares_frames() || self.kept.is_for_pictures && truth != Truth::Unknown
    }

    /// Whether answers are compared with the frames.
    pub fn compares_frames(&self) -> bool {
        self.config.task.keeps_frames()
    }

    /// Keeps a copy of the frame that was captured last, until it is answered or lost. Call it before an answer to that
    /// frame is handled.
    ///
    /// At most a window of frames is kept. Frames that are kept only for pictures are fewer if they would take more than
    /// 64 MiB. In live delivery a frame may be out of the window and still wait for an answer; if answers are compared
    /// with frames, it is kept too.
    pub fn keep(&mut self, image: &Image) {
        let Some(id) = self.pairing.next_id().checked_sub(1) else { return };
        let (pairing, kept) = (&self.pairing, &mut self.kept);
        kept.remove(|kept| pairing.is_unanswered(kept));
        if !self.config.task.keeps_frames() {
            let most = (MOST_BYTES / image.bytes().len().max(1)).clamp(1, self.config.window.get() as usize);
            kept.limit(most - 1);
        }
        kept.add(id, image);
    }

    /// Takes the id and pixels of the frame that was answered last, and the answer's picture, for the window. `None` if
    /// answers are not compared with frames, or if no kept frame was answered since the last call. The picture is `None`
    /// if the answer was `dropped`.
    pub fn take_pictures(&mut self) -> Option<(u64, &Image, Option<ImageView<'_>>)> {
        let (id, has_picture) = self.kept.answered.take().filter(|_| self.config.task.keeps_frames())?;
        let picture = self.tally.picture().filter(|_| has_picture);
        Some((id, self.kept.get(id)?, picture))
    }

    /// The next frame that was answered since the last call, if frames are kept for pictures. Call it until it returns
    /// `None` after each message: the frames are kept until [`Self::keep`], and the answers until [`Self::poll`].
    pub fn next_answered(&mut self) -> Option<AnsweredFrame<'_>> {
        let (kept, pairing) = (&mut self.kept, &self.pairing);
        let id = loop {
            let id = kept.new_answers.pop_front()?;
            if kept.get(id).is_some() && pairing.answer_to(id).is_some() {
                break id;
            }
        };
        let (frame, answer) = self.pairing.answer_to(id)?;
        Some(AnsweredFrame { id, truth: frame.truth, answer, image: self.kept.get(id)? })
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::image::PixelFormat;

    use super::*;

    fn image(level: u8) -> Image {
        Image::from_bytes(&[level; 12], Size { width: 4, height: 3 }, PixelFormat::Gray8).unwrap()
    }

    #[test]
    fn frames_are_kept_while_they_wait_and_their_memory_is_used_again() {
        let mut kept = KeptFrames::default();
        (0..6).for_each(|id| kept.add(id, &image(id as u8)));
        kept.remove(|id| id % 2 == 1);
        assert_eq!(kept.frames.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 3, 5]);
        assert_eq!(kept.free.len(), MOST_FREE);
        let free = kept.free.last().unwrap().bytes().as_ptr();
        kept.add(6, &image(6));
        let again = kept.get(6).unwrap();
        assert_eq!((again.bytes(), again.bytes().as_ptr()), (&[6; 12][..], free));
        kept.limit(2);
        assert_eq!(kept.frames.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [5, 6]);
    }

    #[test]
    fn answers_are_noted_only_if_frames_are_kept_for_pictures() {
        let mut kept = KeptFrames::default();
        kept.answered(3, true);
        assert!(kept.new_answers.is_empty());
        kept.is_for_pictures = true;
        kept.answered(4, true);
        kept.answered(5, false);
        assert_eq!(kept.new_answers, [4], "an answer without values has no error");
    }
}
