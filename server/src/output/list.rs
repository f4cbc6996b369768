//! The outputs there are.

use std::path::PathBuf;

use shared::shell::rows::Rows;

use super::csv::CsvOutput;
use super::error::OutputError;
use super::json::{JsonOutput, JsonTarget};
use super::report::Run;
use super::rows::RowsOutput;
use super::seam::Output;
use super::window::WindowOutput;
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
    /// Where the report goes.
    pub json: Option<&'a JsonTarget>,
    /// Where the frames go as CSV.
    pub csv: Option<&'a PathBuf>,
}

/// Opens the outputs; nothing is written yet.
///
/// # Errors
/// The first that cannot be written.
pub fn outputs(plan: Plan<'_>) -> Result<Vec<Box<dyn Output>>, OutputError> {
    let Plan { task, run, rows, window, json, csv } = plan;
    let mut outputs: Vec<Box<dyn Output>> = Vec::new();
    outputs.extend(json.map(|target| JsonOutput::open(target, run)).transpose()?.map(boxed));
    outputs.extend(csv.map(|path| CsvOutput::open(path, task)).transpose()?.map(boxed));
    match window {
        Some(window) => outputs.extend([boxed(window), boxed(RowsOutput::of_summaries(rows))]),
        None => outputs.push(boxed(RowsOutput::of_frames(rows, task))),
    }
    Ok(outputs)
}

fn boxed(output: impl Output + 'static) -> Box<dyn Output> {
    Box::new(output)
}
