//! Decides which of several sessions the window shows.

use std::collections::BTreeSet;

use shared::canvas::header::Status;
use shared::canvas::theme::Tone;

/// The running sessions, one of which is shown: the one that began first and, when it ends, the next.
///
/// `D` is the data to show of a session. After the last session has ended, its data stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched<D> {
    running: BTreeSet<u64>,
    shown: D,
}

impl<D: Default> Watched<D> {
    /// Adds a session that has begun.
    pub(super) fn begin(&mut self, session: u64) {
        self.running.insert(session);
        if self.shows(session) {
            self.shown = D::default();
        }
    }

    /// Removes a session that is over.
    pub(super) fn end(&mut self, session: u64) {
        let was_shown = self.shows(session);
        self.running.remove(&session);
        if was_shown && !self.running.is_empty() {
            self.shown = D::default();
        }
    }

    /// The session that is shown; `None` while there is none.
    pub(super) fn first(&self) -> Option<u64> {
        self.running.first().copied()
    }

    /// Whether this is the session that is shown.
    pub(super) fn shows(&self, session: u64) -> bool {
        self.running.first() == Some(&session)
    }

    /// The data of a session, to be updated; `None` while another session is shown.
    pub(super) fn of(&mut self, session: u64) -> Option<&mut D> {
        self.shows(session).then_some(&mut self.shown)
    }

    /// The data that is shown.
    pub(super) fn shown(&self) -> &D {
        &self.shown
    }

    /// Which of how many sessions is shown; `waiting` while there is none.
    pub(super) fn status(&self, waiting: &str) -> Status {
        match (self.running.first(), self.running.len()) {
            (None, _) => Status::new(waiting, Tone::Waiting),
            (Some(session), 1) => Status::new(format!("session {session}"), Tone::Good),
            (Some(session), all) => Status::new(format!("session {session} of {all} at a time"), Tone::Good),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(watched: &mut Watched<Vec<u64>>, session: u64) {
        if let Some(shown) = watched.of(session) {
            shown.push(session);
        }
    }

    #[test]
    fn the_session_that_began_first_is_shown_until_it_ends() {
        let mut watched = Watched::<Vec<u64>>::default();
        for session in [1, 2, 3] {
            watched.begin(session);
        }
        assert_eq!(watched.status("waiting").text, "session 1 of 3 at a time");
        for session in [1, 2, 3, 1] {
            add(&mut watched, session);
        }
        assert_eq!(*watched.shown(), [1, 1]);
        watched.end(2);
        assert_eq!(*watched.shown(), [1, 1], "another's end changes nothing");
        watched.end(1);
        assert!(watched.shown().is_empty(), "nothing of session 1 is taken for session 3's");
        add(&mut watched, 3);
        assert_eq!(*watched.shown(), [3]);
        assert_eq!(watched.status("waiting"), Status::new("session 3", Tone::Good));
    }

    #[test]
    fn the_last_session_stays_to_be_looked_at_until_the_next_begins() {
        let mut watched = Watched::<Vec<u64>>::default();
        watched.begin(1);
        add(&mut watched, 1);
        watched.end(1);
        add(&mut watched, 1);
        assert_eq!(*watched.shown(), [1]);
        assert_eq!(watched.status("waiting"), Status::new("waiting", Tone::Waiting));
        watched.begin(2);
        assert!(watched.shown().is_empty());
    }

    #[test]
    fn an_unknown_session_changes_nothing() {
        let mut watched = Watched::<Vec<u64>>::default();
        watched.begin(4);
        add(&mut watched, 4);
        watched.end(9);
        add(&mut watched, 9);
        assert_eq!(*watched.shown(), [4]);
    }
}
