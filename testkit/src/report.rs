//! Reports of the programs: a JSON document, and rows.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// The outcomes of a frame, as a report counts them.
pub const OUTCOMES: [&str; 4] = ["answered", "dropped", "lost", "unresolved"];

/// A temporary file for a report.
pub struct ReportFile {
    _directory: TempDir,
    path: PathBuf,
}

impl ReportFile {
    /// A report file in its own temporary directory.
    #[expect(clippy::new_without_default, reason = "it makes a directory")]
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("report.json");
        Self { _directory: directory, path }
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Path of the file, as the value of an option.
    pub fn name(&self) -> &str {
        self.path.to_str().expect("a path in UTF-8")
    }

    /// Reads the report and asserts that the frames of every session add up.
    #[track_caller]
    pub fn read(&self) -> Value {
        let text = std::fs::read_to_string(&self.path).expect("a report");
        checked(&text)
    }

    /// Reads the report as [`Self::read`] does, while the server may be writing it. `None` if it is missing or
    /// incomplete.
    #[track_caller]
    pub fn try_read(&self) -> Option<Value> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        serde_json::from_str::<Value>(&text).is_ok().then(|| checked(&text))
    }
}

/// Parses a report and asserts that the frames of every session add up.
#[track_caller]
pub fn checked(text: &str) -> Value {
    let report: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    for session in sessions(&report) {
        let frames = &session["frames"];
        let count = |name: &str| frames[name].as_u64().unwrap_or_else(|| panic!("no count {name} in {frames}"));
        assert_eq!(OUTCOMES.map(count).iter().sum::<u64>(), count("sent"), "conservation: {frames}");
        if !frames["circle"].is_null() {
            assert_eq!(count("circle") + count("no_circle"), count("answered"), "circles: {frames}");
        }
        if let Some(own) = session.get("count") {
            let cells = own["confusion"].as_array().into_iter().flatten().filter_map(Value::as_array).flatten();
            let scored = own["scored"].as_u64().expect("a count");
            assert_eq!(cells.filter_map(Value::as_u64).sum::<u64>(), scored, "numbers of balls: {own}");
            // With the source ball, the truth of every frame is known. With a source that reads frames, it may be known
            // for some of them only.
            let is_ball = session["source"].is_null();
            assert!(if is_ball { scored == count("answered") } else { scored <= count("answered") }, "scored: {own}");
        }
    }
    report
}

/// The sessions of a report.
#[track_caller]
pub fn sessions(report: &Value) -> &[Value] {
    report["sessions"].as_array().expect("a list of sessions")
}

/// The only session of a report.
#[track_caller]
pub fn only_session(report: &Value) -> &Value {
    let [session] = sessions(report) else { panic!("not one session: {report:#}") };
    session
}

/// The rows of frames in a program's output: the lines that begin with spaces and an id.
pub fn rows(lines: &[String]) -> Vec<&str> {
    let has_id = |line: &str| line.split_whitespace().next().is_some_and(|id| id.parse::<u64>().is_ok());
    lines.iter().map(String::as_str).filter(|line| line.starts_with(' ') && has_id(line)).collect()
}
