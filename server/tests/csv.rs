//! The frames as CSV: every frame appears once, and the figures of the report can be computed from the rows.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

use testkit::ends::Server;
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session};

/// The rows of a CSV file, with values by column name.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.expect("a row of the header's length")).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|error| panic!("{column} of {row:?}: {error}"))
}

#[test]
fn the_reports_figures_follow_from_the_rows() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("frames.csv");
    let csv = path.to_str().expect("UTF-8");
    let report = ReportFile::new();
    let run = ["--once", "--fps", "max", "--frames", "300", "--seed", "7", "--noise", "10", "--empty-rate", "0.2"];
    let server = Server::start(&[&run[..], &["--csv", csv, "--json", report.name()]].concat());
    server.client(&[]).end().expect(0);
    server.end().expect(0);

    let rows = rows(&fs::read_to_string(&path).expect("rows"));
    let frames: Vec<u64> = rows.iter().map(|row| number(row, "frame") as u64).collect();
    assert_eq!(frames, (0..300).collect::<Vec<_>>(), "every frame once, in order");
    let report = report.read();
    let session = only_session(&report);
    let count = |column: &str, word: &str| rows.iter().filter(|row| row[column] == word).count() as u64;
    assert_eq!(session["frames"]["answered"], count("outcome", "answered"));
    assert_eq!(session["frames"]["circle"], count("kind", "circle"));
    assert_eq!(session["frames"]["empty"], count("truth", "no ball"));
    let errors: Vec<f64> = rows.iter().filter(|row| !row["l1"].is_empty()).map(|row| number(row, "l1")).collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    let reported = session["error_px"]["l1"]["mean"].as_f64().expect("a mean");
    assert!((mean / reported - 1.0).abs() < 1e-12, "{mean} px, {reported} px reported");
    for row in rows.iter().filter(|row| !row["l1"].is_empty()) {
        let l1 = (number(row, "x") - number(row, "truth_x")).abs() + (number(row, "y") - number(row, "truth_y")).abs();
        assert!((l1 - number(row, "l1")).abs() < 1e-12, "{row:?}");
    }
    let stages = ["encode_us", "to_client_us", "queue_us", "detect_us", "back_us"];
    for row in rows.iter().filter(|row| !row["back_us"].is_empty()) {
        let sum: f64 = stages.iter().map(|stage| number(row, stage)).sum();
        assert_eq!(sum, number(row, "latency_us"), "stages sum to the latency: {row:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_wrong_usage() {
    let mut server = command("server");
    server.args(["--no-graphics", "--listen", "127.0.0.1:0", "--csv", "/dev/full"]);
    Program::start(server).end().expect(2).says("/dev/full");
}

#[test]
fn a_file_that_stops_taking_rows_is_reported_once_and_the_run_goes_on_to_exit_code_4() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("frames.fifo");
    let fifo = path.to_str().expect("UTF-8");
    assert!(Command::new("mkfifo").arg(fifo).status().expect("mkfifo").success());
    // Reads a little, then closes its end.
    let mut reader = Command::new("head").args(["-c", "10", fifo]).stdout(Stdio::null()).spawn().expect("head");
    let report = ReportFile::new();
    let options = ["--once", "--fps", "max", "--frames", "600", "--csv", fifo, "--json", report.name()];
    let server = Server::start(&options);
    server.client(&[]).end().expect(0);
    let ended = server.end();
    reader.wait().expect("its end");
    let told = ended.stderr.iter().filter(|line| line.contains("frames.fifo")).count();
    assert_eq!(told, 1, "{:#?}", ended.stderr);
    ended.expect(4);
    assert_eq!(only_session(&report.read())["frames"]["answered"], 600, "the other outputs have everything");
}

#[test]
fn two_outputs_in_one_file_are_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("both");
    fs::write(&path, "kept").expect("written");
    let both = path.to_str().expect("UTF-8");
    let mut server = command("server");
    server.args(["--no-graphics", "--listen", "127.0.0.1:0", "--csv", both, "--json", both]);
    Program::start(server).end().expect(2).says("a file each");
    assert_eq!(fs::read_to_string(&path).expect("still there"), "kept");
    let again = directory.path().join("again");
    fs::hard_link(&path, &again).expect("a second name");
    let mut server = command("server");
    server.args(["--no-graphics", "--listen", "127.0.0.1:0", "--csv", both, "--json"]).arg(&again);
    Program::start(server).end().expect(2).says("a file each");
    assert_eq!(fs::read_to_string(&path).expect("still there"), "kept");
}
