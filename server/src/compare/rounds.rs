//! Runs two or more specifications in turns, and measures their latencies.
//!
//! Each run is a separate process of this program, which writes a run's folder. Its client is that of `--loopback`, one
//! that `--client` starts, or one that somebody else starts for each run.

use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use shared::shell::stop::{Stopper, stop_pair};
use shared::text::Escaped;
use tempfile::TempDir;
use tracing::info;

use super::error::CompareError;
pub(super) use super::latency::{LATENCIES, Latency};
use super::latency::{compared, is_forward};
use super::server_log::ServerLog;
use super::side::Side;
use crate::gate::fell_short;
use crate::run::{RunSpec, of_file};

/// Interval at which a run is polled for its end.
const LOOK: Duration = Duration::from_millis(20);

/// Time for a client to exit after its server.
const CLIENT_END: Duration = Duration::from_secs(5);

/// How long the server waits for a client that was started: as in sweeps.
const CLIENT_LIMIT: &str = "30s";

/// Variables of options that say where clients find the server and whom it admits: a client has the same ones. They
/// change nothing that is measured.
const OF_THE_DOOR: [&str; 8] = [
    "PLUMB_LISTEN",
    "PLUMB_ADVERTISE",
    "PLUMB_UDP_PORT",
    "PLUMB_TOKEN_FILE",
    "PLUMB_IDENTITY",
    "PLUMB_TLS_CERT",
    "PLUMB_TLS_KEY",
    "PLUMB_TLS_CA",
];

/// The runs that take turns.
pub(super) struct Rounds {
    files: Vec<PathBuf>,
    clients: Vec<String>,
    rounds: u32,
    seed: u64,
}

/// The results of the rounds.
pub(super) struct Measured {
    /// The first round of each run.
    pub(super) sides: Vec<Side>,
    /// The latencies of each run except the first, compared with those of the first.
    pub(super) latencies: Vec<Vec<Latency>>,
}

impl Rounds {
    /// Checks the runs before any of them starts.
    ///
    /// # Errors
    /// If a file cannot be read, if its run has no limit, or if the number of clients does not match.
    pub(super) fn new(files: &[PathBuf], clients: &[String], rounds: NonZeroU32) -> Result<Self, CompareError> {
        let usage = |wrong: String| Err(CompareError::Usage(wrong));
        if files.len() < 2 {
            return usage("one --run is nothing to compare with: give two or more".into());
        }
        if clients.len() > 1 && clients.len() != files.len() {
            return usage(format!("{} clients for {} runs: give one, or one for each run", clients.len(), files.len()));
        }
        let specs = files.iter().map(|file| of_file("--run", file)).collect::<Result<Vec<_>, _>>()?;
        for (spec, file) in specs.iter().zip(files) {
            if spec.sent.frames.is_none() && spec.sent.duration.is_none() {
                let file = Escaped(file.display());
                return usage(format!("{file} has neither frames nor duration, so its rounds would not end"));
            }
            if spec.delivered.loopback && !clients.is_empty() {
                let file = Escaped(file.display());
                return usage(format!("{file} has loopback, so --client has no effect: leave one of them out"));
            }
        }
        let seed = specs.iter().find_map(|spec| spec.sent.seed);
        let seed = seed.or_else(|| RunSpec::default().with_seed().sent.seed).unwrap_or_default();
        Ok(Self { files: files.to_vec(), clients: clients.to_vec(), rounds: rounds.get(), seed })
    }

    /// Runs all rounds.
    ///
    /// # Errors
    /// If a run fails, or if somebody stopped it.
    pub(super) fn run(&self) -> Result<Measured, CompareError> {
        let (stopper, _stop) = stop_pair();
        stopper.stop_on_signals();
        let room = tempfile::tempdir().map_err(|error| CompareError::Write { what: "the rounds".into(), error })?;
        let (mut first, mut rounds) = (Vec::new(), Vec::new());
        for round in 0..self.rounds as usize {
            let mut places: Vec<_> = (0..self.files.len()).collect();
            if !is_forward(round) {
                places.reverse();
            }
            let mut sides = Vec::new();
            for place in places {
                info!("round {} of {}: {}", round + 1, self.rounds, Escaped(self.files[place].display()));
                sides.push((place, self.one(place, round, &room, &stopper)?));
            }
            sides.sort_by_key(|(place, _)| *place);
            let sides: Vec<_> = sides.into_iter().map(|(_, side)| side).collect();
            rounds.push(sides.iter().map(latencies).collect::<Vec<_>>());
            if round == 0 {
                first = sides;
            }
        }
        let others = 1..self.files.len();
        Ok(Measured { sides: first, latencies: others.map(|place| against_first(&rounds, place)).collect() })
    }

    fn one(&self, place: usize, round: usize, room: &TempDir, stopper: &Stopper) -> Result<Side, CompareError> {
        let file = &self.files[place];
        let folder = room.path().join(format!("{round}-{place}"));
        let failed =
            |wrong: String| CompareError::Round(format!("round {}, {}: {wrong}", round + 1, Escaped(file.display())));
        let client = self.clients.get(place).or_else(|| self.clients.first());
        let mut server = Running::start(&mut self.server(file, &folder, client.is_some()))
            .map_err(|error| failed(error.to_string()))?;
        let log = server.log();
        let (mut started, mut gone) = (None::<Running>, None);
        let code = loop {
            if stopper.is_stopped() {
                return Err(failed("it was stopped".into()));
            }
            if let (Some(command), None, Ok(address)) = (client, &started, log.address.try_recv()) {
                let client = Running::start_group(&mut of_client(command, &address));
                started = Some(client.map_err(|error| failed(format!("{command}: {error}")))?);
            }
            if let Some(status) = server.ended().map_err(|error| failed(error.to_string()))? {
                break status.code();
            }
            // Its server would wait for another client. First it gets the time to end after a session.
            if let Some(status) = started.as_mut().and_then(Running::failure) {
                let since = gone.get_or_insert_with(Instant::now);
                if since.elapsed() >= CLIENT_END {
                    return Err(failed(format!("the client ended with {status}, and the server goes on without it")));
                }
            }
            thread::sleep(LOOK);
        };
        // Exit code 1 means that a gate of the run failed, which does not affect the comparison.
        if !matches!(code, Some(0 | 1)) {
            return Err(failed(format!("the server ended with {}", log.end(code))));
        }
        started.iter_mut().for_each(Running::wait);
        let side = Side::read(&folder)?;
        // Behind a gate's exit code, that of a client that left is not seen.
        if let Some(why) = fell_short(&side.report) {
            return Err(failed(format!("{why}, and rounds are compared whole")));
        }
        Ok(Side { name: file.display().to_string(), ..side })
    }

    fn server(&self, file: &Path, folder: &Path, has_client: bool) -> Command {
        let program = std::env::current_exe().unwrap_or_else(|_| "server".into());
        let mut server = Command::new(program);
        server.arg("--run").arg(file).args(["--once", "--no-graphics", "--no-announce", "--out"]).arg(folder);
        server.args(["--seed", &self.seed.to_string()]);
        if has_client {
            server.args(["--listen", "127.0.0.1:0", "--wait", CLIENT_LIMIT]);
        }
        without_variables(&mut server, &OF_THE_DOOR);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        server
    }
}

/// Keeps the user's variables, except these, from changing what a server runs or which files it writes.
pub(crate) fn without_variables(server: &mut Command, kept: &[&str]) {
    let names = std::env::vars_os().map(|(name, _)| name);
    let is_option = |name: &str| name.starts_with("PLUMB_") && !kept.contains(&name);
    names.filter(|name| is_option(&name.to_string_lossy())).for_each(|name| {
        server.env_remove(name);
    });
}

/// The command of a client, which finds the server's address in its environment.
pub(crate) fn of_client(command: &str, address: &str) -> Command {
    let mut client = if cfg!(windows) { Command::new("cmd") } else { Command::new("sh") };
    client.args([if cfg!(windows) { "/C" } else { "-c" }, command]).env("PLUMB_SERVER", address);
    client.stdin(Stdio::null()).stdout(Stdio::null());
    client
}

/// A child process that is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    /// Whether it leads a process group. What it has started is then killed with it, also if it has ended itself.
    leads: bool,
}

impl Running {
    /// Starts a server, whose log is read here and not shown.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        Ok(Self { child: command.env("NO_COLOR", "1").spawn()?, leads: false })
    }

    /// Starts a process that leads a process group, where the system has those.
    pub(crate) fn start_group(command: &mut Command) -> io::Result<Self> {
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        Ok(Self { child: command.spawn()?, leads: cfg!(unix) })
    }

    /// How it ended; `None` if it has not.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        #[cfg(unix)]
        if self.leads {
            return self.ended_unreaped();
        }
        self.child.try_wait()
    }

    /// As long as its leader is not reaped, no other process can have the group's id.
    #[cfg(unix)]
    fn ended_unreaped(&self) -> io::Result<Option<ExitStatus>> {
        use std::os::unix::process::ExitStatusExt;

        use rustix::process::{WaitId, WaitIdOptions, waitid};

        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::Pid(rustix::process::Pid::from_child(&self.child)), options)?;
        // wait(2): the exit code is in the second byte, the signal in the first.
        let raw = |code: Option<i32>, signal: Option<i32>| code.map_or(signal.unwrap_or_default(), |code| code << 8);
        Ok(status.map(|status| ExitStatus::from_raw(raw(status.exit_status(), status.terminating_signal()))))
    }

    /// The log of a server, whose stderr is a pipe.
    pub(crate) fn log(&mut self) -> ServerLog {
        match self.child.stderr.take() {
            Some(stderr) => ServerLog::read(stderr),
            None => ServerLog::read(io::empty()),
        }
    }

    /// How it ended, if it ended and failed.
    fn failure(&mut self) -> Option<ExitStatus> {
        self.ended().ok().flatten().filter(|status| !status.success())
    }

    /// Waits up to [`CLIENT_END`] for its end.
    pub(crate) fn wait(&mut self) {
        let looks = CLIENT_END.as_millis() / LOOK.as_millis();
        for _ in 0..looks {
            if !matches!(self.ended(), Ok(None)) {
                return;
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        if self.leads {
            use rustix::process::{Pid, Signal, kill_process_group};

            // An error means that nothing is left of it.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn latencies(side: &Side) -> [Option<f64>; LATENCIES.len()] {
    LATENCIES.map(|(path, _)| side.figure(path))
}

/// The latencies of the run with this index, compared with those of the first.
fn against_first(rounds: &[Vec<[Option<f64>; LATENCIES.len()]>], place: usize) -> Vec<Latency> {
    let of = |(at, (path, weight)): (usize, (&'static str, f64))| {
        let both: Vec<_> =
            rounds.iter().filter_map(|round| Some((round.first()?[at]?, round.get(place)?[at]?))).collect();
        Some(Latency { path, weight, difference: compared(&both)? })
    };
    LATENCIES.into_iter().enumerate().filter_map(of).collect()
}
