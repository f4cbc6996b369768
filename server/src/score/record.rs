//! Everything known about a frame once its outcome is final.

use shared::time::Micros;

use super::cells::Cells;
use super::latency::FrameLatency;
use crate::truth::Truth;

/// The outcome of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered in time, with an answer of the task.
    Answered,
    /// Answered in time, but the client did not look at the frame.
    Dropped,
    /// Not answered in time, for this reason.
    Lost(LossCause),
    /// Not answered when the session ended.
    Unresolved,
}

impl Outcome {
    /// Names of all outcomes.
    pub const NAMES: &[&str] = &["answered", "dropped", "lost", "unresolved"];

    /// The outcome with this name, and the cause of a loss. `None` if a name is unknown.
    pub fn named(name: &str, cause: Option<&str>) -> Option<Self> {
        let plain = [Self::Answered, Self::Dropped, Self::Unresolved].into_iter().find(|plain| plain.name() == name);
        match cause {
            Some(cause) if name == "lost" => LossCause::named(cause).map(Self::Lost),
            Some(_) => None,
            None => plain,
        }
    }

    /// The outcome's name in files and rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Dropped => "dropped",
            Self::Lost(_) => "lost",
            Self::Unresolved => "unresolved",
        }
    }
}

/// Why a frame was lost, as far as the server can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCause {
    /// Its encoding took longer than its lifetime: nothing of it was sent.
    NotReady,
    /// The link did not take all of it within its lifetime.
    Unsent,
    /// The client reports that it never received the whole frame.
    Incomplete,
    /// No answer came within the deadline, and nothing else is known.
    Unanswered,
}

impl LossCause {
    /// Names of all causes.
    pub const NAMES: &[&str] = &["not_ready", "unsent", "incomplete", "unanswered"];

    /// The cause of this name.
    fn named(name: &str) -> Option<Self> {
        [Self::NotReady, Self::Unsent, Self::Incomplete, Self::Unanswered]
            .into_iter()
            .find(|cause| cause.name() == name)
    }

    /// The cause's name in files, as in `frames.lost_by` of the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotReady => "not_ready",
            Self::Unsent => "unsent",
            Self::Incomplete => "incomplete",
            Self::Unanswered => "unanswered",
        }
    }
}

/// A frame's final record, which every output receives.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameRecord {
    /// The frame's id in the session.
    pub id: u64,
    /// The frame's index at the source.
    pub source_index: u64,
    /// When the last pixel was rendered, on the server's clock.
    pub captured: Micros,
    /// The truth: what the frame shows.
    pub truth: Truth,
    /// The frame's outcome.
    pub outcome: Outcome,
    /// Whether the frame is one of the warm-up, and so outside all figures.
    pub warmup: bool,
    /// Latency from capture to answer, for answered and dropped frames.
    pub latency: Option<FrameLatency>,
    /// The values of the task's truth columns.
    pub truth_cells: Cells,
    /// The values of the task's answer columns; empty without an answer.
    pub answer: Option<Cells>,
    /// The values of the task's residual columns.
    pub residual: Cells,
}
