//! Connections that send nothing, or send it late, keep no client out.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{TcpStream, UdpSocket};

use testkit::ends::Server;
use testkit::report::rows;

const HELLO: &str = r#"{"type":"hello","plumb":1,"role":"sink","mtu":1300}"#;

/// The next line that the server sends, without its line end. Empty once the server has closed the connection.
fn line(visitor: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    visitor.read_line(&mut line).expect("a line, or the end");
    line.trim_end().to_owned()
}

fn say(visitor: &BufReader<TcpStream>, text: &str) {
    visitor.get_ref().write_all(format!("{text}\n").as_bytes()).expect("sent");
}

/// A silent connection that has received its offer.
#[track_caller]
fn silent(server: &Server) -> BufReader<TcpStream> {
    let mut visitor = BufReader::new(server.connect());
    let offer = line(&mut visitor);
    assert!(offer.contains(r#""type":"offer""#), "{offer}");
    visitor
}

#[track_caller]
fn is_served(server: &Server, frames: usize) {
    let client = server.client(&["--wait", "0s"]).end().expect(0);
    assert_eq!(rows(&client.stdout).len(), frames);
}

#[test]
fn silent_connections_do_not_take_the_places_of_clients() {
    // The places of connections that have yet to speak hold them all: on a busy machine they may all come at once.
    let server = Server::start(&["--frames", "3", "--fps", "max", "--max-waiting", "300"]);
    let crowd: Vec<TcpStream> = (0..256).map(|_| server.connect()).collect();
    is_served(&server, 3);
    // All but the last 16 were replaced. They received at most an offer.
    let mut first = crowd.into_iter().next().expect("256 of them");
    let mut said = String::new();
    first.read_to_string(&mut said).expect("closed by the server");
    assert!(said.is_empty() || said.starts_with(r#"{"type":"offer""#), "{said}");
}

#[test]
fn the_oldest_silent_connection_is_replaced_and_the_newest_gets_its_offer() {
    let server = Server::start(&["--frames", "3", "--fps", "max"]);
    let mut crowd: Vec<_> = (0..17).map(|_| silent(&server)).collect();
    assert_eq!(line(&mut crowd[0]), "", "the first was closed");
    // The others keep waiting, until they send something wrong.
    for visitor in &mut crowd[1..] {
        let stream = visitor.get_ref();
        stream.set_nonblocking(true).expect("set");
        let waits = stream.peek(&mut [0]).expect_err("neither closed nor said anything more");
        assert_eq!(waits.kind(), ErrorKind::WouldBlock);
        stream.set_nonblocking(false).expect("set");
        say(visitor, r#"{"type":"ping"}"#);
        assert_eq!(line(visitor), "", "closed for what it said");
    }
    server.program.stderr.wait_for("expected an answer, got \"ping\"");
}

#[test]
fn a_silent_connection_holds_neither_the_only_session_nor_the_only_port() {
    let port = UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
    for options in [&["--once"][..], &["--udp-port", &port.to_string()], &["--once", "--udp-port", &port.to_string()]] {
        let server = Server::start(&[&["--frames", "3", "--fps", "max"], options].concat());
        let _silent = silent(&server);
        is_served(&server, 3);
    }
}

#[test]
fn silent_connections_that_find_no_port_are_closed_and_do_not_wait_for_each_other() {
    // Of all addresses: the server has its sockets at those of the machine.
    let taken = UdpSocket::bind("0.0.0.0:0").expect("a free port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let server = Server::start(&["--udp-port", &port, "--handshake-limit", "1h", "--idle-limit", "1h"]);
    let crowd: Vec<_> = (0..12).map(|_| BufReader::new(server.connect())).collect();
    for mut visitor in crowd {
        assert_eq!(line(&mut visitor), "", "closed without an offer");
    }
    server.program.stderr.wait_for(&format!("no free UDP port in {port}-{port}"));
}

#[test]
fn a_client_that_sends_only_a_hello_does_not_use_up_the_only_session() {
    let server = Server::start(&["--once", "--frames", "3", "--fps", "max"]);
    let mut half = BufReader::new(server.connect());
    say(&half, HELLO);
    assert!(line(&mut half).contains("offer"));
    is_served(&server, 3);
    server.end().expect(0);
}

#[test]
fn a_hello_after_the_silence_withdraws_the_strangers_offer_and_gets_a_new_one() {
    let port = UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
    for options in [vec![], vec!["--udp-port".to_owned(), port.to_string()]] {
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let server = Server::start(&[&["--frames", "3", "--fps", "max"], &options[..]].concat());
        let mut late = silent(&server);
        say(&late, HELLO);
        let offer = line(&mut late);
        assert!(offer.contains(r#""type":"offer""#) && offer.contains("a=x-plumb:1 mtu=1300"), "{offer}");
        say(&late, r#"{"type":"answer","sdp":"v=0"}"#);
        let refusal = line(&mut late);
        assert!(refusal.contains(r#""type":"error""#), "from now on it is told why: {refusal}");
        is_served(&server, 3);
    }
}

#[test]
fn a_wrong_late_hello_gets_the_reason() {
    let server = Server::start(&[]);
    for (hello, words) in [
        (r#"{"type":"hello","plumb":2,"role":"sink"}"#, "only 1"),
        (r#"{"type":"hello","plumb":1,"role":"sink","mtu":100}"#, "an mtu of 100 bytes"),
    ] {
        let mut late = silent(&server);
        say(&late, hello);
        let refusal = line(&mut late);
        assert!(refusal.starts_with(r#"{"type":"error","reason":"#) && refusal.contains(words), "{refusal}");
    }
}

#[test]
fn a_client_that_cannot_do_the_task_does_not_use_up_the_only_session() {
    let server = Server::start(&["--once", "--task", "ack", "--frames", "3", "--fps", "max"]);
    let unable = server.client(&["--pipeline", "hough"]).end();
    assert_ne!(unable.code, Some(0), "{unable:#?}");
    assert!(server.client(&["--wait", "0s"]).end().expect(0).stdout.len() >= 3);
    server.end().expect(0);
}
