//! The report as JSON: a file that is replaced after each session, or, for a stream, one document at the end.
//!
//! The file is opened before anything runs, so that a bad path fails at once. `document` keeps the text, `keeper`
//! writes it in the background, `replace` replaces the file's content. A failed write is tried again; what counts in
//! the end is whether the file has the whole report.

pub(super) mod document;
pub(super) mod keeper;
pub(super) mod replace;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use shared::shell::standard::named_stdout;
use shared::shell::stop::Stop;

use self::document::Document;
use self::keeper::Keeper;
pub(super) use self::replace::Replaced;
use super::error::OutputError;
use super::parts::Parts;
use super::place::{self, Place};
use super::report::{Run, SessionReport};
use super::seam::Output;

/// Where the report goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonTarget {
    /// A file, replaced after each session; or a pipe, a device or a socket, which gets it at the end.
    File(PathBuf),
    /// Standard output, once, at the end; rows go to stderr.
    Stdout,
}

impl FromStr for JsonTarget {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if place::is_stdout(Path::new(text)) { Self::Stdout } else { Self::File(text.into()) })
    }
}

/// Keeps the report and writes it.
pub struct JsonOutput {
    place: String,
    state: State,
    /// The temporary file, if the report is one that is replaced.
    parts: Option<Parts>,
}

enum State {
    /// The file is open; nothing is written yet.
    New(Document, Replaced),
    /// The report is written after each session.
    Kept(Keeper),
    /// The report is written at the end.
    AtTheEnd(Document, Box<dyn Write + Send>),
    /// The output is finished; whether the report is complete.
    Done(bool),
}

impl JsonOutput {
    /// Opens the report's file and keeps its content until [`Output::begin`]. `None` if the run was stopped meanwhile.
    ///
    /// # Errors
    /// [`OutputError`] if the file cannot be written.
    pub(super) async fn open(target: &JsonTarget, run: &Run, stop: &mut Stop) -> Result<Option<Self>, OutputError> {
        let place = match target {
            JsonTarget::File(path) => path.display().to_string(),
            JsonTarget::Stdout => "stdout".into(),
        };
        let state = opened(target, run, stop).await.map_err(|error| failed(&place, error))?;
        let parts = match &state {
            Some(State::New(_, file)) => Some(file.parts()),
            _ => None,
        };
        Ok(state.map(|state| Self { place, state, parts }))
    }
}

async fn opened(target: &JsonTarget, run: &Run, stop: &mut Stop) -> io::Result<Option<State>> {
    let document = Document::new(run)?;
    let JsonTarget::File(path) = target else {
        return Ok(Some(State::AtTheEnd(document, Box::new(named_stdout()?))));
    };
    Ok(match place::open(path, stop).await? {
        Some(Place::File(_)) => Some(State::New(document, Replaced::new(path)?)),
        Some(Place::Stream(stream)) => Some(State::AtTheEnd(document, stream)),
        None => None,
    })
}

impl Output for JsonOutput {
    fn name(&self) -> String {
        "report".into()
    }

    fn parts(&self) -> Option<Parts> {
        self.parts.clone()
    }

    fn begin(&mut self) -> Result<(), OutputError> {
        self.state = match std::mem::replace(&mut self.state, State::Done(false)) {
            State::New(document, mut file) => {
                let begun = file.write(document.text().as_bytes());
                let kept = begun.and_then(|()| Keeper::start(document, &self.place, move |text| file.write(text)));
                State::Kept(kept.map_err(|error| failed(&self.place, error))?)
            }
            other => other,
        };
        Ok(())
    }

    fn ended(&mut self, session: &SessionReport) -> Result<(), OutputError> {
        let added = match &mut self.state {
            State::Kept(keeper) => keeper.add(session),
            State::New(document, _) | State::AtTheEnd(document, _) => document.add(session),
            State::Done(_) => Ok(()),
        };
        added.map_err(|error| failed(&self.place, error))
    }

    fn finish(&mut self) -> Result<(), OutputError> {
        match std::mem::replace(&mut self.state, State::Done(false)) {
            State::Kept(keeper) => self.state = State::Done(keeper.finish()),
            State::AtTheEnd(document, mut stream) => {
                let written = stream.write_all(document.text().as_bytes()).and_then(|()| stream.flush());
                written.map_err(|error| failed(&self.place, error))?;
                self.state = State::Done(true);
            }
            other @ (State::New(..) | State::Done(_)) => self.state = other,
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        matches!(self.state, State::Done(true))
    }
}

fn failed(place: &str, error: io::Error) -> OutputError {
    OutputError { what: "report", place: place.to_owned(), error }
}
