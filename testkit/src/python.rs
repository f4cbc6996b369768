//! Python environments for the pipelines in tests and benchmarks. Each is made once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use thiserror::Error;

use crate::program::Program;
use crate::repository;

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

/// The packages that a test's Python has, in the versions that a file of requirements names.
#[derive(Clone, Copy, Debug)]
pub enum Packages {
    /// Those of the examples over WebRTC and TCP.
    Aiortc,
    /// Those of the examples that are pipelines.
    Exec,
    /// Those of the example over gRPC.
    Grpc,
    /// Those with which users read recordings.
    Mcap,
    /// OpenCV.
    OpenCv,
    /// Those with which users read the tables of sweeps.
    Tables,
}

impl Packages {
    /// The name of the environment, and its requirements in the repository.
    fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Aiortc => ("aiortc-venv", "examples/requirements.txt"),
            Self::Exec => ("exec-venv", "examples/exec/requirements.txt"),
            Self::Grpc => ("grpc-venv", "examples/grpc_requirements.txt"),
            Self::Mcap => ("mcap-venv", "server/tests/mcap/requirements.txt"),
            Self::OpenCv => ("opencv-venv", "server/benches/detector/opencv/requirements.txt"),
            Self::Tables => ("sweep-venv", "server/tests/sweep_requirements.txt"),
        }
    }

    /// Returns the Python interpreter that has them. Environments are in `folder`: the caller's
    /// `env!("CARGO_TARGET_TMPDIR")`.
    ///
    /// # Errors
    /// If the environment cannot be made.
    pub fn python(self, folder: &Path) -> Result<PathBuf, PythonError> {
        let (name, requirements) = self.named();
        environment(folder, name, &repository::path(requirements))
    }

    /// The same for a test.
    ///
    /// # Panics
    /// If the environment cannot be made.
    #[track_caller]
    pub fn test_python(self, folder: &str) -> PathBuf {
        self.python(Path::new(folder)).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// The example over gRPC, beside the classes that grpcio-tools makes of the proto.
#[derive(Debug)]
pub struct GrpcExample {
    /// The Python that runs it.
    pub python: PathBuf,
    /// The example.
    pub script: PathBuf,
    _folder: TempDir,
}

impl GrpcExample {
    /// Makes the classes. Environments are in `folder`: the caller's `env!("CARGO_TARGET_TMPDIR")`.
    ///
    /// # Panics
    /// If they cannot be made.
    pub fn new(folder: &str) -> Self {
        let python = Packages::Grpc.test_python(folder);
        let work = tempfile::tempdir_in(folder).expect("a folder");
        let script = work.path().join("grpc_client.py");
        fs::copy(repository::path("examples/grpc_client.py"), &script).expect("copied");
        let mut make = Command::new(&python);
        make.args(["-m", "grpc_tools.protoc", "-I"]).arg(repository::path("shared/proto"));
        let out = |name: &str| format!("--{name}={}", work.path().display());
        make.args([out("python_out"), out("grpc_python_out")]).arg("plumb.proto");
        Program::start(make).end().expect(0);
        Self { python, script, _folder: work }
    }
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
