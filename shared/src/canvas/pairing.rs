//! Pairs pictures with their scores, so that a window shows both of the same frame.

use std::collections::VecDeque;

/// Maximum number of pictures kept until their scores are final. More are outstanding only at rates that nobody
/// watches.
const KEPT: usize = 16;

/// Pictures of frames whose score is not final yet, and the last frame with both.
///
/// `P` is a handle to a picture, cheap to clone. `S` is the score of a frame.
#[derive(Clone, Debug)]
pub struct Pairing<P, S> {
    waiting: VecDeque<(u64, P)>,
    last: Option<(P, S)>,
}

impl<P, S> Pairing<P, S> {
    /// Keeps the picture of a frame, unless too many are waiting already.
    pub fn picture(&mut self, id: u64, picture: P) {
        if self.waiting.len() < KEPT {
            self.waiting.push_back((id, picture));
        }
    }

    /// Takes the final score of a frame. Pictures of earlier frames are dropped.
    pub fn scored(&mut self, id: u64, score: S) {
        match self.waiting.iter().position(|(waiting, _)| *waiting == id) {
            Some(place) => self.last = self.waiting.drain(..=place).next_back().map(|(_, picture)| (picture, score)),
            None => self.waiting.retain(|(waiting, _)| *waiting > id),
        }
    }

    /// Drops the pictures that wait for their score: the session is over, so none will come.
    pub fn end(&mut self) {
        self.waiting = VecDeque::new();
    }

    /// Drops all pictures and scores.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The picture and score of the last frame that has both.
    pub fn last(&self) -> Option<&(P, S)> {
        self.last.as_ref()
    }
}

impl<P, S> Default for Pairing<P, S> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), last: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_shown_with_the_score_of_its_own_frame() {
        let mut frames = Pairing::default();
        frames.picture(1, "picture 1");
        frames.picture(2, "picture 2");
        assert_eq!(frames.last(), None);
        frames.scored(1, "score 1");
        assert_eq!(frames.last(), Some(&("picture 1", "score 1")));
        frames.picture(3, "picture 3");
        frames.scored(3, "score 3");
        assert_eq!(frames.last(), Some(&("picture 3", "score 3")));
    }

    #[test]
    fn a_score_whose_picture_is_gone_changes_nothing_on_the_screen() {
        let mut frames = Pairing::default();
        frames.picture(1, "picture 1");
        frames.picture(3, "picture 3");
        frames.scored(1, "score 1");
        frames.scored(2, "score 2");
        assert_eq!(frames.last(), Some(&("picture 1", "score 1")));
        frames.scored(3, "score 3");
        assert_eq!(frames.last(), Some(&("picture 3", "score 3")));
    }

    #[test]
    fn pictures_are_shown_even_if_more_frames_are_outstanding_than_are_kept() {
        let mut frames = Pairing::default();
        let mut shown = 0;
        for id in 0..1000 {
            frames.picture(id, id);
            assert!(frames.waiting.len() <= KEPT);
            if let Some(final_id) = id.checked_sub(100) {
                frames.scored(final_id, final_id);
                shown += u64::from(frames.last() == Some(&(final_id, final_id)));
            }
        }
        assert!(shown >= 9 * KEPT as u64, "{shown} frames shown");
    }

    #[test]
    fn at_the_end_only_the_last_frame_is_kept_until_it_is_forgotten() {
        let mut frames = Pairing::default();
        let pictures: Vec<_> = (0..3).map(std::sync::Arc::new).collect();
        (0..3).for_each(|id| frames.picture(id, pictures[id as usize].clone()));
        frames.scored(1, "score 1");
        let holders = |place: usize| std::sync::Arc::strong_count(&pictures[place]) - 1;
        assert_eq!([holders(0), holders(1), holders(2)], [0, 1, 1]);
        frames.end();
        assert_eq!([holders(0), holders(1), holders(2)], [0, 1, 0]);
        assert_eq!(frames.last().map(|(_, score)| *score), Some("score 1"));
        frames.forget();
        assert_eq!((frames.last(), holders(1)), (None, 0));
    }

    #[test]
    fn a_frame_that_came_out_of_turn_finds_its_picture() {
        let mut frames = Pairing::default();
        frames.picture(7, "picture 7");
        frames.picture(6, "picture 6");
        frames.scored(6, "score 6");
        assert_eq!(frames.last(), Some(&("picture 6", "score 6")));
    }
}
