//! The programs that the workers of a session run. They are told to end together, and none outlives the session.

use std::io::{self, PipeReader, PipeWriter};
use std::mem::Discriminant;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::fault::Fault;

/// Maximum time that the end of a session waits for its workers to end their programs. A worker needs 200 ms if its
/// program does not end on its own; the rest is for a busy machine. Together with the farewell to the server, a stop
/// then takes less than a second.
const END_LIMIT: Duration = Duration::from_millis(500);

/// The programs of a session.
#[derive(Debug)]
pub(super) struct Programs {
    state: Mutex<State>,
    /// Notified when a program has ended.
    changed: Condvar,
    /// Hangs up as soon as the session ends, which wakes every worker that waits for its program.
    ending: PipeReader,
}

#[derive(Debug)]
struct State {
    /// Process groups of the programs that run.
    groups: Vec<Pid>,
    /// `None` once the session ends.
    hang_up: Option<PipeWriter>,
    /// Kinds of faults that the log has named.
    named: Vec<Discriminant<Fault>>,
}

impl Programs {
    /// No programs yet.
    pub(super) fn new() -> io::Result<Self> {
        let (ending, hang_up) = io::pipe()?;
        let state = State { groups: Vec::new(), hang_up: Some(hang_up), named: Vec::new() };
        Ok(Self { state: Mutex::new(state), changed: Condvar::new(), ending })
    }

    /// A descriptor that hangs up when the session ends.
    pub(super) fn ending(&self) -> BorrowedFd<'_> {
        self.ending.as_fd()
    }

    /// Starts a program, unless the session has ended. The lock is held meanwhile, so that the end of the session
    /// misses no program.
    pub(super) fn start<T>(&self, start: impl FnOnce() -> io::Result<(Pid, T)>) -> Result<T, Fault> {
        let mut state = self.state();
        if state.hang_up.is_none() {
            return Err(Fault::Ending);
        }
        let (group, started) = start().map_err(Fault::Start)?;
        state.groups.push(group);
        Ok(started)
    }

    /// Notes that a program and its children have ended.
    pub(super) fn ended(&self, group: Pid) {
        self.state().groups.retain(|running| *running != group);
        self.changed.notify_all();
    }

    /// Whether this is the first fault of its kind. The next call with the same kind returns false.
    pub(super) fn is_first(&self, fault: &Fault) -> bool {
        let mut state = self.state();
        let is_first = !state.named.contains(&fault.cause());
        if is_first {
            state.named.push(fault.cause());
        }
        is_first
    }

    /// Ends all programs. The workers end their own programs; programs that still run after [`END_LIMIT`] are killed.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.hang_up = None;
        let until = Instant::now() + END_LIMIT;
        while !state.groups.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        for group in state.groups.drain(..) {
            // An error means that the group has just ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_named_once() {
        let programs = Programs::new().expect("a pipe");
        let silent = |frame| Fault::Silent { frame, limit: Duration::from_secs(1) };
        assert_eq!([silent(1), silent(2)].map(|fault| programs.is_first(&fault)), [true, false]);
        assert!(programs.is_first(&Fault::TooLong));
    }

    #[test]
    fn nothing_starts_once_the_session_has_ended() {
        let programs = Programs::new().expect("a pipe");
        programs.end();
        let started = programs.start::<()>(|| unreachable!("it must not start"));
        assert!(matches!(started, Err(Fault::Ending)));
    }
}
