//! The list of all outputs.

use std::io;
use std::path::Path;

use shared::shell::rows::Rows;
use shared::shell::stop::Stop;

use super::csv::CsvOutput;
use super::error::OutputError;
use super::folder::{FILES, FolderOutput};
use super::identity::is_one_file;
use super::json::{JsonOutput, JsonTarget};
use super::junit::JunitOutput;
use super::report::Run;
use super::rows::RowsOutput;
use super::seam::Output;
use super::window::WindowOutput;
use crate::cli::Local;
use crate::task::TaskName;

/// Which outputs a run has.
pub struct Plan<'a> {
    /// The run's task, whose columns the outputs have.
    pub task: TaskName,
    /// What ran, for the report.
    pub run: Run,
    /// Where rows and summaries are printed, if they are.
    pub rows: Option<Rows>,
    /// Whether a row is printed for each frame, if there is no window.
    pub frames: bool,
    /// The window.
    pub window: Option<WindowOutput>,
    /// The files that were asked for.
    pub local: &'a Local,
    /// Further outputs.
    pub more: Vec<Box<dyn Output>>,
}

/// Opens the outputs without writing anything yet. `None` if the run was stopped meanwhile.
///
/// # Errors
/// The error of the first output that cannot be written.
pub async fn outputs(plan: Plan<'_>, stop: &mut Stop) -> Result<Option<Vec<Box<dyn Output>>>, OutputError> {
    let Plan { task, run, rows, frames, window, local, more } = plan;
    refuse_one_file_for_two(local)?;
    let mut outputs = more;
    if let Some(folder) = &local.out {
        outputs.push(boxed(FolderOutput::open(folder, &run, task, local.strict)?.recorded(local.record)));
    }
    if let Some(target) = &local.json {
        let Some(json) = JsonOutput::open(target, &run, stop).await? else { return Ok(None) };
        outputs.push(boxed(json));
    }
    if let Some(path) = &local.csv {
        let Some(csv) = CsvOutput::open(path, task, stop).await? else { return Ok(None) };
        outputs.push(boxed(csv));
    }
    if let Some(path) = &local.junit {
        let Some(junit) = JunitOutput::open(path, run, local.strict, stop).await? else { return Ok(None) };
        outputs.push(boxed(junit));
    }
    match (window, rows) {
        (Some(window), rows) => {
            outputs.push(boxed(window));
            outputs.extend(rows.map(|rows| boxed(RowsOutput::of_summaries(rows))));
        }
        (None, rows) if frames => outputs.extend(rows.map(|rows| boxed(RowsOutput::of_frames(rows, task)))),
        (None, rows) => outputs.extend(rows.map(|rows| boxed(RowsOutput::of_summaries(rows)))),
    }
    Ok(Some(outputs))
}

/// Refuses the same file for two outputs, which would destroy each other. Devices and pipes can take both.
fn refuse_one_file_for_two(local: &Local) -> Result<(), OutputError> {
    let json = match &local.json {
        Some(JsonTarget::File(json)) => Some(json),
        _ => None,
    };
    let named = [
        ("report", "--json", json),
        ("frames", "--csv", local.csv.as_ref()),
        ("verdicts", "--junit", local.junit.as_ref()),
    ];
    let files: Vec<_> = named.into_iter().filter_map(|(what, option, path)| Some((what, option, path?))).collect();
    for (place, (what, option, path)) in files.iter().enumerate() {
        if let Some((_, other, _)) = files[..place].iter().find(|(.., earlier)| is_one_file(earlier, path)) {
            return Err(refused(what, path, format!("{other} and {option} need a file each")));
        }
        let out = local.out.as_deref();
        if let Some(name) = out.and_then(|out| FILES.into_iter().find(|name| is_one_file(&out.join(name), path))) {
            return Err(refused(what, path, format!("{name} is a file of --out itself, so {option} needs another")));
        }
    }
    Ok(())
}

fn refused(what: &'static str, path: &Path, wrong: String) -> OutputError {
    OutputError { what, place: path.display().to_string(), error: io::Error::new(io::ErrorKind::InvalidInput, wrong) }
}

fn boxed(output: impl Output + 'static) -> Box<dyn Output> {
    Box::new(output)
}
