//! Counts of frames by outcome, and of lost frames by cause.

use schemars::JsonSchema;
use serde::Serialize;

use super::record::{LossCause, Outcome};

/// Frames and answers, counted by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FrameCounts {
    /// Frames captured for the client: handed to the link, or lost before that.
    pub sent: u64,
    /// Frames answered in time with an answer of the task.
    pub answered: u64,
    /// Frames answered in time with "not looked at".
    pub dropped: u64,
    /// Frames not answered within the deadline.
    pub lost: u64,
    /// Lost frames by cause.
    pub lost_by: LostBy,
    /// Frames neither answered nor lost when the session ended.
    pub unresolved: u64,
    /// Ticks of the frame rate without a frame, because the window was full or the link busy.
    pub skipped: u64,
    /// First answers to lost frames.
    pub late: u64,
    /// Further answers to the same frame.
    pub duplicate: u64,
    /// Messages that were refused: malformed, for an unknown frame, or not an answer of the task.
    pub invalid: u64,
}

impl FrameCounts {
    /// Frames whose outcome is final: equal to `sent` at a session's end.
    pub fn finished(&self) -> u64 {
        self.answered + self.dropped + self.lost + self.unresolved
    }

    /// Adds a frame whose outcome is final.
    pub fn finish(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Dropped => &mut self.dropped,
            Outcome::Lost(cause) => {
                *self.lost_by.of(cause) += 1;
                &mut self.lost
            }
            Outcome::Unresolved => &mut self.unresolved,
        };
        *counter += 1;
    }

    /// lost / sent; 0 before the first.
    pub fn lost_rate(&self) -> f64 {
        if self.sent == 0 { 0.0 } else { self.lost as f64 / self.sent as f64 }
    }
}

/// Lost frames by cause, as far as the server can know. They sum to `lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LostBy {
    /// Encoding took longer than the frame's lifetime, so nothing of the frame was sent: the server is too slow.
    pub not_ready: u64,
    /// The link did not take all of the frame within its lifetime.
    pub unsent: u64,
    /// The client reported that the frame never arrived completely.
    pub incomplete: u64,
    /// The answer came after the deadline.
    pub late: u64,
    /// No answer came, and the server does not know why: the frame, the client's report or the answer was lost, or the
    /// client did not answer.
    pub unanswered: u64,
}

impl LostBy {
    fn of(&mut self, cause: LossCause) -> &mut u64 {
        match cause {
            LossCause::NotReady => &mut self.not_ready,
            LossCause::Unsent => &mut self.unsent,
            LossCause::Incomplete => &mut self.incomplete,
            LossCause::Unanswered => &mut self.unanswered,
        }
    }

    /// Text for people: the causes that occurred, most direct first; empty if there are none.
    pub fn describe(&self) -> String {
        let causes = [
            (self.not_ready, "not encoded in time"),
            (self.unsent, "not sent in time"),
            (self.incomplete, "incomplete"),
            (self.late, "answered late"),
            (self.unanswered, "unanswered"),
        ];
        let parts = causes.into_iter().filter(|(count, _)| *count > 0).map(|(count, cause)| format!("{count} {cause}"));
        parts.collect::<Vec<_>>().join(", ")
    }
}
