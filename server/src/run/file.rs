//! A file of options: flat TOML whose keys are option names with `_` for `-`.

use std::io;
use std::path::{Path, PathBuf};

use shared::bounded::{self, BoundedError};
use shared::text::{Brief, Escaped};
use thiserror::Error;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::meta::GivenMeta;
use super::number::of_integer;
use super::slow_file::say_if_slow;
use crate::gate::GivenGates;

/// Size of the largest file that is read: a thousand times what all options need.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// What some editors write at the start of a text in UTF-8: U+FEFF.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The option's id: its name with `_` for `-`.
    pub id: String,
    /// The option's value, as it would be written on the command line.
    pub text: String,
    /// Whether the value is `true` or `false` without quotes.
    pub is_switch: bool,
}

/// Why a file was refused: which file, what was wrong and what would be right.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("{option}: \"{}\" cannot be read ({error}): write the name of a file", Brief(path.display(), SHOWN_CHARACTERS))]
    Read {
        /// The option that names the file.
        option: String,
        /// The file.
        path: PathBuf,
        /// What failed.
        error: io::Error,
    },
    /// The file is too large.
    #[error("{path} is larger than {} MiB: the file of a run, a camera or a plan has some dozen lines", MAX_FILE_BYTES >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text.
    #[error("{path} is not UTF-8 text: write TOML, such as fps = 60")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The file is not valid TOML.
    #[error("{path}: line {line} (\"{text}\"): {reason}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
        /// The text of that line.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A key is not an option, its option does not belong in this file, or its value is invalid.
    #[error("{path}: {reason}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The key, what was wrong and what would be right.
        reason: String,
    },
}

impl FileError {
    /// Replaces the option in the error by the environment variable that named the file, if one did.
    #[must_use]
    pub fn naming_source(mut self, variable: impl Fn(&str) -> Option<String>) -> Self {
        if let Self::Read { option, .. } = &mut self {
            *option = variable(option.trim_start_matches('-')).unwrap_or_else(|| option.clone());
        }
        self
    }
}

/// Reads a file's lines, in order.
pub(super) fn read(option: &str, path: &Path) -> Result<Vec<Entry>, FileError> {
    let text = read_text(option, path)?;
    let table = DeTable::parse(&text).map_err(|error| syntax(path, &text, &error))?.into_inner();
    entries(&table).map_err(|reason| FileError::Entry { path: path.into(), reason: printable(&reason) })
}

/// The lines of a table of options, in the order of the text.
///
/// # Errors
/// The first key whose value is not that of an option, and what would be right.
pub(crate) fn entries(table: &DeTable<'_>) -> Result<Vec<Entry>, String> {
    let mut found: Vec<_> = table.iter().collect();
    found.sort_by_key(|(key, _)| key.span().start);
    found.into_iter().map(|(key, value)| entry(key.get_ref(), value.get_ref())).collect()
}

/// A file's text without control characters, which could move the terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    Escaped(text).to_string()
}

/// Reads a file's text, of at most [`MAX_FILE_BYTES`].
///
/// # Errors
/// [`FileError`] names the file, and what was wrong with it.
pub(crate) fn read_text(option: &str, path: &Path) -> Result<String, FileError> {
    let bytes = say_if_slow(path, || bounded::read(path, MAX_FILE_BYTES)).map_err(|error| match error {
        BoundedError::Io(error) => FileError::Read { option: option.to_owned(), path: path.into(), error },
        BoundedError::TooLarge { .. } => FileError::TooLarge { path: path.into() },
    })?;
    // A byte order mark says only that the text is UTF-8. Whoever puts lines before the text would have it inside.
    let text = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
    str::from_utf8(text).map(str::to_owned).map_err(|_| FileError::NotText { path: path.into() })
}

/// How much of a line or a key to show: enough to recognise it.
const SHOWN_CHARACTERS: usize = 60;

/// A key as it is printed.
pub(super) fn shown(key: &str) -> String {
    Brief(key, SHOWN_CHARACTERS).to_string()
}

/// The error for a text that is not valid TOML.
pub(crate) fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> FileError {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let shown: String = text.lines().nth(line).unwrap_or_default().trim().chars().take(SHOWN_CHARACTERS).collect();
    let reason = printable(error.message());
    FileError::Syntax { path: path.into(), line: line + 1, text: printable(&shown), reason }
}

/// The option that takes a table.
const META: &str = "meta";

/// The option that takes a list of texts.
const GATE: &str = "gate";

/// The line that gives this option this value.
///
/// # Errors
/// If no option has such a value: which kinds would be right.
pub(crate) fn entry(key: &str, value: &DeValue<'_>) -> Result<Entry, String> {
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(whole) => decimal(whole),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(switch) => switch.to_string(),
        DeValue::Table(table) if key == META => {
            GivenMeta::of_table(table).map_err(|reason| format!("{key}: {reason}"))?.to_string()
        }
        DeValue::Array(conditions) if key == GATE => GivenGates::joined(texts(key, conditions)?.into_iter()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
            let kind = value.type_str();
            return Err(format!("{}: write a number, a text in quotes, or true or false, but no {kind}", shown(key)));
        }
    };
    Ok(Entry { id: key.replace('-', "_"), text, is_switch: value.is_bool() })
}

/// The texts of a list.
fn texts<'a>(key: &str, list: &'a DeArray<'_>) -> Result<Vec<&'a str>, String> {
    let texts: Option<Vec<_>> = list.iter().map(|text| text.get_ref().as_str()).collect();
    texts.filter(|texts| !texts.is_empty()).ok_or_else(|| {
        format!("{key}: write a text in quotes, or a list of one or more, such as [\"frames.missed == 0\"]")
    })
}

/// Reads `0xff` as 255; a value too large for any option stays as it is.
fn decimal(whole: &DeInteger<'_>) -> String {
    of_integer(whole).map_or_else(|| whole.as_str().to_owned(), |number| number.to_string())
}
