//! Where each session of a table ends. So a session's report is written as soon as its last frame was seen, and memory
//! holds only sessions that overlap.

use std::collections::HashMap;

use crate::score::record::{FrameRecord, Outcome};
use crate::score::sum::Sum;

/// The sessions of a table.
#[derive(Debug, Default)]
pub(super) struct Seen {
    sessions: HashMap<u64, Session>,
    frames: u64,
}

#[derive(Debug)]
struct Session {
    frames: u64,
    /// The place of its last row.
    last: u64,
    /// The frame of its last row.
    frame: u64,
    /// All sums but that of the errors.
    sums: Sums,
    /// The sum of the errors, added up as a report's is.
    l1: Sum,
}

/// Sums over the rows of a session, without those of the warm-up. A report has the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) dropped: u64,
    pub(super) lost: u64,
    pub(super) unresolved: u64,
    /// Sum of the errors |dx| + |dy|, in px.
    pub(super) l1: f64,
}

impl Seen {
    /// Adds the next row, which is a frame of this session with this error.
    ///
    /// # Errors
    /// If the frame does not come after the session's last one: a run writes each frame once, in their order.
    pub(super) fn add(&mut self, session: u64, record: &FrameRecord, error: Option<f64>) -> Result<(), String> {
        let frame = record.id;
        let new = Session { frames: 0, last: 0, frame, sums: Sums::default(), l1: Sum::default() };
        let of_session = self.sessions.entry(session).or_insert(new);
        if of_session.frames > 0 && frame <= of_session.frame {
            return Err(match frame == of_session.frame {
                true => format!("it repeats frame {frame} of session {session}"),
                false => format!("its frame {frame} comes after frame {} of session {session}", of_session.frame),
            });
        }
        of_session.frames += 1;
        (of_session.last, of_session.frame) = (self.frames, frame);
        self.frames += 1;
        if !record.warmup {
            of_session.sums.add(record.outcome);
            of_session.l1.add(error.unwrap_or(0.0));
        }
        Ok(())
    }

    /// The sums of a session; zero if it has no rows.
    pub(super) fn sums_of(&self, session: u64) -> Sums {
        self.sessions.get(&session).map_or_else(Sums::default, |of| Sums { l1: of.l1.value(), ..of.sums })
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

    /// The place of a session's last row, counted from 0. `None` without rows.
    pub(super) fn last_of(&self, session: u64) -> Option<u64> {
        self.sessions.get(&session).map(|of_session| of_session.last)
    }

    /// The numbers of the sessions, in no order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.sessions.keys().copied()
    }
}

impl Sums {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Answered => {}
            Outcome::Dropped => self.dropped += 1,
            Outcome::Lost(_) => self.lost += 1,
            Outcome::Unresolved => self.unresolved += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::record;

    #[test]
    fn errors_are_added_up_without_a_rounding_error_as_in_a_report() {
        let mut seen = Seen::default();
        // Ten times 1 is lost if each is rounded away.
        let errors = std::iter::once(1e16).chain([1.0; 10]);
        (0..).zip(errors).for_each(|(id, error)| seen.add(3, &record(id), Some(error)).unwrap());
        assert_eq!(seen.sums_of(3).l1, 10_000_000_000_000_010.0);
        assert_eq!((seen.last_of(3), seen.last_of(4)), (Some(10), None));
    }
}
