//! Reads what is kept of a trial. A trial that can be read is done.

use std::path::Path;

use serde_json::Value;

use super::marks::Measure;
use super::merge::SHARES;
use crate::output::regular;
use crate::output::report::MAX_REPORT_BYTES;
use crate::run::MAX_FILE_BYTES;

/// The report of a trial.
pub(super) const REPORT: &str = "report.json";

/// The run of a trial.
pub(super) const RUN: &str = "run.toml";

/// The comment in the run before the version of the server.
pub(super) const VERSION: &str = "# version: ";

/// The comment in the run before the name of the machine.
pub(super) const HOST: &str = "# host: ";

/// What a trial's folder contains.
pub(super) struct Reading {
    /// The session of its report.
    pub(super) session: Value,
    /// The version of the server.
    pub(super) version: String,
    /// The machine; empty if it is not known.
    pub(super) host: String,
}

impl Reading {
    /// Reads the folder of a trial. `None` if there is none, or if a file is missing, empty or damaged, as a power
    /// failure can leave it, or if the counts of its report contradict each other.
    pub(super) fn of(place: &Path) -> Option<Self> {
        let report = regular::text(&place.join(REPORT), MAX_REPORT_BYTES).ok()?;
        let mut report: Value = serde_json::from_str(&report).ok()?;
        let session = report.get_mut("sessions")?.get_mut(0)?.take();
        if !is_consistent(&session) {
            return None;
        }
        let run = regular::text(&place.join(RUN), MAX_FILE_BYTES).ok()?;
        let named = |comment: &str| run.lines().find_map(|line| line.strip_prefix(comment));
        let version = named(VERSION).or_else(|| report["run"]["version"].as_str())?.to_owned();
        Some(Self { session, version, host: named(HOST).unwrap_or_default().to_owned() })
    }
}

/// Whether a session has sent frames, and counts no more of each kind. Shares follow from these counts.
fn is_consistent(session: &Value) -> bool {
    let at = |path: &str| path.split('.').try_fold(session, |value, name| value.get(name)).and_then(Value::as_u64);
    let Some(sent) = at("frames.sent") else { return true };
    let fits = |path: &str| at(path).is_none_or(|count| Measure::of_counts(count, sent).is_some());
    SHARES.into_iter().flat_map(|(_, paths)| paths).all(|path| fits(path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_trial_that_counts_more_frames_than_it_sent_is_not_done() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(RUN), format!("{VERSION}1.0.0\n")).unwrap();
        let read = |sent: u64, missed: u64| {
            let session = json!({"task": "circle", "frames": {"sent": sent, "missed": missed, "lost": 0}});
            std::fs::write(folder.path().join(REPORT), json!({"sessions": [session]}).to_string()).unwrap();
            Reading::of(folder.path()).is_some()
        };
        assert!(read(20, 0) && read(20, 20));
        assert!(!read(20, 21) && !read(u64::MAX, 5));
    }
}
