//! Where each session of a table ends. So a session's report is written as soon as its last frame was seen, and memory
//! holds only sessions that overlap.

use std::collections::HashMap;

/// The sessions of a table.
#[derive(Debug, Default)]
pub(super) struct Seen {
    sessions: HashMap<u64, Session>,
    frames: u64,
}

#[derive(Debug, Default)]
struct Session {
    frames: u64,
    last: u64,
}

impl Seen {
    /// Adds the next row, which is of this session.
    pub(super) fn add(&mut self, session: u64) {
        let of_session = self.sessions.entry(session).or_default();
        of_session.frames += 1;
        of_session.last = self.frames;
        self.frames += 1;
    }

    /// Number of all rows.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Number of rows of a session.
    pub(super) fn frames_of(&self, session: u64) -> u64 {
        self.sessions.get(&session).map_or(0, |of_session| of_session.frames)
    }

    /// Whether this row, counted from 0, is the last one of its session.
    pub(super) fn is_last(&self, session: u64, row: u64) -> bool {
        self.sessions.get(&session).is_none_or(|of_session| of_session.last == row)
    }

    /// The numbers of the sessions, in no order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.sessions.keys().copied()
    }
}
