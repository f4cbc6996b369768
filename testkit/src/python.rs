//! Python environments for the pipelines in tests and benchmarks. Each is made once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

/// The environment could not be made.
#[derive(Debug, Error)]
pub enum PythonError {
    /// Python cannot be started.
    #[error("cannot start python3: {0}; Python 3 with its venv module is needed (.ci/install)")]
    NoPython(io::Error),
    /// Python cannot make an environment.
    #[error("python3 made no environment; its venv module is needed (Debian's python3-venv, see .ci/install): {0}")]
    NoVenv(String),
    /// The requirements cannot be installed.
    #[error("cannot install {}; the package index is needed: {said}", requirements.display())]
    Install {
        /// The file of requirements.
        requirements: PathBuf,
        /// Output of pip.
        said: String,
    },
    /// A file of the environment failed.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
}

/// Returns the Python interpreter of the environment `name`, with the packages of a requirements file installed.
///
/// The environment is rebuilt if the file has changed. Processes that ask for it at the same time wait for the one
/// that makes it. Environments are in `folder`: the caller's `env!("CARGO_TARGET_TMPDIR")`.
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

/// Runs a command. The inner error is the output of a command that failed, from stdout and stderr: venv reports a
/// missing part on stdout, pip reports errors on stderr.
fn run(command: &mut Command) -> io::Result<Result<(), String>> {
    let ended = command.output()?;
    let text = [ended.stdout, ended.stderr].concat();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    Ok(if ended.status.success() { Ok(()) } else { Err(format!("{text} ({})", ended.status)) })
}

fn at(path: &Path) -> impl Fn(io::Error) -> PythonError {
    |error| PythonError::Io { path: path.to_owned(), error }
}
