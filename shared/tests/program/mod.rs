//! Running the real programs in tests: every wait has a limit, every child is killed when dropped.
//!
//! Included by path from the tests of both programs' crates.

// Each test file is a crate of its own and needs a part of this.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that is bound to happen: no measure of speed, only the end of a test that hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// How long after a program's end the thread that reads its output may take for the rest.
const GATHERED: Duration = Duration::from_secs(10);

/// A program of this workspace, without graphics' display and without options from the environment.
///
/// It stands beside this test's own directory. Cargo builds only a test's own package's programs, so the other one
/// must be there already, and fresh: `cargo test --workspace` sees to that.
pub(crate) fn command(name: &str) -> Command {
    let mut command = Command::new(path(name));
    for (variable, _) in std::env::vars_os() {
        if variable.to_string_lossy().starts_with("PLUMB_") {
            command.env_remove(variable);
        }
    }
    command.env_remove("DISPLAY");
    command
}

fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this test's own path");
    let directory = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps/<test>");
    let path = directory.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.is_file(), "{} is not built: run `cargo build --workspace` first", path.display());
    path
}

/// A running program, its output read as it comes.
pub(crate) struct Program {
    name: String,
    child: Child,
    started: Instant,
    /// Standard output.
    pub(crate) stdout: Lines,
    /// Standard error.
    pub(crate) stderr: Lines,
}

/// How a program ended, and all it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// All lines of standard output.
    pub(crate) stdout: Vec<String>,
    /// All lines of standard error.
    pub(crate) stderr: Vec<String>,
    /// From the start, or from the last [`Program::signal`], to the end.
    pub(crate) took: Duration,
}

impl Program {
    /// Starts a program.
    pub(crate) fn start(command: Command) -> Self {
        let (mut program, stdout) = Self::start_taking_stdout(command);
        program.stdout = Lines::of(stdout);
        program
    }

    /// Starts a program and leaves its standard output to the caller.
    pub(crate) fn start_taking_stdout(mut command: Command) -> (Self, ChildStdout) {
        let name = command.get_program().to_string_lossy().rsplit('/').next().unwrap_or_default().to_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let stdout = child.stdout.take().expect("piped");
        let stderr = Lines::of(child.stderr.take().expect("piped"));
        (Self { name, child, started: Instant::now(), stdout: Lines::taken(), stderr }, stdout)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `INT`.
    pub(crate) fn signal(&mut self, signal: &str) {
        self.started = Instant::now();
        let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.id())]).status();
        assert!(sent.is_ok_and(|status| status.success()), "cannot send {signal} to {}", self.name);
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child").is_none()
    }

    /// Waits until it ends.
    pub(crate) fn end(mut self) -> Ended {
        let status = poll(|| self.child.try_wait().expect("our own child"))
            .unwrap_or_else(|| panic!("{} does not end within {LIMIT:?}; it said:\n{}", self.name, self.said()));
        let took = self.started.elapsed();
        Ended { code: status.code(), stdout: self.stdout.all(), stderr: self.stderr.all(), took }
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

impl Ended {
    /// Asserts its exit code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit code; stdout: {:#?}, stderr: {:#?}", self.stdout, self.stderr);
        self
    }

    /// Asserts that a line of standard error contains `text`.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.iter().any(|line| line.contains(text)), "no \"{text}\" in {:#?}", self.stderr);
        self
    }
}

/// Lines of output, gathered by a thread of their own.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<(Mutex<Gathered>, Condvar)>);

#[derive(Default)]
struct Gathered {
    lines: Vec<String>,
    complete: bool,
}

impl Lines {
    fn of(output: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let gathering = lines.clone();
        thread::spawn(move || {
            let (gathered, news) = &*gathering.0;
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                gathered.lock().unwrap().lines.push(line);
                news.notify_all();
            }
            gathered.lock().unwrap().complete = true;
            news.notify_all();
        });
        lines
    }

    /// None: whoever took the output reads it.
    fn taken() -> Self {
        let lines = Self::default();
        lines.0.0.lock().unwrap().complete = true;
        lines
    }

    /// Waits for a line that contains `text`.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let found = |lines: &[String]| lines.iter().find(|line| line.contains(text)).cloned();
        self.wait_until(&format!("\"{text}\""), found)
    }

    /// Waits for so many lines.
    pub(crate) fn wait_for_count(&self, count: usize) {
        self.wait_until(&format!("line {count}"), |lines| (lines.len() >= count).then_some(()));
    }

    fn wait_until<T>(&self, what: &str, find: impl Fn(&[String]) -> Option<T>) -> T {
        let (gathered, news) = &*self.0;
        let deadline = Instant::now() + LIMIT;
        let mut now = gathered.lock().unwrap();
        loop {
            if let Some(found) = find(&now.lines) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!now.complete && !left.is_zero(), "no {what} in {:#?}", now.lines);
            now = news.wait_timeout(now, left).unwrap().0;
        }
    }

    /// What came so far.
    pub(crate) fn so_far(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }

    /// Everything, once the output is closed; what came so far when a grandchild keeps it open.
    fn all(&self) -> Vec<String> {
        let (gathered, news) = &*self.0;
        let closed = news.wait_timeout_while(gathered.lock().unwrap(), GATHERED, |now| !now.complete);
        closed.unwrap().0.lines.clone()
    }
}

/// Asks until there is an answer, for at most [`LIMIT`].
pub(crate) fn poll<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + LIMIT;
    loop {
        match ask() {
            None if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            answer => return answer,
        }
    }
}
