//! Answers that are pictures. They are as large as frames, so the link gets them one after another, like frames.

use std::collections::VecDeque;

use shared::protocol::message::Answer;
use shared::time::Micros;

use super::{Action, Session};

/// Answers that wait until the link has taken the earlier ones. At most a window of answers waits.
#[derive(Debug)]
pub(super) struct Pictures {
    waiting: VecDeque<Answer<'static>>,
    window: usize,
    /// Set from [`Action::SendPicture`] until the link has taken all of it.
    link_busy: bool,
}

impl Pictures {
    /// An empty queue. At most `window` answers will wait at a time.
    pub(super) fn new(window: usize) -> Self {
        Self { waiting: VecDeque::new(), window, link_busy: false }
    }

    /// Queues an answer. Returns false if a window of answers waits already: then the server sent more frames than it
    /// announced.
    pub(super) fn wait(&mut self, answer: Answer<'static>) -> bool {
        let has_room = self.waiting.len() < self.window;
        if has_room {
            self.waiting.push_back(answer);
        }
        has_room
    }

    fn next(&mut self) -> Option<Answer<'static>> {
        if self.link_busy { None } else { self.waiting.pop_front() }
    }
}

impl Session {
    /// Notes that the link took all of the picture of [`Action::SendPicture`].
    pub fn picture_sent(&mut self) {
        if let Some(pictures) = &mut self.pictures {
            pictures.link_busy = false;
        }
    }

    /// Splits the next waiting answer into pieces, if the link is free.
    pub(super) fn next_picture(&mut self, now: Micros) -> Option<Action> {
        if self.is_ended {
            return None;
        }
        while let Some(mut answer) = self.pictures.as_mut().and_then(Pictures::next) {
            answer.times.sent = Some(now);
            let mut pieces = Vec::new();
            match self.answers.split(self.next_message, &answer, |piece| pieces.push(piece)) {
                Ok(_) => {
                    self.next_message += 1;
                    self.pictures.iter_mut().for_each(|pictures| pictures.link_busy = true);
                    return Some(Action::SendPicture(pieces));
                }
                Err(error) => self.ignore(&error),
            }
        }
        None
    }
}
