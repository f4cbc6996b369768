//! Baselines: runs that passed, kept in a folder for later runs of the same specification.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::text::Escaped;

use super::error::CompareError;
use super::keep::is_part;
use super::result::Differs;
use super::side::{REPORT, Side, checked, read_report};
use super::specification::differing;
use crate::gate::{GateVerdict, fell_short};
use crate::output::regular;
use crate::run::MAX_FILE_BYTES;

/// Start of the comment in `run.toml` with the run's start time.
const STARTED: &str = "# started: ";

/// Maximum number of differing options in a message.
const SHOWN: usize = 5;

/// Finds the newest run in this folder that passed and has the same specification as `run`. The run itself is not
/// considered. `None` if no run in the folder passed. Adds a note for each run that is skipped.
///
/// # Errors
/// If all runs that passed have another specification: the message names how the newest one differs. Also if the folder
/// cannot be read.
pub(super) fn find(
    folder: &Path,
    run: &Side,
    own: &Path,
    strict: bool,
    notes: &mut Vec<String>,
) -> Result<Option<Side>, CompareError> {
    let mut kept: Vec<_> = folders(folder)?.into_iter().filter(|kept| !is_same(kept, own)).collect();
    kept.sort_by_key(|kept| std::cmp::Reverse(started(kept)));
    let mut other: Option<(PathBuf, Vec<Differs>)> = None;
    for kept in kept {
        let side = match readable(&kept) {
            Ok(side) => side,
            Err(wrong) => {
                notes.push(format!("{} is passed over: {wrong}", Escaped(kept.display())));
                continue;
            }
        };
        if let Some(why) = why_not_passed(&side.report, strict) {
            notes.push(format!("{} is passed over: {why}", Escaped(kept.display())));
            continue;
        }
        let differs = differing(&side, run);
        if differs.is_empty() {
            return Side::read(&kept).map(Some);
        }
        other.get_or_insert((kept, differs));
    }
    other.map_or(Ok(None), |(kept, differs)| Err(CompareError::Usage(of_another(&kept, run, &differs))))
}

/// The reason why a run did not pass. `None` if it passed.
pub(super) fn why_not_passed(report: &Value, strict: bool) -> Option<String> {
    fell_short(report).or_else(|| why_gates_failed(&report["gates"], strict))
}

/// The reason why a run's gates did not pass; `None` if they did, or if it has none.
fn why_gates_failed(gates: &Value, strict: bool) -> Option<String> {
    if gates.is_null() {
        return None;
    }
    match serde_json::from_value::<Vec<GateVerdict>>(gates.clone()) {
        Ok(gates) => {
            let failed = gates.into_iter().find(|gate| gate.verdict.fails(strict))?;
            Some(format!("its gate {} did not pass", failed.condition))
        }
        Err(error) => Some(format!("the verdicts on its gates cannot be read ({error})")),
    }
}

fn of_another(kept: &Path, run: &Side, differs: &[Differs]) -> String {
    let shown = differs.iter().take(SHOWN).map(|Differs { name, a, b }| format!("{name} is {a} there and {b} here"));
    let more =
        if differs.len() > SHOWN { format!(", and {} more differ", differs.len() - SHOWN) } else { String::new() };
    format!(
        "--baseline: {} is of another specification than {}: {}{more}; give each specification a folder of its own",
        Escaped(kept.display()),
        Escaped(&run.name),
        Escaped(shown.collect::<Vec<_>>().join(", ")),
    )
}

/// The runs' folders in this folder; empty if it does not exist.
pub(super) fn folders(folder: &Path) -> Result<Vec<PathBuf>, CompareError> {
    let unreadable = |error| CompareError::Read { path: folder.into(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if !path.file_name().is_some_and(is_part) && path.join(REPORT).is_file() {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads the report of a kept run, without its frames.
fn readable(folder: &Path) -> Result<Side, String> {
    let text = read_report(&folder.join(REPORT)).map_err(|error| error.to_string())?;
    Ok(Side::of_report(folder.display().to_string(), checked(&text)?))
}

/// The key by which runs are sorted: their start as RFC 3339 text, then the modification time of the report.
fn started(folder: &Path) -> (String, Option<std::time::SystemTime>) {
    let text = regular::text(&folder.join("run.toml"), MAX_FILE_BYTES).unwrap_or_default();
    let said = text.lines().find_map(|line| line.strip_prefix(STARTED)).unwrap_or_default().to_owned();
    let written = fs::metadata(folder.join(REPORT)).and_then(|file| file.modified()).ok();
    (said, written)
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::canonicalize(one), fs::canonicalize(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::keep::keep;
    use super::*;

    fn report(seed: u64, verdict: &str) -> Value {
        let gate = json!({
            "condition": "frames.lost == 0", "session": 1, "verdict": verdict, "value": 0.0, "limit": 0.0, "low": null,
            "high": null, "samples": null, "frames_needed": null, "message": "",
        });
        json!({
            "schema": 1, "run": {"seed": seed, "config": {"seed": seed, "frames": 3, "size": "64x48"}},
            "gates": [gate],
            "sessions": [{"session": 1, "task": "ack", "end": {"kind": "finished"}, "frames": {"sent": 3}}],
        })
    }

    /// Makes a folder of runs from their names, start times and reports.
    fn runs(runs: &[(&str, &str, Value)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, started, report) in runs {
            let run = folder.path().join(name);
            fs::create_dir(&run).unwrap();
            fs::write(run.join("run.toml"), format!("{STARTED}{started}\n")).unwrap();
            fs::write(run.join(REPORT), report.to_string()).unwrap();
        }
        folder
    }

    fn found(folder: &Path, seed: u64, strict: bool) -> (Result<Option<String>, String>, Vec<String>) {
        let mut notes = Vec::new();
        let run = Side::of_report("new".into(), report(seed, "pass"));
        let found = find(folder, &run, Path::new("absent"), strict, &mut notes);
        let name = |side: Side| side.name.rsplit('/').next().unwrap().to_owned();
        (found.map(|side| side.map(name)).map_err(|wrong| wrong.to_string()), notes)
    }

    #[test]
    fn the_newest_run_that_passed_is_the_baseline_and_one_that_failed_is_not() {
        let folder = runs(&[
            ("b", "2026-01-02T00:00:00Z", report(7, "pass")),
            ("a", "2026-01-03T00:00:00Z", report(7, "inconclusive")),
            ("c", "2026-01-01T00:00:00Z", report(7, "pass")),
            ("d", "2026-01-04T00:00:00Z", report(7, "fail")),
            ("e", "2026-01-05T00:00:00Z", report(7, "no_data")),
            ("f", "2026-01-06T00:00:00Z", json!({"schema": 2})),
        ]);
        let (baseline, notes) = found(folder.path(), 7, false);
        assert_eq!(baseline.unwrap().as_deref(), Some("a"));
        let said = notes.join("\n");
        assert_eq!(notes.len(), 3, "{said}");
        assert!(said.contains("its gate frames.lost == 0 did not pass") && said.contains("it has schema 2"), "{said}");
        assert_eq!(found(folder.path(), 7, true).0.unwrap().as_deref(), Some("b"), "strict");
    }

    #[test]
    fn an_endless_report_is_passed_over_and_an_endless_run_file_says_no_time() {
        let folder = runs(&[
            ("a", "2026-01-02T00:00:00Z", report(7, "pass")),
            ("b", "2026-01-03T00:00:00Z", report(7, "pass")),
            ("c", "2026-01-04T00:00:00Z", report(7, "pass")),
        ]);
        let path = |name: &str| folder.path().join(name);
        // A hole of 8 GiB, which takes no room.
        fs::File::create(path("c/report.json")).unwrap().set_len(8 << 30).unwrap();
        fs::remove_file(path("b/run.toml")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", path("b/run.toml")).unwrap();
        let (baseline, notes) = found(folder.path(), 7, false);
        assert_eq!(baseline.unwrap().as_deref(), Some("a"));
        assert!(notes.len() == 1 && notes[0].contains("c is passed over: larger than 256 MiB"), "{notes:?}");
    }

    #[test]
    fn a_run_of_another_specification_is_refused_with_what_differs() {
        let folder = runs(&[("a", "2026-01-02T00:00:00Z", report(7, "pass"))]);
        let wrong = found(folder.path(), 8, false).0.unwrap_err();
        assert!(wrong.contains("seed is 7 there and 8 here"), "{wrong}");
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(found(empty.path(), 7, false).0, Ok(None));
        assert_eq!(found(&empty.path().join("absent"), 7, false).0, Ok(None));
    }

    #[test]
    fn runs_that_broke_off_or_ended_early_did_not_pass() {
        let mut early = report(7, "pass");
        early["sessions"][0]["end"]["kind"] = "client_gone".into();
        early["sessions"][0]["frames"]["sent"] = 2.into();
        assert_eq!(why_not_passed(&early, false).unwrap(), "the client disappeared after 2 of 3 frames");
        let mut broken = report(7, "pass");
        broken["incomplete"] = json!({"reason": "broken_off"});
        assert_eq!(why_not_passed(&broken, false).unwrap(), "it is incomplete (broken_off)");
        let mut empty = report(7, "pass");
        empty["sessions"] = json!([]);
        assert_eq!(why_not_passed(&empty, false).unwrap(), "it sent no frame");
        let mut stopped = report(7, "pass");
        stopped["sessions"][0]["end"]["kind"] = "stopped".into();
        stopped["sessions"][0]["frames"]["sent"] = 2.into();
        assert_eq!(why_not_passed(&stopped, false).unwrap(), "the run was stopped after 2 of 3 frames");
        assert_eq!(why_not_passed(&report(7, "pass"), false), None);
    }

    #[test]
    fn gates_that_cannot_be_read_did_not_pass() {
        let mut unlimited = report(7, "pass");
        unlimited["gates"][0]["limit"] = Value::Null;
        let why = why_not_passed(&unlimited, false).unwrap();
        assert!(why.starts_with("the verdicts on its gates cannot be read (invalid type: null"), "{why}");
        let mut without = report(7, "pass");
        without.as_object_mut().unwrap().remove("gates");
        assert_eq!(why_not_passed(&without, false), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_place_of_a_run_file_is_not_waited_for() {
        let folder =
            runs(&[("a", "2026-01-02T00:00:00Z", report(7, "pass")), ("b", "2026-01-03T00:00:00Z", report(7, "pass"))]);
        let pipe = folder.path().join("b/run.toml");
        fs::remove_file(&pipe).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(found(folder.path(), 7, false).0.unwrap().as_deref(), Some("a"));
    }

    #[test]
    fn a_run_whose_name_ends_in_part_is_a_baseline_and_a_copy_that_is_not_complete_is_none() {
        let folder = runs(&[
            ("a.part", "2026-01-02T00:00:00Z", report(7, "pass")),
            (".keep.x.part", "2026-01-03T00:00:00Z", report(7, "pass")),
            (".run.part", "2026-01-04T00:00:00Z", report(7, "pass")),
        ]);
        assert_eq!(found(folder.path(), 7, false).0.unwrap().as_deref(), Some("a.part"));
    }

    #[test]
    fn a_kept_run_is_a_copy_with_a_name_of_its_own() {
        let (from, to) = (runs(&[("a", "2026-01-02T00:00:00Z", report(7, "pass"))]), tempfile::tempdir().unwrap());
        let folder = to.path().join("kept");
        for name in ["a", "a-2"] {
            let kept = keep(&folder, &from.path().join("a")).unwrap();
            assert_eq!(kept, folder.join(name));
            assert_eq!(fs::read_dir(kept).unwrap().count(), 2);
        }
        assert_eq!(found(&folder, 7, false).0.unwrap().as_deref().map(|name| &name[..1]), Some("a"));
    }
}
