//! Endurance test: nothing may grow with time.

use std::fmt::Write;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use testkit::ends;
use testkit::processes::{Holdings, Output, Process, program};

/// Warm-up before the first sample: buffers grow and histograms fill.
const WARM: Duration = Duration::from_secs(30);

/// Number of samples of what the programs hold.
const SAMPLES: u32 = 100;

/// Maximum number of bytes by which the memory of either program may grow.
const GOAL_BYTES: u64 = 2 << 20;

/// Runs both programs at 60 frames/s for `time`. Returns a table of what they held at the start and at the end.
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
    // Rows are discarded: otherwise their file would grow.
    let nowhere = || Output::File("/dev/null".into());
    let mut server = Process::start("server", server, &nowhere(), folder)?;
    let listening = server.wait_for("listening on ")?;
    let address = ends::address(&listening);
    let mut client = program("client")?;
    client.args([address.unwrap_or_default(), "--no-graphics"]);
    let client = Process::start("client", client, &nowhere(), folder)?;
    thread::sleep(warm);
    let start = Instant::now();
    let holdings =
        || -> Result<[Holdings; 2], Box<dyn std::error::Error>> { Ok([server.holdings()?, client.holdings()?]) };
    let (time, mut samples) = (time - warm, Vec::new());
    while start.elapsed() < time {
        thread::sleep((time / SAMPLES).min(time.saturating_sub(start.elapsed())));
        let [server, client] = holdings()?;
        eprintln!("{:>6.0} s: server {server:?}, client {client:?}", (warm + start.elapsed()).as_secs_f64());
        samples.push([server, client]);
    }
    client.interrupt()?;
    client.end()?;
    server.end()?;
    let mut out = String::new();
    writeln!(
        out,
        "One client at 60 frames/s, 640x480, for {} ({machine}){}; medians of the first and last tenth after a warm-up of {}:\n",
        humantime::format_duration(time + warm),
        if with.is_empty() { String::new() } else { format!(", server {with}") },
        humantime::format_duration(warm),
    )?;
    writeln!(out, "| | memory, MiB | most | growth (goal ≤ 2 MiB) | descriptors | threads |\n|{}", "---|".repeat(6))?;
    for (side, name) in ["server", "client"].into_iter().enumerate() {
        row(&mut out, name, &samples.iter().map(|sample| sample[side]).collect::<Vec<_>>())?;
    }
    Ok(out)
}

fn row(out: &mut String, name: &str, samples: &[Holdings]) -> std::fmt::Result {
    let tenth = samples.len().div_ceil(10);
    // A single sample would depend on the load of the machine: a burst fills buffers, which are freed after a while.
    let median = |samples: &[Holdings], figure: fn(&Holdings) -> u64| {
        let mut figures: Vec<_> = samples.iter().map(figure).collect();
        figures.sort_unstable();
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    };
    let both = |figure| [median(&samples[..tenth], figure), median(&samples[samples.len() - tenth..], figure)];
    let [memory, descriptors, threads] =
        [both(|sample| sample.memory_bytes), both(|sample| sample.descriptors), both(|sample| sample.threads)];
    let most = samples.iter().map(|sample| sample.memory_bytes).max().unwrap_or_default();
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let verdict = |is_met| if is_met { "met" } else { "**not met**" };
    let flat = |[first, last]: [u64; 2]| format!("{first} → {last}: {}", verdict(last <= first));
    writeln!(
        out,
        "| {name} | {:.2} → {:.2} | {:.2} | {:+.2} MiB: {} | {} | {} |",
        mib(memory[0]),
        mib(memory[1]),
        mib(most),
        mib(memory[1]) - mib(memory[0]),
        verdict(memory[1] <= memory[0] + GOAL_BYTES),
        flat(descriptors),
        flat(threads),
    )
}
