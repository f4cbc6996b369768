//! Sentences about paths.

/// The message for a path that is a group of figures.
pub(super) fn group(path: &str, inner: &[String]) -> String {
    let names = if inner.is_empty() { "there is none".into() } else { inner.join(", ") };
    format!("{path} is a group of {} figures, so name one of them: {names}", inner.len())
}
