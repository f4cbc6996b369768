//! A process of its own.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::error::ProcessError;

/// How long a process may take to start, or to end when it is time: environments of Python take seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks at a process.
const LOOK: Duration = Duration::from_millis(1);

/// A running process, killed when dropped. What it says on stderr goes to a file.
pub struct Process {
    name: String,
    child: Child,
    said: PathBuf,
}

/// Where a process writes its rows or figures.
pub enum Output {
    /// Into this file.
    File(PathBuf),
    /// To [`Process::stdout`].
    Pipe,
}

impl Process {
    /// Starts a process; its stderr goes to a file of this `name` in `folder`.
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

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its stdout, once, where that is a pipe.
    pub fn stdout(&mut self) -> Result<BufReader<ChildStdout>, ProcessError> {
        Ok(BufReader::new(self.child.stdout.take().ok_or_else(|| io::Error::other("stdout is no pipe"))?))
    }

    /// Waits for a line on stderr that contains `text`.
    pub fn wait_for(&mut self, text: &str) -> Result<String, ProcessError> {
        let said = self.said.clone();
        self.wait_until(&format!("no \"{text}\""), || {
            let all = fs::read_to_string(&said).unwrap_or_default();
            all.split_inclusive('\n').find(|line| line.contains(text) && line.ends_with('\n')).map(str::to_owned)
        })
    }

    /// Asks until there is an answer, while the process lives.
    pub fn wait_until<T>(&mut self, else_failed: &str, mut ask: impl FnMut() -> Option<T>) -> Result<T, ProcessError> {
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
    pub fn interrupt(&self) -> Result<(), ProcessError> {
        // SAFETY: no memory is involved; the process is ours and not waited for, so its id is not another's.
        match unsafe { libc::kill(self.id().cast_signed(), libc::SIGINT) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error().into()),
        }
    }

    /// Waits until it ends well.
    pub fn end(mut self) -> Result<(), ProcessError> {
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

/// The next line of a process, without its end.
pub fn line(output: &mut impl BufRead) -> Result<String, ProcessError> {
    let mut line = String::new();
    if output.read_line(&mut line)? == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(line.trim_end().to_owned())
}
