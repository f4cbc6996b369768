//! Values of a report by their path: names joined by dots.

use serde_json::Value;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Found<'a> {
    /// Nothing has this path.
    Nothing,
    /// `null`, or a part of an object that is `null`.
    Null,
    /// A number.
    Number(&'a serde_json::Number),
    /// Something else, which cannot be compared with a number.
    Other(&'a Value),
}

/// Looks a path up.
pub(super) fn find<'a>(root: &'a Value, path: &str) -> Found<'a> {
    let mut value = root;
    for name in path.split('.') {
        match value {
            Value::Null => return Found::Null,
            Value::Object(values) => match values.get(name) {
                Some(found) => value = found,
                None => return Found::Nothing,
            },
            _ => return Found::Nothing,
        }
    }
    match value {
        Value::Null => Found::Null,
        Value::Number(number) => Found::Number(number),
        other => Found::Other(other),
    }
}

/// The number at a path, if there is one.
pub(super) fn number(root: &Value, path: &str) -> Option<f64> {
    match find(root, path) {
        Found::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        _ => None,
    }
}

/// The whole number from 0 at a path, if there is one.
pub(super) fn count(root: &Value, path: &str) -> Option<u64> {
    match find(root, path) {
        Found::Number(number) => number.as_u64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_part_of_null_is_null_and_a_part_of_a_number_is_nothing() {
        let report = json!({"error_px": {"l1": {"mean": 0.25}, "limit": null}, "image": null, "task": "circle"});
        assert_eq!(number(&report, "error_px.l1.mean"), Some(0.25));
        assert_eq!(find(&report, "error_px.limit"), Found::Null);
        assert_eq!(find(&report, "image.psnr_db.mean"), Found::Null);
        assert_eq!(find(&report, "error_px.l1.mean.more"), Found::Nothing);
        assert_eq!(find(&report, "error"), Found::Nothing);
        assert!(
            matches!(find(&report, "task"), Found::Other(_)) && matches!(find(&report, "error_px"), Found::Other(_))
        );
    }
}
