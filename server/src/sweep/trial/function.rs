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
        let written = || {
            let mut file = tempfile::Builder::new().prefix("plumb-").suffix(".py").tempfile()?;
            file.write_all(DRIVER.as_bytes())?;
            Ok::<_, std::io::Error>(file)
        };
        written().map(Self).map_err(|error| {
            TrialError::Failed(format!(
                "the file that calls Python functions cannot be written into the folder for temporary files, {}: {error}; \
                 TMPDIR names another one",
                std::env::temp_dir().display()
            ))
        })
    }

    /// The command that runs a function, with these keyword arguments (a JSON object).
    pub(in crate::sweep) fn command(&self, python: &str, file: &Path, name: &str, keywords: Option<&str>) -> String {
        let (driver, file) = (self.0.path().display().to_string(), file.display().to_string());
        let words = [python, &driver, &file, name].into_iter().chain(keywords);
        format!("exec:{}", words.map(quoted).collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use shared::geometry::Size;
    use shared::protocol::message::{COORDINATE_LIMIT, COUNT_LIMIT};

    use super::*;

    #[test]
    fn the_driver_has_the_ranges_of_the_protocol() {
        let line = DRIVER.lines().find_map(|line| line.strip_prefix("COORDINATE_LIMIT, COUNT_LIMIT, MAX_SIDE = "));
        let limits: Vec<f64> =
            line.unwrap().split(", ").map(|number| number.replace('_', "").parse().unwrap()).collect();
        assert_eq!(limits[..2], [COORDINATE_LIMIT, f64::from(COUNT_LIMIT)]);
        let side = limits[2] as u64;
        assert!(Size::new(side, side).is_ok() && Size::new(side + 1, side).is_err());
    }
}
