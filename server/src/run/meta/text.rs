//! One value of `--meta`: `KEY=VALUE`, or several as an inline table of TOML, which is how a run's file holds them.

use std::fmt;
use std::str::FromStr;

use serde_json::Number;
use shared::protocol::message::{Meta, MetaValue};
use shared::text::Brief;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use super::table::{self, SHOWN_CHARACTERS, check_key, check_text, not_finite, too_large};

/// What one `--meta` gives: one entry, or a table of them.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenMeta(pub Meta);

/// A text that is not valid metadata.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct NotMeta(String);

impl FromStr for GivenMeta {
    type Err = NotMeta;

    fn from_str(text: &str) -> Result<Self, NotMeta> {
        if text.starts_with('{') {
            return of_inline_table(text).map(Self).map_err(NotMeta);
        }
        let no_entry = || format!("\"{text}\" is not KEY=VALUE: write camera=left, for example");
        let (key, value) = text.split_once('=').ok_or_else(no_entry).map_err(NotMeta)?;
        check_key(key).map_err(NotMeta)?;
        let value =
            read_value(value).map_err(|reason| NotMeta(format!("{}: {reason}", Brief(key, SHOWN_CHARACTERS))))?;
        Ok(Self(Meta::from([(key.to_owned(), value)])))
    }
}

/// An inline table of TOML, as [`FromStr`] reads it.
impl fmt::Display for GivenMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<_> =
            self.0.iter().map(|(key, value)| format!("{} = {}", quoted(key), in_toml(value))).collect();
        write!(f, "{{ {} }}", entries.join(", "))
    }
}

impl GivenMeta {
    /// What a table of a run's file gives.
    ///
    /// # Errors
    /// The key, what was wrong and what would be right.
    pub(in crate::run) fn of_table(table: &DeTable<'_>) -> Result<Self, String> {
        table::read(table).map(Self).map_err(|wrong| wrong.reason)
    }
}

fn of_inline_table(text: &str) -> Result<Meta, String> {
    let not_toml = |error: toml::de::Error| format!("not an inline table of TOML: {}", error.message());
    match DeValue::parse(text).map_err(not_toml)?.get_ref() {
        DeValue::Table(table) => table::read(table).map_err(|wrong| wrong.reason),
        _ => Err("not an inline table of TOML: write {camera = \"left\"}, for example".into()),
    }
}

/// Reads a value: true or false, a number as JSON writes it, or else a text. Quotes around it make it a text.
fn read_value(text: &str) -> Result<MetaValue, String> {
    if let Some(inner) = without_quotes(text) {
        return check_text(inner).map(|()| MetaValue::Text(inner.to_owned()));
    }
    match text {
        "true" => return Ok(MetaValue::Bool(true)),
        "false" => return Ok(MetaValue::Bool(false)),
        _ => {}
    }
    // JSON has no number with leading zeros, so 007 is a text.
    if let Ok(number) = text.parse::<Number>() {
        return of_number(&number, text);
    }
    match text.parse::<f64>() {
        Ok(number) if !number.is_finite() => Err(not_finite(text)),
        _ => check_text(text).map(|()| MetaValue::Text(text.to_owned())),
    }
}

fn of_number(number: &Number, text: &str) -> Result<MetaValue, String> {
    let is_whole = text.bytes().all(|letter| letter == b'-' || letter.is_ascii_digit());
    // Not `Number::as_i64`, for which -0 is no integer.
    match (text.parse(), number.as_f64()) {
        (Ok(whole), _) => Ok(MetaValue::Integer(whole)),
        (Err(_), _) if is_whole => Err(too_large(text)),
        (Err(_), Some(real)) if real.is_finite() => Ok(MetaValue::Real(real)),
        _ => Err(not_finite(text)),
    }
}

/// The text between two quotes of one kind.
fn without_quotes(text: &str) -> Option<&str> {
    ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
}

fn in_toml(value: &MetaValue) -> String {
    match value {
        MetaValue::Bool(value) => value.to_string(),
        MetaValue::Integer(value) => value.to_string(),
        MetaValue::Real(value) => toml::Value::from(*value).to_string(),
        MetaValue::Text(text) => quoted(text),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(text: &str) -> MetaValue {
        let read: GivenMeta = format!("k={text}").parse().expect("metadata");
        read.0["k"].clone()
    }

    fn text(text: &str) -> MetaValue {
        MetaValue::Text(text.into())
    }

    #[test]
    fn a_value_is_a_truth_value_a_number_or_a_text() {
        assert_eq!((value("true"), value("false")), (MetaValue::Bool(true), MetaValue::Bool(false)));
        for (given, read) in [("7", 7), ("-7", -7), ("0", 0), ("-0", 0), ("-9223372036854775808", i64::MIN)] {
            assert_eq!(value(given), MetaValue::Integer(read));
        }
        assert_eq!((value("2.5"), value("1e3")), (MetaValue::Real(2.5), MetaValue::Real(1e3)));
        for plain in ["left", "", "007", "True", "a,b=c", "12:30", "1.2.3", "0x10", "é"] {
            assert_eq!(value(plain), text(plain));
        }
        assert_eq!((value("\"7\""), value("'true'"), value("\"inf\"")), (text("7"), text("true"), text("inf")));
    }

    #[test]
    fn wrong_metadata_is_refused_and_the_error_says_what_is_valid() {
        for (given, words) in [
            ("camera", ["\"camera\" is not KEY=VALUE", "camera=left"]),
            ("=left", ["a key is empty", "such as camera"]),
            ("a b=1", ["\"a b\" is not a key", "letters, digits, _, - or ."]),
            ("é=1", ["\"é\" is not a key", "letters"]),
            ("a=nan", ["a: \"nan\" is not finite", "in quotes"]),
            ("a=-inf", ["a: \"-inf\" is not finite", "a finite number"]),
            ("a=1e999", ["a: \"1e999\" is not finite", "in quotes"]),
            ("a=9223372036854775808", ["is too large", "-2^63 to 2^63 - 1"]),
            ("a=\u{1b}[2J", ["a: its text has the control character \\u{1b}", "leave it out"]),
            ("{a = [1]}", ["\"a\": an array is not a value", "a text in quotes"]),
            ("{a = nan}", ["\"a\": \"nan\" is not finite", "in quotes"]),
            ("{a = 99999999999999999999}", ["is too large", "-2^63"]),
            ("{a = \"\\u0007\"}", ["\"a\": its text has the control character", "leave it out"]),
            ("{\"\" = 1}", ["a key is empty", "such as camera"]),
            ("{a = {\"b c\" = 1}}", ["\"b c\" is not a key", "letters"]),
            ("{a = {b = 1}, \"a.b\" = 2}", ["\"a.b\" is given twice", "once"]),
            ("{a = 1", ["not an inline table of TOML", ""]),
            ("{}\nb = 1", ["not an inline table of TOML", ""]),
        ] {
            let said = given.parse::<GivenMeta>().expect_err(given).to_string();
            assert!(said.contains(words[0]) && said.contains(words[1]), "{given}: {said}");
            assert!(!said.contains('\u{1b}'), "{said:?}");
        }
    }

    /// Any sound metadata.
    fn metadata() -> impl Strategy<Value = Meta> {
        let value = prop_oneof![
            any::<bool>().prop_map(MetaValue::Bool),
            any::<i64>().prop_map(MetaValue::Integer),
            proptest::num::f64::NORMAL.prop_map(MetaValue::Real),
            "\\PC{0,20}".prop_map(MetaValue::Text),
        ];
        proptest::collection::btree_map("[A-Za-z0-9_.-]{1,12}", value, 1..8)
    }

    proptest! {
        #[test]
        fn metadata_written_as_a_table_is_read_back(meta in metadata()) {
            let given = GivenMeta(meta);
            prop_assert_eq!(given.to_string().parse::<GivenMeta>(), Ok(given));
        }

        #[test]
        fn no_text_brings_the_server_down(text in "\\PC{0,40}", braces in any::<bool>()) {
            let text = if braces { format!("{{{text}}}") } else { text };
            let _ = text.parse::<GivenMeta>();
        }
    }
}
