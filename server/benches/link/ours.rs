//! Our two programs, as a user starts them; rows go to files, figures come from the report.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::contenders::Group;
use crate::frames::SEED;
use crate::pair::{RunError, middle, settle};
use crate::sample::Sample;
use testkit::ends;
use testkit::processes::{Output, Process, cores_used, has_option, program};

/// The report's part that matters here.
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
    circle: u64,
}

#[derive(Debug, Deserialize)]
struct Latency {
    p50: u64,
    p99: u64,
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

/// Runs both programs; `options` are the server's, in pairs of name and value.
pub(crate) fn run(group: &Group, options: &[[&str; 2]], time: Duration, folder: &Path) -> Result<Sample, RunError> {
    for [name, _] in options {
        if !has_option("server", name)? {
            return Err(RunError::NoOption((*name).to_owned()));
        }
    }
    let [report, rows, client_rows] = ["report.json", "rows", "client.rows"].map(|name| folder.join(name));
    let mut server = program("server")?;
    server.args(["--listen", "127.0.0.1:0", "--once", "--no-graphics", "--no-announce"]);
    server.args(["--seed", &SEED.to_string(), "--size", &group.size.to_string(), "--fps", &group.rate.to_string()]);
    server.args(["--duration", &format!("{}ms", time.as_millis())]).arg("--json").arg(&report);
    server.args(options.as_flattened());
    let mut server = Process::start("server", server, &Output::File(rows.clone()), folder)?;
    let listening = server.wait_for("listening on ")?;
    let address = ends::address(&listening).unwrap_or_default();
    let mut client = program("client")?;
    client.args([address, "--no-graphics"]);
    let start = Instant::now();
    let client = Process::start("client", client, &Output::File(client_rows), folder)?;
    // The header comes with the first row.
    server.wait_until("no rows", || fs::metadata(&rows).is_ok_and(|file| file.len() > 0).then_some(()))?;
    let start = start.elapsed();
    settle();
    let cores = cores_used([&server, &client], middle(time))?;
    client.end()?;
    server.end()?;
    let report: Report = serde_json::from_slice(&fs::read(report)?)?;
    let Some(session) = report.sessions.first() else { return Err(RunError::Frames("no session".to_owned())) };
    if session.frames.circle != session.frames.sent {
        return Err(RunError::Frames(format!("not all frames were answered: {:?}", session.frames)));
    }
    Ok(Sample {
        frames_per_s: session.fps.answered,
        p50_us: session.latency_us.p50 as f64,
        p99_us: session.latency_us.p99 as f64,
        cores,
        start,
        wire_share: session.bytes.frames_wire as f64 / session.bytes.frames_raw as f64,
        allocations: None,
    })
}
