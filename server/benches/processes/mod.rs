//! The real programs as processes of their own, and what the system says they use.

// Each benchmark needs a part of this.
#![allow(dead_code)]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

/// How long a process may take to start, or to end when it is time: environments of Python take seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(1);

/// Why a process gives no figures.
#[derive(Debug, Error)]
pub(crate) enum ProcessError {
    /// A file, pipe or process failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The system says nothing of it.
    #[error("the system says nothing of process {0}: {1}")]
    NoFigures(u32, String),
    /// It did not do what it was started for.
    #[error("{name}: {what}; it said: {said}")]
    Failed {
        /// Its name.
        name: String,
        /// What it did.
        what: String,
        /// The last it said.
        said: String,
    },
    /// The programs could not be built.
    #[error("cargo build: {0}")]
    Build(String),
}

/// Builds the programs as a user would, so that what is measured is this version.
pub(crate) fn build() -> Result<(), ProcessError> {
    let arguments = ["build", "--quiet", "--release", "--locked", "-p", "client", "-p", "server", "--bins"];
    let built = Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    if built.success() { Ok(()) } else { Err(ProcessError::Build(built.to_string())) }
}

/// A program of this workspace, in its release build, without options from the environment.
pub(crate) fn program(name: &str) -> Result<Command, ProcessError> {
    let benchmark = std::env::current_exe()?;
    // target/<profile>/deps/<benchmark>
    let target = benchmark.ancestors().nth(3).ok_or_else(|| io::Error::other("the benchmark has no target folder"))?;
    let mut command = Command::new(target.join("release").join(name));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("PLUMB_") {
            command.env_remove(variable);
        }
    }
    command.env_remove("DISPLAY");
    Ok(command)
}

/// Whether a program has this option.
pub(crate) fn has_option(name: &str, option: &str) -> Result<bool, ProcessError> {
    let help = program(name)?.arg("--help").output()?;
    Ok(String::from_utf8_lossy(&help.stdout).split_whitespace().any(|word| word == option))
}

/// A running process, killed when dropped. What it says on stderr goes to a file.
pub(crate) struct Process {
    name: String,
    child: Child,
    said: PathBuf,
}

/// Where a process writes its rows or figures.
pub(crate) enum Output {
    /// Into this file.
    File(PathBuf),
    /// To [`Process::stdout`].
    Pipe,
}

impl Process {
    /// Starts a process; its stderr goes to a file of this `name` in `folder`.
    pub(crate) fn start(
        name: &str,
        mut command: Command,
        output: &Output,
        folder: &Path,
    ) -> Result<Self, ProcessError> {
        let said = folder.join(format!("{name}.stderr"));
        let stdout = match output {
            Output::File(path) => File::create(path)?.into(),
            Output::Pipe => Stdio::piped(),
        };
        let child = command.stdin(Stdio::null()).stdout(stdout).stderr(File::create(&said)?).spawn();
        let name = name.to_owned();
        match child {
            Ok(child) => Ok(Self { name, child, said }),
            Err(error) => Err(ProcessError::Failed { name, what: error.to_string(), said: format!("{command:?}") }),
        }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its stdout, once, where that is a pipe.
    pub(crate) fn stdout(&mut self) -> Result<BufReader<ChildStdout>, ProcessError> {
        Ok(BufReader::new(self.child.stdout.take().ok_or_else(|| io::Error::other("stdout is no pipe"))?))
    }

    /// Waits for a line on stderr that contains `text`.
    pub(crate) fn wait_for(&mut self, text: &str) -> Result<String, ProcessError> {
        let said = self.said.clone();
        self.wait_until(&format!("no \"{text}\""), || {
            let all = fs::read_to_string(&said).unwrap_or_default();
            all.split_inclusive('\n').find(|line| line.contains(text) && line.ends_with('\n')).map(str::to_owned)
        })
    }

    /// Asks until there is an answer, while the process lives.
    pub(crate) fn wait_until<T>(
        &mut self,
        else_failed: &str,
        mut ask: impl FnMut() -> Option<T>,
    ) -> Result<T, ProcessError> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let has_ended = self.child.try_wait()?.is_some();
            match ask() {
                Some(answer) => return Ok(answer),
                None if has_ended => return Err(self.failed(&format!("{else_failed} before it ended"))),
                None if Instant::now() > deadline => return Err(self.failed(else_failed)),
                None => thread::sleep(LOOK),
            }
        }
    }

    /// Asks it to stop, as Ctrl-C does.
    pub(crate) fn interrupt(&self) -> Result<(), ProcessError> {
        // SAFETY: no memory is involved; the process is ours and not waited for, so its id is not another's.
        match unsafe { libc::kill(self.id().cast_signed(), libc::SIGINT) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error().into()),
        }
    }

    /// Waits until it ends well.
    pub(crate) fn end(mut self) -> Result<(), ProcessError> {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.failed(&status.to_string())),
                None if Instant::now() > deadline => return Err(self.failed("it does not end")),
                None => thread::sleep(LOOK),
            }
        }
    }

    /// What it used of the processors so far, all its threads together.
    pub(crate) fn cpu(&self) -> Result<Duration, ProcessError> {
        let mut clock = 0;
        // SAFETY: both are told of places of the right type to write to, which outlive the calls.
        let (of_process, now) = unsafe {
            let mut now = std::mem::zeroed();
            let of_process = libc::clock_getcpuclockid(self.id().cast_signed(), &raw mut clock);
            (of_process == 0 && libc::clock_gettime(clock, &raw mut now) == 0, now)
        };
        if !of_process {
            return Err(ProcessError::NoFigures(self.id(), "no processor time".to_owned()));
        }
        Ok(Duration::new(now.tv_sec.cast_unsigned(), now.tv_nsec.cast_unsigned() as u32))
    }

    /// What it holds of the system now.
    pub(crate) fn holdings(&self) -> Result<Holdings, ProcessError> {
        let folder = Path::new("/proc").join(self.id().to_string());
        let status = fs::read_to_string(folder.join("status"))?;
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
            number.ok_or_else(|| ProcessError::NoFigures(self.id(), format!("no {name}")))
        };
        Ok(Holdings {
            memory_bytes: number("VmRSS")? << 10,
            descriptors: fs::read_dir(folder.join("fd"))?.count() as u64,
            threads: number("Threads")?,
        })
    }

    fn failed(&self, what: &str) -> ProcessError {
        let said = fs::read_to_string(&self.said).unwrap_or_default();
        let last: Vec<_> = said.lines().rev().take(3).collect();
        ProcessError::Failed {
            name: self.name.clone(),
            what: what.to_owned(),
            said: last.into_iter().rev().collect::<Vec<_>>().join(" / "),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process holds of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// Resident memory.
    pub(crate) memory_bytes: u64,
    /// Open files and sockets.
    pub(crate) descriptors: u64,
    /// Threads.
    pub(crate) threads: u64,
}

/// The next line of a process, without its end.
pub(crate) fn line(output: &mut impl BufRead) -> Result<String, ProcessError> {
    let mut line = String::new();
    if output.read_line(&mut line)? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(line.trim_end().to_owned())
}

/// The cores that each of these processes used meanwhile: 1 is one core, always.
pub(crate) fn cores_used<const N: usize>(processes: [&Process; N], time: Duration) -> Result<[f64; N], ProcessError> {
    let start = Instant::now();
    let mut before = [Duration::ZERO; N];
    for (before, process) in before.iter_mut().zip(processes) {
        *before = process.cpu()?;
    }
    thread::sleep(time);
    let mut cores = [0.0; N];
    for ((cores, before), process) in cores.iter_mut().zip(before).zip(processes) {
        *cores = process.cpu()?.saturating_sub(before).as_secs_f64();
    }
    let elapsed_s = start.elapsed().as_secs_f64();
    Ok(cores.map(|cores| cores / elapsed_s))
}

/// The machine, for people: its processor, how many of them, and what else it did (the load average of the last minute,
/// so ask before anything is run).
pub(crate) fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or(std::env::consts::ARCH, |(_, name)| name);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let (kernel, load) = (kernel.split('-').next().unwrap_or_default(), load.split(' ').next().unwrap_or_default());
    format!("{cores} cores of {name}, Linux {}, load {load} before the run", kernel.trim_end())
}
