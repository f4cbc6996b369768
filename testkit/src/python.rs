//! Python environments for the pipelines that tests and benchmarks run, made once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

/// Why there is no environment.
#[derive(Debug, Error)]
pub enum PythonError {
    /// Python cannot be started.
    #[error("cannot start python3: {0}; Python 3 with its venv module is needed (.ci/install)")]
    NoPython(io::Error),
    /// No environment can be made.
    #[error("python3 made no environment; its venv module is needed (Debian's python3-venv, see .ci/install): {0}")]
    NoVenv(String),
    /// What is asked for cannot be installed.
    #[error("cannot install {}; the package index is needed: {said}", requirements.display())]
    Install {
        /// The file of requirements.
        requirements: PathBuf,
        /// What pip said.
        said: String,
    },
    /// A file of the environment failed.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// The interpreter of the environment of this name, with what the file of requirements asks for; made anew when the file
/// changed. Processes that want it at once wait for the one that makes it.
///
/// Environments stand in `folder`: the caller's `env!("CARGO_TARGET_TMPDIR")`.
pub fn environment(folder: &Path, name: &str, requirements: &Path) -> Result<PathBuf, PythonError> {
    let wanted = fs::read_to_string(requirements).map_err(at(requirements))?;
    let venv = folder.join(name);
    let lock = venv.with_extension("lock");
    let held = File::create(&lock).map_err(at(&lock))?;
    held.lock().map_err(at(&lock))?;
    let (python, installed) = (venv.join("bin/python"), venv.join("installed.txt"));
    if python.exists() && fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&venv);
    run(&mut make).map_err(PythonError::NoPython)?.map_err(PythonError::NoVenv)?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]).arg(requirements);
    let install = |said| PythonError::Install { requirements: requirements.to_owned(), said };
    run(&mut pip).map_err(at(&python))?.map_err(install)?;
    fs::write(&installed, wanted).map_err(at(&installed))?;
    Ok(python)
}

/// Runs a command; what it said, when it failed. (venv says on stdout that a part of it is missing, pip says on stderr.)
fn run(command: &mut Command) -> io::Result<Result<(), String>> {
    let ended = command.output()?;
    let text = [ended.stdout, ended.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    Ok(if ended.status.success() { Ok(()) } else { Err(format!("{text} ({})", ended.status)) })
}

fn at(path: &Path) -> impl Fn(io::Error) -> PythonError {
    |error| PythonError::Io { path: path.to_owned(), error }
}
