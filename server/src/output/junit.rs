//! The verdicts as JUnit's XML, written once, at the end.

use std::collections::{HashMap, VecDeque};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use shared::shell::stop::Stop;

use super::error::OutputError;
use super::json::Replaced;
use super::parts::Parts;
use super::place::{self, Place};
use super::report::{KEPT_SESSIONS, Run, SessionReport};
use super::seam::{Output, SessionStart};
use crate::gate::Worst;
use crate::gate::junit::{JudgedSession, render};

/// Keeps the verdicts and writes them at the end.
pub(super) struct JunitOutput {
    place: String,
    run: Run,
    strict: bool,
    began: SystemTime,
    /// When each running session began.
    running: HashMap<u64, Instant>,
    /// The latest sessions.
    judged: VecDeque<JudgedSession>,
    worst: Worst,
    to: Target,
}

enum Target {
    File(Replaced),
    /// A file that is made at the end.
    New(PathBuf),
    Stream(Box<dyn Write + Send>),
}

impl JunitOutput {
    /// Opens the file and keeps its content until the end. `None` if the run was stopped meanwhile.
    ///
    /// # Errors
    /// [`OutputError`] if the file cannot be written.
    pub(super) async fn open(
        path: &Path,
        run: Run,
        strict: bool,
        stop: &mut Stop,
    ) -> Result<Option<Self>, OutputError> {
        let place = path.display().to_string();
        let opened = match place::is_stdout(path) {
            true => Err(io::Error::new(io::ErrorKind::InvalidInput, "rows are on stdout already")),
            false => place::open(path, stop).await,
        };
        let to = match opened.map_err(|error| failed(&place, error))? {
            Some(Place::File(_)) => Target::File(Replaced::new(path).map_err(|error| failed(&place, error))?),
            Some(Place::Stream(stream)) => Target::Stream(stream),
            None => return Ok(None),
        };
        Ok(Some(Self::to(to, place, run, strict)))
    }

    /// Makes this file at the end.
    pub(super) fn of_file(path: &Path, run: Run, strict: bool) -> Self {
        Self::to(Target::New(path.into()), path.display().to_string(), run, strict)
    }

    fn to(to: Target, place: String, run: Run, strict: bool) -> Self {
        let worst = Worst::new(&run.config.conditions());
        let (began, running, judged) = (SystemTime::now(), HashMap::new(), VecDeque::new());
        Self { place, run, strict, began, running, judged, worst, to }
    }

    fn write(&mut self) -> io::Result<()> {
        self.judged.make_contiguous();
        let (judged, _) = self.judged.as_slices();
        let xml = render(&self.run, self.began, judged, self.worst.gates(), self.strict).map_err(io::Error::other)?;
        match &mut self.to {
            Target::File(file) => file.write(xml.as_bytes()),
            Target::New(path) => made(path, xml.as_bytes()),
            Target::Stream(stream) => stream.write_all(xml.as_bytes()).and_then(|()| stream.flush()),
        }
    }
}

impl Output for JunitOutput {
    fn name(&self) -> String {
        format!("JUnit file {}", self.place)
    }

    fn parts(&self) -> Option<Parts> {
        match &self.to {
            Target::File(file) => Some(file.parts()),
            // One in a run's folder, which names it among its own.
            Target::New(_) | Target::Stream(_) => None,
        }
    }

    fn started(&mut self, start: SessionStart) -> Result<(), OutputError> {
        self.running.insert(start.session, Instant::now());
        Ok(())
    }

    fn ended(&mut self, report: &SessionReport) -> Result<(), OutputError> {
        let took = self.running.remove(&report.session).map(|since| since.elapsed()).unwrap_or_default();
        if report.gates.is_empty() {
            return Ok(());
        }
        let named = report.client.as_ref();
        let client =
            named.map(|client| (format!("{} {}", client.info.name, client.info.version), client.at.address.clone()));
        let (session, gates) = (report.session, report.gates.clone());
        self.worst.add(&gates);
        if self.judged.len() == KEPT_SESSIONS {
            self.judged.pop_front();
        }
        self.judged.push_back(JudgedSession { session, client, ended: SystemTime::now(), took, gates });
        Ok(())
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        self.write().map_err(|error| failed(&self.place, error))
    }
}

/// Writes a file completely or not at all.
fn made(path: &Path, content: &[u8]) -> io::Result<()> {
    drop(OpenOptions::new().write(true).create(true).truncate(false).open(path)?);
    let written = Replaced::new(path).and_then(|mut file| file.write(content));
    if written.is_err() {
        // The file is empty now. The error of the write is more useful than an error of the removal.
        let _ = fs::remove_file(path);
    }
    written
}

fn failed(place: &str, error: io::Error) -> OutputError {
    OutputError { what: "verdicts", place: place.to_owned(), error }
}
