//! The page of a sweep: one HTML file, like that of a run.
//!
//! `cells` groups the trials by their values on the axes, and tests each cell. `charts` shows each figure over each axis,
//! `maps` over each pair of axes, `tables` the best and the worst trials and those that failed.

mod cells;
mod charts;
mod maps;
mod tables;
#[cfg(test)]
mod tests;

use std::path::Path;

use self::cells::{Cells, FIGURES};
use super::error::SweepError;
use super::folder::{PAGE, SweepFolder, TABLE};
use super::merge::{Read, read};
use super::plan::Plan;
use crate::output::html::framed;
use crate::output::html::text::{escaped, whole};
use crate::output::part::put;

/// Makes the page of a sweep's folder from its table. Returns the number of trials.
///
/// # Errors
/// If the folder is not that of a sweep, or if the table cannot be read or the page not written.
pub(super) fn write(folder: &Path) -> Result<usize, SweepError> {
    let (_, plan) = SweepFolder::open(folder)?;
    let table = read(&folder.join(TABLE))?;
    put(folder, PAGE, &text(&plan, &table)).map_err(SweepError::at(&folder.join(PAGE)))?;
    Ok(table.rows.len())
}

/// The page.
fn text(plan: &Plan, table: &Read) -> String {
    let cells = Cells::of(plan, table);
    let title = format!("Plumb: sweep of {} trials", whole(plan.trials()));
    let mut body = format!("<header><h1>{title}</h1><p class=\"sub\">{}</p></header>\n<main>", subtitle(plan, table));
    body += &tables::missing(plan, table);
    body += &tables::failed(table);
    let figures: Vec<_> = FIGURES.iter().filter(|figure| cells.has(figure)).collect();
    if figures.is_empty() {
        body += "<section><p class=\"nothing\">No trial has a figure.</p></section>";
    }
    body += &tables::extremes(&cells, table);
    for figure in figures {
        body += &format!("<section data-figure=\"{}\"><h2>{}</h2>\n", figure.column, figure.name);
        body += &format!("<div class=\"charts\">{}</div>", charts::over_axes(&cells, figure));
        body += &maps::of_pairs(&cells, figure);
        body += "</section>\n";
    }
    body += &format!(
        "<section><h2>Plan</h2><details><summary>the plan's file</summary><pre>{}</pre></details></section></main>",
        escaped_lines(&plan.text)
    );
    framed(&title, &body)
}

/// One line: what was run, with which versions, and where.
fn subtitle(plan: &Plan, table: &Read) -> String {
    let mut words = vec![format!("{} cells, {} repeats", whole(plan.cells()), plan.repeats), pipelines(table)];
    for (name, what) in [("version", "Plumb"), ("host", "on")] {
        let found = table.different(name);
        if !found.is_empty() {
            words.push(format!("{what} {}", escaped(shortened(&found))));
        }
    }
    words.join(" · ")
}

fn pipelines(table: &Read) -> String {
    format!("pipeline {}", escaped(shortened(&table.different("pipeline"))))
}

/// The first three, and how many more there are.
fn shortened(all: &[String]) -> String {
    match all.len() {
        0..=3 => all.join(", "),
        count => format!("{} and {} more", all[..3].join(", "), count - 3),
    }
}

/// A text with its lines.
fn escaped_lines(text: &str) -> String {
    text.lines().map(|line| escaped(line) + "\n").collect()
}
