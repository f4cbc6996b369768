//! The report as a reader finds it, and outputs that are closed or shared.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdout, Stdio};

use serde_json::Value;
use testkit::ends::{Server, with};
use testkit::program::{Ended, Program, command, poll};
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

/// Reads this many lines of an output, then closes it.
fn head(output: ChildStdout, lines: usize) -> Vec<String> {
    let read: Vec<_> = BufReader::new(output).lines().take(lines).map_while(Result::ok).collect();
    assert_eq!(read.len(), lines, "{read:#?}");
    read
}

#[track_caller]
fn is_silent(ended: &Ended) {
    let loud = |line: &&String| ["error", "warning", "rows"].iter().any(|word| line.contains(word));
    assert!(!ended.stderr.iter().any(|line| loud(&line)), "{ended:#?}");
}

#[test]
fn a_run_whose_rows_go_to_head_ends_by_itself_and_silently() {
    let report = ReportFile::new();
    let options = ["--loopback", "--no-graphics", "--json", report.name()];
    let (server, stdout) = Program::start_taking_stdout(with(command("server"), &options));
    assert_eq!(rows(&head(stdout, 3)).len(), 2, "a header and two rows");
    is_silent(&server.end().expect(0));
    assert_eq!(only_session(&report.read())["end"]["kind"], "stopped", "its files are complete");
}

#[test]
fn a_client_whose_rows_go_to_head_leaves_in_order() {
    let server = Server::start(&["--once"]);
    let mut client = command("client");
    client.args([&server.address, "--no-graphics"]);
    let (client, stdout) = Program::start_taking_stdout(client);
    assert_eq!(rows(&head(stdout, 3)).len(), 2, "a header and two rows");
    is_silent(&client.end().expect(0));
    server.end().expect(0).says("the client left");
}

#[test]
fn a_stdout_that_nobody_reads_delays_no_frame_and_the_end_says_what_is_missing() {
    let report = ReportFile::new();
    // 8,000 rows of 80 bytes are more than a pipe's 64 KiB.
    let options = ["--loopback", "--no-graphics", "--frames", "8000", "--fps", "max", "--size", "64x48"];
    let options = [&options[..], &["--radius", "10", "--deadline", "30s", "--json", report.name()]].concat();
    let (server, mut unread) = Program::start_taking_stdout(with(command("server"), &options));
    let ended = server.end().expect(4).says("stdout is read too slowly, or not at all; rows missing there: ");
    let report = report.read();
    let frames = &only_session(&report)["frames"];
    assert_eq!((&frames["sent"], &frames["lost"]), (&8_000.into(), &0.into()), "{frames}");
    let mut read = String::new();
    unread.read_to_string(&mut read).expect("what the pipe holds");
    let missing = |line: &String| line.split("rows missing there: ").nth(1)?.parse::<usize>().ok();
    let missing = ended.stderr.iter().find_map(missing).expect("a number");
    // Those that the thread held when it was given up are partly written.
    assert!((8_000..8_000 + 200).contains(&(read.lines().count() + missing)), "{} read", read.lines().count());
}

#[test]
fn a_slow_reader_gets_every_row_and_the_summary() {
    let options = ["--loopback", "--no-graphics", "--frames", "3000", "--fps", "max", "--size", "64x48"];
    let options = [&options[..], &["--radius", "10", "--deadline", "30s"]].concat();
    let (server, mut slow) = Program::start_taking_stdout(with(command("server"), &options));
    server.stderr.wait_for("session 1: finished");
    let (mut read, mut bytes) = (Vec::new(), [0; 8 << 10]);
    // In all this takes about 30 times as long as the programs once waited.
    while let Ok(count @ 1..) = slow.read(&mut bytes) {
        read.extend_from_slice(&bytes[..count]);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let ended = server.end().expect(0);
    is_silent(&ended);
    let lines: Vec<_> = String::from_utf8(read).expect("UTF-8").lines().map(str::to_owned).collect();
    assert_eq!(rows(&lines).len(), 3_000);
    assert!(lines.iter().any(|line| line.contains("session 1 with")), "a summary");
}

#[test]
fn a_full_stdout_is_reported_at_the_end() {
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("a device");
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--frames", "10"]).stdout(full()).stdin(Stdio::null());
    let done = server.output().expect("it runs");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(4), "{said}");
    // A header, ten rows and a summary.
    let told =
        |line: &str| line.contains("cannot write to stdout: No space left") && line.ends_with("missing there: 12");
    assert_eq!(said.lines().filter(|line| told(line)).count(), 1, "{said}");
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
fn a_report_that_cannot_be_written_to_stdout_is_an_error() {
    let mut server = command("server");
    server.args(["--loopback", "--no-graphics", "--frames", "3", "--json", "-"]);
    server.stdout(std::io::pipe().expect("a pipe").1).stdin(Stdio::null());
    let done = server.output().expect("it runs");
    assert_eq!(done.status.code(), Some(4), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(String::from_utf8_lossy(&done.stderr).contains("cannot write the report to stdout"));
}
