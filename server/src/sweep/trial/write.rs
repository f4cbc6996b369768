//! Writes the files of a trial: `run.toml` and `report.json`.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use super::TrialError;
use super::evaluate::Evaluated;
use crate::run::RunConfig;
use crate::sweep::plan::{Plan, Trial};
use crate::sweep::reading::{HOST, REPORT, RUN, VERSION};

/// The name of this machine.
static THIS_HOST: LazyLock<String> =
    LazyLock::new(|| hostname::get().unwrap_or_default().to_string_lossy().escape_debug().to_string());

/// Writes the files of a trial.
///
/// # Errors
/// If the disk is full, for example, or if the run cannot be written as text.
pub(super) fn written(plan: &Plan, trial: &Trial, evaluated: &Evaluated, folder: &Path) -> Result<(), TrialError> {
    if evaluated.is_kept {
        // The folder of a run has its own run.toml and its report.
        let path = folder.join(RUN);
        let run = fs::read_to_string(&path).map_err(TrialError::at(&path))?;
        return put(folder, RUN, &(head(plan, trial) + &run));
    }
    let run = RunConfig::new(&evaluated.spec).to_toml().map_err(TrialError::failed)?;
    put(folder, RUN, &(head(plan, trial) + &run))?;
    put(folder, REPORT, &evaluated.report)
}

/// Writes a file of this name into the folder of a trial, which nobody reads before it has its own name.
///
/// # Errors
/// If the disk is full, for example.
pub(super) fn put(folder: &Path, name: &str, text: &str) -> Result<(), TrialError> {
    let path = folder.join(name);
    fs::write(&path, text).map_err(TrialError::at(&path))
}

/// The comments before the run.
pub(super) fn head(plan: &Plan, trial: &Trial) -> String {
    format!(
        "# Trial {} of {}: {}\n# pipeline: {}\n{VERSION}{}\n{HOST}{}\n",
        trial.number,
        plan.trials(),
        trial.described().escape_debug(),
        trial.pipeline.escape_debug(),
        env!("CARGO_PKG_VERSION"),
        *THIS_HOST,
    )
}
