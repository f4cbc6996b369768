//! Limits on connections to the port: a new connection replaces a silent one, a hello is served, and running sessions
//! are not affected.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use testkit::ends::Server;
use testkit::program::Program;
use testkit::report::{ReportFile, rows, sessions};

const FRAMES: usize = 600;

/// What a connection is sent before it ends; empty if it only ends.
fn said(connection: TcpStream) -> String {
    let mut said = String::new();
    // A connection that is reset has said nothing more.
    let _ = BufReader::new(connection).read_to_string(&mut said);
    said
}

/// Runs a server with a session, does something to the server, and checks that the session is not affected.
struct Inside {
    server: Server,
    client: Program,
    report: ReportFile,
}

impl Inside {
    fn start(options: &[&str]) -> Self {
        let report = ReportFile::new();
        let frames = FRAMES.to_string();
        let stream = ["--frames", &frames, "--fps", "60", "--json", report.name()];
        let server = Server::start(&[&stream[..], options].concat());
        let client = server.client(&[]);
        server.program.stdout.wait_for_count(10);
        Self { server, client, report }
    }

    #[track_caller]
    fn has_all_frames(mut self) {
        self.server.client(&["--wait", "0s"]).stdout.wait_for_count(5);
        assert_eq!(rows(&self.client.end().expect(0).stdout).len(), FRAMES);
        self.server.program.signal("INT");
        self.server.end();
        let report = self.report.read();
        let whole = sessions(&report).iter().find(|session| session["frames"]["circle"] == FRAMES);
        assert!(whole.is_some_and(|session| session["frames"]["lost"] == 0), "{report:#}");
    }
}

#[test]
fn the_oldest_silent_connection_is_replaced_and_gets_the_reason() {
    let server = Server::start(&["--max-waiting", "2", "--idle-limit", "300ms", "--frames", "3", "--fps", "max"]);
    // The server waits 100 ms for the hello of each.
    let crowd: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let told: Vec<_> = crowd.into_iter().map(said).filter(|said| said.contains("--max-waiting")).collect();
    assert!(!told.is_empty(), "no connection was told");
    assert!(told.iter().all(|said| said.contains(r#""type":"error""#) && said.contains(r#""retry":true"#)), "{told:?}");
    server.client(&["--wait", "0s"]).end().expect(0);
}

#[test]
fn beyond_its_rate_an_address_gets_no_offer_but_its_hello_is_served() {
    let server = Server::start(&["--max-requests", "2", "--idle-limit", "300ms", "--frames", "3", "--fps", "max"]);
    let crowd: Vec<_> = (0..40).map(|_| server.connect()).collect();
    let told = crowd.into_iter().map(said).filter(|said| said.contains("--max-requests")).count();
    assert!((10..=36).contains(&told), "{told} of 40 were turned away");
    for _ in 0..4 {
        server.client(&["--wait", "0s"]).end().expect(0);
    }
}

#[test]
fn a_full_server_says_so_with_its_limit() {
    let server = Server::start(&["--max-sessions", "1"]);
    let first = server.client(&[]);
    first.stdout.wait_for_count(2);
    server.client(&["--wait", "0s"]).end().expect(3).says("this server is full: 1 clients (--max-sessions)");
}

#[test]
fn a_handshake_ends_at_its_limit() {
    let server = Server::start(&["--handshake-limit", "300ms"]);
    let mut half = server.connect();
    half.write_all(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n").expect("sent");
    let said = said(half);
    assert!(said.contains(r#""type":"offer""#), "{said}");
}

#[test]
fn a_connection_with_an_offer_that_says_nothing_ends_at_its_limit() {
    let server = Server::start(&["--idle-limit", "300ms"]);
    assert!(said(server.connect()).starts_with(r#"{"type":"offer""#));
}

#[test]
fn fewer_bytes_in_flight_are_enough_for_a_session() {
    let server = Server::start(&["--once", "--max-in-flight", "4096", "--frames", "20", "--fps", "max"]);
    assert_eq!(rows(&server.client(&[]).end().expect(0).stdout).len(), 20);
    server.end().expect(0);
}

#[test]
fn a_thousand_idle_connections_do_not_affect_a_session() {
    let inside = Inside::start(&[]);
    let crowd: Vec<_> = (0..1000).map(|_| TcpStream::connect(&inside.server.address)).collect();
    inside.has_all_frames();
    drop(crowd);
}

#[test]
fn five_thousand_connections_that_close_at_once_do_not_affect_a_session() {
    let inside = Inside::start(&[]);
    for _ in 0..5_000 {
        drop(inside.server.connect());
    }
    inside.has_all_frames();
}

#[test]
fn a_flood_of_pings_does_not_affect_a_session() {
    let inside = Inside::start(&[]);
    let mut pongs = 0;
    for _ in 0..3_000 {
        let mut connection = BufReader::new(inside.server.connect());
        // It may be turned away before it has said so.
        let _ = connection.get_mut().write_all(b"{\"type\":\"ping\"}\n");
        let mut line = String::new();
        let _ = connection.read_line(&mut line);
        pongs += usize::from(line.contains("pong"));
    }
    assert!(pongs >= 50, "{pongs}: within its rate it is answered");
    inside.has_all_frames();
}

#[test]
fn connections_that_send_a_byte_now_and_then_do_not_affect_a_session() {
    let inside = Inside::start(&[]);
    let mut crowd: Vec<_> = (0..200).map(|_| inside.server.connect()).collect();
    for byte in br#"{"type":"hello","plu"#.chunks(1) {
        for connection in &mut crowd {
            // Newer connections have replaced most of them.
            let _ = connection.write_all(byte);
        }
        thread::sleep(Duration::from_millis(100));
    }
    inside.has_all_frames();
}

/// One thread serves several sessions, so a page that keeps it busy would hold them up.
#[test]
fn a_page_that_floods_its_websocket_with_empty_pieces_is_closed_and_does_not_affect_a_session() {
    let inside = Inside::start(&[]);
    let mut page = inside.server.connect_page();
    // A message that goes on, masked with 0, and then pieces of it that bring nothing.
    let begun = [&[0x01, 0xfe, 0xea, 0x60, 0, 0, 0, 0][..], &[b' '; 0xea60]].concat();
    page.write_all(&begun).expect("sent");
    let empty = [0x00, 0x80, 0, 0, 0, 0].repeat(10_000);
    assert!((0..500).any(|_| page.write_all(&empty).is_err()), "the server took 5 million of them");
    inside.has_all_frames();
}
