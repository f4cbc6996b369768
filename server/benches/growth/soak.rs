//! Endurance: nothing may grow with time.

use std::fmt::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::processes::{Holdings, Output, Process, program};

/// Before the first look: buffers grow, histograms fill.
const WARM: Duration = Duration::from_secs(30);

/// Between two looks.
const LOOK: Duration = Duration::from_secs(30);

/// What either side may grow by, in bytes.
const GOAL_BYTES: u64 = 2 << 20;

/// Runs both programs at 60 frames a second for so long; a table of what they held after the start and at the end.
pub(crate) fn run(
    machine: &str,
    time: Duration,
    with: &str,
    folder: &Path,
) -> Result<String, Box<dyn std::error::Error>> {
    let warm = WARM.min(time / 4);
    let mut server = program("server")?;
    server.args(["--listen", "127.0.0.1:0", "--once", "--no-graphics", "--no-announce", "--seed", "5", "--fps", "60"]);
    server.args(with.split_whitespace());
    // Rows go nowhere: a file would be the only thing that grows.
    let nowhere = || Output::File("/dev/null".into());
    let mut server = Process::start("server", server, &nowhere(), folder)?;
    let listening = server.wait_for("listening on ")?;
    let address = listening.split("listening on ").nth(1).and_then(|rest| rest.split(',').next());
    let mut client = program("client")?;
    client.args([address.unwrap_or_default(), "--no-graphics"]);
    let client = Process::start("client", client, &nowhere(), folder)?;
    thread::sleep(warm);
    let start = Instant::now();
    let holdings =
        || -> Result<[Holdings; 2], Box<dyn std::error::Error>> { Ok([server.holdings()?, client.holdings()?]) };
    let first = holdings()?;
    let mut last = first;
    while let Some(left) = (time - warm).checked_sub(start.elapsed()).filter(|left| !left.is_zero()) {
        thread::sleep(left.min(LOOK));
        last = holdings()?;
        eprintln!("{:>6.0} s: server {:?}, client {:?}", (warm + start.elapsed()).as_secs_f64(), last[0], last[1]);
    }
    client.interrupt()?;
    client.end()?;
    server.end()?;
    let mut out = String::new();
    writeln!(
        out,
        "{} at 60 frames/s, 640x480 {with}; the first look after {} ({machine}):\n",
        humantime::format_duration(time),
        humantime::format_duration(warm)
    )?;
    writeln!(
        out,
        "| | memory MiB: start, end | growth (goal ≤ 2 MiB) | descriptors | threads |\n|---|---|---|---|---|"
    )?;
    for (name, first, last) in [("server", first[0], last[0]), ("client", first[1], last[1])] {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let verdict = |is_met| if is_met { "met" } else { "**not met**" };
        writeln!(
            out,
            "| {name} | {:.2}, {:.2} | {:+.2} MiB: {} | {} → {}: {} | {} → {}: {} |",
            mib(first.memory_bytes),
            mib(last.memory_bytes),
            mib(last.memory_bytes) - mib(first.memory_bytes),
            verdict(last.memory_bytes <= first.memory_bytes + GOAL_BYTES),
            first.descriptors,
            last.descriptors,
            verdict(last.descriptors <= first.descriptors),
            first.threads,
            last.threads,
            verdict(last.threads <= first.threads),
        )?;
    }
    Ok(out)
}
