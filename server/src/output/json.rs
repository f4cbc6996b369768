//! The report as JSON: a file rewritten after each session, or standard output at the end.
//!
//! The file is opened before anything runs, so that a bad path fails at once, and rewritten after each session, so that
//! a late failure loses nothing.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::OutputError;
use super::report::{Report, Run, SessionReport};
use super::seam::Output;

/// Where the report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonTarget {
    /// A file, rewritten after each session.
    File(PathBuf),
    /// Standard output, once, at the end; rows go to stderr.
    Stdout,
}

impl FromStr for JsonTarget {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text == "-" { Self::Stdout } else { Self::File(text.into()) })
    }
}

/// Keeps the report and writes it.
#[derive(Debug)]
pub struct JsonOutput {
    report: Report,
    place: Place,
}

#[derive(Debug)]
enum Place {
    File { file: File, path: String },
    Stdout,
}

impl JsonOutput {
    /// Opens the report's file, and leaves what is in it until [`Output::begin`].
    ///
    /// # Errors
    /// [`OutputError`] where the file cannot be written.
    pub fn open(target: &JsonTarget, run: Run) -> Result<Self, OutputError> {
        let place = match target {
            JsonTarget::File(path) => open(path)?,
            JsonTarget::Stdout => Place::Stdout,
        };
        Ok(Self { report: Report::new(run), place })
    }

    fn write_file(&mut self) -> Result<(), OutputError> {
        let Place::File { file, path } = &mut self.place else { return Ok(()) };
        rewrite(&self.report, file).map_err(|error| failed(path, error))
    }
}

impl Output for JsonOutput {
    fn name(&self) -> String {
        "report".into()
    }

    fn begin(&mut self) -> Result<(), OutputError> {
        self.write_file()
    }

    fn ended(&mut self, session: &SessionReport) -> Result<(), OutputError> {
        self.report.add(session.clone());
        self.write_file()
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        match self.place {
            Place::File { .. } => Ok(()),
            Place::Stdout => write(&self.report, &mut io::stdout().lock()).map_err(|error| failed("stdout", error)),
        }
    }
}

fn open(path: &Path) -> Result<Place, OutputError> {
    let name = path.display().to_string();
    match OpenOptions::new().write(true).create(true).truncate(false).open(path) {
        Ok(file) => Ok(Place::File { file, path: name }),
        Err(error) => Err(failed(&name, error)),
    }
}

fn failed(place: &str, error: io::Error) -> OutputError {
    OutputError { what: "report", place: place.to_owned(), error }
}

fn rewrite(report: &Report, file: &mut File) -> io::Result<()> {
    file.rewind()?;
    write(report, file)?;
    let length = file.stream_position()?;
    file.set_len(length)
}

/// In one write: whoever reads meanwhile sees hardly ever half a report.
fn write(report: &Report, output: &mut impl Write) -> io::Result<()> {
    let mut json = serde_json::to_vec_pretty(report)?;
    json.push(b'\n');
    output.write_all(&json)?;
    output.flush()
}
