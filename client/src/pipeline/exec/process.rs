//! A running program: reads and writes its pipes within a deadline, and ends it.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use shared::protocol::message::Payload;

use super::fault::Fault;
use super::program::Program;
use super::programs::Programs;
use super::reply::Reply;
use super::stderr::Listener;

/// Time limit for a program to end after its stdin was closed.
const GRACE: Duration = Duration::from_millis(200);

/// Time limit for a killed program to disappear. It takes longer only if the kernel delays it.
const KILL_LIMIT: Duration = Duration::from_millis(200);

/// Time to wait for the exit status of a program that closed its output.
const STATUS_LIMIT: Duration = Duration::from_millis(50);

/// Interval at which to check whether a program has ended.
const LOOK: Duration = Duration::from_millis(1);

/// Interval at which to check whether the program has ended while an answer is awaited. It is long enough to cost
/// nothing.
const EXIT_LOOK: Duration = Duration::from_millis(20);

/// Requested size of the pipe for frames, in bytes: the most that Linux grants without privileges
/// (`/proc/sys/fs/pipe-max-size`). A frame of 640x480 then goes out in one write.
const PIPE_BYTES: usize = 1 << 20;

/// Bytes to read at a time: the default capacity of a pipe.
const CHUNK: usize = 64 << 10;

/// A running program, the leader of a process group of its own.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    group: Pid,
    /// How the program ended. `None` until it is reaped.
    status: Option<ExitStatus>,
    /// `None` once the program is told to end.
    input: Option<ChildStdin>,
    output: ChildStdout,
    stderr: Listener,
    /// Whether the program has read its first line.
    has_begun: bool,
    chunk: Vec<u8>,
    programs: Arc<Programs>,
}

/// How a frame's exchange with the program ended.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it lives for a call")]
pub(super) enum Exchange {
    /// The program read the frame and answered.
    Done(Payload<'static>),
    /// It answered, but did not read the whole frame in time.
    Unread,
    /// It did not answer in time.
    Silent,
}

/// What remains to be written.
struct Unsent<'a>([&'a [u8]; 2]);

impl Process {
    /// Starts a program and writes its first line.
    pub(super) fn start(program: &Program, hello: &[u8], programs: &Arc<Programs>) -> Result<Self, Fault> {
        let child = programs.start(|| {
            let mut command = program.command();
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
            let child = command.spawn()?;
            Ok((Pid::from_child(&child), child))
        })?;
        let process = Self::of(child, program.name(), programs.clone());
        fcntl_setfl(process.input(), OFlags::NONBLOCK).map_err(io::Error::from)?;
        fcntl_setfl(&process.output, OFlags::NONBLOCK).map_err(io::Error::from)?;
        // A smaller pipe is only slower.
        #[cfg(target_os = "linux")]
        let _ = rustix::pipe::fcntl_setpipe_size(process.input(), PIPE_BYTES);
        // The pipe is empty, and a pipe holds the line: 4 KiB of metadata take at most 25 KiB in
        // JSON, where a control character has six letters. A program that has ended already is noticed at its output.
        let _ = rustix::io::write(process.input(), hello);
        Ok(process)
    }

    fn of(mut child: Child, name: &str, programs: Arc<Programs>) -> Self {
        // invariant: all three were asked for as pipes.
        let input = Some(child.stdin.take().expect("a pipe"));
        let output = child.stdout.take().expect("a pipe");
        let stderr = Listener::start(name.to_owned(), child.stderr.take().expect("a pipe"));
        let (group, chunk) = (Pid::from_child(&child), vec![0; CHUNK]);
        Self { child, group, status: None, input, output, stderr, has_begun: false, chunk, programs }
    }

    /// Waits until the program has read its first line. It does so only after it has loaded what it needs.
    pub(super) fn begin(&mut self, until: Instant) -> Result<(), Fault> {
        while !self.has_begun {
            // If the system cannot say how much is unread, the program counts as begun.
            self.has_begun = rustix::io::ioctl_fionread(self.input()).unwrap_or(0) == 0;
            if self.has_begun {
                break;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Fault::NotReading);
            }
            self.wait(false, left.min(LOOK))?;
            self.stays_silent()?;
        }
        Ok(())
    }

    /// Hands over a frame and waits for the program's answer.
    pub(super) fn exchange(
        &mut self,
        head: &[u8],
        pixels: &[u8],
        reply: &mut Reply,
        until: Instant,
    ) -> Result<Exchange, Fault> {
        self.stays_silent()?;
        let (mut unsent, mut answer) = (Unsent([head, pixels]), None);
        loop {
            self.send(&mut unsent)?;
            answer = match answer {
                Some(answer) if unsent.is_empty() => return Ok(Exchange::Done(answer)),
                answer => answer,
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(answer.map_or(Exchange::Silent, |_| Exchange::Unread));
            }
            self.wait(!unsent.is_empty(), left.min(EXIT_LOOK))?;
            // A child of the program may hold its output open. What the program wrote before it exited is read below.
            let has_exited = self.has_exited_within(Duration::ZERO);
            while let Some(count) = self.receive()? {
                answer = reply.feed(&self.chunk[..count])?.or(answer);
                if answer.is_some() || Instant::now() >= until {
                    break;
                }
            }
            if has_exited && answer.is_none() {
                return Err(self.closed());
            }
        }
    }

    /// Checks that the program has written nothing that was not asked for.
    fn stays_silent(&mut self) -> Result<(), Fault> {
        let written = self.receive()?;
        written.map_or(Ok(()), |count| Err(Fault::unasked(&self.chunk[..count])))
    }

    /// Writes as many bytes as the pipe accepts.
    fn send(&mut self, unsent: &mut Unsent<'_>) -> Result<(), Fault> {
        while !unsent.is_empty() {
            match rustix::io::writev(self.input(), &unsent.0.map(IoSlice::new)) {
                Ok(count) => unsent.advance(count),
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                // The program closed its stdin. It may have answered before that; if not, its output ends too.
                Err(Errno::PIPE) => unsent.0 = [&[], &[]],
                Err(error) => return Err(io::Error::from(error).into()),
            }
        }
        Ok(())
    }

    /// Reads a chunk. Returns its length, or `None` if there is nothing to read now.
    fn receive(&mut self) -> Result<Option<usize>, Fault> {
        match rustix::io::read(&self.output, &mut self.chunk[..]) {
            Ok(0) => Err(self.closed()),
            Ok(count) => Ok(Some(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(io::Error::from(error).into()),
        }
    }

    /// Waits until the program writes, the session ends, or `limit` has passed. If there `is_more` to send, also until
    /// the program's stdin accepts it.
    fn wait(&self, is_more: bool, limit: Duration) -> Result<(), Fault> {
        let mut ready = [
            PollFd::from_borrowed_fd(self.programs.ending(), PollFlags::IN),
            PollFd::new(&self.output, PollFlags::IN),
            PollFd::from_borrowed_fd(self.input(), PollFlags::OUT),
        ];
        let asked = if is_more { &mut ready[..] } else { &mut ready[..2] };
        match poll(asked, Some(&timespec(limit))) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error).into()),
        }
        if ready[0].revents().is_empty() { Ok(()) } else { Err(Fault::Ending) }
    }

    fn input(&self) -> BorrowedFd<'_> {
        // invariant: `input` is taken only when the program is told to end, and nothing is written after that.
        self.input.as_ref().expect("not told to end yet").as_fd()
    }

    /// Whether the program has not exited.
    pub(super) fn runs(&self) -> bool {
        !self.has_exited_within(Duration::ZERO)
    }

    /// Why the program's output ended.
    fn closed(&mut self) -> Fault {
        if self.has_exited_within(STATUS_LIMIT) {
            self.reap();
        }
        self.status.map_or(Fault::Closed, Fault::Ended)
    }

    /// Ends the program: closes its stdin, and kills the program if it has not ended after [`GRACE`].
    pub(super) fn end(mut self) {
        drop(self.input.take());
        self.has_exited_within(GRACE);
    }

    /// Waits until the program exits, up to `limit`; returns whether it did. The program is not reaped yet, so that the
    /// system gives its process id to no other.
    fn has_exited_within(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        loop {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(self.group), options) {
                Ok(None) | Err(Errno::INTR) => {}
                // An error means that it was reaped.
                Ok(Some(_)) | Err(_) => return true,
            }
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(LOOK);
        }
    }

    /// Kills what is left of the program's process group, and reaps the program.
    fn reap(&mut self) {
        if self.status.is_none() {
            // An error means that the group is gone, as intended.
            let _ = kill_process_group(self.group, Signal::KILL);
            self.has_exited_within(KILL_LIMIT);
            self.status = self.child.try_wait().ok().flatten();
        }
    }
}

impl Drop for Process {
    /// Kills the program and its children, unless they have ended.
    fn drop(&mut self) {
        drop(self.input.take());
        self.reap();
        self.stderr.end();
        self.programs.ended(self.group);
    }
}

impl Unsent<'_> {
    fn is_empty(&self) -> bool {
        self.0.iter().all(|part| part.is_empty())
    }

    fn advance(&mut self, count: usize) {
        let [head, pixels] = &mut self.0;
        let of_head = count.min(head.len());
        *head = &head[of_head..];
        *pixels = &pixels[count - of_head..];
    }
}

fn timespec(duration: Duration) -> Timespec {
    // invariant: a limit is at most some hours.
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}
