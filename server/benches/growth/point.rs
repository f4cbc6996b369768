//! One point: runs a server and its clients, and measures what they use while all clients are served.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::Value;
use shared::flow::pacer::Rate;
use shared::geometry::Size;

use testkit::ends;
use testkit::processes::{Output, Process, ProcessError, program};

/// Warm-up before anything is measured: clients start, and the links' windows open.
const WARM: Duration = Duration::from_secs(2);

/// Additional warm-up per client.
const WARM_PER_CLIENT: Duration = Duration::from_millis(50);

/// Timeout for the report to contain all sessions.
const REPORT_LIMIT: Duration = Duration::from_secs(10);

/// The ball's radius as a share of the frame's height: the default of 20 px at 640x480.
const RADIUS_SHARE: f64 = 20.0 / 480.0;

/// Number of columns in a row with an answer.
const ROW_COLUMNS: usize = 9;

/// Index of the latency's column.
const ROW_LATENCY: usize = 7;

/// Index of the session's column.
const ROW_SESSION: usize = 8;

/// Setting of a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Setting {
    /// Number of clients, each a process.
    pub(crate) clients: u32,
    /// Size of the frames.
    pub(crate) size: Size,
    /// Frame rate of each client.
    pub(crate) rate: Rate,
    /// Time of the measurement.
    pub(crate) time: Duration,
}

/// Figures of a point.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    /// Setting of the point.
    pub(crate) setting: Setting,
    /// Answered frames per second of all clients together.
    pub(crate) frames_per_s: f64,
    /// Median latency of frames sent while all clients were served.
    pub(crate) p50_ms: f64,
    /// 99th percentile of the same latency.
    pub(crate) p99_ms: f64,
    /// 99.9th percentile of the same latency.
    pub(crate) p999_ms: f64,
    /// Processor time per frame: server, clients.
    pub(crate) cpu_us: [f64; 2],
    /// Resident memory of the server per client, beyond what it had before the clients started.
    pub(crate) memory_per_client_bytes: f64,
    /// Frames sent to all clients since their start.
    pub(crate) sent: u64,
    /// Frames of these that were not answered in time.
    pub(crate) lost: u64,
    /// Ticks without a frame because the window was full.
    pub(crate) skipped: u64,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} at {} frames/s for {:.0} s", self.clients, self.size, self.rate, self.time.as_secs_f64())
    }
}

/// Runs one point. `with` has more options for the server.
pub(crate) fn run(setting: &Setting, with: &str, folder: &Path) -> Result<Point, ProcessError> {
    let warm = WARM + WARM_PER_CLIENT * setting.clients;
    let [report, rows] = ["report.json", "rows"].map(|name| folder.join(name));
    let (server, address) = server(setting, warm, with, &report, &rows, folder)?;
    let memory_before = server.holdings()?.memory_bytes;
    let mut clients = Vec::new();
    for index in 0..setting.clients {
        let mut client = program("client")?;
        client.args([&address, "--no-graphics", "--workers", "1"]).args(link(with));
        clients.push(Process::start(
            &format!("client-{index}"),
            client,
            &Output::File(folder.join("client.rows")),
            folder,
        )?);
    }
    thread::sleep(warm);
    let (start, before) = (Instant::now(), [server.cpu()?, cpu(&clients)?]);
    thread::sleep(setting.time.mul_f64(0.9));
    let elapsed_s = start.elapsed().as_secs_f64();
    let cores = [server.cpu()? - before[0], cpu(&clients)? - before[1]].map(|used| used.as_secs_f64() / elapsed_s);
    let memory = server.holdings()?.memory_bytes.saturating_sub(memory_before);
    for client in clients {
        client.end()?;
    }
    let sessions = sessions(&report, setting.clients)?;
    server.interrupt()?;
    server.end()?;
    let sum = |pointer: &str| sessions.iter().filter_map(|session| session.pointer(pointer)?.as_f64()).sum::<f64>();
    let frames_per_s = sum("/fps/answered");
    let latency_us = latencies(&fs::read_to_string(&rows)?, warm.as_secs_f64() / (warm + setting.time).as_secs_f64());
    let at_ms = |share| latency_us.value_at_quantile(share) as f64 / 1e3;
    Ok(Point {
        setting: *setting,
        frames_per_s,
        p50_ms: at_ms(0.5),
        p99_ms: at_ms(0.99),
        p999_ms: at_ms(0.999),
        cpu_us: cores.map(|cores| 1e6 * cores / frames_per_s),
        memory_per_client_bytes: memory as f64 / f64::from(setting.clients),
        sent: sum("/frames/sent") as u64,
        lost: sum("/frames/lost") as u64,
        skipped: sum("/frames/skipped") as u64,
    })
}

/// `--link` and its value, which are options of the client too.
fn link(with: &str) -> impl Iterator<Item = &str> {
    with.split_whitespace().skip_while(|&word| word != "--link").take(2)
}

fn server(
    setting: &Setting,
    warm: Duration,
    with: &str,
    report: &Path,
    rows: &Path,
    folder: &Path,
) -> Result<(Process, String), ProcessError> {
    let mut server = program("server")?;
    server.args(["--listen", "127.0.0.1:0", "--no-graphics", "--no-announce", "--seed", "5"]);
    server
        .args(["--size", &setting.size.to_string(), "--fps", &setting.rate.to_string()])
        .args(with.split_whitespace());
    // With a radius in proportion to the height, the picture is the same at every size.
    server.args(["--radius", &(RADIUS_SHARE * f64::from(setting.size.height)).to_string()]);
    server.args(["--duration", &format!("{}ms", (warm + setting.time).as_millis())]).arg("--json").arg(report);
    let mut server = Process::start("server", server, &Output::File(rows.to_owned()), folder)?;
    let listening = server.wait_for("listening on ")?;
    let address = ends::address(&listening);
    Ok((server, address.unwrap_or_default().to_owned()))
}

fn cpu(clients: &[Process]) -> Result<Duration, ProcessError> {
    clients.iter().map(Process::cpu).sum()
}

/// Waits until the report contains all sessions, and returns them.
fn sessions(report: &Path, clients: u32) -> Result<Vec<Value>, ProcessError> {
    let deadline = Instant::now() + REPORT_LIMIT;
    loop {
        let text = fs::read_to_string(report)?;
        let mut sessions =
            serde_json::from_str(&text).ok().and_then(|mut report: Value| match report["sessions"].take() {
                Value::Array(sessions) => Some(sessions),
                _ => None,
            });
        match sessions.take() {
            Some(sessions) if sessions.len() >= clients as usize => return Ok(sessions),
            _ if Instant::now() > deadline => {
                return Err(io::Error::other(format!("not {clients} sessions in the report: {text}")).into());
            }
            _ => thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// Latencies in the server's rows. `start_share` is the share of rows at the start of each session that is left out.
fn latencies(rows: &str, start_share: f64) -> Histogram<u64> {
    let mut sessions = BTreeMap::<&str, Vec<f64>>::new();
    for row in rows.lines() {
        let columns: Vec<_> = row.split_whitespace().collect();
        // The header has more columns, and a frame without an answer has fewer.
        if columns.len() == ROW_COLUMNS
            && let Ok(ms) = columns[ROW_LATENCY].parse()
        {
            sessions.entry(columns[ROW_SESSION]).or_default().push(ms);
        }
    }
    // invariant: `new` only checks that the digits are in 0..=5, and they are a constant in that range.
    let mut latency_us = Histogram::new(3).expect("0 to 5 digits");
    for latencies_ms in sessions.values() {
        let start = (start_share * latencies_ms.len() as f64) as usize;
        for ms in &latencies_ms[start..] {
            // The histogram grows as needed, so recording cannot fail.
            let _ = latency_us.record((ms * 1e3).round() as u64);
        }
    }
    latency_us
}
