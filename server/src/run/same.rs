//! Whether two runs have the same options, as their reports or files name them.

use std::path::Path;

use serde_json::Value;

/// Options whose content is in other options: a run's file has those alone.
pub(crate) const ELSEWHERE: [&str; 2] = ["meta_file", "lens"];

/// Options that may name a file or a folder of the working folder.
const PATHS: [&str; 2] = ["source", "truth"];

/// Whether an option has the same value in two runs. A path may be relative in one of them: a run's file has absolute ones,
/// and its report has them as they were given.
pub(crate) fn is_same_option(name: &str, one: &Value, other: &Value) -> bool {
    one == other
        || PATHS.contains(&name)
            && one.as_str().zip(other.as_str()).is_some_and(|(one, other)| ends(one, other) || ends(other, one))
}

/// Whether the absolute path ends with the relative one.
fn ends(absolute: &str, relative: &str) -> bool {
    let (absolute, relative) = (Path::new(absolute), Path::new(relative));
    let relative = relative.strip_prefix(".").unwrap_or(relative);
    absolute.is_absolute() && relative.components().next().is_some() && absolute.ends_with(relative)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_the_same_whether_it_is_relative_or_absolute() {
        let is_same = |name: &str, one: &str, other: &str| {
            let both =
                [is_same_option(name, &json!(one), &json!(other)), is_same_option(name, &json!(other), &json!(one))];
            assert_eq!(both[0], both[1], "{one} {other}");
            both[0]
        };
        for (one, other) in [
            ("ball", "ball"),
            ("imgs", "/data/imgs"),
            ("./imgs", "/data/imgs"),
            ("../imgs", "/data/../imgs"),
            ("a/*.png", "/data/a/*.png"),
        ] {
            assert!(is_same("source", one, other), "{one} {other}");
        }
        for (one, other) in
            [("imgs", "/data/myimgs"), ("/a/imgs", "/b/imgs"), ("a/imgs", "imgs"), ("", "/data"), (".", "/data")]
        {
            assert!(!is_same("source", one, other), "{one} {other}");
        }
        assert!(is_same("truth", "t.csv", "/data/t.csv") && !is_same("size", "t.csv", "/data/t.csv"));
        assert!(!is_same_option("source", &Value::Null, &json!("imgs")));
    }
}
