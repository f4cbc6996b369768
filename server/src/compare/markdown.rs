//! The comparison as Markdown, for a pull request or the summary of a CI job.

use super::gates;
use super::print::{figures, listed, subsets};
use super::result::Found;
use super::text::{heads, letter, run, verdict};

/// The whole text, with a line break at its end.
pub(super) fn text(found: &Found) -> String {
    let verdicts = found.comparisons.iter().enumerate();
    let verdicts: Vec<_> =
        verdicts.map(|(place, one)| format!("{} against A: **{}**", letter(place + 1), verdict(one))).collect();
    let title = if verdicts.is_empty() { "nothing to compare with".into() } else { verdicts.join(" · ") };
    let mut lines = vec![format!("### Plumb: {title}"), String::new()];
    for (place, one) in found.runs.iter().enumerate() {
        lines.push(format!("- {}: {} ({})", letter(place), plain(&one.name), plain(&run(one))));
        lines.extend(one.notes.iter().map(|note| format!("  - {}", plain(note))));
    }
    lines.extend(found.notes.iter().map(|note| format!("- {}", plain(note))));
    if !found.gates.is_empty() {
        lines.extend([String::new(), "**Gates**".into(), String::new()]);
        lines.extend(gates::lines(&found.gates).map(|line| format!("- {}", plain(&line))));
    }
    for (place, comparison) in found.comparisons.iter().enumerate() {
        lines.push(String::new());
        lines.push(plain(&heads(place, comparison).join(". ")));
        lines.extend([String::new()]);
        lines.extend(table(&figures(place, comparison)));
    }
    if !found.subsets.is_empty() {
        lines.extend([String::new(), "By subset (95 %: at least, at most; frames):".into(), String::new()]);
        lines.extend(table(&subsets(found)));
    }
    if !found.listed.is_empty() {
        let opening = "<details><summary>Listed, not judged</summary>";
        lines.extend([String::new(), opening.into(), String::new()]);
        lines.extend(table(&listed(found)));
        lines.extend([String::new(), "</details>".into()]);
    }
    lines.join("\n") + "\n"
}

/// Escapes a text for Markdown and HTML, on one line.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in shared::text::Escaped(text).to_string().chars() {
        match letter {
            '<' => plain.push_str("&lt;"),
            '&' => plain.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' | '@' => plain.extend(['\\', letter]),
            _ => plain.push(letter),
        }
    }
    plain
}

fn table(rows: &[Vec<String>]) -> Vec<String> {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let Some((headings, rows)) = rows.split_first() else { return Vec::new() };
    let rule = line(&vec!["---".to_owned(); headings.len()]);
    let cells = rows.iter().map(|row| line(&row.iter().map(|cell| plain(cell)).collect::<Vec<_>>()));
    [line(headings), rule].into_iter().chain(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_a_name_is_escaped() {
        assert_eq!(plain("a|b <img> *x*\n@all"), "a\\|b &lt;img> \\*x\\*\\\\n\\@all");
    }

    #[test]
    fn a_table_has_a_rule_under_its_headings() {
        let rows = [["figure", "A"], ["l1_mean", "1 px"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), ["| figure | A |", "| --- | --- |", "| l1\\_mean | 1 px |"]);
    }
}
