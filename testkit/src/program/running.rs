//! A running program.

use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::ended::Ended;
use super::limit::{LIMIT, poll_within};
use super::lines::Lines;

/// A running program. Its output is read as it comes.
pub struct Program {
    name: String,
    child: Child,
    started: Instant,
    /// Standard output.
    pub stdout: Lines,
    /// Standard error.
    pub stderr: Lines,
}

impl Program {
    /// Starts a program.
    pub fn start(command: Command) -> Self {
        let (mut program, stdout) = Self::start_taking_stdout(command);
        program.stdout = Lines::of(stdout);
        program
    }

    /// Starts a program and leaves its standard output to the caller.
    pub fn start_taking_stdout(mut command: Command) -> (Self, ChildStdout) {
        command.stdin(Stdio::null());
        Self::spawn(command)
    }

    /// Starts a program and leaves its standard input to the caller, who closes it by dropping it.
    pub fn start_with_stdin(mut command: Command) -> (Self, ChildStdin) {
        command.stdin(Stdio::piped());
        let (mut program, stdout) = Self::spawn(command);
        program.stdout = Lines::of(stdout);
        let stdin = program.child.stdin.take().expect("piped");
        (program, stdin)
    }

    fn spawn(mut command: Command) -> (Self, ChildStdout) {
        let name = command.get_program().to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned();
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = child.stdout.take().expect("piped");
        let stderr = Lines::of(child.stderr.take().expect("piped"));
        (Self { name, child, started: Instant::now(), stdout: Lines::taken(), stderr }, stdout)
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&mut self, signal: &str) {
        self.started = Instant::now();
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.id())]).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send {signal} to {}", self.name);
    }

    /// Whether the program has not ended yet.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_none()
    }

    /// Waits for the end of the program.
    pub fn end(self) -> Ended {
        self.end_within(LIMIT)
    }

    /// Waits for the end of a program that has more to do than others: at most `limit`.
    pub fn end_within(mut self, limit: Duration) -> Ended {
        let status = poll_within(limit, || self.child.try_wait().expect("our own child"))
            .unwrap_or_else(|| panic!("{} did not end within {limit:?}; it said:\n{}", self.name, self.said()));
        let elapsed = self.started.elapsed();
        Ended { code: status.code(), stdout: self.stdout.all(), stderr: self.stderr.all(), elapsed }
    }

    fn said(&self) -> String {
        [self.stdout.so_far(), self.stderr.so_far()].concat().join("\n")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
