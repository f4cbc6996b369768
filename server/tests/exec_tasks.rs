//! Every task done by a program, `--pipeline exec:COMMAND`, in Python and in C.

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

/// A C program, built. Tests that run side by side each put a whole one in its place.
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
