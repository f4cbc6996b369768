//! Runs our two programs as a user does. Their rows go to files; the figures come from the report.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::contenders::Group;
use crate::error::RunError;
use crate::frames::SEED;
use crate::pair::{middle, settle};
use crate::sample::Sample;
use testkit::ends;
use testkit::processes::{Output, Process, cores_used, has_option, program};

/// The part of the report that is used here.
#[derive(Debug, Deserialize)]
struct Report {
    sessions: Vec<Session>,
}

#[derive(Debug, Deserialize)]
struct Session {
    frames: Frames,
    latency_us: Latency,
    fps: Fps,
    bytes: Bytes,
}

#[derive(Debug, Deserialize)]
struct Frames {
    sent: u64,
    answered: u64,
    /// Answers that name a circle; `None` in tasks that ask for none.
    circle: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Latency {
    p50: u64,
    p99: u64,
    stages: Stages,
}

#[derive(Debug, Deserialize)]
struct Stages {
    to_client: Stage,
    back: Stage,
}

#[derive(Debug, Deserialize)]
struct Stage {
    p50: u64,
}

#[derive(Debug, Deserialize)]
struct Fps {
    answered: f64,
}

#[derive(Debug, Deserialize)]
struct Bytes {
    frames_raw: u64,
    frames_wire: u64,
}

/// Runs both programs. `options` are options for the server, as pairs of name and value.
pub(crate) fn run(group: &Group, options: &[[&str; 2]], time: Duration, folder: &Path) -> Result<Sample, RunError> {
    for [name, _] in options {
        if !has_option("server", name)? {
            return Err(RunError::NoOption((*name).to_owned()));
        }
    }
    let [report, rows, client_rows] = ["report.json", "rows", "client.rows"].map(|name| folder.join(name));
    let mut server = server(group, time, &report)?;
    server.args(["--listen", "127.0.0.1:0", "--once"]).args(options.as_flattened());
    let mut server = Process::start("server", server, &Output::File(rows.clone()), folder)?;
    let listening = server.wait_for("listening on ")?;
    let address = ends::address(&listening).unwrap_or_default();
    let mut client = program("client")?;
    client.args([address, "--no-graphics"]);
    // The link is the client's choice too.
    client.args(options.iter().filter(|[name, _]| *name == "--link").flatten());
    let start = Instant::now();
    let client = Process::start("client", client, &Output::File(client_rows), folder)?;
    wait_for_rows(&mut server, &rows)?;
    let start = start.elapsed();
    settle();
    let cores = cores_used([&server, &client], middle(time))?;
    client.end()?;
    server.end()?;
    read(&report)?.sample(cores.map(Some), start)
}

/// Runs the server with the client in the same process and a link in memory: our whole path without the network.
pub(crate) fn run_in_memory(group: &Group, time: Duration, folder: &Path) -> Result<Sample, RunError> {
    if !has_option("server", "--link")? {
        return Err(RunError::NoOption("--link".to_owned()));
    }
    let [report, rows] = ["report.json", "rows"].map(|name| folder.join(name));
    let mut both = server(group, time, &report)?;
    both.args(["--loopback", "--link", "memory"]);
    let start = Instant::now();
    let mut both = Process::start("server", both, &Output::File(rows.clone()), folder)?;
    wait_for_rows(&mut both, &rows)?;
    let start = start.elapsed();
    settle();
    let [cores] = cores_used([&both], middle(time))?;
    both.end()?;
    read(&report)?.sample([Some(cores), None], start)
}

/// The server's command without the options of its link.
fn server(group: &Group, time: Duration, report: &Path) -> Result<Command, RunError> {
    let mut server = program("server")?;
    server.args(["--no-graphics", "--no-announce", "--seed", &SEED.to_string()]);
    server.args(["--size", &group.size.to_string(), "--fps", &group.rate.to_string()]);
    server.args(["--duration", &format!("{}ms", time.as_millis())]).arg("--json").arg(report);
    Ok(server)
}

/// Waits for the server's first row, with which it also writes the header.
fn wait_for_rows(server: &mut Process, rows: &Path) -> Result<(), RunError> {
    let come = || fs::metadata(rows).is_ok_and(|file| file.len() > 0).then_some(());
    Ok(server.wait_until("no rows", come)?)
}

fn read(report: &Path) -> Result<Report, RunError> {
    Ok(serde_json::from_slice(&fs::read(report)?)?)
}

impl Report {
    /// The figures of the only session. It is an error if not all frames were answered.
    fn sample(&self, cores: [Option<f64>; 2], start: Duration) -> Result<Sample, RunError> {
        let Some(session) = self.sessions.first() else { return Err(RunError::Frames("no session".to_owned())) };
        if session.frames.circle.unwrap_or(session.frames.answered) != session.frames.sent {
            return Err(RunError::Frames(format!("not all frames were answered: {:?}", session.frames)));
        }
        let stages = &session.latency_us.stages;
        Ok(Sample {
            frames_per_s: session.fps.answered,
            p50_us: session.latency_us.p50 as f64,
            p99_us: session.latency_us.p99 as f64,
            network_us: Some((stages.to_client.p50 + stages.back.p50) as f64),
            cores,
            start,
            wire_share: session.bytes.frames_wire as f64 / session.bytes.frames_raw as f64,
            allocations: None,
        })
    }
}
