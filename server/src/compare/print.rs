//! The comparison for a terminal.

use shared::text::Escaped;

use super::gates;
use super::result::{Compared, Comparison, Found, Listed, Unit};
use super::text::{bounds, heads, letter, of_subset, percent, run, signed, value, verdict};
use crate::columns::table;

/// The whole text, with a line break at its end.
pub(super) fn text(found: &Found) -> String {
    let mut lines = Vec::new();
    for (place, one) in found.runs.iter().enumerate() {
        lines.push(format!("{}  {}: {}", letter(place), Escaped(&one.name), Escaped(run(one))));
        lines.extend(one.notes.iter().map(|note| format!("   {}", Escaped(note))));
    }
    lines.extend(found.notes.iter().map(|note| Escaped(note).to_string()));
    for (place, comparison) in found.comparisons.iter().enumerate() {
        lines.push(String::new());
        lines.extend(heads(place, comparison).iter().map(|line| Escaped(line).to_string()));
        lines.push(String::new());
        lines.extend(table(&figures(place, comparison)));
    }
    if !found.listed.is_empty() {
        lines.extend([String::new(), "listed, not judged:".into()]);
        lines.extend(table(&listed(found)));
    }
    if !found.subsets.is_empty() {
        lines.extend([String::new(), "by subset (95 %: at least, at most; frames):".into()]);
        lines.extend(table(&subsets(found)));
    }
    if !found.gates.is_empty() {
        lines.extend([String::new(), "gates".into()]);
        lines.extend(gates::lines(&found.gates).map(|line| format!("  {line}")));
    }
    lines.push(String::new());
    let verdicts = found.comparisons.iter().enumerate();
    lines.extend(verdicts.map(|(place, one)| format!("{} against A: {}", letter(place + 1), verdict(one))));
    lines.join("\n") + "\n"
}

/// The rows of a comparison's table; the first has the headings. `place` counts the comparisons.
pub(super) fn figures(place: usize, comparison: &Comparison) -> Vec<Vec<String>> {
    let other = letter(place + 1);
    let headings = ["figure", "A", &other, "difference", "95 %: at least, at most", "", "verdict"];
    let row = |figure: &Compared| {
        vec![
            figure.path.clone(),
            value(figure.a, figure.unit),
            value(figure.b, figure.unit),
            signed(figure.difference, figure.unit),
            bounds(figure),
            percent(figure.ratio),
            figure.verdict.describe().to_owned(),
        ]
    };
    let headings = headings.map(str::to_owned).to_vec();
    std::iter::once(headings).chain(comparison.figures.iter().map(row)).collect()
}

/// The rows of the figures that are not judged.
pub(super) fn listed(found: &Found) -> Vec<Vec<String>> {
    let row = |Listed { path, values }: &Listed| {
        let unit = Unit::of(path, false);
        let values = values.iter().map(|of| of.map_or_else(|| "-".into(), |of| value(of, unit)));
        std::iter::once(path.clone()).chain(values).collect()
    };
    std::iter::once(headings(&["figure"], found)).chain(found.listed.iter().map(row)).collect()
}

/// The rows of the subsets.
pub(super) fn subsets(found: &Found) -> Vec<Vec<String>> {
    let rows = found.subsets.iter().map(|subset| {
        let first = [subset.by.to_owned(), subset.bin.clone(), subset.path.to_owned()];
        first.into_iter().chain(subset.runs.iter().map(|of| of_subset(*of, subset.unit))).collect()
    });
    std::iter::once(headings(&["by", "subset", "figure"], found)).chain(rows).collect()
}

fn headings(first: &[&str], found: &Found) -> Vec<String> {
    first.iter().map(ToString::to_string).chain((0..found.runs.len()).map(letter)).collect()
}
