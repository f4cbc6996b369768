//! WebRTC peers that are not Plumb's, in versions that the repository names (`bench/peers`).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use thiserror::Error;

use crate::python::{self, Packages, PythonError};
use crate::repository;

/// The versions of aiortc that are tested, oldest first. The last is that of `examples/requirements.txt`.
pub const AIORTC: [&str; 4] = ["1.9.0", "1.14.0", "1.15.0", "1.16.0"];

/// A peer cannot be installed.
#[derive(Debug, Error)]
pub enum PeerError {
    /// Its environment in Python cannot be made. Node comes with one, too.
    #[error(transparent)]
    Python(#[from] PythonError),
    /// npm cannot install the packages.
    #[error("cannot install the packages of {}; the npm registry is needed: {said}", lock.display())]
    Npm {
        /// The file that names the packages.
        lock: PathBuf,
        /// Output of npm.
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

/// The path of a file of `bench/peers`.
pub fn file(name: &str) -> PathBuf {
    repository::path("bench/peers").join(name)
}

/// The Python that has this version of aiortc, one of [`AIORTC`]. `folder` is the caller's `env!("CARGO_TARGET_TMPDIR")`.
///
/// # Errors
/// If it cannot be installed.
pub fn aiortc(folder: &Path, version: &str) -> Result<PathBuf, PeerError> {
    if AIORTC.last() == Some(&version) {
        return Ok(Packages::Aiortc.python(folder)?);
    }
    let requirements = file(&format!("aiortc-{version}.txt"));
    Ok(python::environment(folder, &format!("aiortc-{version}-venv"), &requirements)?)
}

/// Node, with the packages of `bench/peers/package-lock.json` in a folder.
#[derive(Clone, Debug)]
pub struct Node {
    program: PathBuf,
    packages: PathBuf,
}

impl Node {
    /// Installs them once, and again when the lock file has changed. Processes that ask at the same time wait for the one that
    /// installs. `folder` is the caller's `env!("CARGO_TARGET_TMPDIR")`.
    ///
    /// # Errors
    /// If they cannot be installed.
    pub fn new(folder: &Path) -> Result<Self, PeerError> {
        let python = python::environment(folder, "node-venv", &file("node.txt"))?;
        let node = Self { program: python.with_file_name("node"), packages: folder.join("node-peers") };
        let lock = file("package-lock.json");
        let wanted = fs::read_to_string(&lock).map_err(at(&lock))?;
        let guard = node.packages.with_extension("lock");
        let held = File::create(&guard).map_err(at(&guard))?;
        held.lock().map_err(at(&guard))?;
        let installed = node.packages.join("installed.json");
        if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
            return Ok(node);
        }
        fs::create_dir_all(&node.packages).map_err(at(&node.packages))?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(file(name), node.packages.join(name)).map_err(at(&node.packages))?;
        }
        // `ci` takes exactly the lock file's versions, and checks their hashes.
        let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"];
        let mut npm = Command::new(python.with_file_name("npm"));
        let ended = npm.args(options).current_dir(&node.packages).output().map_err(at(&python))?;
        if !ended.status.success() {
            return Err(PeerError::Npm { lock, said: String::from_utf8_lossy(&ended.stderr).into_owned() });
        }
        fs::write(&installed, wanted).map_err(at(&installed))?;
        Ok(node)
    }

    /// The command that runs a script, which finds the packages from its working folder.
    pub fn command(&self, script: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(script).current_dir(&self.packages);
        command
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> PeerError {
    |error| PeerError::Io { path: path.to_owned(), error }
}
