//! Writes options in files and reports as on the command line.

use std::fmt::Display;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// The schema of an option that takes a number or a word.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
// Used only for its schema.
#[allow(dead_code)]
pub(super) enum NumberOrWord {
    /// A number.
    Number(f64),
    /// A word.
    Word(String),
}

/// Writes a value as it is displayed.
pub(super) fn display<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes a value as it is displayed, or null.
pub(super) fn optional_display<S: Serializer>(value: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

/// Writes a number if the displayed text is one, else the text.
pub(super) fn number_or_word<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    let text = value.to_string();
    match text.parse::<f64>() {
        Ok(number) => serializer.serialize_f64(number),
        Err(_) => serializer.serialize_str(&text),
    }
}

/// Like [`number_or_word`], or null.
pub(super) fn optional_number_or_word<S: Serializer>(
    value: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number_or_word(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// Writes numbers with units, such as `1s 500ms`.
pub(super) fn duration<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*value))
}

/// Writes numbers with units, or null.
pub(super) fn optional_duration<S: Serializer>(value: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|value| humantime::format_duration(value).to_string()).serialize(serializer)
}

/// Reads numbers with units.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration.is_zero() => Err(format!("\"{text}\" is not longer than 0: write 10s, for example")),
        Ok(duration) => Ok(duration),
        Err(_) => Err(format!("\"{text}\" is not a duration: write a number and a unit, for example 10s, 500ms or 2m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_zero_or_without_unit_are_refused() {
        assert!(parse_duration("0s").unwrap_err().contains("longer than 0"));
        assert!(parse_duration("10").unwrap_err().contains("10s"));
        assert_eq!(parse_duration("1500ms"), Ok(Duration::from_millis(1500)));
    }
}
