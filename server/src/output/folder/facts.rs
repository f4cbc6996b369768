//! The metadata of `frames.parquet`: facts about the whole run.

use crate::output::report::SCHEMA;

/// Facts about a run that its table holds in addition to the rows.
pub(super) struct Facts<'a> {
    /// The server's version.
    pub(super) version: &'a str,
    /// Seed of everything random.
    pub(super) seed: u64,
    /// The run specification, as TOML.
    pub(super) run: String,
    /// The report, as JSON.
    pub(super) report: String,
}

impl Facts<'_> {
    /// Names and values of the metadata.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only the table has metadata"))]
    pub(super) fn entries(self) -> [(&'static str, String); 5] {
        [
            ("plumb.schema", SCHEMA.to_string()),
            ("plumb.version", self.version.to_owned()),
            ("plumb.seed", self.seed.to_string()),
            ("plumb.run", self.run),
            ("plumb.report", self.report),
        ]
    }
}
