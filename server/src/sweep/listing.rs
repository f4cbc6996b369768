//! The trials of a plan, for people.

use std::fmt::Write;

use shared::text::Escaped;

use super::error::SweepError;
use super::plan::{Answerer, Axis, Plan, Trial};

/// Most trials that are listed in full. A larger plan is shortened to its first and last trials.
const LISTED: u64 = 1_000;

/// How many trials of a larger plan are listed first.
const FIRST: u64 = 20;

/// Most values of an axis that are listed in full.
const VALUES: usize = 8;

/// Describes what a plan will run, with `jobs` trials at the same time.
///
/// # Errors
/// If its options cannot be combined.
pub(super) fn text(plan: &Plan, jobs: usize) -> Result<String, SweepError> {
    let (cells, repeats, trials) = (plan.cells(), plan.repeats, plan.trials());
    let mut text = format!("{trials} trials: {cells} cells, {repeats} repeats\n");
    let width = plan.axes.iter().map(|axis| axis.name.len()).chain(["pipeline".len()]).max().unwrap_or(0);
    for axis in &plan.axes {
        // Writing into a string does not fail.
        let _ = writeln!(text, "  {:width$}  {}", axis.name, values(axis));
    }
    if !plan.axes.iter().any(|axis| axis.name == "pipeline") {
        let _ = writeln!(text, "  {:width$}  {}", "pipeline", pipeline(plan));
    }
    let _ = match plan.latency_counts() {
        Some(why) => writeln!(text, "  trials run one at a time, because {why}"),
        None => writeln!(text, "  {jobs} trials run at the same time, so their latencies mean little"),
    };
    text += "\n";
    table(plan, &mut text)?;
    Ok(text)
}

fn values(axis: &Axis) -> String {
    let all: Vec<_> = axis.values.iter().map(|value| Escaped(&value.text).to_string()).collect();
    match all.len() {
        1..=VALUES => all.join(", "),
        count => format!("{}, ..., {} ({count} values)", all[..3].join(", "), all[count - 1]),
    }
}

fn pipeline(plan: &Plan) -> String {
    match plan.pipeline.answerer(&plan.pipeline.name) {
        Answerer::Client(command) => format!("{} (a client for each trial)", Escaped(command)),
        Answerer::Function { .. } => format!("{} (a Python function)", Escaped(&plan.pipeline.name)),
        Answerer::Named(name) if name.starts_with("exec:") => format!("{} (a program)", Escaped(name)),
        Answerer::Named(name) => format!("{name} (in this process)"),
    }
}

/// A row for each trial.
fn table(plan: &Plan, text: &mut String) -> Result<(), SweepError> {
    let trials = plan.trials();
    let numbers: Vec<u64> =
        if trials <= LISTED { (1..=trials).collect() } else { (1..=FIRST).chain([trials]).collect() };
    let mut rows = vec![heads(plan)];
    for number in numbers {
        rows.push(row(&plan.trial(number)?));
    }
    let columns = rows[0].len();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    for (place, row) in rows.iter().enumerate() {
        if trials > LISTED && place + 1 == rows.len() {
            let _ = writeln!(text, "  ... {} more", trials - FIRST - 1);
        }
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}", width = *width));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  "));
    }
    Ok(())
}

fn heads(plan: &Plan) -> Vec<String> {
    let axes = plan.axes.iter().map(|axis| axis.name.clone()).filter(|name| name != "seed");
    ["trial".to_owned()].into_iter().chain(axes).chain(["seed".to_owned(), "id".to_owned()]).collect()
}

fn row(trial: &Trial) -> Vec<String> {
    let values = trial.values.iter().filter(|(name, _)| name != "seed");
    let values = values.map(|(_, value)| Escaped(&value.text).to_string());
    [trial.number.to_string()].into_iter().chain(values).chain([trial.seed().to_string(), trial.id()]).collect()
}
