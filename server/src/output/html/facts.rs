//! Reads the report's values for the page.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::doctor::Warning;
use crate::gate::GateVerdict;
use crate::output::report::Incomplete;

/// A report. Its sessions are read one by one, because there may be ten thousand.
#[derive(Deserialize)]
pub(super) struct Facts<'a> {
    pub(super) run: Value,
    #[serde(default)]
    pub(super) gates: Vec<GateVerdict>,
    #[serde(borrow)]
    sessions: Vec<&'a RawValue>,
    pub(super) sessions_omitted: u64,
    #[serde(default)]
    pub(super) incomplete: Option<Incomplete>,
}

/// A session of the report.
pub(super) struct SessionFacts {
    pub(super) number: u64,
    pub(super) warnings: Vec<Warning>,
    pub(super) gates: Vec<GateVerdict>,
    value: Value,
}

impl<'a> Facts<'a> {
    /// Parses a report. `None` if the text is not a report.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Number of all sessions.
    pub(super) fn count(&self) -> u64 {
        self.sessions_omitted.saturating_add(self.sessions.len() as u64)
    }

    /// The sessions in the report's order.
    pub(super) fn sessions(&self) -> impl Iterator<Item = SessionFacts> {
        self.sessions.iter().filter_map(|text| SessionFacts::read(text.get()))
    }

    /// A value of the run's configuration.
    pub(super) fn config(&self, name: &str) -> &Value {
        &self.run["config"][name]
    }
}

impl SessionFacts {
    fn read(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let warnings = Vec::deserialize(&value["warnings"]).unwrap_or_default();
        let gates = Vec::deserialize(&value["gates"]).unwrap_or_default();
        Some(Self { number: value["session"].as_u64()?, warnings, gates, value })
    }

    /// A figure by its path, such as `error_px.l1.mean`.
    pub(super) fn figure(&self, path: &str) -> Option<f64> {
        self.at(path).as_f64()
    }

    /// A text by its path.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.at(path).as_str()
    }

    /// The 95 % bounds of a figure.
    pub(super) fn bounds(&self, path: &str) -> Option<[f64; 2]> {
        let bound = &self.value["bounds"][path];
        Some([bound["low"].as_f64()?, bound["high"].as_f64()?])
    }

    /// The value at a path.
    pub(super) fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.value, |value, name| &value[name])
    }
}
