//! The message for a path that the report does not have.

use shared::near::near;

/// Maximum number of paths that a message suggests.
const SUGGESTIONS: usize = 3;

/// The message for a path that the report does not have. It names the nearest paths.
pub(super) fn unknown(path: &str, known: &[String]) -> String {
    unknown_in("the report", path, known)
}

/// The message for a path that something does not have.
pub(crate) fn unknown_in(what: &str, path: &str, known: &[String]) -> String {
    let mut near = near(path, known.iter().map(String::as_str));
    near.truncate(SUGGESTIONS);
    let advice = if near.is_empty() {
        "docs/report.md lists them".to_owned()
    } else {
        format!("the nearest are {}", near.join(", "))
    };
    format!("{what} has no figure {path}: {advice}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_three_paths_are_named_and_without_one_the_page_that_lists_them() {
        let known: Vec<_> = (1..=5).map(|at| format!("error_px.l{at}.mean")).collect();
        let message = unknown("error_px.l1.maen", &known);
        assert!(message.starts_with("the report has no figure error_px.l1.maen: the nearest are error_px.l1.mean, "));
        assert_eq!(message.matches(".mean").count(), SUGGESTIONS, "{message}");
        assert!(unknown("zzzzz", &known).ends_with("docs/report.md lists them"));
    }
}
