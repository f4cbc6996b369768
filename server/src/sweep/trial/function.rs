//! A Python function as a pipeline: `FILE.py:NAME`.
//! A small driver in Python follows the protocol of `docs/exec.md`: it calls the function with a NumPy array and writes
//! its answer. So Plumb itself contains no Python.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use super::TrialError;

/// The driver.
const DRIVER: &str = include_str!("function.py");

/// The driver, in a temporary file.
pub(in crate::sweep) struct Function(NamedTempFile);

impl Function {
    /// Writes the driver.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(in crate::sweep) fn new() -> Result<Self, TrialError> {
        let mut file = tempfile::Builder::new().prefix("plumb-").suffix(".py").tempfile()?;
        file.write_all(DRIVER.as_bytes())?;
        Ok(Self(file))
    }

    /// The command that runs a function.
    pub(in crate::sweep) fn command(&self, python: &str, file: &Path, name: &str) -> String {
        let words = [python, &self.0.path().display().to_string(), &file.display().to_string(), name];
        format!("exec:{}", words.map(quoted).join(" "))
    }
}

/// A word, quoted for a POSIX shell.
pub(in crate::sweep) fn quoted(word: impl AsRef<str>) -> String {
    let word = word.as_ref();
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_./:=,+@%".contains(one);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(["a.py", "", "a b", "it's", "10..40"].map(quoted), ["a.py", "''", "'a b'", "'it'\\''s'", "10..40"]);
    }
}
