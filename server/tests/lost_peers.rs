//! Peers that vanish, and peers that only pause.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use testkit::ends::{Server, client};
use testkit::program::{LIMIT, poll};
use testkit::report::{ReportFile, only_session, sessions};

/// The client promises to notice within 5 s. A busy machine may take as long again.
const NOTICED: Duration = Duration::from_secs(10);

/// 5 s of frames, so that a stop of a second falls among them, and a deadline long enough that no frame misses it.
const STREAM: &[&str] = &["--once", "--frames", "300", "--deadline", "30s"];

#[test]
fn a_killed_client_ends_a_once_server_with_its_report() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--json", report.name()]);
    let client = server.client(&[]);
    server.program.stdout.wait_for_count(10);
    drop(client);
    server.end().expect(3).says("the client is gone");
    let report = report.read();
    let session = only_session(&report);
    assert_eq!(session["end"]["kind"], "client_gone");
    assert!(session["frames"]["circle"].as_u64().is_some_and(|count| count >= 8), "{session:#}");
}

#[test]
fn after_a_killed_client_the_server_takes_the_next_at_once() {
    let report = ReportFile::new();
    let mut server = Server::start(&["--frames", "100", "--json", report.name()]);
    let client = server.client(&[]);
    server.program.stdout.wait_for_count(10);
    drop(client);
    server.client(&["--wait", "0s"]).end().expect(0);
    server.program.stderr.wait_for("the client is gone");
    server.program.signal("INT");
    server.end().expect(0);
    let report = report.read();
    let mut ends: Vec<_> = sessions(&report).iter().filter_map(|session| session["end"]["kind"].as_str()).collect();
    ends.sort_unstable();
    assert_eq!(ends, ["client_gone", "finished"]);
}

#[test]
fn a_killed_server_is_noticed() {
    let server = Server::start(&[]);
    let client = server.client(&[]);
    client.stdout.wait_for_count(10);
    drop(server);
    let killed = Instant::now();
    client.end().expect(3).says("the server is gone");
    assert!(killed.elapsed() < NOTICED, "took {:?}", killed.elapsed());
}

#[test]
fn a_server_that_only_falls_silent_is_noticed() {
    let mut server = Server::start(&[]);
    let client = server.client(&[]);
    client.stdout.wait_for_count(10);
    server.program.signal("STOP");
    let stopped = Instant::now();
    client.end().expect(3).says("the server is gone");
    assert!(stopped.elapsed() < NOTICED, "took {:?}", stopped.elapsed());
}

#[test]
fn a_server_that_vanishes_while_the_link_opens_is_noticed() {
    let server = Server::start(&[]);
    let mut to_server = server.connect();
    to_server.write_all(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n").expect("sent");
    let offer = line(&to_server);

    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = client(&listener.local_addr().expect("its address").to_string(), &["--wait", "0s"]);
    let (mut to_client, _) = listener.accept().expect("the client");
    assert!(line(&to_client).contains("hello"));
    to_client.write_all(offer.as_bytes()).expect("sent");
    assert!(line(&to_client).contains("answer"));
    drop((to_client, listener));
    let vanished = Instant::now();
    client.end().expect(3).says("closed the connection while it opened");
    assert!(vanished.elapsed() < NOTICED, "took {:?}", vanished.elapsed());
}

#[test]
fn a_link_that_closes_while_it_opens_is_followed_by_another() {
    let server = Server::start(&["--once", "--frames", "3"]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let client = client(&listener.local_addr().expect("its address").to_string(), &[]);
    let (mut to_client, _) = listener.accept().expect("the client");
    let mut to_server = server.connect();
    to_server.write_all(line(&to_client).as_bytes()).expect("sent");
    to_client.write_all(line(&to_server).as_bytes()).expect("sent");
    assert!(line(&to_client).contains("answer"));
    // The server hears no answer, and the client hears a farewell. Then the client connects again, to the server
    // itself.
    to_client.write_all(b"{\"type\":\"bye\"}\n").expect("sent");
    drop((to_client, to_server));
    let (again, _) = listener.accept().expect("the client again");
    let relayed = server.connect();
    for (mut from, mut to) in [(again.try_clone(), relayed.try_clone()), (Ok(relayed), Ok(again))]
        .map(|(from, to)| (from.expect("a stream"), to.expect("a stream")))
    {
        std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    }
    client.end().expect(0).says("closed the connection while it opened; trying again");
    server.end().expect(0);
}

/// Reads a line of signaling byte by byte, so that nothing after it is lost.
fn line(mut stream: &TcpStream) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") {
        stream.read_exact(&mut byte).expect("a whole line");
        line.push(byte[0]);
    }
    String::from_utf8(line).expect("UTF-8")
}

#[test]
fn a_client_stopped_for_a_second_goes_on() {
    let report = ReportFile::new();
    let server = Server::start(&[STREAM, &["--json", report.name()]].concat());
    let mut client = server.client(&[]);
    server.program.stdout.wait_for_count(10);
    client.signal("STOP");
    std::thread::sleep(Duration::from_secs(1));
    client.signal("CONT");
    client.end().expect(0);
    server.end().expect(0);
    let report = report.read();
    let frames = &only_session(&report)["frames"];
    assert_eq!((&frames["circle"], &frames["sent"]), (&300.into(), &300.into()), "{frames}");
    assert!(frames["skipped"].as_u64().is_some_and(|ticks| ticks > 0), "a full window skips ticks: {frames}");
}

#[test]
fn a_server_stopped_for_a_second_goes_on() {
    let report = ReportFile::new();
    let mut server = Server::start(&[STREAM, &["--json", report.name()]].concat());
    let client = server.client(&[]);
    client.stdout.wait_for_count(10);
    server.program.signal("STOP");
    std::thread::sleep(Duration::from_secs(1));
    server.program.signal("CONT");
    client.end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 300);
}

/// The longest silence allowed. Neither end may decide that the other is gone before it has read what arrived during
/// the pause.
const HELD_UP: Duration = Duration::from_secs(4);

#[test]
fn a_server_held_up_for_4_s_goes_on() {
    let report = ReportFile::new();
    let mut server = Server::start(&[STREAM, &["--json", report.name()]].concat());
    let client = server.client(&[]);
    client.stdout.wait_for_count(10);
    server.program.signal("STOP");
    std::thread::sleep(HELD_UP);
    server.program.signal("CONT");
    client.end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 300);
}

#[test]
fn a_client_held_up_for_4_s_goes_on() {
    let report = ReportFile::new();
    let server = Server::start(&[STREAM, &["--json", report.name()]].concat());
    let mut client = server.client(&[]);
    server.program.stdout.wait_for_count(10);
    client.signal("STOP");
    std::thread::sleep(HELD_UP);
    client.signal("CONT");
    client.end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 300);
}

#[test]
fn frames_unanswered_at_the_deadline_are_lost_and_the_session_goes_on() {
    let report = ReportFile::new();
    let server = Server::start(&["--once", "--frames", "60", "--deadline", "300ms", "--json", report.name()]);
    let mut client = server.client(&[]);
    server.program.stdout.wait_for_count(10);
    client.signal("STOP");
    let lost = || server.program.stdout.so_far().iter().any(|row| row.contains("  lost  ")).then_some(());
    poll(lost).unwrap_or_else(|| panic!("no frame lost within {LIMIT:?}"));
    client.signal("CONT");
    client.end().expect(0);
    server.end().expect(0);
    let report = report.read();
    let frames = &only_session(&report)["frames"];
    assert_eq!(frames["sent"], 60);
    assert_eq!(frames["late"], frames["lost"], "reliable delivery brings every answer, some late: {frames}");
}
