//! Heat maps: each figure over each pair of axes.

use std::fmt::Write;

use super::cells::{Cells, Figure, Shown};
use crate::output::html::text::{escaped, percent, short, whole};

/// Most pairs of axes that have a map.
const PAIRS: usize = 6;

/// Most values of an axis of a map.
const VALUES: usize = 60;

/// A map for each pair of axes.
pub(super) fn of_pairs(cells: &Cells, figure: &Figure) -> String {
    let count = cells.axes.len();
    let pairs = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    let fits = |axis: usize| cells.axes[axis].texts.len() <= VALUES;
    let maps: Vec<_> = pairs.filter(|(one, other)| fits(*one) && fits(*other)).take(PAIRS).collect();
    let mut text: String = maps.iter().map(|(rows, columns)| map(cells, figure, *rows, *columns)).collect();
    if count > 0 && cells.is_tested(figure) {
        text += &format!(
            "<p class=\"note\">{} of {} cells differ from the others{}. At most 5\u{202f}% of these are expected to be \
             marked by chance (Benjamini and Hochberg).</p>",
            whole(cells.marked(figure) as u64),
            whole(cells.count() as u64),
            if maps.is_empty() { "" } else { "; in a map, a frame marks each field with such a cell" }
        );
    }
    text
}

fn map(cells: &Cells, figure: &Figure, rows: usize, columns: usize) -> String {
    let (down, across) = (&cells.axes[rows], &cells.axes[columns]);
    let fields = cells.by(figure, [rows, columns]);
    let at = |row: usize, column: usize| fields.get(&[row, column]).copied();
    let values = fields.values().map(|(estimate, _)| estimate.value);
    let (least, most) =
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)));
    let name = format!("{}-{}-{}", figure.column, down.name, across.name);
    let mut text = format!(
        "<figure class=\"chart\" data-chart=\"{}\"><h3>{} over {} (down) and {} (across)</h3><div class=\"wide\"><table \
         class=\"map\"><thead><tr><th></th>{}</tr></thead><tbody>",
        escaped(name),
        figure.name,
        escaped(&down.name),
        escaped(&across.name),
        heads(across)
    );
    for row in order(down) {
        // Writing into a string does not fail.
        let _ = write!(text, "<tr><th>{}</th>", escaped(shown(down, row)));
        for column in order(across) {
            text += &at(row, column).map_or_else(
                || "<td>\u{2013}</td>".into(),
                |(estimate, is_marked)| {
                    let strength = ((estimate.value - least) / (most - least).max(f64::MIN_POSITIVE)).clamp(0.0, 1.0);
                    let strength = if figure.smaller_is_better { strength } else { 1.0 - strength };
                    let class = if is_marked { " class=\"mark\"" } else { "" };
                    let title = format!("{} to {}", value(figure, estimate.low), value(figure, estimate.high));
                    format!(
                        "<td{class} style=\"--v:{strength:.2}\" title=\"{title}\">{}</td>",
                        value(figure, estimate.value)
                    )
                },
            );
        }
        text += "</tr>";
    }
    text + "</tbody></table></div></figure>"
}

fn heads(axis: &Shown) -> String {
    order(axis).into_iter().map(|value| format!("<th>{}</th>", escaped(shown(axis, value)))).collect()
}

/// The values in their order: numbers by size.
fn order(axis: &Shown) -> Vec<usize> {
    let mut order: Vec<usize> = (0..axis.texts.len()).collect();
    if let Some(numbers) = &axis.numbers {
        order.sort_by(|one, other| numbers[*one].total_cmp(&numbers[*other]));
    }
    order
}

fn shown(axis: &Shown, value: usize) -> String {
    axis.numbers
        .as_ref()
        .map_or_else(|| axis.texts[value].clone(), |numbers| crate::output::html::text::number(numbers[value], 4))
}

/// A value as the page shows it.
pub(super) fn value(figure: &Figure, value: f64) -> String {
    if figure.column.ends_with("_share") { percent(value) } else { short(value) }
}
