//! Every task done by a program, `--pipeline exec:COMMAND`, in Python and in C.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::ends::Server;
use testkit::report::{ReportFile, only_session};

/// The programs of these tests, which need no more than Python's standard library and C's.
fn pipelines() -> [String; 2] {
    let source = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs").join(name);
    let python = format!("exec:python3 '{}'", source("every_task.py").display());
    [python, format!("exec:'{}'", built(&source("every_task.c")).display())]
}

/// Builds a C program. It is moved into its place as a whole, because tests run side by side.
fn built(source: &Path) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let new = tempfile::NamedTempFile::new_in(folder).expect("a place").into_temp_path();
    let done = Command::new("cc").args(["-O2", "-Wall", "-Werror", "-o"]).arg(&new).arg(source).output();
    let done = done.expect("a C compiler, which Rust needs too");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let program = folder.join("every-task");
    new.persist(&program).expect("put in its place");
    program
}

/// The session of a program with this task. The deadline leaves a busy machine all the time it needs.
fn session(pipeline: &str, task: &[&str]) -> Value {
    let report = ReportFile::new();
    let always = ["--once", "--frames", "30", "--fps", "30", "--seed", "7", "--deadline", "60s", "--size", "320x240"];
    let server = Server::start(&[&always[..], &["--json", report.name()], task].concat());
    server.client(&["--pipeline", pipeline, "--pipeline-timeout", "20s"]).end().expect(0);
    server.end().expect(0);
    only_session(&report.read()).clone()
}

#[test]
fn programs_answer_with_circles_and_their_ellipses() {
    for pipeline in pipelines() {
        let session = session(&pipeline, &["--task", "circle"]);
        assert_eq!(session["frames"]["circle"], 30, "{pipeline}: {:#}", session["frames"]);
    }
}

#[test]
fn a_program_that_answers_only_a_centre_is_scored_like_one_that_adds_a_radius() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/centre.py");
    let scored = |name: &str, arguments: &str| {
        let csv = folder.path().join(name);
        let pipeline = format!("exec:python3 '{}' {arguments}", program.display());
        let session = session(&pipeline, &["--task", "circle", "--csv", csv.to_str().expect("UTF-8")]);
        let mut rows = csv::Reader::from_path(csv).expect("a file");
        let rows = rows.deserialize().map(|row| row.expect("a row of the header's length")).collect();
        (session, rows)
    };
    let (centre, without): (Value, Vec<BTreeMap<String, String>>) = scored("centre.csv", "");
    let (circle, with) = scored("circle.csv", "20");
    assert_eq!((&centre["frames"]["circle"], &centre["frames"]["invalid"]), (&30.into(), &0.into()));
    assert!(centre["error_px"]["l1"]["mean"].as_f64().is_some_and(|mean| mean > 0.0), "{:#}", centre["error_px"]);
    assert_eq!(centre["error_px"], circle["error_px"]);
    assert_eq!((without.len(), with.len()), (30, 30));
    for (without, with) in without.iter().zip(&with) {
        assert_eq!([&without["radius"], &with["radius"]], ["", "20"]);
        for column in ["x", "y", "cov_xx", "axis_a", "dx", "dy", "l1", "cumulative_l1", "missed"] {
            assert_eq!(without[column], with[column], "{column}");
        }
    }
}

#[test]
fn programs_count() {
    for pipeline in pipelines() {
        let right = session(&pipeline, &["--task", "count", "--balls", "2"]);
        assert_eq!(right["count"]["exact"], 30, "{pipeline}: {:#}", right["count"]);
        let wrong = session(&pipeline, &["--task", "count", "--balls", "3"]);
        assert_eq!(wrong["count"]["exact"], 0, "{pipeline}: {:#}", wrong["count"]);
        assert_eq!(wrong["count"]["mean_error"], -1.0, "{pipeline}");
    }
}

#[test]
fn programs_acknowledge() {
    for pipeline in pipelines() {
        let session = session(&pipeline, &["--task", "ack"]);
        assert_eq!(session["ack"]["codes"], json!({"-7": 30}), "{pipeline}");
    }
}

#[test]
fn programs_send_images_back() {
    for pipeline in pipelines() {
        for pixel in ["gray8", "bgr8"] {
            let session = session(&pipeline, &["--task", "image", "--noise", "5", "--pixel", pixel]);
            assert_eq!(session["image"]["identical"], 30, "{pipeline}, {pixel}: {:#}", session["image"]);
        }
    }
}
