//! The report as whoever reads it finds it, and output that is closed or shared.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;
use testkit::ends::{Server, with};
use testkit::program::{Program, command, poll};
use testkit::report::{ReportFile, checked, only_session, rows, sessions};

#[test]
fn figures_agree_with_each_other() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--frames", "60", "--fps", "120", "--json", report.name()]);
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    let report = report.read();
    let session = only_session(&report);
    let figure =
        |pointer: &str| session.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}"));
    let (mean, sum) = (figure("/error_px/l1/mean"), figure("/error_px/l1/sum"));
    assert!((mean * figure("/frames/circle") - sum).abs() <= 1e-12 * sum, "mean {mean} px, sum {sum} px");
    for series in ["/error_px/l1", "/latency_us"] {
        let at = |name: &str| figure(&format!("{series}/{name}"));
        assert!(at("p50") <= at("p95") && at("p95") <= at("p99") && at("p99") <= at("max"), "{session:#}");
    }
    assert!(figure("/connect_us") < figure("/first_score_us"));
    assert_eq!(figure("/bytes/frames_raw"), 60.0 * 640.0 * 480.0);
    assert!(figure("/clock/uncertainty_us") >= 0.0);
}

#[test]
fn a_report_is_rewritten_after_each_session() {
    let report = ReportFile::new();
    std::fs::write(report.path(), "x".repeat(100_000)).expect("written");
    let mut server = Server::start(&["--frames", "5", "--json", report.name()]);
    assert!(sessions(&report.read()).is_empty(), "what was there is gone");
    for count in 1..=2 {
        server.client(&[]).end().expect(0);
        poll(|| (sessions(&report.try_read()?).len() == count).then_some(())).expect("the session's report");
    }
    server.program.signal("KILL");
    let _ = server.end();
    assert_eq!(sessions(&report.read()).len(), 2);
}

#[test]
fn with_the_report_on_stdout_rows_go_to_stderr() {
    let server = Server::start(&["--once", "--frames", "10", "--json", "-"]);
    server.client(&[]).end().expect(0);
    let ended = server.end().expect(0);
    let report = checked(&ended.stdout.join("\n"));
    assert_eq!(only_session(&report)["frames"]["circle"], 10);
    assert_eq!(rows(&ended.stderr).len(), 10);
}

#[test]
fn an_interrupted_server_still_prints_its_report() {
    let mut server = Server::start(&["--json", "-"]);
    let client = server.client(&[]);
    client.stdout.wait_for_count(10);
    server.program.signal("INT");
    let report = checked(&server.end().expect(0).stdout.join("\n"));
    assert_eq!(only_session(&report)["end"]["kind"], "stopped");
}

#[test]
fn a_closed_stdout_loses_rows_but_no_frame() {
    let report = ReportFile::new();
    // 5 s, so that many a row comes after the closing.
    let options = ["--no-graphics", "--once", "--frames", "300", "--deadline", "30s", "--json", report.name()];
    let (server, stdout) = Program::start_taking_stdout(with(command("server"), &options));
    let server = Server::listening(server);
    let mut client = command("client");
    client.args([&server.address, "--no-graphics"]);
    let (client, client_stdout) = Program::start_taking_stdout(client);
    for output in [stdout, client_stdout] {
        let mut header = String::new();
        BufReader::new(output).read_line(&mut header).expect("a first line");
        assert!(header.contains("frame"), "{header}");
    }
    client.end().expect(0).says("rows lost: ");
    server.end().expect(0).says("rows lost: ");
    assert_eq!(only_session(&report.read())["frames"]["circle"], 300);
}

#[test]
fn a_stdout_nobody_reads_holds_no_frame_up() {
    let report = ReportFile::new();
    // 8,000 rows are more than pipe, queue and buffer hold: some 700, 4,096 and 100.
    let options = ["--loopback", "--no-graphics", "--frames", "8000", "--fps", "max", "--size", "64x48"];
    let options = [&options[..], &["--radius", "10", "--deadline", "30s", "--json", report.name()]].concat();
    let (server, mut unread) = Program::start_taking_stdout(with(command("server"), &options));
    server.end().expect(0).says("rows lost: ");
    let report = report.read();
    let frames = &only_session(&report)["frames"];
    assert_eq!((&frames["sent"], &frames["lost"]), (&8_000.into(), &0.into()), "{frames}");
    let mut read = String::new();
    unread.read_to_string(&mut read).expect("what the pipe holds");
    assert!(read.lines().count() < 8_000);
}

#[test]
fn a_closed_stderr_costs_nothing_either() {
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--frames", "10", "--json", "-"]);
    let closed = || Stdio::from(std::io::pipe().expect("a pipe").1);
    let done = server.stderr(closed()).stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(done.status.code(), Some(0));
    let report = checked(&String::from_utf8(done.stdout).expect("UTF-8"));
    assert_eq!(only_session(&report)["frames"]["circle"], 10);
}

#[test]
fn a_report_that_stdout_does_not_take_is_an_error() {
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--frames", "3", "--json", "-"]);
    server.stdout(std::io::pipe().expect("a pipe").1).stdin(Stdio::null());
    let done = server.output().expect("it runs");
    assert_eq!(done.status.code(), Some(4), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stderr).contains("cannot write the report to stdout"));
}
