//! A process that a benchmark runs.

#![allow(unsafe_code, reason = "signals")]

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::error::ProcessError;

/// Longest time for a process to start or to end. A Python environment takes seconds to start.
const LIMIT: Duration = Duration::from_secs(60);

/// Interval between two checks of a process.
const CHECK_INTERVAL: Duration = Duration::from_millis(1);

/// A running process. It is killed when dropped. Its stderr goes to a file.
pub struct Process {
    name: String,
    child: Child,
    said: PathBuf,
}

/// Destination of a process's stdout.
pub enum Output {
    /// This file.
    File(PathBuf),
    /// A pipe that [`Process::stdout`] reads.
    Pipe,
}

impl Process {
    /// Starts a process. Its stderr goes to the file `name.stderr` in `folder`.
    pub fn start(name: &str, mut command: Command, output: &Output, folder: &Path) -> Result<Self, ProcessError> {
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

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The stdout of the process, if it is a pipe and was not taken before.
    pub fn stdout(&mut self) -> Result<BufReader<ChildStdout>, ProcessError> {
        Ok(BufReader::new(
            self.child.stdout.take().ok_or_else(|| io::Error::other("stdout is not a pipe, or was taken before"))?,
        ))
    }

    /// Waits for a line on stderr that contains `text`.
    pub fn wait_for(&mut self, text: &str) -> Result<String, ProcessError> {
        let said = self.said.clone();
        self.wait_until(&format!("no \"{text}\""), || {
            let all = fs::read_to_string(&said).unwrap_or_default();
            all.split_inclusive('\n').find(|line| line.contains(text) && line.ends_with('\n')).map(str::to_owned)
        })
    }

    /// Calls `ask` until it answers. Fails if the process ends first or the time limit passes.
    pub fn wait_until<T>(&mut self, else_failed: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T, ProcessError> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let has_ended = self.child.try_wait()?.is_some();
            match ask() {
                Some(answer) => return Ok(answer),
                None if has_ended => return Err(self.failed(&format!("{else_failed} before it ended"))),
                None if Instant::now() > deadline => return Err(self.failed(else_failed)),
                None => thread::sleep(CHECK_INTERVAL),
            }
        }
    }

    /// Interrupts the process, as Ctrl-C does.
    pub fn interrupt(&self) -> Result<(), ProcessError> {
        // SAFETY: the call touches no memory. The child is not yet waited for, so its id is still its own.
        match unsafe { libc::kill(self.id().cast_signed(), libc::SIGINT) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error().into()),
        }
    }

    /// Waits for the process to end with success.
    pub fn end(mut self) -> Result<(), ProcessError> {
        let deadline = Instant::now() + LIMIT;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.failed(&status.to_string())),
                None if Instant::now() > deadline => return Err(self.failed("it did not end in time")),
                None => thread::sleep(CHECK_INTERVAL),
            }
        }
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

/// Reads the next line of a process's output, without its line end.
pub fn line(output: &mut impl BufRead) -> Result<String, ProcessError> {
    let mut line = String::new();
    if output.read_line(&mut line)? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(line.trim_end().to_owned())
}
