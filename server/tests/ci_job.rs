//! Runs the job of docs/ci.md: it passes with a good detector in Python and fails with a bad one.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

use testkit::ends::free_address;
use testkit::program::command;
use testkit::python::Packages;
use testkit::repository;

static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| Packages::Exec.test_python(env!("CARGO_TARGET_TMPDIR")));

/// The lines of the job.
fn job() -> Vec<String> {
    let document = fs::read_to_string(repository::path("docs/ci.md")).expect("a document");
    let job = document.split("```yaml\n").nth(1).expect("a job").split("```").next().expect("its end").to_owned();
    job.lines().map(str::to_owned).collect()
}

/// The commands of the step that runs the programs.
fn commands() -> String {
    let lines = job();
    let start = lines.iter().position(|line| line.trim() == "- run: |").expect("a step of several lines") + 1;
    let indent = lines[start].len() - lines[start].trim_start().len();
    let step = lines[start..].iter().take_while(|line| line.len() - line.trim_start().len() >= indent);
    step.map(|line| line.trim().to_owned() + "\n").collect()
}

/// Runs the commands as GitHub's runner does, with a detector that adds this to its answers.
fn run(error_px: f64) -> (Output, String) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(folder.path().join("bin")).expect("made");
    for program in ["server", "client"] {
        symlink(command(program).get_program(), folder.path().join("bin").join(program)).expect("linked");
    }
    let detector = fs::read_to_string(repository::path("examples/exec/centroid.py")).expect("an example");
    let x = "int(columns.sum()) / count,";
    assert!(detector.contains(x), "the example has another form");
    let detector = detector.replace(x, &format!("int(columns.sum()) / count + {error_px},"));
    fs::write(folder.path().join("my_detector.py"), detector).expect("written");
    let address = free_address().to_string();
    let script = commands().replace("127.0.0.1:8080", &address);
    let path = format!("{}:{}", PYTHON.parent().expect("bin").display(), std::env::var("PATH").expect("a path"));
    let mut shell = Command::new("bash");
    shell.args(["-e", "-o", "pipefail", "-c", &script]).current_dir(folder.path()).env("PATH", path);
    shell.env_remove("DISPLAY").env("PLUMB_LISTEN", &address).env("PLUMB_NO_ANNOUNCE", "true");
    // At the highest rate, so that the test takes no longer than it must.
    let output = shell.env("PLUMB_FPS", "max").output().expect("bash");
    let junit = fs::read_to_string(folder.path().join("junit.xml")).expect("the verdicts");
    (output, junit)
}

#[test]
fn the_job_has_less_than_15_lines() {
    assert!(job().len() < 15, "{}", job().len());
    let readme = fs::read_to_string(repository::path("README.md")).expect("a document");
    assert!(readme.contains("(docs/ci.md)"));
}

#[test]
fn the_job_passes_with_a_good_detector_and_fails_with_a_bad_one() {
    for (error_px, code, failures) in [(0.0, 0, "failures=\"0\""), (0.3, 1, "failures=\"1\"")] {
        let (output, junit) = run(error_px);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{error_px} px: {said}");
        assert!(junit.contains("tests=\"2\"") && junit.contains(failures), "{junit}");
    }
}
