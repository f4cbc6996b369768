//! Two processes that are no programs of ours: a source that says its port, "started" with the first answer and its
//! figures at the end, and a sink that is told the port.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::RunError;
use crate::sample::Sample;
use crate::source::Figures;
use testkit::processes::{Output, Process, cores_used, line};

/// After the first answer, before processor time is measured.
const SETTLE: Duration = Duration::from_millis(300);

/// Processor time is measured until this long before the end.
const MARGIN: Duration = Duration::from_millis(200);

/// The time in the middle of a run of this length, in which processor time is measured.
pub(crate) fn middle(time: Duration) -> Duration {
    time.saturating_sub(SETTLE + MARGIN)
}

/// Waits until a run that just started has settled.
pub(crate) fn settle() {
    std::thread::sleep(SETTLE);
}

/// Runs the two; `sink` is made of the source's port.
pub(crate) fn run(
    source: Command,
    sink: impl FnOnce(&str) -> Command,
    time: Duration,
    folder: &Path,
) -> Result<Sample, RunError> {
    let mut source = Process::start("source", source, &Output::Pipe, folder)?;
    let mut said = source.stdout()?;
    let port = line(&mut said)?;
    let start = Instant::now();
    let sink = Process::start("sink", sink(&port), &Output::File(folder.join("sink.stdout")), folder)?;
    // The source ends where no sink comes, and with it its output.
    line(&mut said)?;
    let start = start.elapsed();
    settle();
    let cores = cores_used([&source, &sink], middle(time))?;
    let figures: Figures = serde_json::from_str(&line(&mut said)?)?;
    source.end()?;
    sink.end()?;
    Ok(Sample {
        frames_per_s: figures.frames_per_s,
        p50_us: figures.p50_us as f64,
        p99_us: figures.p99_us as f64,
        cores: cores.map(Some),
        start,
        wire_share: 1.0,
        allocations: figures.allocations,
    })
}
