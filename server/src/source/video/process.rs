//! ffmpeg's programs as child processes: started without a shell, never waited for without a limit, killed and reaped
//! when the source is dropped.

use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shared::geometry::Size;
use shared::shell::threads;
use shared::text::Escaped;

use super::guard;

/// Longest time without output: of ffprobe always, of ffmpeg if it reads from a network. Some cameras send a
/// whole picture only every 10 s, and ffmpeg waits for one.
pub(super) const SILENCE: Duration = Duration::from_secs(15);

/// Lines of a program's stderr that are kept, the last ones: a failed filter takes five.
const KEPT_LINES: usize = 8;

/// Lines that an error shows.
const SHOWN_LINES: usize = 3;

/// Longest line, in bytes: as long as any line of the log may be.
const LONGEST_LINE: u64 = 1_000;

/// How long a program may take to exit after it has closed its stdout. It has nothing left to do by then.
const EXIT_LIMIT: Duration = Duration::from_secs(2);

/// How often to check whether a program has exited.
const EXIT_LOOK: Duration = Duration::from_millis(5);

/// The processes of one source. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Processes(Arc<Mutex<Group>>);

#[derive(Debug, Default)]
struct Group {
    is_stopped: bool,
    children: Vec<Child>,
}

/// A process whose output is read.
#[derive(Debug)]
pub(super) struct Running {
    processes: Processes,
    id: u32,
    stdout: ChildStdout,
    stderr: Option<JoinHandle<Lines>>,
}

/// How a process ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) is_success: bool,
    pub(super) said: Lines,
}

/// The last lines of a process's stderr. They print as `: "…"`, or as nothing.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    lines: Vec<String>,
    /// The size of a frame that the guard refused.
    pub(super) refused: Option<Size>,
}

impl Processes {
    /// Starts a process. Fails if the source was dropped meanwhile.
    pub(super) fn start(&self, mut command: Command) -> io::Result<Running> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C reaches every process of the terminal's group. Only the server decides what ends.
        command.process_group(0);
        let mut group = self.lock();
        if group.is_stopped {
            return Err(ErrorKind::Interrupted.into());
        }
        let mut child = command.spawn()?;
        let (id, pipes) = (child.id(), child.stdout.take().zip(child.stderr.take()));
        group.children.push(child);
        drop(group);
        let (stdout, stderr) = pipes.ok_or(ErrorKind::BrokenPipe)?;
        let listening = threads::spawn("stderr", move || listen(stderr))?;
        Ok(Running { processes: self.clone(), id, stdout, stderr: Some(listening) })
    }

    /// Kills and reaps all processes, and lets no further one start.
    pub(super) fn stop(&self) {
        let mut group = self.lock();
        group.is_stopped = true;
        group.children.drain(..).for_each(kill);
    }

    /// Takes a process out of the group; `None` if it was stopped.
    fn take(&self, id: u32) -> Option<Child> {
        let mut group = self.lock();
        let place = group.children.iter().position(|child| child.id() == id)?;
        Some(group.children.swap_remove(place))
    }

    fn lock(&self) -> MutexGuard<'_, Group> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// Reads until the buffer is full or the process closes its stdout; returns the number of bytes. With a `limit`,
    /// fails with [`ErrorKind::TimedOut`] if no byte comes for so long.
    pub(super) fn fill(&mut self, buffer: &mut [u8], limit: Option<Duration>) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            if let Some(limit) = limit {
                wait(&self.stdout, limit)?;
            }
            match self.stdout.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Waits for the end of a process that has closed its stdout; kills it if it does not end.
    pub(super) fn end(mut self) -> Ended {
        let status = self.processes.take(self.id).and_then(reap);
        let said = self.stderr.take().and_then(|listening| listening.join().ok()).unwrap_or_default();
        Ended { is_success: status.is_some_and(|status| status.success()), said }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = self.processes.take(self.id) {
            kill(child);
        }
    }
}

impl Lines {
    /// Whether the process said nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn add(&mut self, line: &str) {
        let line = without_address(line.trim());
        if line.is_empty() {
            return;
        }
        self.refused = self.refused.or_else(|| guard::refused_size(&line));
        if self.lines.len() == KEPT_LINES {
            self.lines.remove(0);
        }
        self.lines.push(Escaped(&line).to_string());
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.lines.len().saturating_sub(SHOWN_LINES);
        match &self.lines[first..] {
            [] => Ok(()),
            last => write!(f, " (\"{}\")", last.join("; ")),
        }
    }
}

/// A line without the address in memory that ffmpeg names a part by: `[h264 @ 0x5583] text` becomes `[h264] text`.
fn without_address(line: &str) -> String {
    match line.split_once(" @ 0x").and_then(|(part, rest)| Some((part, rest.split_once(']')?))) {
        Some((part, (_, text))) if part.starts_with('[') => format!("{part}]{text}"),
        _ => line.to_owned(),
    }
}

/// Waits until there is something to read, or the end.
fn wait(stdout: &ChildStdout, limit: Duration) -> io::Result<()> {
    let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
    loop {
        match poll(&mut [PollFd::new(stdout, PollFlags::IN)], Some(&limit)) {
            Ok(0) => return Err(ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn listen(stderr: ChildStderr) -> Lines {
    let (mut lines, mut reader, mut line) = (Lines::default(), BufReader::new(stderr), Vec::new());
    loop {
        line.clear();
        match reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(1..) => lines.add(&String::from_utf8_lossy(&line)),
            Ok(0) | Err(_) => return lines,
        }
    }
}

/// Waits for a process that is about to exit; kills it if it does not.
fn reap(mut child: Child) -> Option<ExitStatus> {
    let until = Instant::now() + EXIT_LIMIT;
    while Instant::now() < until {
        match child.try_wait() {
            Ok(None) => thread::sleep(EXIT_LOOK),
            Ok(status) => return status,
            Err(_) => break,
        }
    }
    kill(child);
    None
}

fn kill(mut child: Child) {
    // It fails only for a process that has ended. Waiting takes it off the system's table.
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn output_and_last_words_of_a_process_are_read() {
        let script = "printf abcdef; for n in 1 2 3 4 5 6 7 8 9; do echo \"[x @ 0x5f] line $n\" >&2; done; exit 3";
        let mut running = Processes::default().start(shell(script)).unwrap();
        let mut bytes = [0; 4];
        assert_eq!((running.fill(&mut bytes, None).unwrap(), &bytes), (4, b"abcd"));
        assert_eq!((running.fill(&mut bytes, None).unwrap(), &bytes[..2]), (2, &b"ef"[..]));
        let Ended { is_success, said } = running.end();
        assert_eq!((is_success, said.to_string().as_str()), (false, " (\"[x] line 7; [x] line 8; [x] line 9\")"));
    }

    #[test]
    fn a_process_that_gives_nothing_is_given_up_after_the_limit() {
        let mut running = Processes::default().start(shell("exec sleep 600")).unwrap();
        let waited = running.fill(&mut [0; 4], Some(Duration::from_millis(20))).unwrap_err();
        assert_eq!(waited.kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn stopping_ends_a_read_that_waits_and_lets_no_process_start() {
        let processes = Processes::default();
        let mut running = processes.start(shell("exec sleep 600")).unwrap();
        let reading = thread::spawn(move || running.fill(&mut [0; 4], None));
        processes.stop();
        assert_eq!(reading.join().unwrap().unwrap(), 0);
        assert_eq!(processes.start(shell("true")).unwrap_err().kind(), ErrorKind::Interrupted);
    }

    #[test]
    fn control_characters_of_a_file_do_not_reach_the_terminal() {
        let mut lines = Lines::default();
        lines.add("title: \u{1b}[2J\n");
        assert_eq!(lines.to_string(), " (\"title: \\u{1b}[2J\")");
    }
}
