//! Runs one trial, and writes its folder.
//! `evaluate` gives the frames to a pipeline in this process, without a link. `pipelines` keeps what the next trial may
//! use again. `function` hands the frames to a Python function. `served` starts a server and a client. `write` writes
//! the trial's files.

mod evaluate;
mod function;
mod pipelines;
mod served;
mod write;

use std::io;
use std::path::{Path, PathBuf};

use shared::shell::stop::Stopper;
use shared::text::Escaped;
use thiserror::Error;

use super::folder::Claim;
use super::plan::{Answerer, Plan, Trial};

pub(super) use evaluate::{Given, evaluated};
pub(super) use pipelines::Pipelines;

/// Why a trial has no result.
#[derive(Debug, Error)]
pub(super) enum TrialError {
    /// The run, the pipeline or the source failed.
    #[error("{0}")]
    Failed(String),
    /// The result cannot be written.
    #[error("{}: {error}", Escaped(path.display()))]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
    /// Somebody stopped the sweep.
    #[error("stopped")]
    Stopped,
}

impl TrialError {
    /// A failure for this reason.
    fn failed(reason: impl ToString) -> Self {
        Self::Failed(reason.to_string())
    }

    /// A file or folder of the result cannot be written.
    fn at(path: &Path) -> impl Fn(io::Error) -> Self {
        |error| Self::Write { path: path.into(), error }
    }
}

/// Runs a trial, and publishes its folder.
///
/// # Errors
/// [`TrialError`]. Nothing of a failed trial is left.
pub(super) fn run(
    plan: &Plan,
    trial: &Trial,
    claim: &Claim,
    pipelines: &mut Pipelines,
    stopper: &Stopper,
) -> Result<(), TrialError> {
    claim.begin().map_err(TrialError::at(claim.part()))?;
    match plan.pipeline.answerer(&trial.pipeline) {
        Answerer::Client(command) => served::run(plan, trial, &command, claim, stopper)?,
        _ => {
            let given = Given { plan, trial, stopper };
            let keeping = plan.frames.then(|| claim.part());
            let evaluated = evaluated(&given, pipelines, keeping)?;
            write::written(plan, trial, &evaluated, claim.part())?;
        }
    }
    claim.publish().map_err(TrialError::at(claim.part()))
}
