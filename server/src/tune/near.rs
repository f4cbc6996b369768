//! Suggests a name for one that is not known.

/// Smallest similarity of a suggestion: as for figures of the report.
const ALIKE: f64 = 0.6;

/// The name that may have been meant.
pub(super) fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let alike = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    known.into_iter().filter(|one| alike(one) >= ALIKE).max_by(|one, other| alike(one).total_cmp(&alike(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_spelled_alike_is_suggested_and_no_other() {
        assert_eq!(near("parm1", ["min_radius", "param1"]), Some("param1"));
        assert_eq!(near("zzz", ["min_radius", "param1"]), None);
        assert_eq!(near("zzz", []), None);
    }
}
