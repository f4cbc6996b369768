//! How many frames came to what, and why the lost ones are lost.

use schemars::JsonSchema;
use serde::Serialize;

/// How many frames came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FrameCounts {
    /// Captured for the client: handed to the link, or lost before it.
    pub sent: u64,
    /// Answered with a circle.
    pub circle: u64,
    /// Answered: none.
    pub no_circle: u64,
    /// Answered: not looked at.
    pub dropped: u64,
    /// Not answered within the deadline.
    pub lost: u64,
    /// The same by cause.
    pub lost_by: LostBy,
    /// Not answered when the session ended.
    pub unresolved: u64,
    /// Ticks without a frame, because the window was full or the link busy.
    pub skipped: u64,
    /// Answers to lost frames.
    pub late: u64,
    /// Further answers to answered frames.
    pub duplicate: u64,
    /// Answers that are none.
    pub invalid: u64,
    /// Finished frames that show no ball.
    pub empty: u64,
    /// Of those, answered with a circle.
    pub false_positive: u64,
}

impl FrameCounts {
    /// Frames whose outcome is final: equal to `sent` at a session's end.
    pub fn finished(&self) -> u64 {
        self.circle + self.no_circle + self.dropped + self.lost + self.unresolved
    }

    /// lost / sent; 0 before the first.
    pub(super) fn lost_rate(&self) -> f64 {
        if self.sent == 0 { 0.0 } else { self.lost as f64 / self.sent as f64 }
    }
}

/// Lost frames by cause, as far as the server can know: they add up to `lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LostBy {
    /// Encoding the frame took longer than its lifetime: this server is too slow for it, and sent nothing of it.
    pub not_ready: u64,
    /// The link did not take all of the frame within its lifetime.
    pub unsent: u64,
    /// The client says that the frame never came whole.
    pub incomplete: u64,
    /// The answer came after the deadline.
    pub late: u64,
    /// No answer came, and nothing else is known: the frame, the client's word of it or the answer was lost, or the
    /// client did not answer.
    pub unanswered: u64,
}

impl LostBy {
    /// For people: the causes there are, most direct first; empty without any.
    pub fn describe(&self) -> String {
        let causes = [
            (self.not_ready, "not encoded in time"),
            (self.unsent, "not sent in time"),
            (self.incomplete, "incomplete"),
            (self.late, "answered late"),
            (self.unanswered, "unanswered"),
        ];
        let told = causes.into_iter().filter(|(count, _)| *count > 0).map(|(count, cause)| format!("{count} {cause}"));
        told.collect::<Vec<_>>().join(", ")
    }
}
