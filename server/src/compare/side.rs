//! One of the runs that are compared: its report, and its frames if they were kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::bounded;

use super::error::CompareError;
use super::frames::Frame;
use super::table;
use crate::output::part;
use crate::output::report::MAX_REPORT_BYTES;
use crate::run::say_if_slow;

/// The version of reports that can be read.
const SCHEMA: u64 = 1;

/// Name of the report in a run's folder.
pub(super) const REPORT: &str = "report.json";

/// A run.
#[derive(Debug)]
pub(super) struct Side {
    /// Its name: the path that was given.
    pub(super) name: String,
    /// Its report.
    pub(super) report: Value,
    /// The session that is compared: the first that sent a frame.
    pub(super) session: Value,
    /// Its frames, sorted by id, without those of the warm-up; `None` if the run has only a report.
    pub(super) frames: Option<Vec<Frame>>,
    /// Notes for the reader.
    pub(super) notes: Vec<String>,
}

impl Side {
    /// Reads a run's folder, or a report.
    ///
    /// # Errors
    /// [`CompareError`] if something cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, CompareError> {
        let unreadable = |error| CompareError::Read { path: path.into(), error };
        let is_folder = fs::metadata(path).map_err(unreadable)?.is_dir();
        let file = if is_folder { path.join(REPORT) } else { path.to_owned() };
        if is_folder && !file.is_file() {
            return Err(CompareError::NoReport { folder: path.into() });
        }
        let text = read_report(&file).map_err(|error| CompareError::Read { path: file.clone(), error })?;
        let report = checked(&text).map_err(|wrong| CompareError::NotAReport { path: file.clone(), wrong })?;
        let mut side = Self::of_report(path.display().to_string(), report);
        if let Some(folder) = folder_of(&file, is_folder) {
            side.take_frames(&folder)?;
        }
        Ok(side)
    }

    /// Makes a side of a checked report, without frames.
    pub(super) fn of_report(name: String, report: Value) -> Self {
        let sessions = report["sessions"].as_array().cloned().unwrap_or_default();
        let has_frames = |session: &&Value| session["frames"]["sent"].as_u64().is_some_and(|sent| sent > 0);
        let session = sessions.iter().find(has_frames).cloned().unwrap_or_default();
        let mut side = Self { name, report, session, frames: None, notes: Vec::new() };
        let with_frames = sessions.iter().filter(has_frames).count();
        if with_frames > 1 {
            side.notes.push(format!("it has {with_frames} sessions: session {} is compared", side.number()));
        }
        if let Some(reason) = side.report["incomplete"]["reason"].as_str() {
            side.notes.push(format!("it is incomplete ({reason}): the frames that it has are compared"));
        }
        if side.session.is_null() {
            side.notes.push("it sent no frame".into());
        }
        side
    }

    fn take_frames(&mut self, folder: &Path) -> Result<(), CompareError> {
        let session = self.number();
        self.frames = table::read(folder, session)?;
        if let Some(frames) = &mut self.frames {
            frames.sort_by_key(|frame| frame.id);
            if let Some(twice) = frames.windows(2).find(|pair| pair[0].id == pair[1].id) {
                let wrong = format!("frame {} of session {session} is in it twice", twice[0].id);
                return Err(CompareError::Frames { path: folder.into(), wrong });
            }
        }
        Ok(())
    }

    /// The number of the session.
    pub(super) fn number(&self) -> u64 {
        self.session["session"].as_u64().unwrap_or(1)
    }

    /// The task.
    pub(super) fn task(&self) -> Option<&str> {
        self.session["task"].as_str().or_else(|| self.report["run"]["config"]["task"].as_str())
    }

    /// The seed.
    pub(super) fn seed(&self) -> Option<u64> {
        self.report["run"]["seed"].as_u64()
    }

    /// An option of the run.
    pub(super) fn option(&self, name: &str) -> &Value {
        &self.report["run"]["config"][name]
    }

    /// A figure of the session by its path.
    pub(super) fn figure(&self, path: &str) -> Option<f64> {
        let found = path.split('.').try_fold(&self.session, |node, name| node.get(name));
        found.and_then(Value::as_f64).filter(|value| value.is_finite())
    }

    /// The client's name and version.
    pub(super) fn client(&self) -> Option<String> {
        let text = |name: &str| self.session["client"][name].as_str();
        Some(format!("{} {}", text("name")?, text("version").unwrap_or_default()))
    }
}

/// The text of a report.
pub(super) fn read_report(file: &Path) -> io::Result<String> {
    say_if_slow(file, || bounded::text(file, MAX_REPORT_BYTES))
}

/// The folder with the frames of a report, if there is one.
fn folder_of(file: &Path, is_folder: bool) -> Option<PathBuf> {
    let folder = file.parent()?;
    // The frames next to a report with another name may belong to another run.
    let is_its_own = is_folder || (file.file_name()? == REPORT && folder.join("run.toml").is_file());
    is_its_own.then(|| folder.to_owned())
}

/// Parses a report and checks its version.
pub(crate) fn checked(text: &str) -> Result<Value, String> {
    let report: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match &report["schema"] {
        Value::Null => Err("it has no \"schema\"".into()),
        schema if schema.as_u64() != Some(SCHEMA) => {
            Err(format!("it has schema {schema}, and this server reads schema {SCHEMA}"))
        }
        _ if !report["run"]["config"].is_object() => Err("it has no \"run\" with its \"config\"".into()),
        _ if !report["sessions"].is_array() => Err("it has no \"sessions\"".into()),
        _ => Ok(report),
    }
}

/// Writes a file of a comparison. `-` means standard output.
pub(super) fn write(what: &str, path: &Path, text: &str) -> Result<(), CompareError> {
    let written = if path.as_os_str() == "-" {
        use io::Write;
        shared::shell::standard::unless_reader_left(io::stdout().write_all(text.as_bytes()))
    } else {
        part::write(path, text)
    };
    let place = if path.as_os_str() == "-" { "stdout".into() } else { path.display().to_string() };
    let what = format!("{what} to {}", shared::text::Escaped(place));
    written.map_err(|error| CompareError::Write { what, error })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_error_for_a_file_that_is_not_a_report_says_what_is_missing() {
        for (text, words) in [
            ("", "EOF"),
            ("{}", "it has no \"schema\""),
            (r#"{"schema": 2}"#, "it has schema 2, and this server reads schema 1"),
            (r#"{"schema": 1}"#, "it has no \"run\""),
            (r#"{"schema": 1, "run": {"config": {}}}"#, "it has no \"sessions\""),
            ("[1]", "it has no \"schema\""),
        ] {
            let wrong = checked(text).unwrap_err();
            assert!(wrong.contains(words), "{text}: {wrong}");
        }
    }

    #[test]
    fn the_first_session_that_sent_a_frame_is_compared_and_a_note_says_so() {
        let session = |number: u64, sent: u64| json!({"session": number, "task": "ack", "frames": {"sent": sent}});
        let report =
            |sessions: Vec<Value>| json!({"schema": 1, "run": {"seed": 7, "config": {}}, "sessions": sessions});
        let side = Side::of_report("a".into(), report(vec![session(1, 0), session(2, 3), session(3, 5)]));
        assert_eq!((side.number(), side.figure("frames.sent"), side.task()), (2, Some(3.0), Some("ack")));
        assert_eq!(side.notes, ["it has 2 sessions: session 2 is compared"]);
        let mut broken = report(vec![]);
        broken["incomplete"] = json!({"reason": "running"});
        let notes = Side::of_report("a".into(), broken).notes;
        assert_eq!(notes, ["it is incomplete (running): the frames that it has are compared", "it sent no frame"]);
    }
}
