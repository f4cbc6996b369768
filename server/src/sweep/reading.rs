//! Reads what is kept of a trial. A trial that can be read is done.

use std::path::Path;

use serde_json::Value;
use shared::bounded;

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
    /// failure can leave it.
    pub(super) fn of(place: &Path) -> Option<Self> {
        let report = bounded::text(&place.join(REPORT), MAX_REPORT_BYTES).ok()?;
        let mut report: Value = serde_json::from_str(&report).ok()?;
        let session = report.get_mut("sessions")?.get_mut(0)?.take();
        let run = bounded::text(&place.join(RUN), MAX_FILE_BYTES).ok()?;
        let named = |comment: &str| run.lines().find_map(|line| line.strip_prefix(comment));
        let version = named(VERSION).or_else(|| report["run"]["version"].as_str())?.to_owned();
        Some(Self { session, version, host: named(HOST).unwrap_or_default().to_owned() })
    }
}
