//! A run's folder, as `--out` writes it.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::ends::Server;
use crate::program::{Ended, Program, command, poll};
use crate::report::{checked, only_session, sessions};

/// A folder for a run. It does not exist until a run writes it.
pub struct Folder {
    _inside: TempDir,
    /// Its path.
    pub path: PathBuf,
}

impl Folder {
    /// A folder in its own temporary directory.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        let inside = tempfile::tempdir().expect("a temporary directory");
        Self { path: inside.path().join("run"), _inside: inside }
    }

    /// Its path, as the value of an option.
    pub fn name(&self) -> &str {
        self.path.to_str().expect("a path in UTF-8")
    }

    /// The text of one of its files.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Its report. Asserts that the frames of every session add up.
    #[track_caller]
    pub fn report(&self) -> Value {
        checked(&self.read("report.json"))
    }

    /// The only session of its report.
    #[track_caller]
    pub fn session(&self) -> Value {
        only_session(&self.report()).clone()
    }

    /// The rows of `frames.csv`.
    #[track_caller]
    pub fn rows(&self) -> Vec<String> {
        self.read("frames.csv").lines().skip(1).map(str::to_owned).collect()
    }

    /// The names of its files, sorted.
    #[track_caller]
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.path).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<_> = entries.map(|name| name.into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    /// Waits until the report of the run that goes on has a session, and each has sent at least this many frames.
    #[track_caller]
    pub fn wait_for_frames(&self, frames: u64) {
        let sent = || {
            let report: Value = serde_json::from_str(&fs::read_to_string(self.path.join("report.json")).ok()?).ok()?;
            let counts = sessions(&report).iter().filter_map(|session| session["frames"]["sent"].as_u64());
            counts.min().filter(|sent| *sent >= frames)
        };
        poll(sent).expect("a report of a session that goes on");
    }

    /// Runs a server with a client, and kills the server when its report counts this many frames.
    #[track_caller]
    pub fn broken_off(&self, options: &[&str], frames: u64) {
        let mut server = Server::start(&[&["--out", self.name()], options].concat());
        let client = server.client(&[]);
        self.wait_for_frames(frames);
        server.program.signal("KILL");
        let _ = server.end();
        let _ = client.end();
    }

    /// `server report` on this folder.
    pub fn renew(&self) -> Ended {
        let mut server = command("server");
        server.args(["report", self.name()]);
        Program::start(server).end()
    }
}

/// A whole run in one process, as fast as it goes.
pub fn unpaced(options: &[&str]) -> Ended {
    let always = ["--loopback", "--no-graphics", "--link", "memory", "--fps", "max", "--deadline", "30s"];
    let mut server = command("server");
    server.args(always).args(options);
    Program::start(server).end()
}
