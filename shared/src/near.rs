//! Suggests names for one that is not known.

/// Smallest similarity of a suggestion, from 0 to 1: the default of Python's `difflib.get_close_matches`.
const ALIKE: f64 = 0.6;

/// The known names nearest to this one, the nearest first: paths with the same last name, then names that are spelled
/// alike.
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let alike = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    let mut ranked: Vec<_> = known
        .into_iter()
        .map(|other| (last(other) == last(name), alike(other), other))
        .filter(|(is_same, alike, _)| *is_same || *alike >= ALIKE)
        .collect();
    ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    ranked.dedup_by(|a, b| a.2 == b.2);
    ranked.into_iter().map(|(.., other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_near_if_its_last_name_is_the_same_or_its_spelling_is_alike() {
        let known = ["error_px.l1.mean", "error_px.l2.mean", "frames.missed", "latency_us.p99"];
        for (path, first) in [
            ("error_px.l1.maen", "error_px.l1.mean"),
            ("error.l2.mean", "error_px.l2.mean"),
            ("missed", "frames.missed"),
            ("latency.p99", "latency_us.p99"),
        ] {
            assert_eq!(near(path, known).first(), Some(&first), "{path}");
        }
    }

    #[test]
    fn a_name_that_is_spelled_alike_is_near_and_no_other() {
        assert_eq!(near("parm1", ["min_radius", "param1", "param1"]), ["param1"]);
        assert!(near("zzz", ["min_radius", "param1"]).is_empty());
        assert!(near("zzz", []).is_empty());
    }
}
