//! The three lanes of a link.

use std::fmt;

/// A lane of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Hello, ping, pong, bye: reliable, ordered.
    Control,
    /// Frames, from the source.
    Frames,
    /// Answers, from the sink.
    Answers,
}

impl Lane {
    /// All lanes, control first.
    pub const ALL: [Self; 3] = [Self::Control, Self::Frames, Self::Answers];

    /// The lane's name on the wire: a data channel's label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Frames => "frames",
            Self::Answers => "answers",
        }
    }

    /// The lane with this name.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.label() == label)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}
