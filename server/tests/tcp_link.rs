//! What only the link tcp has: the example in Python, and how a connection becomes a link.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use testkit::ends::{Server, client};
use testkit::program::Program;
use testkit::python::Packages;
use testkit::report::{ReportFile, only_session};
use testkit::repository;

#[test]
fn the_example_in_python_finds_every_circle() {
    let python = Packages::Aiortc.test_python(env!("CARGO_TARGET_TMPDIR"));
    for pixel in ["gray8", "bgr8"] {
        let report = ReportFile::new();
        let server = Server::start(&["--once", "--frames", "60", "--pixel", pixel, "--json", report.name()]);
        let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
        let mut example = Command::new(&python);
        example.arg(repository::path("examples/tcp_client.py")).args([host, port]);
        let example = Program::start(example).end().expect(0);
        assert_eq!(example.stdout, ["the server said bye: finished"]);
        server.end().expect(0);
        let session = only_session(&report.read()).clone();
        assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
        // The accuracy of a centroid: see the example over WebRTC.
        assert!(session["error_px"]["l1"]["mean"].as_f64().is_some_and(|mean_px| mean_px < 0.01), "{session:#}");
    }
}

#[test]
fn a_tcp_server_makes_no_offer_to_a_silent_stranger_and_waits_for_its_hello() {
    let server = Server::start(&["--link", "tcp", "--frames", "3"]);
    let mut stranger = server.connect();
    // Longer than the silence after which a visitor is a stranger.
    stranger.set_read_timeout(Some(Duration::from_millis(400))).expect("a limit");
    assert!(stranger.read(&mut [0]).is_err(), "an offer");
    server.client(&["--link", "tcp"]).end().expect(0);
    assert_eq!(
        asked(&stranger, r#"{"type":"hello","plumb":1,"role":"sink","link":"tcp"}"#),
        r#"{"type":"link","link":"tcp"}"#
    );
}

#[test]
fn an_unknown_link_is_refused_by_name() {
    let server = Server::start(&[]);
    let answer = asked(&server.connect(), r#"{"type":"hello","plumb":1,"role":"sink","link":"carrier-pigeon"}"#);
    assert!(answer.contains("no link \\\"carrier-pigeon\\\", only webrtc, tcp and grpc"), "{answer}");
}

/// Sends a line and returns the line that answers it.
fn asked(mut stream: &TcpStream, line: &str) -> String {
    stream.set_read_timeout(Some(testkit::program::LIMIT)).expect("a limit");
    stream.write_all(format!("{line}\n").as_bytes()).expect("sent");
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).expect("a line");
    answer.trim_end().to_owned()
}

#[test]
fn a_server_older_than_the_tcp_link_is_reported_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = client(&listener.local_addr().expect("its address").to_string(), &["--link", "tcp", "--wait", "0s"]);
    let (mut old, _) = listener.accept().expect("the client");
    old.write_all(b"{\"type\":\"offer\",\"sdp\":\"v=0\"}\n").expect("sent");
    client.end().expect(3).says("which servers before version 0.2 cannot give");
}
