//! What the tests of server and client together need.

// Each test file is a crate of its own and needs a part of this.
#![allow(dead_code)]

#[path = "../../../shared/tests/program/mod.rs"]
pub(crate) mod program;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use program::{Ended, Program, command};

/// How a frame can end, in a report.
pub(crate) const OUTCOMES: [&str; 5] = ["circle", "no_circle", "dropped", "lost", "unresolved"];

/// A server that listens.
pub(crate) struct Server {
    /// The program.
    pub(crate) program: Program,
    /// Where it listens.
    pub(crate) address: String,
}

impl Server {
    /// Starts a server without graphics on a free port of this machine.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::listening(Program::start(with(command("server"), &[&["--no-graphics"], options].concat())))
    }

    /// Reads where a server started with [`with`] listens.
    pub(crate) fn listening(program: Program) -> Self {
        let line = program.stderr.wait_for("listening on ");
        let address = line.split("listening on ").nth(1).and_then(|rest| rest.split(',').next());
        Self { address: address.expect("an address").to_owned(), program }
    }

    /// Starts a client of this server without graphics.
    pub(crate) fn client(&self, options: &[&str]) -> Program {
        client(&self.address, options)
    }

    /// Opens a bare signaling connection.
    pub(crate) fn connect(&self) -> std::net::TcpStream {
        let stream = std::net::TcpStream::connect(&self.address).expect("the server listens");
        stream.set_read_timeout(Some(program::LIMIT)).expect("a limit");
        stream
    }

    /// Waits until it ends.
    pub(crate) fn end(self) -> Ended {
        self.program.end()
    }
}

/// The server's command, on a free port of this machine unless the options say otherwise.
pub(crate) fn with(mut server: std::process::Command, options: &[&str]) -> std::process::Command {
    if !options.contains(&"--listen") {
        server.args(["--listen", "127.0.0.1:0"]);
    }
    server.args(options);
    server
}

/// Starts a client without graphics.
pub(crate) fn client(address: &str, options: &[&str]) -> Program {
    let mut client = command("client");
    client.args([address, "--no-graphics"]).args(options);
    Program::start(client)
}

/// An address on which nobody listens.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

/// A place for a report.
pub(crate) struct ReportFile {
    _directory: TempDir,
    path: PathBuf,
}

impl ReportFile {
    /// In a directory of its own.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("report.json");
        Self { _directory: directory, path }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The same, as an option's value.
    pub(crate) fn name(&self) -> &str {
        self.path.to_str().expect("a path in UTF-8")
    }

    /// What was written into it; every session's frames add up.
    #[track_caller]
    pub(crate) fn read(&self) -> Value {
        let text = std::fs::read_to_string(&self.path).expect("a report");
        checked(&text)
    }

    /// The same while the server may be writing it; `None` where that shows.
    #[track_caller]
    pub(crate) fn try_read(&self) -> Option<Value> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        serde_json::from_str::<Value>(&text).is_ok().then(|| checked(&text))
    }
}

/// A report's document, whose frames add up.
#[track_caller]
pub(crate) fn checked(text: &str) -> Value {
    let report: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    for session in sessions(&report) {
        let frames = &session["frames"];
        let count = |name: &str| frames[name].as_u64().unwrap_or_else(|| panic!("no count {name} in {frames}"));
        assert_eq!(OUTCOMES.map(count).iter().sum::<u64>(), count("sent"), "conservation: {frames}");
    }
    report
}

/// A report's sessions.
#[track_caller]
pub(crate) fn sessions(report: &Value) -> &[Value] {
    report["sessions"].as_array().expect("a list of sessions")
}

/// The only session of a report.
#[track_caller]
pub(crate) fn only_session(report: &Value) -> &Value {
    let [session] = sessions(report) else { panic!("not one session: {report:#}") };
    session
}

/// Rows of frames in a program's output: those that begin with an id, in a column of its own.
pub(crate) fn rows(lines: &[String]) -> Vec<&str> {
    let has_id = |line: &str| line.split_whitespace().next().is_some_and(|id| id.parse::<u64>().is_ok());
    lines.iter().map(String::as_str).filter(|line| line.starts_with(' ') && has_id(line)).collect()
}
