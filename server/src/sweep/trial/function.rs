//! A Python function as a pipeline: `FILE.py:NAME`.
//! A small driver in Python follows the protocol of `docs/exec.md`: it calls the function with a NumPy array and writes
//! its answer. So Plumb itself contains no Python.

use std::io::Write;
use std::path::Path;

use shared::text::quoted;
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

    /// The command that runs a function, with these keyword arguments (a JSON object).
    pub(in crate::sweep) fn command(&self, python: &str, file: &Path, name: &str, keywords: Option<&str>) -> String {
        let (driver, file) = (self.0.path().display().to_string(), file.display().to_string());
        let words = [python, &driver, &file, name].into_iter().chain(keywords);
        format!("exec:{}", words.map(quoted).collect::<Vec<_>>().join(" "))
    }
}
