//! Metadata from a TOML table: nested tables become dotted keys.

use std::ops::Range;

use shared::protocol::message::{Meta, MetaValue};
use shared::text::Brief;
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::run::number::of_integer;

/// Characters shown of a key: enough to recognise it.
pub(super) const SHOWN_CHARACTERS: usize = 60;

/// An entry that is not valid metadata.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{reason}")]
pub(in crate::run) struct WrongEntry {
    /// Where its key is in the text, in bytes.
    pub(in crate::run) at: Range<usize>,
    /// The key, what was wrong and what would be right.
    pub(in crate::run) reason: String,
}

/// Reads a table.
///
/// # Errors
/// The first entry that is refused.
pub(in crate::run) fn read(table: &DeTable<'_>) -> Result<Meta, WrongEntry> {
    let mut meta = Meta::new();
    add(&mut meta, "", table)?;
    Ok(meta)
}

/// Checks a key.
///
/// # Errors
/// What was wrong and what would be right.
pub(super) fn check_key(key: &str) -> Result<(), String> {
    let is_sound = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
    match key {
        "" => Err("a key is empty: write a name, such as camera".into()),
        _ if key.chars().all(is_sound) => Ok(()),
        _ => Err(format!("{} is not a key: write letters, digits, _, - or . only", shown(key))),
    }
}

/// Checks a text.
///
/// # Errors
/// What was wrong and what would be right.
pub(super) fn check_text(text: &str) -> Result<(), String> {
    match text.chars().find(|letter| letter.is_control()) {
        Some(letter) => Err(format!("its text has the control character {}: leave it out", letter.escape_debug())),
        None => Ok(()),
    }
}

/// Adds a table's entries in the order of the text, so that the first mistake is the one that is named.
fn add(meta: &mut Meta, prefix: &str, table: &DeTable<'_>) -> Result<(), WrongEntry> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (name, value) in entries {
        let wrong = |reason: String| WrongEntry { at: name.span(), reason };
        check_key(name.get_ref()).map_err(wrong)?;
        let key = format!("{prefix}{}", name.get_ref());
        if let DeValue::Table(inner) = value.get_ref() {
            add(meta, &format!("{key}."), inner)?;
            continue;
        }
        let value = scalar(value).map_err(|reason| wrong(format!("{}: {reason}", shown(&key))))?;
        if meta.insert(key.clone(), value).is_some() {
            return Err(wrong(format!("the key {} is given twice: give each key once", shown(&key))));
        }
    }
    Ok(())
}

fn scalar(value: &Spanned<DeValue<'_>>) -> Result<MetaValue, String> {
    match value.get_ref() {
        DeValue::String(text) => check_text(text).map(|()| MetaValue::Text(text.to_string())),
        DeValue::Integer(whole) => integer(whole),
        DeValue::Float(number) => real(number.as_str()),
        DeValue::Boolean(switch) => Ok(MetaValue::Bool(*switch)),
        DeValue::Datetime(time) => Ok(MetaValue::Text(time.to_string())),
        DeValue::Array(_) | DeValue::Table(_) => {
            Err("an array is not a value: write a text in quotes, a number, or true or false".into())
        }
    }
}

fn integer(whole: &DeInteger<'_>) -> Result<MetaValue, String> {
    let value = of_integer(whole).and_then(|value| i64::try_from(value).ok());
    value.map(MetaValue::Integer).ok_or_else(|| too_large(whole.as_str()))
}

/// Reads a finite number.
fn real(text: &str) -> Result<MetaValue, String> {
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(MetaValue::Real).ok_or_else(|| not_finite(text))
}

/// What is wrong with an integer that is too large.
pub(super) fn too_large(text: &str) -> String {
    format!("{} is too large: write an integer from -2^63 to 2^63 - 1, or a text in quotes", shown(text))
}

/// What is wrong with a number that is not finite.
pub(super) fn not_finite(text: &str) -> String {
    format!("{} is not finite: write a finite number, or a text in quotes", shown(text))
}

fn shown(text: &str) -> String {
    format!("\"{}\"", Brief(text, SHOWN_CHARACTERS))
}
