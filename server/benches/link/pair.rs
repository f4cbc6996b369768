//! Runs a source and a sink that are not our programs. The source prints three lines: its port, "started" when the
//! first answer arrives, and its figures at the end. The sink gets the port as an argument.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::RunError;
use crate::sample::Sample;
use crate::source::Figures;
use testkit::processes::{Output, Process, cores_used, line};

/// Time between the first answer and the measurement of processor time.
const SETTLE: Duration = Duration::from_millis(300);

/// Time between the measurement of processor time and the end of the run.
const MARGIN: Duration = Duration::from_millis(200);

/// Length of the middle part of a run, during which processor time is measured. `time` is the length of the run.
pub(crate) fn middle(time: Duration) -> Duration {
    time.saturating_sub(SETTLE + MARGIN)
}

/// Waits until a run that just started has settled.
pub(crate) fn settle() {
    std::thread::sleep(SETTLE);
}

/// Runs both processes. `sink` makes the sink's command from the source's port.
pub(crate) fn run(
    source: Command,
    sink: impl FnOnce(&str) -> Command,
    time: Duration,
    folder: &Path,
) -> Result<Sample, RunError> {
    let mut source = Process::start("source", source, &Output::Pipe, folder)?;
    let mut output = source.stdout()?;
    let port = line(&mut output)?;
    let start = Instant::now();
    let sink = Process::start("sink", sink(&port), &Output::File(folder.join("sink.stdout")), folder)?;
    // If no sink connects, the source ends; then its output ends too, and this read fails.
    line(&mut output)?;
    let start = start.elapsed();
    settle();
    let cores = cores_used([&source, &sink], middle(time))?;
    let figures: Figures = serde_json::from_str(&line(&mut output)?)?;
    source.end()?;
    sink.end()?;
    Ok(Sample {
        frames_per_s: figures.frames_per_s,
        p50_us: figures.p50_us as f64,
        p99_us: figures.p99_us as f64,
        network_us: None,
        cores: cores.map(Some),
        start,
        wire_share: 1.0,
        allocations: figures.allocations,
    })
}
