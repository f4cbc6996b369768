//! Keeps the frames that were sent, for tasks that compare answers with frames.

use std::collections::VecDeque;

use shared::image::{Image, ImageView};

use super::Session;

/// Kept frames, oldest first: at most a window of them.
#[derive(Debug, Default)]
pub(super) struct KeptFrames {
    frames: VecDeque<(u64, Image)>,
    /// The frame that was answered last, and whether the answer has a picture. `None` after [`Session::take_pictures`].
    answered: Option<(u64, bool)>,
}

impl KeptFrames {
    /// The frame with this id, if it is kept.
    pub(super) fn get(&self, id: u64) -> Option<&Image> {
        self.frames.iter().find(|(kept, _)| *kept == id).map(|(_, image)| image)
    }

    /// Notes that the answer to this frame was accepted.
    pub(super) fn answered(&mut self, id: u64, has_picture: bool) {
        self.answered = Some((id, has_picture));
    }
}

impl Session {
    /// Whether the shell has to call [`Self::keep`] with each frame.
    pub fn keeps_frames(&self) -> bool {
        self.config.task.keeps_frames()
    }

    /// Keeps a copy of the frame that was captured last, until it is answered or lost. Removes the frames that no
    /// longer wait for an answer, so that at most a window of frames is kept.
    pub fn keep(&mut self, image: &Image) {
        let Some(id) = self.pairing.next_id().checked_sub(1) else { return };
        let Self { kept, pairing, .. } = self;
        kept.frames.retain(|(kept, _)| pairing.is_unanswered(*kept));
        kept.frames.push_back((id, image.clone()));
    }

    /// Takes the id and pixels of the frame that was answered last, and the answer's picture, for the window. `None` if
    /// no kept frame was answered since the last call. The picture is `None` if the answer was `dropped`.
    pub fn take_pictures(&mut self) -> Option<(u64, &Image, Option<ImageView<'_>>)> {
        let (id, has_picture) = self.kept.answered.take()?;
        let picture = self.tally.picture().filter(|_| has_picture);
        Some((id, self.kept.get(id)?, picture))
    }
}
