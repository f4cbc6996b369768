//! Baselines: runs that passed, kept in a folder for later runs of the same specification.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use shared::bounded;
use shared::text::Escaped;

use super::error::CompareError;
use super::result::Differs;
use super::side::{REPORT, Side, checked, read_report};
use super::specification::differing;
use crate::gate::{GateVerdict, ended_early};
use crate::run::MAX_FILE_BYTES;

/// The folder of pictures in a run's folder.
const WORST: &str = "worst";

/// Start of the comment in `run.toml` with the run's start time.
const STARTED: &str = "# started: ";

/// Maximum number of differing options in a message.
const SHOWN: usize = 5;

/// Suffix of a folder's name while it is being copied.
const PART: &str = ".part";

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
    if let Some(reason) = report["incomplete"]["reason"].as_str() {
        return Some(format!("it is incomplete ({reason})"));
    }
    let sessions = report["sessions"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !sessions.iter().any(|session| session["frames"]["sent"].as_u64().is_some_and(|sent| sent > 0)) {
        return Some("it sent no frame".into());
    }
    if let Some(early) = sessions.iter().find_map(|session| ended_early(report, session)) {
        return Some(early);
    }
    let gates: Vec<GateVerdict> = serde_json::from_value(report["gates"].clone()).unwrap_or_default();
    let failed = gates.into_iter().find(|gate| gate.verdict.fails(strict))?;
    Some(format!("its gate {} did not pass", failed.condition))
}

/// Copies a run's folder into the folder of baselines, and returns the path of the copy.
///
/// # Errors
/// If the folder cannot be copied.
pub(super) fn keep(folder: &Path, run: &Path) -> Result<PathBuf, CompareError> {
    let failed = |error| CompareError::Write { what: format!("a baseline to {}", Escaped(folder.display())), error };
    fs::create_dir_all(folder).map_err(failed)?;
    let full = fs::canonicalize(run).map_err(failed)?;
    let name = full.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
    let name = names.into_iter().find(|name| !folder.join(name).exists()).unwrap_or(name);
    let part = folder.join(format!(".{name}{PART}"));
    copy(&full, &part).and_then(|()| fs::rename(&part, folder.join(&name))).map_err(failed)?;
    Ok(folder.join(name))
}

/// Copies the files of a run's folder and the pictures of its worst frames. Other subfolders are not the run's.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        // A crash left an incomplete copy.
        fs::remove_dir_all(to)?;
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (file, copied) = (entry.file_type()?, to.join(entry.file_name()));
        if file.is_file() {
            fs::copy(entry.path(), copied)?;
        } else if file.is_dir() && entry.file_name() == WORST {
            copy(&entry.path(), &copied)?;
        }
    }
    Ok(())
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
fn folders(folder: &Path) -> Result<Vec<PathBuf>, CompareError> {
    let unreadable = |error| CompareError::Read { path: folder.into(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        let is_part = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(PART));
        if !is_part && path.join(REPORT).is_file() {
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
    let text = bounded::text(&folder.join("run.toml"), MAX_FILE_BYTES).unwrap_or_default();
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
        assert_eq!(why_not_passed(&report(7, "pass"), false), None);
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
