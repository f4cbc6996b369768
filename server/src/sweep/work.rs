//! Runs the trials of a sweep, several at a time, until all are done or something stops them.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use shared::shell::stop::Stopper;
use shared::shell::threads::at_once;
use shared::text::Escaped;
use tracing::warn;

use super::error::SweepError;
use super::folder::SweepFolder;
use super::plan::Plan;
use super::progress::Progress;
use super::shard::Shard;
use super::trial::{self, Pipelines, TrialError};

/// How to go on after a sweep that stopped.
pub(super) const AGAIN: &str = "run the same command again to continue";

/// The trials to run, and how.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) plan: &'a Plan,
    pub(super) folder: &'a SweepFolder,
    pub(super) shard: Shard,
    /// Trials at the same time.
    pub(super) jobs: usize,
    pub(super) stopper: &'a Stopper,
}

/// What became of the trials.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    /// Trials that were run.
    pub(super) run: u64,
    /// Trials whose results were there already.
    pub(super) known: u64,
    /// Trials that another process is running.
    pub(super) elsewhere: u64,
    /// Trials that failed.
    pub(super) failed: u64,
    /// Failures since the last trial that succeeded.
    pub(super) in_a_row: u64,
    /// The last failure.
    pub(super) last: Option<String>,
    /// Why no further trial is run.
    pub(super) over: Option<Over>,
}

/// Why a sweep stopped before its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Somebody stopped it.
    Stopped,
    /// Its time budget is used up.
    Time(Duration),
    /// Too many trials failed in a row; the last one for this reason.
    Failures(u64, String),
    /// Results cannot be written: which, why, and what to do.
    Write(String),
}

impl Done {
    /// Number of trials that are settled, in whichever way.
    pub(super) fn all(&self) -> u64 {
        self.run + self.known + self.elsewhere + self.failed
    }
}

impl Work<'_> {
    /// Runs the trials.
    pub(super) fn run(self, is_quiet: bool) -> Done {
        let all = self.shard.count(self.plan.trials());
        let shared =
            Shared { numbers: Mutex::new(Box::new(self.shard.trials(self.plan.trials()))), done: Mutex::default() };
        let progress = Progress::start(all, &shared.done, is_quiet);
        let began = Instant::now();
        thread::scope(|scope| {
            // Without its thread there is no progress line.
            let ticking = thread::Builder::new().spawn_scoped(scope, || progress.tick());
            for worked in at_once(self.jobs, |_| self.worker(&shared, began)) {
                if worked.is_err() {
                    shared.done().over.get_or_insert(Over::Failures(1, "a worker panicked".into()));
                }
            }
            progress.end();
            drop(ticking.map(thread::ScopedJoinHandle::join));
        });
        shared.done().clone()
    }

    fn worker(self, shared: &Shared<'_>, began: Instant) {
        let mut pipelines = Pipelines::default();
        while let Some(number) = self.next(shared, began) {
            self.one(number, shared, &mut pipelines);
        }
    }

    /// The next trial; `None` if there is none, or if something stops the sweep.
    fn next(self, shared: &Shared<'_>, began: Instant) -> Option<u64> {
        let limit = self.plan.budget.time.filter(|limit| began.elapsed() >= *limit);
        let mut done = shared.done();
        if self.stopper.is_stopped() {
            done.over.get_or_insert(Over::Stopped);
        } else if let Some(limit) = limit {
            done.over.get_or_insert(Over::Time(limit));
        }
        if done.over.is_some() {
            return None;
        }
        drop(done);
        shared.numbers.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn one(self, number: u64, shared: &Shared<'_>, pipelines: &mut Pipelines) {
        let trial = match self.plan.trial(number) {
            Ok(trial) => trial,
            Err(wrong) => return self.failed(number, "?", &wrong.to_string(), shared),
        };
        let id = trial.id();
        if self.folder.has(&id) {
            shared.done().known += 1;
            return;
        }
        let claim = match self.folder.claim(&id) {
            Ok(Some(claim)) => claim,
            Ok(None) if self.folder.has(&id) => {
                shared.done().known += 1;
                return;
            }
            Ok(None) => {
                shared.done().elsewhere += 1;
                return;
            }
            Err(wrong) => {
                shared.done().over.get_or_insert(Over::Write(unwritten(wrong)));
                return;
            }
        };
        match trial::run(self.plan, &trial, &claim, pipelines, self.stopper) {
            Ok(()) => {
                self.folder.forget_failure(&id);
                let mut done = shared.done();
                (done.run, done.in_a_row) = (done.run + 1, 0);
            }
            Err(TrialError::Stopped) => {
                shared.done().over.get_or_insert(Over::Stopped);
            }
            Err(TrialError::Write { path, error }) => {
                shared.done().over.get_or_insert(Over::Write(described(&path, &error)));
            }
            Err(TrialError::Failed(reason)) => self.failed(number, &id, &reason, shared),
        }
    }

    fn failed(self, number: u64, id: &str, reason: &str, shared: &Shared<'_>) {
        warn!("trial {number} failed: {}", Escaped(reason));
        if let Err(error) = self.folder.note_failure(id, reason) {
            shared.done().over.get_or_insert(Over::Write(described(self.folder.path(), &error)));
        }
        let mut done = shared.done();
        (done.failed, done.in_a_row) = (done.failed + 1, done.in_a_row + 1);
        done.last = Some(reason.to_owned());
        if done.in_a_row >= self.plan.budget.failures {
            let (count, reason) = (done.in_a_row, done.last.clone().unwrap_or_default());
            done.over.get_or_insert(Over::Failures(count, reason));
        }
    }
}

/// Which file or folder of the results cannot be written, why, and what to do.
fn described(path: &Path, error: &io::Error) -> String {
    let full = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    let first = if full.contains(&error.kind()) { "make room, and " } else { "" };
    format!("{}: {error}; {first}{AGAIN}", Escaped(path.display()))
}

fn unwritten(wrong: SweepError) -> String {
    match wrong {
        SweepError::Io { path, error } => described(&path, &error),
        other => format!("{other}; {AGAIN}"),
    }
}

/// What the workers share.
struct Shared<'a> {
    numbers: Mutex<Box<dyn Iterator<Item = u64> + Send + 'a>>,
    done: Mutex<Done>,
}

impl Shared<'_> {
    fn done(&self) -> MutexGuard<'_, Done> {
        // Each change is complete before anything can panic.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_asked_for_only_where_it_is_missing() {
        let of = |kind: ErrorKind| described(Path::new("out/a"), &io::Error::from(kind));
        assert!(of(ErrorKind::StorageFull).ends_with("; make room, and run the same command again to continue"));
        let other = of(ErrorKind::PermissionDenied);
        assert!(other.starts_with("out/a: ") && other.ends_with("; run the same command again to continue"), "{other}");
        assert!(!other.contains("room"), "{other}");
    }
}
