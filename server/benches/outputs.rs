//! Measures what the outputs of a run cost on their own: time per row, and memory.
//!
//! ```text
//! cargo bench -p server --bench outputs -- --rows 10000000
//! ```
//!
//! Frames of the task `circle` go through the run's own writer into a folder of `--out` and a file of `--csv`, as fast as
//! these take them. Then a process of its own makes the folder's report, table and page again, as `server report` does.
//! The exit code is 1 if a row is missing, if more than 100 MB were used, or if the page has more than 1 MB.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use clap::Parser;
use server::cli::Cli;
use server::output::folder::renew::renew;
use server::output::report::Run;
use server::output::writer::Shown;
use server::output::{Event, Outputs, Plan, SessionStart, outputs};
use server::run::RunConfig;
use server::score::cells::Cell;
use server::score::latency::FrameLatency;
use server::score::record::{FrameRecord, Outcome};
use server::task::TaskName;
use server::truth::{Limit, Truth};
use shared::geometry::Circle;
use shared::shell::options::Environment;
use shared::shell::stop::stop_pair;
use shared::time::Micros;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Memory that a run of ten million rows may use.
const MOST_BYTES: u64 = 100_000_000;

/// Most bytes of a page.
const MOST_PAGE_BYTES: u64 = 1_000_000;

/// Measures the outputs.
#[derive(Parser)]
struct Options {
    /// Number of rows
    #[arg(long, default_value_t = 100_000)]
    rows: u64,

    /// Make the files of this folder again, instead of writing rows
    #[arg(long, hide = true)]
    renew: Option<PathBuf>,

    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let Options { rows, renew, bench: _ } = Options::parse();
    if let Some(folder) = renew {
        return renewed(&folder);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let began = Instant::now();
    let complete = written(rows, folder.path());
    let took = began.elapsed();
    let (most, files) = (most_memory(), bytes_of(&folder.path().join("run")));
    println!(
        "{rows} rows in {:.1} s: {:.0} rows/s, {:.2} us each; {:.1} MB of memory at most; {:.1} MB of files{}",
        took.as_secs_f64(),
        rows as f64 / took.as_secs_f64(),
        took.as_secs_f64() * 1e6 / rows as f64,
        most as f64 / 1e6,
        files as f64 / 1e6,
        if complete { "" } else { "; ROWS ARE MISSING" },
    );
    let is_page_small = is_page_small(&folder.path().join("run"));
    let again = Command::new(std::env::current_exe().expect("this program"))
        .arg("--renew")
        .arg(folder.path().join("run"))
        .status()
        .is_ok_and(|status| status.success());
    if complete && most <= MOST_BYTES && is_page_small && again { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Makes the files of a folder again, as `server report` does.
fn renewed(folder: &Path) -> ExitCode {
    let began = Instant::now();
    let renewed = renew(folder).expect("a run's folder");
    let (took, most) = (began.elapsed(), most_memory());
    println!(
        "server report: {} rows in {:.1} s; {:.1} MB of memory at most",
        renewed.frames,
        took.as_secs_f64(),
        most as f64 / 1e6,
    );
    if most <= MOST_BYTES && is_page_small(folder) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the size of the page.
fn is_page_small(folder: &Path) -> bool {
    let bytes = std::fs::metadata(folder.join("report.html")).expect("a page").len();
    println!("report.html: {:.3} MB", bytes as f64 / 1e6);
    bytes <= MOST_PAGE_BYTES
}

/// Writes this many rows. Returns whether all of them were written.
fn written(rows: u64, folder: &Path) -> bool {
    let (out, csv) = (folder.join("run"), folder.join("rows.csv"));
    let arguments = ["server".into(), "--out".into(), out.into(), "--csv".into(), csv.into()];
    let cli = Cli::read(arguments, Environment::of_process()).expect("options");
    let task = TaskName::default();
    let run = Run { version: "bench", seed: 7, config: RunConfig::new(&cli.spec) };
    let (_stopper, mut stop) = stop_pair();
    let plan = Plan { task, run, rows: None, frames: false, window: None, local: &cli.local, more: Vec::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let opened = outputs(plan, &mut stop).await.expect("a new folder").expect("nobody stops it");
        let (outputs, writer) = Outputs::start(opened, &Shown::default()).expect("a new folder");
        outputs.tell_surely(Event::Started(SessionStart { session: 1, task })).await;
        for id in 0..rows {
            outputs.tell(Event::Frame { session: 1, record: record(id) });
            outputs.catch_up().await;
        }
        writer.finish(false)
    })
}

/// A frame whose numbers differ from those before, as in a run.
fn record(id: u64) -> FrameRecord {
    let part = (id % 9973) as f64 / 9973.0;
    let circle = Circle { x: 20.0 + 600.0 * part, y: 460.0 - 440.0 * part, radius: 20.0 };
    let (dx, dy) = (0.03 * (part - 0.5), 0.02 * (0.5 - part));
    let total_us = 2_000 + id % 977;
    let (to_client, queue, detect) = (total_us / 4, id % 13, total_us / 3);
    let latency = FrameLatency {
        total_us,
        encode_us: 80,
        to_client_us: Some(to_client),
        queue_us: Some(queue),
        detect_us: Some(detect),
        back_us: Some(total_us - 80 - to_client - queue - detect),
    };
    let real = Cell::Real;
    let empty = Cell::Empty;
    let l1 = dx.abs() + dy.abs();
    FrameRecord {
        id,
        source_index: id,
        captured: Micros(0) + Duration::from_micros(16_667 * id),
        truth: Truth::Ball { circle, limit: Limit::Unknown },
        outcome: Outcome::Answered,
        warmup: false,
        latency: Some(latency),
        truth_cells: [Cell::Word("ball"), real(circle.x), real(circle.y), real(20.0), real(0.01)].into_iter().collect(),
        answer: Some(
            [Cell::Word("circle"), real(circle.x + dx), real(circle.y + dy), real(20.01)]
                .into_iter()
                .chain([real(1e-4), real(1e-6), real(2e-4), empty, empty, empty])
                .collect(),
        ),
        residual: [real(dx), real(dy), real(l1), real(l1 * id as f64), empty].into_iter().collect(),
    }
}

/// The most memory that this process had (proc_pid_status(5)); 0 where the system does not say.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).map_or(0, |kib| kib * 1024)
}

fn bytes_of(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}
