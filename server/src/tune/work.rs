//! Runs the trials that a search asks for, several at a time, until it has found what it looks for.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use shared::shell::stop::Stopper;
use shared::shell::threads::at_once;
use tracing::{debug, info};

use super::core::goal::{Figure, Sample};
use super::core::results::{Pending, Request, Results, Seeds};
use super::core::search::{Found, search};
use super::journal::{Failures, Journal};
use super::plan::Plan;
use super::target::tuned;
use crate::gate::Condition;
use crate::sweep::SweepError;
use crate::sweep::single::{NoReport, Runner, Single};

/// Seeds that no trial sees begin this far after the first seed. A search has fewer blocks.
const HELD_OUT: u64 = 1 << 32;

/// The figure of time: the median time that the pipeline takes for a frame.
const TIME: &str = "latency_us.stages.detect.p50";

/// What a search found, and what it took.
pub(super) struct Tuned {
    /// What it found.
    pub(super) found: Found,
    /// Why the pipeline failed.
    pub(super) failures: Failures,
}

/// Runs a search to its end.
///
/// # Errors
/// If somebody stops it, or if results cannot be written.
pub(super) fn run(
    plan: &Plan,
    (journal, mut results, failures): (Journal, Results, Failures),
    jobs: usize,
    stopper: &Stopper,
) -> Result<Tuned, SweepError> {
    let shared = Shared { journal: Mutex::new(journal), failures: Mutex::new(failures) };
    let mut tried = 0;
    loop {
        match search(&plan.problem, &results) {
            Ok(found) => {
                let failures = shared.failures.into_inner().unwrap_or_else(PoisonError::into_inner);
                return Ok(Tuned { found, failures });
            }
            Err(Pending(requests)) => {
                tried += said(&requests, tried);
                for (request, block, sample) in all(plan, requests, &shared, jobs, stopper)? {
                    results.note(&request.setting, request.seeds, block, sample);
                }
            }
        }
    }
}

struct Shared {
    journal: Mutex<Journal>,
    failures: Mutex<Failures>,
}

type Ran = (Request, u32, Sample);

fn all(
    plan: &Plan,
    requests: Vec<Request>,
    shared: &Shared,
    jobs: usize,
    stopper: &Stopper,
) -> Result<Vec<Ran>, SweepError> {
    let queue = Mutex::new(VecDeque::from(requests));
    let worker = || -> Result<Vec<Ran>, SweepError> {
        // One for all camera settings: an interpreter is started once for a setting.
        let (mut runner, mut ran) = (Runner::default(), Vec::new());
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(request) = next else { return Ok(ran) };
            one(plan, request, &mut runner, shared, stopper, &mut ran)?;
        }
    };
    let mut all = Vec::new();
    for ran in at_once(jobs.max(1), |_| worker()) {
        all.extend(ran.unwrap_or_else(|_| Err(SweepError::Stopped("a worker panicked".into())))?);
    }
    Ok(all)
}

/// Runs the blocks of a request. After a failure the rest is left out: nothing more is asked about the setting.
fn one(
    plan: &Plan,
    request: Request,
    runner: &mut Runner,
    shared: &Shared,
    stopper: &Stopper,
    ran: &mut Vec<Ran>,
) -> Result<(), SweepError> {
    let with = |run: &Single| run.with(&tuned(&run.form(), &plan.problem.space, &request.setting));
    let runs: Vec<Single> = plan.runs.iter().map(with).collect();
    for block in request.blocks.clone() {
        let later = u64::from(block) + if request.seeds == Seeds::HeldOut { HELD_OUT } else { 0 };
        let mut sessions = Vec::new();
        let mut failure = None;
        for run in &runs {
            match run.run(later, runner, stopper) {
                Ok(session) => sessions.push(session),
                Err(NoReport::Stopped) => {
                    return Err(SweepError::Stopped("stopped: run the same command again to continue".into()));
                }
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
        let key = request.setting.key();
        if let Some(reason) = &failure {
            debug!("{key}: {reason}");
            shared.failures.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), reason.clone());
        }
        let mut journal = shared.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.keep(key, request.seeds, block, &sample, failure)?;
        drop(journal);
        let is_failed = sample == Sample::Failed;
        ran.push((request.clone(), block, sample));
        if is_failed {
            break;
        }
    }
    Ok(())
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
        figure.ok_or_else(|| none(path))
    };
    Ok(Sample::Measured {
        objective: mean(&plan.figure).ok_or_else(|| none(&plan.figure))?,
        limits: plan.conditions.iter().map(limit).collect::<Result<_, _>>()?,
        time_us: mean(TIME),
        frames: count("frames.sent").ok_or_else(|| none("frames.sent"))?,
    })
}

/// Says what is next. Returns the number of settings that were not tried before.
fn said(requests: &[Request], tried: usize) -> usize {
    let new = requests.iter().filter(|one| one.seeds == Seeds::Search && one.blocks.start == 0).count();
    let count = requests.len();
    match requests.first() {
        Some(one) if one.seeds == Seeds::HeldOut => info!("{count} settings run on seeds that no trial saw"),
        Some(one) if one.blocks.start > 0 => info!("{count} settings run on more seeds"),
        _ => info!("{count} settings run, {tried} have run before"),
    }
    new
}

fn at<'a>(session: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(session, |value, name| value.get(name))
}
