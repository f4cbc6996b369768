//! The text of `run.toml`: the run specification, with version, time and machine as comments.

use std::env::consts::{ARCH, OS};
use std::io;
use std::thread;
use std::time::SystemTime;

use crate::output::report::Run;

/// The comment before the version of the server.
const VERSION: &str = "# version: ";

/// The text of the file, for a run that starts at this time.
///
/// # Errors
/// Those of [`RunConfig::to_toml`](crate::run::RunConfig::to_toml).
pub(super) fn text(run: &Run, started: SystemTime) -> io::Result<String> {
    let started = humantime::format_rfc3339_seconds(started);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let host = hostname::get().unwrap_or_default();
    Ok(format!(
        "# A run of Plumb: server --run with this file renders the same frames.\n\
         {VERSION}{}\n# started: {started}\n# machine: {}, {OS} {ARCH}, {cores} cores\n{}",
        run.version,
        host.to_string_lossy().escape_debug(),
        run.config.to_toml()?
    ))
}

/// The version that the text names.
pub(super) fn version(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix(VERSION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::report::tests::run;

    #[test]
    fn the_text_is_toml_that_says_when_and_where_it_ran() {
        let text = text(&run(), SystemTime::UNIX_EPOCH).unwrap();
        assert!(text.contains("# started: 1970-01-01T00:00:00Z\n") && text.contains(OS), "{text}");
        assert_eq!(version(&text), Some("0"));
        assert!(text.parse::<toml::Table>().is_ok_and(|table| table.contains_key("source")), "{text}");
    }
}
