//! `best.toml`: the setting of a pipeline that `server tune` found. The client, programs and Python read it.

use std::fs;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::text::{Escaped, quoted};

/// The version of the file, which this program reads and writes.
pub const SCHEMA: i64 = 1;

/// Most bytes of a file that is read. One with the most parameters has a thousandth of this.
const MOST_BYTES: u64 = 1 << 20;

/// A setting of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// The pipeline, as a plan names it. A program has its parameters in braces.
    pub pipeline: String,
    /// The values that are set.
    pub parameters: toml::Table,
}

/// Why a file is no setting.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum TunedError {
    /// The file cannot be read.
    #[error("\"{}\" cannot be read ({why}): write the name of a best.toml that server tune wrote", Escaped(file.display()))]
    Read {
        /// The file.
        file: PathBuf,
        /// What failed.
        why: String,
    },
    /// Another program wrote the file, or it is damaged.
    #[error("\"{}\" is not a best.toml ({why}): write the name of one that server tune wrote", Escaped(file.display()))]
    NotOne {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
}

impl Tuned {
    /// Reads the file.
    ///
    /// # Errors
    /// [`TunedError`] if it cannot be read or is no setting.
    pub fn read(path: &Path) -> Result<Self, TunedError> {
        let unread = |why: String| TunedError::Read { file: path.into(), why };
        let about = fs::metadata(path).map_err(|error| unread(error.to_string()))?;
        if !about.is_file() {
            return Err(unread("it is not a file".into()));
        }
        let not_one = |why: String| TunedError::NotOne { file: path.into(), why };
        if about.len() > MOST_BYTES {
            return Err(not_one(format!("it has {} bytes, and at most {MOST_BYTES} are read", about.len())));
        }
        let bytes = fs::read(path).map_err(|error| unread(error.to_string()))?;
        Self::parse(&String::from_utf8_lossy(&bytes)).map_err(not_one)
    }

    /// Parses the text of a file. The error says what is wrong.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut table: toml::Table = toml::from_str(text).map_err(|error| Escaped(error.message()).to_string())?;
        match table.get("plumb_tuned").map(toml::Value::as_integer) {
            None => return Err("it has no plumb_tuned".into()),
            Some(version) if version != Some(SCHEMA) => {
                return Err(format!("this program reads plumb_tuned = {SCHEMA}"));
            }
            Some(_) => {}
        }
        let Some(toml::Value::String(pipeline)) = table.remove("pipeline") else {
            return Err("it names no pipeline".into());
        };
        match table.remove("parameters") {
            Some(toml::Value::Table(parameters)) => Ok(Self { pipeline, parameters }),
            _ => Err("it has no table [parameters]".into()),
        }
    }

    /// The values as numbers.
    ///
    /// # Errors
    /// Names one that is no number.
    pub fn numbers(&self) -> Result<Vec<(String, f64)>, String> {
        let number = |(name, value): (&String, &toml::Value)| match value {
            toml::Value::Float(number) => Ok((name.clone(), *number)),
            toml::Value::Integer(number) => Ok((name.clone(), *number as f64)),
            _ => Err(format!("{} is not a number", Escaped(name))),
        };
        self.parameters.iter().map(number).collect()
    }

    /// The pipeline with each value in the place of its name.
    #[must_use]
    pub fn command(&self) -> String {
        filled(&self.pipeline, |name| {
            self.parameters.get(name).map(|value| match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Float(number) => real(*number),
                other => other.to_string(),
            })
        })
    }
}

/// A real number as a program gets it, in a search and with its result: `3` for 3.0, and all digits without an exponent.
#[must_use]
pub fn real(number: f64) -> String {
    number.to_string()
}

/// A command with values in the places of the names in braces, quoted for a shell. A name without a value stays.
pub fn filled(command: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let (mut text, mut rest) = (String::new(), command);
    while let Some((before, after)) = rest.split_once('{') {
        text += before;
        match after.split_once('}').and_then(|(name, after)| Some((value(name)?, after))) {
            Some((value, after)) => {
                text += &quoted(value);
                rest = after;
            }
            None => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_and_its_values_take_the_places_of_their_names() {
        let text = "# better\nplumb_tuned = 1\npipeline = \"exec:./detect -t {t} --kind={kind} {other} {\"\n[parameters]\nt = 2.5\nkind \
                    = \"a b\"\n";
        let tuned = Tuned::parse(text).unwrap();
        assert_eq!(tuned.command(), "exec:./detect -t 2.5 --kind='a b' {other} {");
        assert_eq!(tuned.numbers(), Err("kind is not a number".into()));
        let whole = "plumb_tuned = 1\npipeline = \"exec:detect {a} {b} {c}\"\n[parameters]\na = 3.0\nb = 3\nc = 1e-7\n";
        assert_eq!(Tuned::parse(whole).unwrap().command(), "exec:detect 3 3 0.0000001");
        let numbers = Tuned::parse("plumb_tuned = 1\npipeline = \"hough\"\n[parameters]\na = 2\nb = 0.5").unwrap();
        assert_eq!(numbers.numbers().unwrap(), [("a".to_owned(), 2.0), ("b".to_owned(), 0.5)]);
    }

    #[test]
    fn a_value_that_looks_like_a_name_is_not_filled_again() {
        let values = |name: &str| Some(if name == "a" { "{b}".to_owned() } else { "2".into() });
        assert_eq!(filled("{a} {b}", values), "'{b}' 2");
    }

    #[test]
    fn other_files_are_refused_with_the_reason() {
        for (text, words) in [
            ("a = ", ""),
            ("pipeline = \"hough\"", "it has no plumb_tuned"),
            ("plumb_tuned = 2", "reads plumb_tuned = 1"),
            ("plumb_tuned = 1\n[parameters]", "names no pipeline"),
            ("plumb_tuned = 1\npipeline = \"hough\"", "no table [parameters]"),
        ] {
            let wrong = Tuned::parse(text).unwrap_err();
            assert!(wrong.contains(words), "{text}: {wrong}");
        }
        let wrong = Tuned::read(Path::new("/nowhere/best.toml")).unwrap_err().to_string();
        assert!(wrong.starts_with("\"/nowhere/best.toml\" cannot be read") && wrong.contains("server tune"), "{wrong}");
    }
}
