//! Suggests paths for one that the report does not have.

/// Maximum number of paths that a message suggests.
const SUGGESTIONS: usize = 3;

/// Smallest similarity of a suggestion, from 0 to 1: the default of Python's `difflib.get_close_matches`.
const ALIKE: f64 = 0.6;

/// The message for a path that the report does not have. It names the nearest paths.
pub(super) fn unknown(path: &str, known: &[String]) -> String {
    unknown_in("the report", path, known)
}

/// The message for a path that something does not have.
pub(crate) fn unknown_in(what: &str, path: &str, known: &[String]) -> String {
    let near = near(path, known);
    let advice = if near.is_empty() {
        "docs/report.md lists them".to_owned()
    } else {
        format!("the nearest are {}", near.join(", "))
    };
    format!("{what} has no figure {path}: {advice}")
}

/// The nearest paths: those with the same last name, then those that are spelled alike.
fn near<'a>(path: &str, known: &'a [String]) -> Vec<&'a str> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let alike = |other: &str| strsim::normalized_damerau_levenshtein(path, other);
    let mut ranked: Vec<_> = known
        .iter()
        .map(|other| (last(other) == last(path), alike(other), other.as_str()))
        .filter(|(is_same, alike, _)| *is_same || *alike >= ALIKE)
        .collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    ranked.dedup_by(|a, b| a.2 == b.2);
    ranked.into_iter().take(SUGGESTIONS).map(|(.., other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_near_if_its_last_name_is_the_same_or_its_spelling_is_alike() {
        let known = ["error_px.l1.mean", "error_px.l2.mean", "frames.missed", "latency_us.p99"].map(str::to_owned);
        for (path, first) in [
            ("error_px.l1.maen", "error_px.l1.mean"),
            ("error.l2.mean", "error_px.l2.mean"),
            ("missed", "frames.missed"),
            ("latency.p99", "latency_us.p99"),
        ] {
            assert_eq!(near(path, &known).first(), Some(&first), "{path}");
        }
        assert!(unknown("zzzzz", &known).ends_with("docs/report.md lists them"));
    }
}
