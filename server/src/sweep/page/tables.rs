//! The best and the worst trials, and those that failed or are missing.

use std::fmt::Write;

use super::cells::{Cells, FIGURES, Figure};
use super::maps::value;
use crate::output::html::text::{escaped, whole};
use crate::sweep::merge::{Cell, Read};
use crate::sweep::plan::Plan;

/// Trials at each end.
const SHOWN: usize = 5;

/// Trials that failed and are listed.
const FAILED: usize = 10;

/// Says how many trials are missing.
pub(super) fn missing(plan: &Plan, table: &Read) -> String {
    match plan.trials().saturating_sub(table.rows.len() as u64) {
        0 => String::new(),
        missing => format!(
            "<div class=\"verdict incomplete\"><b>incomplete</b><span>{} of {} trials are missing: the sweep's command goes \
             on where it stopped, and server sweep merge makes the table again</span></div>",
            whole(missing),
            whole(plan.trials())
        ),
    }
}

/// Lists the trials that failed.
pub(super) fn failed(table: &Read) -> String {
    let is_failed = |row: &&Vec<Cell>| table.text(row, "state") == "failed";
    let failed: Vec<_> = table.rows.iter().filter(is_failed).collect();
    if failed.is_empty() {
        return String::new();
    }
    let mut text = format!("<section><h2>{} trials failed</h2><div class=\"wide\"><table>", whole(failed.len() as u64));
    for row in failed.iter().take(FAILED) {
        let (trial, reason) = (table.text(row, "trial"), table.text(row, "reason"));
        // Writing into a string does not fail.
        let _ = write!(text, "<tr><td>trial {}</td><td>{}</td></tr>", escaped(trial), escaped(reason));
    }
    text + "</table></div></section>"
}

/// The trials with the best and the worst of the main figure.
pub(super) fn extremes(cells: &Cells, table: &Read) -> String {
    let Some(figure) = FIGURES.iter().find(|figure| cells.has(figure)) else { return String::new() };
    let number = |row: &Vec<Cell>| match table.place(figure.column).and_then(|place| row.get(place)) {
        Some(Cell::Real(value)) => Some(*value),
        _ => None,
    };
    let mut rows: Vec<_> = table.rows.iter().filter_map(|row| Some((number(row)?, row))).collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    if !figure.smaller_is_better {
        rows.reverse();
    }
    let shown = SHOWN.min(rows.len() / 2).max(usize::from(!rows.is_empty()));
    let mut text = String::from(
        "<section><h2>Best and worst trials</h2><div class=\"wide\"><table><thead><tr><th></th><th>trial</th>",
    );
    for axis in &cells.axes {
        let _ = write!(text, "<th>{}</th>", escaped(&axis.name));
    }
    let _ = write!(text, "<th>seed</th><th>{}</th></tr></thead><tbody>", figure.name);
    let worst = rows.iter().rev().take(shown).rev();
    for (what, row) in rows.iter().take(shown).map(|row| ("best", row)).chain(worst.map(|row| ("worst", row))) {
        text += &line(what, row.1, cells, table, figure);
    }
    text + "</tbody></table></div><p class=\"note\">server sweep plan plan.toml --command TRIAL prints the command of a trial.</p></section>"
}

fn line(what: &str, row: &[Cell], cells: &Cells, table: &Read, figure: &Figure) -> String {
    let class = if what == "best" { "pass" } else { "fail" };
    let mut text = format!("<tr><td class=\"chip {class}\">{what}</td><td>{}</td>", escaped(table.text(row, "trial")));
    for axis in &cells.axes {
        let _ = write!(text, "<td>{}</td>", escaped(table.text(row, &axis.name)));
    }
    let of = |column: &str| match table.place(column).and_then(|place| row.get(place)) {
        Some(Cell::Real(number)) => value(figure, *number),
        _ => "\u{2013}".into(),
    };
    let (shown, low, high) =
        (of(figure.column), of(&format!("{}_lower", figure.column)), of(&format!("{}_upper", figure.column)));
    let _ = write!(
        text,
        "<td>{}</td><td>{shown} {} <small>({low} to {high})</small></td></tr>",
        escaped(table.text(row, "seed")),
        figure.unit
    );
    text
}
