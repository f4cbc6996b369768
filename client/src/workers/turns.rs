//! Turns: sessions that share the workers of a client process frames in turn.
//!
//! Each session has threads and pipelines of its own, because pipelines depend on the session's task. A thread
//! processes a frame only while it has one of the turns. There are as many turns as workers.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The turns that all sessions share; cheap to clone.
#[derive(Clone, Debug)]
pub struct Turns(Arc<Mutex<State>>);

/// A session's line for turns.
#[derive(Debug)]
pub struct Line {
    turns: Turns,
    id: u64,
    bell: Arc<Condvar>,
}

/// A turn; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

#[derive(Debug)]
struct State {
    free: usize,
    next_id: u64,
    /// Lines in order: the session that had the last turn is at the end.
    lines: Vec<Waiting>,
}

/// The threads of a session that wait for a turn.
#[derive(Debug)]
struct Waiting {
    id: u64,
    waiting: usize,
    /// Turns that were given to this line and that no thread has noticed yet.
    given: usize,
    bell: Arc<Condvar>,
}

impl Turns {
    /// Creates turns. At most this many are taken at a time.
    pub fn new(workers: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: workers, next_id: 0, lines: Vec::new() })))
    }

    /// A line for one more session.
    pub fn line(&self) -> Line {
        let (mut state, bell) = (self.state(), Arc::new(Condvar::new()));
        let id = state.next_id;
        state.next_id += 1;
        state.lines.push(Waiting { id, waiting: 0, given: 0, bell: bell.clone() });
        drop(state);
        Line { turns: self.clone(), id, bell }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    /// Waits for a turn. Waiting sessions get turns one after the other, however many frames each has.
    pub(super) fn take(&self) -> Turn<'_> {
        let mut state = self.turns.state();
        if state.free > 0 {
            state.free -= 1;
            return Turn(&self.turns);
        }
        state.of(self.id, |line| line.waiting += 1);
        while !state.noticed(self.id) {
            state = self.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Turn(&self.turns)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.turns.state().lines.retain(|line| line.id != self.id);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state().give_on();
    }
}

impl State {
    /// Changes a line, which exists as long as its [`Line`].
    fn of(&mut self, id: u64, change: impl FnOnce(&mut Waiting)) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.id == id) {
            change(line);
        }
    }

    /// Whether a turn was given to this line. If so, the caller has it.
    fn noticed(&mut self, id: u64) -> bool {
        let given = self.lines.iter_mut().find(|line| line.id == id && line.given > 0);
        given.map(|line| line.given -= 1).is_some()
    }

    /// Gives a free turn to the waiting session whose last turn was the longest time ago.
    fn give_on(&mut self) {
        let Some(next) = self.lines.iter().position(|line| line.waiting > 0) else {
            self.free += 1;
            return;
        };
        let mut line = self.lines.remove(next);
        line.waiting -= 1;
        line.given += 1;
        line.bell.notify_one();
        self.lines.push(line);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    /// Waits until this many threads wait in this line.
    fn wait_for(turns: &Turns, line: &Line, count: usize) {
        let waiting = || turns.state().lines.iter().find(|waiting| waiting.id == line.id).map(|line| line.waiting);
        while waiting() != Some(count) {
            thread::yield_now();
        }
    }

    #[test]
    fn sessions_take_turns_regardless_of_their_numbers_of_frames() {
        let turns = Turns::new(1);
        let (busy, calm) = (turns.line(), turns.line());
        let held = busy.take();
        let (done, order) = mpsc::channel();
        thread::scope(|scope| {
            for (name, line, count) in [("busy", &busy, 4), ("calm", &calm, 2)] {
                for _ in 0..count {
                    let done = done.clone();
                    scope.spawn(move || {
                        let _turn = line.take();
                        done.send(name).unwrap();
                    });
                }
                wait_for(&turns, line, count);
            }
            drop(held);
        });
        drop(done);
        assert_eq!(order.iter().collect::<Vec<_>>(), ["busy", "calm", "busy", "calm", "busy", "busy"]);
        assert_eq!(turns.state().free, 1);
    }

    #[test]
    fn no_more_turns_are_taken_at_a_time_than_there_are_workers() {
        let turns = Turns::new(2);
        let line = turns.line();
        let (first, second) = (line.take(), line.take());
        assert_eq!(turns.state().free, 0);
        drop((first, second));
        drop(line);
        let state = turns.state();
        assert_eq!((state.free, state.lines.len()), (2, 0));
    }
}
