//! `server compare`: compares runs, and shows which figures are better or worse.
//!
//! A `side` is a run's report with its frames, which `table` reads. `pairs` pairs the frames of two runs that
//! have the same seed and id. `difference` compares each `figure` of the task over the pairs (`means`, `shares`,
//! `percentiles`), or by the reports alone. `judge` gives the verdicts, with Holm's correction (`holm`). `rounds` runs
//! specifications in turns, so that latencies can be judged too (`latency`). `baseline` finds an earlier run to compare
//! with, and `keep` keeps one. `subset` groups the frames by radius, contrast and noise. `gates` decide the exit code.
//! `result`, `print` and `markdown` write the result.

mod baseline;
mod difference;
mod error;
mod estimate;
mod figure;
mod frames;
mod gates;
mod holm;
mod judge;
mod keep;
mod latency;
mod markdown;
mod means;
mod options;
mod pairs;
mod percentiles;
mod print;
mod result;
mod rounds;
mod server_log;
mod shares;
mod side;
#[cfg(test)]
mod simulation;
mod specification;
mod subset;
mod table;
mod text;

use std::path::{Path, PathBuf};

use shared::shell::exit::Exit;
use shared::shell::standard::named_stdout;
use shared::text::Escaped;
use tracing::info;

use self::figure::Figure;
use self::result::{Found, Listed, Run};
use self::rounds::{Latency, Rounds};
use self::side::Side;
use crate::gate::{Condition, GivenGates};
use crate::output::identity::{folder_of, refuse_one_for_two, spare_inputs};

pub use error::CompareError;
pub use options::CompareOptions;
pub(crate) use rounds::{Running, of_client, without_variables};
pub(crate) use side::checked;
pub use subset::By;

/// The figures that are listed but not judged.
const LISTED: [&str; 14] = [
    "error_px.l1.p99",
    "error_px.l1.max",
    "error_px.efficiency",
    "error_px.nees",
    "fps.answered",
    "latency_us.p50",
    "latency_us.p95",
    "latency_us.p99",
    "latency_us.max",
    "latency_us.stages.encode.p50",
    "latency_us.stages.to_client.p50",
    "latency_us.stages.queue.p50",
    "latency_us.stages.detect.p50",
    "latency_us.stages.back.p50",
];

/// Compares the runs that the options name, and writes the result.
pub fn run(options: &CompareOptions) -> Exit {
    Exit::unless_failed(compared(options), CompareError::is_usage)
}

fn compared(options: &CompareOptions) -> Result<Exit, CompareError> {
    let conditions = GivenGates::all(&options.gates);
    gates::check(&conditions).map_err(|wrong| CompareError::Usage(format!("--gate: {wrong}")))?;
    spared(options)?;
    let mut notes = Vec::new();
    let gathered = gathered(options, &mut notes)?;
    let mut found = found(options, &gathered, notes)?;
    found.gates = gates::judge(&conditions, &found.comparisons);
    let has_failed = gates::fails(&found.gates, options.strict);
    let kept = kept(options, &gathered, &mut found, &conditions)?;
    write(options, &found)?;
    Ok(if has_failed && !kept.is_first { Exit::GateFailed } else { Exit::Fine })
}

/// Checks that the result overwrites nothing that is read.
fn spared(options: &CompareOptions) -> Result<(), CompareError> {
    let outputs = [("--json", &options.json), ("--markdown", &options.markdown)];
    let outputs = outputs.into_iter().filter_map(|(option, path)| Some((option, path.as_deref()?)));
    // The frames beside a report are read too.
    let reports = options.runs.iter().filter(|run| run.file_name().is_some_and(|name| name == side::REPORT));
    let folders: Vec<_> = reports.map(|report| folder_of(report)).collect();
    let folders = folders.iter().map(PathBuf::as_path);
    let runs = options.runs.iter().map(PathBuf::as_path).chain(folders).map(|path| ("RUN", path));
    let inputs = runs.chain(options.files.iter().map(|path| ("--run", path.as_path())));
    let kept = options.baseline.as_deref().map_or(Ok(Vec::new()), baseline::folders)?;
    let inputs = inputs.chain(kept.iter().map(|path| ("--baseline", path.as_path())));
    let outputs: Vec<_> = outputs.collect();
    refuse_one_for_two(&outputs).map_err(CompareError::Usage)?;
    spare_inputs(&outputs, &inputs.collect::<Vec<_>>()).map_err(CompareError::Usage)
}

/// What is compared.
struct Gathered {
    sides: Vec<Side>,
    latencies: Vec<Vec<Latency>>,
}

fn gathered(options: &CompareOptions, notes: &mut Vec<String>) -> Result<Gathered, CompareError> {
    check(options)?;
    if !options.files.is_empty() {
        let measured = Rounds::new(&options.files, &options.clients, options.rounds)?.run()?;
        return Ok(Gathered { sides: measured.sides, latencies: measured.latencies });
    }
    let mut sides = options.runs.iter().map(|run| Side::read(run)).collect::<Result<Vec<_>, _>>()?;
    if let (Some(folder), [run]) = (&options.baseline, sides.as_slice()) {
        match baseline::find(folder, run, &options.runs[0], options.strict, notes)? {
            Some(baseline) => sides.insert(0, baseline),
            None => notes.push(format!("there is no baseline in {} yet", Escaped(folder.display()))),
        }
    }
    Ok(Gathered { sides, latencies: Vec::new() })
}

/// Refuses options that cannot be combined.
fn check(options: &CompareOptions) -> Result<(), CompareError> {
    let CompareOptions { runs, files, clients, baseline, keep, by, .. } = options;
    let wrong = match (runs.len(), files.len(), baseline) {
        (0, 0, _) => "nothing to compare: name two runs, or give --run twice",
        (1.., 1.., _) => "existing runs cannot be compared with those of --run FILE: leave one of them out",
        (0, _, Some(_)) => "--baseline needs an existing run: name its folder instead of --run",
        (2.., _, Some(_)) => "--baseline is what one run is compared with: name one run",
        (1, _, None) if by.is_empty() => {
            "one run is nothing to compare with: name a second one, or give --baseline DIR"
        }
        _ if *keep && baseline.is_none() => "--keep needs --baseline DIR, where the run is kept",
        _ if *keep && !runs.iter().all(|run| run.is_dir()) => "--keep needs the folder of a run, which --out writes",
        _ if !clients.is_empty() && files.is_empty() => "--client goes with --run: existing runs need no client",
        _ => return Ok(()),
    };
    Err(CompareError::Usage(wrong.into()))
}

fn found(options: &CompareOptions, gathered: &Gathered, notes: Vec<String>) -> Result<Found, CompareError> {
    let Gathered { sides, latencies } = gathered;
    let figures = figures(sides)?;
    let mut found = Found::new(notes);
    found.runs = sides.iter().map(described).collect();
    found.comparisons = judge::judge(sides, figures, latencies);
    found.subsets = subset::subsets(&options.by, sides, figures);
    if !options.by.is_empty() && found.subsets.is_empty() {
        found.notes.push("no frame can be put into a group: the runs have no frames, or none shows a ball".into());
    }
    let judged = |path: &str| found.comparisons.iter().flat_map(|one| &one.figures).any(|figure| figure.path == path);
    let listed = LISTED
        .iter()
        .filter(|path| !judged(path))
        .map(|path| Listed { path: (*path).to_owned(), values: sides.iter().map(|side| side.figure(path)).collect() });
    found.listed = listed.filter(|listed| listed.values.iter().any(Option::is_some)).collect();
    Ok(found)
}

/// The figures of the task, which must be the same in all runs.
fn figures(sides: &[Side]) -> Result<&'static [Figure], CompareError> {
    let mut tasks = sides.iter().filter_map(|side| Some((side.task()?, &side.name)));
    let Some((task, name)) = tasks.next() else { return Ok(&[]) };
    if let Some((other, other_name)) = tasks.find(|(other, _)| *other != task) {
        let [name, other_name] = [name, other_name].map(Escaped);
        let wrong = format!("the tasks differ: {name} is of {task}, {other_name} of {other}; compare runs of one task");
        return Err(CompareError::Usage(wrong));
    }
    let unknown =
        || CompareError::Usage(format!("{} is of the task {}, which is not known", Escaped(name), Escaped(task)));
    figure::of_task(task).ok_or_else(unknown)
}

fn described(side: &Side) -> Run {
    Run {
        name: side.name.clone(),
        version: side.report["run"]["version"].as_str().map(str::to_owned),
        seed: side.seed(),
        client: side.client(),
        session: side.number(),
        frames: side.figure("frames.sent").unwrap_or(0.0) as u64,
        notes: side.notes.clone(),
    }
}

/// The result of `--keep`.
struct Kept {
    /// Whether the run is the first baseline, so that there was nothing to compare it with.
    is_first: bool,
}

/// Keeps the run as a baseline, unless it failed.
fn kept(
    options: &CompareOptions,
    gathered: &Gathered,
    found: &mut Found,
    conditions: &[Condition],
) -> Result<Kept, CompareError> {
    let (Some(folder), true, Some(run), [path]) =
        (&options.baseline, options.keep, gathered.sides.last(), options.runs.as_slice())
    else {
        return Ok(Kept { is_first: false });
    };
    let is_first = gathered.sides.len() == 1;
    let failed = gates::fails(&found.gates, options.strict) && !is_first;
    let why = baseline::why_not_passed(&run.report, options.strict)
        .or_else(|| failed.then(|| "a gate on the comparison did not pass".into()));
    if let Some(why) = why {
        found.notes.push(format!("the run is not kept as a baseline: {why}"));
        return Ok(Kept { is_first: false });
    }
    let place = keep::keep(folder, path)?;
    info!("the run is kept as a baseline in {}", Escaped(place.display()));
    if is_first && !conditions.is_empty() {
        found.gates.clear();
        found.notes.push("the run is the first baseline: its gates are judged from the next run on".into());
    }
    Ok(Kept { is_first })
}

fn write(options: &CompareOptions, found: &Found) -> Result<(), CompareError> {
    let is_stdout = |path: &Option<PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if is_stdout(&options.json) || is_stdout(&options.markdown) {
        named_stdout().map_err(|error| CompareError::Write { what: "the comparison to stdout".into(), error })?;
    }
    if let Some(path) = &options.json {
        // Names, texts and finite numbers always have a JSON form.
        let text = shared::json::to_string_pretty(found).unwrap_or_default() + "\n";
        side::write("the comparison", path, &text)?;
    }
    if let Some(path) = &options.markdown {
        side::write("the Markdown", path, &markdown::text(found))?;
    }
    if !is_stdout(&options.json) && !is_stdout(&options.markdown) {
        side::write("the comparison", Path::new("-"), &print::text(found))?;
    }
    Ok(())
}
