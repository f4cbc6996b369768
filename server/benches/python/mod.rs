//! Python environments for what the benchmarks compare with, made once in the target folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

/// Why there is no environment.
#[derive(Debug, Error)]
pub(crate) enum PythonError {
    /// A command failed.
    #[error("{command}: {reason}; python3 with its venv module and the package index are needed (.ci/install)")]
    Command {
        /// What was run.
        command: String,
        /// What it said.
        reason: String,
    },
    /// A file failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The interpreter of the environment of this name, with what the file of requirements asks for.
pub(crate) fn environment(name: &str, requirements: &Path) -> Result<PathBuf, PythonError> {
    let wanted = fs::read_to_string(requirements)?;
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let (python, installed) = (venv.join("bin/python"), venv.join("installed.txt"));
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(pip).arg(requirements))?;
    File::create(installed)?.write_all(wanted.as_bytes())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), PythonError> {
    let failed = |command: &Command, reason| PythonError::Command { command: format!("{command:?}"), reason };
    let ended = command.output().map_err(|error| failed(command, error.to_string()))?;
    if ended.status.success() {
        return Ok(());
    }
    Err(failed(command, String::from_utf8_lossy(&ended.stderr).into_owned()))
}
