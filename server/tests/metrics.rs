//! `/metrics` and `/healthz` at the server's port: during sessions, between them, and with visitors that misbehave.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use testkit::ends::Server;
use testkit::program::poll;
use testkit::report::rows;

/// What the server answers to these bytes.
fn said(server: &Server, bytes: &[u8]) -> String {
    let mut visitor = server.connect();
    visitor.write_all(bytes).expect("sent");
    answer(visitor)
}

fn answer(mut visitor: TcpStream) -> String {
    let mut answer = String::new();
    visitor.read_to_string(&mut answer).expect("closed by the server");
    answer
}

fn get(server: &Server, path: &str) -> String {
    said(server, format!("GET {path} HTTP/1.1\r\nHost: plumb\r\nUser-Agent: test\r\n\r\n").as_bytes())
}

/// The value of a series.
#[track_caller]
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().expect("a number")
}

#[test]
fn metrics_count_what_the_report_counts_and_stay_between_sessions() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.json");
    let options = ["--frames", "50", "--fps", "max", "--json", report.to_str().expect("UTF-8")];
    let server = Server::start(&[&options[..], &["--gate", "frames.lost == 0"]].concat());
    let before = get(&server, "/metrics");
    assert!(before.starts_with("HTTP/1.1 200 OK\r\n"), "{before}");
    assert!(
        before.contains("Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"),
        "{before}"
    );
    assert_eq!(value(&before, "plumb_sent_frames_total"), 0.0);
    assert_eq!(value(&before, r#"plumb_gate{condition="frames.lost == 0",verdict="no_data"}"#), 1.0);
    for _ in 0..2 {
        server.client(&[]).end().expect(0);
    }
    let after = poll(|| {
        let text = get(&server, "/metrics");
        (value(&text, "plumb_active_sessions") == 0.0 && value(&text, "plumb_sessions_total") == 2.0).then_some(text)
    });
    let after = after.expect("both sessions end");
    assert_eq!(value(&after, "plumb_sent_frames_total"), 100.0);
    assert_eq!(value(&after, r#"plumb_frames_total{outcome="answered"}"#), 100.0);
    assert_eq!(value(&after, r#"plumb_lost_frames_total{cause="unanswered"}"#), 0.0);
    assert_eq!(value(&after, r#"plumb_ended_sessions_total{end="finished"}"#), 2.0);
    assert_eq!(value(&after, r#"plumb_latency_seconds_count{stage="total"}"#), 100.0);
    assert_eq!(value(&after, r#"plumb_frames_bytes_total{form="raw"}"#), 100.0 * 640.0 * 480.0);
    assert_eq!(value(&after, r#"plumb_gate{condition="frames.lost == 0",verdict="pass"}"#), 1.0);
    let report = poll(|| {
        let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&report).ok()?).ok()?;
        (report["sessions"].as_array()?.len() == 2).then_some(report)
    });
    let sessions = report.expect("two sessions")["sessions"].as_array().expect("a list").clone();
    let sum = |path: &str| sessions.iter().filter_map(|session| session.pointer(path)?.as_f64()).sum::<f64>();
    let (counted, summed) = (value(&after, "plumb_error_pixels_sum"), sum("/error_px/l1/sum"));
    assert!((counted - summed).abs() <= 1e-9 * summed, "{counted} and {summed}");
    assert_eq!(value(&after, r#"plumb_frames_bytes_total{form="wire"}"#), sum("/bytes/frames_wire"));
    assert!(get(&server, "/healthz").ends_with("\r\n\r\nok\n"));
}

#[test]
fn a_monitor_reads_while_a_session_runs_and_costs_it_no_frame() {
    let mut server = Server::start(&["--once", "--fps", "60"]);
    let client = server.client(&[]);
    client.stdout.wait_for_count(5);
    let sent = || value(&get(&server, "/metrics"), "plumb_sent_frames_total");
    let first = sent();
    let readings = (0..50).map(|_| sent()).collect::<Vec<_>>();
    assert!(readings.is_sorted() && readings[0] >= first, "{readings:?}");
    poll(|| (sent() > first).then_some(())).expect("the session goes on");
    assert_eq!(value(&get(&server, "/metrics"), "plumb_active_sessions"), 1.0);
    assert_eq!(value(&get(&server, "/metrics"), r#"plumb_frames_total{outcome="lost"}"#), 0.0);
    server.program.signal("INT");
    client.end().expect(0);
    server.end().expect(0);
}

#[test]
fn each_bad_request_has_its_answer_and_nothing_is_said_in_the_log() {
    let server = Server::start(&["--frames", "3", "--fps", "max"]);
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("GET /metrics HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(100));
    let body = format!("POST /metrics HTTP/1.1\r\nContent-Length: 40000\r\n\r\n{}", "x".repeat(40_000));
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "200 OK"),
        ("GET / HTTP/1.1\r\n\r\n", "400 Bad Request"),
        ("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "421 Misdirected Request"),
        ("GET /figures HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "403 Forbidden"),
        ("GET /metrics?a=b HTTP/1.0\r\n\r\n", "200 OK"),
        ("GET http://plumb/healthz HTTP/1.1\r\n\r\n", "200 OK"),
        ("GET /metric HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("GET /../etc/passwd HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("POST /elsewhere HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("PUT /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        ("DELETE /healthz HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        ("CONNECT plumb:80 HTTP/1.1\r\n\r\n", "404 Not Found"),
        (&body, "405 Method Not Allowed"),
        (&long, "431 Request Header Fields Too Large"),
        (&many, "431 Request Header Fields Too Large"),
        ("GET /metrics\r\n\r\n", "400 Bad Request"),
        ("GET /metrics HTTP/7.0\r\n\r\n", "400 Bad Request"),
        ("GET /\u{1} HTTP/1.1\r\n\r\n", "400 Bad Request"),
    ] {
        let said = said(&server, request.as_bytes());
        let shown: String = request.chars().take(60).collect();
        assert!(said.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{shown:?}: {said}");
        assert_eq!(said.contains("\r\nAllow: GET, HEAD\r\n"), status.starts_with("405"), "{shown:?}: {said}");
    }
    let head = said(&server, b"HEAD /healthz HTTP/1.1\r\n\r\n");
    assert!(head.contains("\r\nContent-Length: 3\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    assert_eq!(rows(&server.client(&[]).end().expect(0).stdout).len(), 3);
    let lines = server.program.stderr.so_far();
    assert!(lines.iter().all(|line| !line.contains("warning")), "{lines:#?}");
}

#[test]
fn a_slow_visitor_gets_the_reason_and_one_that_leaves_is_forgotten() {
    let server = Server::start(&["--frames", "3", "--fps", "max"]);
    let mut slow = server.connect();
    slow.write_all(b"GET /metrics HTTP/1.1\r\nHost: pl").expect("sent");
    let mut gone = server.connect();
    gone.write_all(b"GET /metrics HTTP/1.1\r\n").expect("sent");
    gone.shutdown(Shutdown::Write).expect("closed");
    assert_eq!(answer(gone), "");
    let said = answer(slow);
    assert!(said.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{said}");
    assert_eq!(rows(&server.client(&[]).end().expect(0).stdout).len(), 3);
}

/// Visitors that send the first line of a request.
fn crowd(server: &Server, count: usize) -> Vec<TcpStream> {
    let visitors = (0..count).map(|_| {
        let mut visitor = server.connect();
        visitor.write_all(b"GET /metrics HTTP/1.1\r\n").expect("sent");
        visitor
    });
    visitors.collect()
}

#[test]
fn an_address_that_asks_too_often_is_told_the_option() {
    let server = Server::start(&["--frames", "1", "--max-requests", "1"]);
    let said: Vec<_> = crowd(&server, 30).into_iter().map(answer).collect();
    let refused = said.iter().filter(|said| said.starts_with("HTTP/1.1 429 Too Many Requests\r\n"));
    let told = refused.clone().filter(|said| said.contains("over 1 connections a second from here (--max-requests)"));
    // One is admitted each second, and the crowd of a slow machine may take some.
    assert!(refused.clone().count() >= 15 && refused.count() == told.count(), "{said:?}");
    assert_eq!(rows(&server.client(&[]).end().expect(0).stdout).len(), 1);
}

#[test]
fn a_crowd_of_visitors_is_refused_and_keeps_no_client_out() {
    let server = Server::start(&["--frames", "30", "--fps", "60", "--max-requests", "0"]);
    let crowd = crowd(&server, 100);
    assert_eq!(rows(&server.client(&[]).end().expect(0).stdout).len(), 30);
    let said: Vec<_> = crowd.into_iter().map(answer).collect();
    let count = |status: &str| said.iter().filter(|said| said.contains(status)).count();
    assert_eq!((count("408 Request Timeout"), count("503 Service Unavailable")), (16, 84), "{said:?}");
    // A visitor's place is free a moment after its answer.
    poll(|| get(&server, "/healthz").contains("200 OK").then_some(())).expect("the next visitor is served");
}
