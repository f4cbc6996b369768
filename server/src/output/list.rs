//! The outputs there are.

use shared::shell::rows::Rows;

use super::csv::CsvOutput;
use super::error::OutputError;
use super::json::JsonOutput;
use super::report::Run;
use super::rows::RowsOutput;
use super::seam::Output;
use super::window::WindowOutput;
use crate::cli::Local;
use crate::task::TaskName;

/// Which outputs a run has.
pub struct Plan<'a> {
    /// The run's task, whose columns they have.
    pub task: TaskName,
    /// What ran, for the report.
    pub run: Run,
    /// Where rows and summaries go.
    pub rows: Rows,
    /// The window; rows of frames where there is none.
    pub window: Option<WindowOutput>,
    /// Which files are asked for.
    pub local: &'a Local,
}

/// Opens the outputs; nothing is written yet.
///
/// # Errors
/// The first that cannot be written.
pub fn outputs(plan: Plan<'_>) -> Result<Vec<Box<dyn Output>>, OutputError> {
    let Plan { task, run, rows, window, local } = plan;
    let mut outputs: Vec<Box<dyn Output>> = Vec::new();
    outputs.extend(local.json.as_ref().map(|target| JsonOutput::open(target, run)).transpose()?.map(boxed));
    outputs.extend(local.csv.as_ref().map(|path| CsvOutput::open(path, task)).transpose()?.map(boxed));
    match window {
        Some(window) => outputs.extend([boxed(window), boxed(RowsOutput::of_summaries(rows))]),
        None => outputs.push(boxed(RowsOutput::of_frames(rows, task))),
    }
    Ok(outputs)
}

fn boxed(output: impl Output + 'static) -> Box<dyn Output> {
    Box::new(output)
}
