//! JSON that is safe to print: the same values as `serde_json` writes, in text without characters that act on a
//! terminal or reorder its line.
//!
//! `serde_json` escapes only the controls below U+0020. Everything that a program writes with the words of a peer or of
//! a file goes through here.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter};

use crate::text::is_plain;

/// Writes a value in one line.
///
/// # Errors
/// If the writer fails, or the value has no JSON form.
pub fn to_writer(writer: impl Write, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    write(writer, value, CompactFormatter)
}

/// Writes a value with a line for each part.
///
/// # Errors
/// Those of [`to_writer`].
pub fn to_writer_pretty(writer: impl Write, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    write(writer, value, PrettyFormatter::new())
}

/// A value in one line.
///
/// # Errors
/// If it has no JSON form.
pub fn to_string(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    text(value, CompactFormatter)
}

/// A value with a line for each part.
///
/// # Errors
/// If it has no JSON form.
pub fn to_string_pretty(value: &(impl Serialize + ?Sized)) -> serde_json::Result<String> {
    text(value, PrettyFormatter::new())
}

/// JSON that was written by others or by an earlier version, with the same values. Outside of strings JSON is ASCII, so
/// all other characters can be escaped wherever they are.
pub fn escaped(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        // The controls of ASCII are the document's own line breaks, or not allowed.
        match character < ' ' || is_plain(character) {
            true => safe.push(character),
            false => safe += &Units(character).to_string(),
        }
    }
    safe
}

fn text(value: &(impl Serialize + ?Sized), layout: impl Formatter) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, layout)?;
    String::from_utf8(bytes).map_err(|error| serde_json::Error::io(io::Error::new(io::ErrorKind::InvalidData, error)))
}

fn write(writer: impl Write, value: &(impl Serialize + ?Sized), layout: impl Formatter) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(writer, Safe(layout)))
}

/// A character as escapes of JSON: one for each unit of UTF-16.
struct Units(char);

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"))
    }
}

/// A layout whose strings have escapes for all characters that are not plain. Pieces of JSON that are inserted as they
/// are stay as they are.
struct Safe<F>(F);

/// Hands these methods on.
macro_rules! as_the_layout {
    ($($method:ident($($name:ident: $kind:ty),*);)*) => {$(
        fn $method<W: ?Sized + Write>(&mut self, writer: &mut W $(, $name: $kind)*) -> io::Result<()> {
            self.0.$method(writer $(, $name)*)
        }
    )*};
}

impl<F: Formatter> Formatter for Safe<F> {
    as_the_layout! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
        write_char_escape(escape: CharEscape);
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((place, odd)) = rest.char_indices().find(|(_, character)| !is_plain(*character)) {
            self.0.write_string_fragment(writer, &rest[..place])?;
            write!(writer, "{}", Units(odd))?;
            rest = &rest[place + odd.len_utf8()..];
        }
        self.0.write_string_fragment(writer, rest)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn characters_that_act_on_a_terminal_are_escapes_in_keys_and_values() {
        let odd = "\u{7f}\u{9b}2J\u{2028}\u{2029}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}\u{61c}\u{feff}";
        let escapes = "\\u007f\\u009b2J\\u2028\\u2029\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069\\u061c\\ufeff";
        assert_eq!(to_string(&json!({ odd: odd })).unwrap(), format!("{{\"{escapes}\":\"{escapes}\"}}"));
        assert_eq!(to_string("tag\u{e0041}").unwrap(), "\"tag\\udb40\\udc41\"");
        let mut written = Vec::new();
        to_writer(&mut written, odd).unwrap();
        assert_eq!(written, format!("\"{escapes}\"").as_bytes());
    }

    #[test]
    fn other_values_are_written_as_by_serde_json() {
        let value = json!({"a": [1, -2.5, true, null, {}], "naïve 測試 🙂": "\"\\\n\t\u{1}", "e": []});
        assert_eq!(to_string(&value).unwrap(), serde_json::to_string(&value).unwrap());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        assert_eq!(to_string_pretty(&value).unwrap(), pretty);
        let mut written = Vec::new();
        to_writer_pretty(&mut written, &value).unwrap();
        assert_eq!(written, pretty.as_bytes());
    }

    proptest! {
        #[test]
        fn every_text_keeps_its_value_and_has_only_plain_characters(key in any::<String>(), text in any::<String>()) {
            let value = BTreeMap::from([(key, text)]);
            let written = to_string(&value).unwrap();
            prop_assert!(written.chars().all(is_plain), "{written:?}");
            prop_assert_eq!(serde_json::from_str::<BTreeMap<String, String>>(&written).unwrap(), value.clone());
            let by_others = serde_json::to_string_pretty(&value).unwrap();
            prop_assert_eq!(escaped(&by_others), to_string_pretty(&value).unwrap());
        }
    }
}
