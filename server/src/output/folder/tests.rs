//! Writes and renews a folder within the test, without the programs.

use std::fs;
use std::path::Path;

use super::renew::renew;
use super::*;
use crate::output::Steps;
use crate::output::report::tests::{record, run, session};
use crate::output::report::{ClientReport, Run, SessionReport, Whereabouts};
use crate::output::seam::Output;
use crate::run::RunConfig;
use crate::session::{ClientInfo, End};
use crate::task::TaskName;

/// A name that would move a terminal's cursor, end a line, or reverse the text.
const HOSTILE: &str = "no\u{1b}[2J\r\n\"name\",\u{0}\u{202e}";

fn of_hostile(number: u64, end: End) -> SessionReport {
    let info = ClientInfo { name: HOSTILE.into(), version: HOSTILE.into(), pull: false };
    let at = Whereabouts { address: "192.0.2.7:1".into(), link: "tcp", dialled: false, udp_buffers: None };
    let mut report = SessionReport { client: Some(ClientReport { info, at }), end, ..session(number) };
    report.figures.frames.counts.sent = 1;
    report
}

fn written(folder: &Path, is_killed: bool) {
    let mut output = FolderOutput::open(folder, &run(), TaskName::default(), false).unwrap();
    output.begin().unwrap();
    for number in [1, 2] {
        output.running(&of_hostile(number, End::Running)).unwrap();
        output.frame(number, &record(0)).unwrap();
    }
    output.ended(&of_hostile(1, End::ClientLeft { reason: HOSTILE.into() })).unwrap();
    output.flush().unwrap();
    if !is_killed {
        output.ended(&of_hostile(2, End::Stopped)).unwrap();
        output.finish().unwrap();
        assert!(output.is_complete());
        return;
    }
    // A separate thread writes the report. A crash would end it too.
    let end = |report: &serde_json::Value, place: usize| report["sessions"][place]["end"]["kind"].clone();
    let is_written = |report: &serde_json::Value| end(report, 0) == "client_left" && end(report, 1) == "running";
    while !is_written(&report(folder)) {
        std::thread::yield_now();
    }
}

fn report(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join(REPORT)).unwrap()).unwrap()
}

#[test]
fn any_name_of_a_client_is_kept_and_breaks_no_reader() {
    for is_killed in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), is_killed);
        let renewed = renew(folder.path()).unwrap();
        assert_eq!((renewed.frames, renewed.broken_off), (2, u64::from(is_killed)));
        let report = report(folder.path());
        let sessions = report["sessions"].as_array().unwrap();
        let names: Vec<_> = sessions.iter().map(|session| session["client"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, [HOSTILE, HOSTILE]);
        assert_eq!(sessions[0]["end"]["reason"], HOSTILE);
        let text = fs::read(folder.path().join(REPORT)).unwrap();
        assert!(text.iter().all(|byte| *byte == b'\n' || !byte.is_ascii_control()), "escaped in JSON");
        assert!(!String::from_utf8(text).unwrap().contains('\u{202e}'), "nor does it reverse a line");
    }
}

#[test]
fn each_step_of_the_end_is_counted_as_progress() {
    let folder = tempfile::tempdir().unwrap();
    let mut output = FolderOutput::open(folder.path(), &run(), TaskName::default(), false).unwrap();
    let steps = Steps::default();
    output.count_in(&steps);
    output.begin().unwrap();
    assert_eq!(steps.count(), 0);
    output.finish().unwrap();
    assert!(output.is_complete());
    assert!(steps.count() >= 5, "report, recording, pictures, page and table");
}

#[test]
fn an_output_that_never_began_leaves_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut output = FolderOutput::open(folder.path(), &run(), TaskName::default(), false).unwrap();
    output.finish().unwrap();
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[test]
fn the_verdicts_are_written_if_there_are_gates_and_no_part_of_them_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = crate::options::defaults::<crate::run::RunSpec>();
    spec.judged.gate = vec!["frames.lost == 0".parse().unwrap()];
    let run = Run { version: "0", seed: 7, config: RunConfig::new(&spec) };
    let mut output = FolderOutput::open(folder.path(), &run, TaskName::default(), false).unwrap();
    output.begin().unwrap();
    assert!(!folder.path().join(VERDICTS).exists(), "only at the end");
    output.finish().unwrap();
    let xml = fs::read_to_string(folder.path().join(VERDICTS)).unwrap();
    assert!(xml.contains("no session sent a frame"), "{xml}");
    assert!(fs::read_to_string(folder.path().join(RUN)).unwrap().contains("gate = [\"frames.lost == 0\"]"));
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{names:?}");
}

#[test]
fn without_a_report_every_session_that_has_rows_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let mut output = FolderOutput::open(folder.path(), &run(), TaskName::default(), false).unwrap();
    output.begin().unwrap();
    // As the rows of sessions that go on at the same time.
    for id in 0..2 {
        (1..=150).for_each(|number| output.frame(number, &record(id)).unwrap());
    }
    output.finish().unwrap();
    drop(output);
    fs::remove_file(folder.path().join(REPORT)).unwrap();
    assert_eq!(renew(folder.path()).unwrap().broken_off, 150);
    let first = report(folder.path());
    assert_eq!((first["sessions"].as_array().unwrap().len(), &first["sessions_omitted"]), (150, &0.into()));
    assert_eq!(renew(folder.path()).unwrap().broken_off, 0);
    assert_eq!(report(folder.path()), first);
}

#[test]
fn frames_that_never_came_to_the_output_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut output = FolderOutput::open(folder.path(), &run(), TaskName::default(), false).unwrap();
    output.begin().unwrap();
    let mut ended = session(1);
    ended.figures.frames.counts.sent = 7;
    output.frame(1, &record(0)).unwrap();
    output.ended(&ended).unwrap();
    output.finish().unwrap();
    assert!(!output.is_complete());
    let expected = serde_json::json!({"reason": "not_written", "not_written": 6, "unknown": []});
    assert_eq!(report(folder.path())["incomplete"], expected);
    let renewed = renew(folder.path()).unwrap();
    assert_eq!(renewed.incomplete.map(|incomplete| incomplete.not_written), Some(6));
}

#[test]
fn an_endless_report_is_refused_and_an_empty_one_counts_as_none() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), false);
    // A hole of 8 GiB, which takes no room.
    let path = folder.path().join(REPORT);
    fs::File::create(&path).unwrap().set_len(8 << 30).unwrap();
    let wrong = renew(folder.path()).unwrap_err().to_string();
    assert!(wrong.contains("report.json is no report that can be read (larger than 256 MiB)"), "{wrong}");
    // A power cut may leave blocks of zeros.
    for length in [0, 4096] {
        fs::File::create(&path).unwrap().set_len(length).unwrap();
        let renewed = renew(folder.path()).unwrap();
        assert!(!renewed.had_report && renewed.frames == 2, "{renewed:?}");
        assert_eq!(report(folder.path())["sessions"].as_array().unwrap().len(), 2);
    }
}
