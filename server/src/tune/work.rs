//! Runs the trials that a search asks for, several at a time, until it has found what it looks for.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use shared::shell::stop::Stopper;
use shared::shell::threads::at_once;
use tracing::{debug, info};

use super::core::goal::{Figure, Sample};
use super::core::results::{Pending, Request, Seeds};
use super::core::search::{Found, search};
use super::journal::{Failures, Journal, Known};
use super::plan::Plan;
use super::target::tuned;
use crate::gate::Condition;
use crate::sweep::SweepError;
use crate::sweep::lock::Lock;
use crate::sweep::single::{NoReport, Runner, Single};

/// Seeds that no trial sees begin this far after the first seed. A search has fewer blocks.
const HELD_OUT: u64 = 1 << 32;

/// The figure of time: the median time that the pipeline takes for a frame.
const TIME: &str = "latency_us.stages.detect.p50";

/// How often results of other processes are looked for while they run the last settings of a round. A block takes some
/// milliseconds or more.
const LOOK: Duration = Duration::from_millis(100);

/// What a search found, and what it took.
pub(super) struct Tuned {
    /// What it found.
    pub(super) found: Found,
    /// Why the pipeline failed.
    pub(super) failures: Failures,
}

/// Runs a search to its end, together with the other processes that search in its folder.
///
/// # Errors
/// If somebody stops it, or if results cannot be read or written.
pub(super) fn run(
    plan: &Plan,
    (journal, known): (Journal, Known),
    jobs: usize,
    stopper: &Stopper,
) -> Result<Tuned, SweepError> {
    let shared = Shared(Mutex::new(State { journal, known, has_news: false }));
    let mut said = Said::default();
    loop {
        let found = search(&plan.problem, &shared.lock().known.results);
        match found {
            Ok(found) => {
                let state = shared.0.into_inner().unwrap_or_else(PoisonError::into_inner);
                return Ok(Tuned { found, failures: state.known.failures });
            }
            Err(Pending(requests)) => {
                said.next(&requests);
                shared.lock().has_news = false;
                all(plan, &requests, &shared, jobs, stopper)?;
                while !shared.lock().has_news {
                    said.waiting(requests.len());
                    wait(stopper)?;
                    shared.refresh()?;
                    // A process that ended leaves its settings to the others.
                    all(plan, &requests, &shared, jobs, stopper)?;
                }
            }
        }
    }
}

/// What the workers share.
struct Shared(Mutex<State>);

struct State {
    journal: Journal,
    known: Known,
    /// Whether there are results that the search has not seen.
    has_news: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refresh(&self) -> Result<(), SweepError> {
        self.lock().refresh()
    }

    /// Takes the blocks of a request that have not run. They are this process's until the lock is dropped. `None` if there
    /// are none, or if another process runs them.
    fn claim(&self, request: &Request) -> Result<Option<(Lock, Vec<u32>)>, SweepError> {
        let mut state = self.lock();
        let Some(lock) = state.journal.claim(request)? else { return Ok(None) };
        // With the lock held: its previous holder wrote its results before it released the lock.
        state.refresh()?;
        let left = state.known.results.left(request);
        Ok(Some((lock, left)).filter(|(_, left)| !left.is_empty()))
    }

    fn keep(&self, request: &Request, block: u32, sample: Sample, failure: Option<String>) -> Result<(), SweepError> {
        let (mut state, key) = (self.lock(), request.setting.key());
        if let Some(reason) = &failure {
            debug!("{key}: {reason}");
            state.known.failures.insert(key.clone(), reason.clone());
        }
        state.journal.keep(key, request.seeds, block, &sample, failure)?;
        state.known.results.note(&request.setting, request.seeds, block, sample);
        state.has_news = true;
        Ok(())
    }
}

impl State {
    fn refresh(&mut self) -> Result<(), SweepError> {
        self.has_news |= self.journal.refresh(&mut self.known)?;
        Ok(())
    }
}

/// Runs the requests that no other process is running.
fn all(plan: &Plan, requests: &[Request], shared: &Shared, jobs: usize, stopper: &Stopper) -> Result<(), SweepError> {
    let queue = Mutex::new(requests.iter());
    let worker = || -> Result<(), SweepError> {
        // One for all camera settings: an interpreter is started once for a setting.
        let mut runner = Runner::default();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(request) = next else { return Ok(()) };
            if let Some((_lock, blocks)) = shared.claim(request)? {
                one(plan, request, &blocks, &mut runner, shared, stopper)?;
            }
        }
    };
    for ran in at_once(jobs.max(1), |_| worker()) {
        ran.unwrap_or_else(|_| Err(SweepError::Stopped("a worker panicked".into())))?;
    }
    Ok(())
}

/// Runs these blocks of a request. After a failure the rest is left out: nothing more is asked about the setting.
fn one(
    plan: &Plan,
    request: &Request,
    blocks: &[u32],
    runner: &mut Runner,
    shared: &Shared,
    stopper: &Stopper,
) -> Result<(), SweepError> {
    let with = |run: &Single| run.with(&tuned(&run.form(), &plan.problem.space, &request.setting));
    let runs: Vec<Single> = plan.runs.iter().map(with).collect();
    for block in blocks {
        let later = u64::from(*block) + if request.seeds == Seeds::HeldOut { HELD_OUT } else { 0 };
        let mut sessions = Vec::new();
        let mut failure = None;
        for run in &runs {
            match run.run(later, runner, stopper) {
                Ok(session) => sessions.push(session),
                Err(NoReport::Stopped) => return Err(stopped()),
                Err(NoReport::Failed(reason)) => {
                    failure = Some(reason);
                    break;
                }
            }
        }
        let (sample, failure) = match failure.map_or_else(|| sample(plan, &sessions), Err) {
            Ok(sample) => (sample, None),
            Err(reason) => (Sample::Failed, Some(reason)),
        };
        let is_failed = failure.is_some();
        shared.keep(request, *block, sample, failure)?;
        if is_failed {
            break;
        }
    }
    Ok(())
}

/// Waits until it is time to look for results of other processes.
fn wait(stopper: &Stopper) -> Result<(), SweepError> {
    if stopper.is_stopped() {
        return Err(stopped());
    }
    thread::sleep(LOOK);
    Ok(())
}

fn stopped() -> SweepError {
    SweepError::Stopped("stopped: run the same command again to continue".into())
}

/// The figures of a block: the mean over the camera settings, and the sum of counts.
///
/// # Errors
/// Why it has none.
fn sample(plan: &Plan, sessions: &[Value]) -> Result<Sample, String> {
    let mean = |path: &str| {
        let values: Option<Vec<f64>> = sessions.iter().map(|session| at(session, path)?.as_f64()).collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    let count = |path: &str| sessions.iter().map(|session| at(session, path)?.as_u64()).sum::<Option<u64>>();
    let none = |path: &str| format!("there is no {path} in a report");
    // A frame with which the pipeline failed would otherwise be missing from the figures, as if it had been easy.
    match count("frames.dropped") {
        Some(0) => {}
        Some(dropped) => return Err(format!("the pipeline failed with {dropped} frames of a report")),
        None => return Err(none("frames.dropped")),
    }
    let limit = |condition: &Condition| {
        let path = condition.path();
        let figure = match condition.wants_share() {
            true => count(path).zip(count("frames.sent")).map(|(hits, all)| Figure::Share { hits, all }),
            false => mean(path).map(Figure::Value),
        };
        if let Some(Figure::Share { hits, all }) = figure
            && hits > all
        {
            return Err(format!("{path} is {hits} in a report of {all} frames, so it is no share of them"));
        }
        figure.ok_or_else(|| none(path))
    };
    Ok(Sample::Measured {
        objective: mean(&plan.figure).ok_or_else(|| none(&plan.figure))?,
        limits: plan.conditions.iter().map(limit).collect::<Result<_, _>>()?,
        time_us: mean(TIME),
        frames: count("frames.sent").ok_or_else(|| none("frames.sent"))?,
    })
}

/// Says what runs next, once.
#[derive(Default)]
struct Said {
    settings: HashSet<String>,
    rounds: HashSet<(String, Seeds, u32)>,
    is_waiting: bool,
}

impl Said {
    fn next(&mut self, requests: &[Request]) {
        self.is_waiting = false;
        let tried = self.settings.len();
        let of = |one: &Request| (one.setting.key(), one.seeds, one.blocks.end);
        let new: Vec<_> = requests.iter().filter(|one| self.rounds.insert(of(one))).collect();
        let firsts = new.iter().filter(|one| one.seeds == Seeds::Search && one.blocks.start == 0);
        self.settings.extend(firsts.map(|one| one.setting.key()));
        let count = new.len();
        match new.first() {
            None => {}
            Some(one) if one.seeds == Seeds::HeldOut => info!("{count} settings run on seeds that no trial saw"),
            Some(one) if one.blocks.start > 0 => info!("{count} settings run on more seeds"),
            Some(_) => info!("{count} settings run, {tried} have run before"),
        }
    }

    fn waiting(&mut self, count: usize) {
        if !std::mem::replace(&mut self.is_waiting, true) {
            debug!("waiting for {count} settings, which other processes run");
        }
    }
}

fn at<'a>(session: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(session, |value, name| value.get(name))
}
