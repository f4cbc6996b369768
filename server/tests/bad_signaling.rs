//! Whatever arrives on the signaling port, the next good client is served at once.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};

use testkit::ends::Server;
use testkit::program::poll;
use testkit::report::rows;

/// Sends `bytes` and waits until the server closes the connection.
#[track_caller]
fn refused(server: &Server, bytes: &[u8]) {
    let mut visitor = server.connect();
    // The server may close before all is written.
    let _ = visitor.write_all(bytes);
    closed(visitor);
}

#[track_caller]
fn closed(mut visitor: TcpStream) {
    let mut said = Vec::new();
    match visitor.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("not closed: {error}; it said {}", String::from_utf8_lossy(&said)),
    }
}

#[track_caller]
fn serves_a_good_client(server: &Server) {
    let client = server.client(&["--wait", "0s"]).end().expect(0);
    assert_eq!(rows(&client.stdout).len(), 3);
}

#[track_caller]
fn one_line(server: &Server, text: &str) {
    server.program.stderr.wait_for(text);
    let about = |line: &&String| line.contains("127.0.0.1:") && line.contains(text);
    let lines = server.program.stderr.so_far();
    assert_eq!(lines.iter().filter(about).count(), 1, "one clear line: {lines:#?}");
}

fn server() -> Server {
    Server::start(&["--frames", "3", "--fps", "max"])
}

#[test]
fn bytes_that_are_not_signaling_are_refused_in_one_line() {
    let cases: [(&[u8], &str); 9] = [
        (b"get / HTTP/1.1\r\nHost: plumb\r\n\r\n", "get / HTTP/1.1"),
        (b"\x16\x03\x01\x02\x00\x01\x00\n", "the caller speaks TLS"),
        (b"{\"type\":\"dance\"}\n", "dance"),
        (b"{\"type\":\"answer\",\"sdp\":\"v=0\"}\n", "expected a hello"),
        (b"[1, 2]\n", "not a signaling message"),
        (b"{}\n", "not a signaling message"),
        (b"\"hello\"\n", "not a signaling message"),
        (b"{\"type\":\"hello\",\"plumb\":-1,\"role\":\"sink\"}\n", "not a signaling message"),
        (b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"juggler\"}\n", "juggler"),
    ];
    for (bytes, words) in cases {
        let server = server();
        refused(&server, bytes);
        one_line(&server, words);
        serves_a_good_client(&server);
    }
}

#[test]
fn an_endless_line_is_cut_off() {
    let server = server();
    refused(&server, &vec![b'x'; 1 << 20]);
    one_line(&server, "longer than 65536 bytes");
    serves_a_good_client(&server);
}

#[test]
fn a_deeply_nested_line_is_refused() {
    let server = server();
    refused(&server, &[&[b'['; 60_000][..], b"\n"].concat());
    one_line(&server, "not a signaling message");
    serves_a_good_client(&server);
}

#[test]
fn many_silent_connections_keep_nobody_out() {
    let server = server();
    let silent: Vec<TcpStream> = (0..16).map(|_| server.connect()).collect();
    serves_a_good_client(&server);
    drop(silent);
}

#[test]
fn a_visitor_that_stays_silent_is_disconnected() {
    let server = server();
    let (silent, half) = (server.connect(), server.connect());
    (&half).write_all(b"{\"type\":\"hel").expect("sent");
    serves_a_good_client(&server);
    closed(silent);
    closed(half);
    let about = |line: &&String| line.contains("no signaling message for 10 s");
    poll(|| (server.program.stderr.so_far().iter().filter(about).count() == 2).then_some(())).expect("a line for each");
}

#[test]
fn an_early_end_is_not_an_error() {
    let server = server();
    for bytes in [&b""[..], b"\n"] {
        let mut visitor = server.connect();
        visitor.write_all(bytes).expect("sent");
        visitor.shutdown(Shutdown::Write).expect("open");
        closed(visitor);
    }
    serves_a_good_client(&server);
    let lines = server.program.stderr.so_far();
    assert!(!lines.iter().any(|line| line.contains("warning") || line.contains("error")), "{lines:#?}");
}

#[test]
fn a_visitor_that_leaves_within_a_line_or_after_the_offer_does_not_disturb_the_server() {
    let server = server();
    let mut visitor = server.connect();
    visitor.write_all(b"{\"type\":\"hel").expect("sent");
    visitor.shutdown(Shutdown::Write).expect("open");
    closed(visitor);
    let visitor = offered(&server);
    visitor.shutdown(Shutdown::Write).expect("open");
    closed(visitor);
    serves_a_good_client(&server);
}

#[test]
fn an_impossible_answer_is_refused_in_one_line() {
    for sdp in ["", "v=0", "v=0\\r\\no=- 1 1 IN IP4 0.0.0.0\\r\\ns=-\\r\\nt=0 0\\r\\n", "\\u0000"] {
        let server = server();
        let mut visitor = offered(&server);
        visitor.write_all(format!("{{\"type\":\"answer\",\"sdp\":\"{sdp}\"}}\n").as_bytes()).expect("sent");
        closed(visitor);
        one_line(&server, "WebRTC");
        serves_a_good_client(&server);
    }
}

#[test]
fn a_peer_with_an_unknown_version_or_role_gets_the_reason() {
    let server = server();
    for (hello, words) in [
        (r#"{"type":"hello","plumb":2,"role":"sink","mtu":1200,"features":[]}"#, "only 1"),
        (r#"{"type":"hello","plumb":1,"role":"source"}"#, "the role must be sink"),
    ] {
        let mut visitor = server.connect();
        visitor.write_all(format!("{hello}\n").as_bytes()).expect("sent");
        let mut said = String::new();
        visitor.read_to_string(&mut said).expect("closed by the server");
        assert!(said.starts_with(r#"{"type":"error","reason":"#) && said.contains(words), "{said}");
    }
    serves_a_good_client(&server);
}

/// What the server replies to a first line, until it closes the connection.
#[track_caller]
fn said_to(server: &Server, line: &str) -> String {
    let mut visitor = server.connect();
    visitor.write_all(format!("{line}\n").as_bytes()).expect("sent");
    let mut said = String::new();
    visitor.read_to_string(&mut said).expect("closed by the server");
    said
}

#[test]
fn a_first_line_that_is_not_a_hello_is_refused_with_an_example() {
    let server = server();
    for (hello, words) in [
        (r#"{"type":"hello","plumb":1,"role":"juggler"}"#.to_owned(), "juggler"),
        (r#"{"type":"hello","plumb":1}"#.to_owned(), "role"),
        (r#"{"type":"hello","role":"sink"}"#.to_owned(), "plumb"),
        (r#"{"type":"hello","plumb":1,"role":"sink","mtu":-5}"#.to_owned(), "-5"),
        (r#"{"type":"hello","plumb":1,"role":"sink","mtu":"large"}"#.to_owned(), "large"),
        (r#"{"type":"hello","plumb":1,"role":"sink","features":"lz4"}"#.to_owned(), "lz4"),
        (r#"{"type":"answer","sdp":"v=0"}"#.to_owned(), "expected a hello"),
        ("get / HTTP/1.1".to_owned(), "get / HTTP/1.1"),
        (format!(r#"{{"type":"hello","plumb":1,"role":"{}"}}"#, "\u{7f}".repeat(60_000)), r"\\u{7f}\\u{7f}"),
    ] {
        let said = said_to(&server, &hello);
        assert!(said.starts_with(r#"{"type":"error","reason":"#) && said.contains(words), "{said}");
        assert!(said.contains(r#"a hello is {\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}"#), "{said}");
        assert!(said.len() < 700 && !said.contains('\u{7f}'), "cut and escaped: {said}");
    }
    let said = said_to(&server, r#"{"type":"hello","plumb":1,"role":"sink","mtu":575}"#);
    assert!(said.contains("an mtu of 575 bytes") && said.contains("576 or more"), "{said}");
    serves_a_good_client(&server);
    let longest = server.program.stderr.so_far().iter().map(String::len).max();
    assert!(longest < Some(500), "log lines are cut too: {longest:?} bytes");
}

#[test]
fn a_page_whose_first_message_is_not_a_hello_is_told_what_a_hello_is() {
    let server = server();
    for (message, words) in [("{\"type\":\"ping\"}", "expected a hello, got"), ("hello", "it is not JSON")] {
        let mut page = server.connect_page();
        // A message of text (RFC 6455, section 5.2), masked with 0.
        let head = [0x81, 0x80 | message.len() as u8, 0, 0, 0, 0];
        page.write_all(&[&head[..], message.as_bytes()].concat()).expect("sent");
        let mut said = Vec::new();
        page.read_to_end(&mut said).expect("closed by the server");
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("{\"type\":\"error\",\"reason\":") && said.contains(words), "{said}");
        assert!(said.contains("a hello is {"), "{said}");
    }
    serves_a_good_client(&server);
}

#[test]
fn a_peer_whose_messages_are_too_small_gets_the_reason() {
    let server = server();
    let mut visitor = offered(&server);
    let sdp = r"v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=max-message-size:536\r\n";
    visitor.write_all(format!("{{\"type\":\"answer\",\"sdp\":\"{sdp}\"}}\n").as_bytes()).expect("sent");
    let mut said = String::new();
    visitor.read_to_string(&mut said).expect("closed by the server");
    assert!(said.starts_with(r#"{"type":"error","reason":"#), "{said}");
    assert!(said.contains("messages of 536 bytes") && said.contains("at least 537"), "{said}");
    one_line(&server, "a=max-message-size");
    serves_a_good_client(&server);
}

#[test]
fn endless_talk_before_the_answer_is_cut_off() {
    for talk in [
        r#"{"type":"candidate","candidate":"candidate:1 1 udp 1 192.0.2.1 9 typ host"}"#.to_owned(),
        format!(r#"{{"type":"candidate","candidate":"c","further":[{}0]}}"#, "[[],[]],".repeat(8_000)),
        String::new(),
    ] {
        let server = server();
        let visitor = offered(&server);
        // The server may close before all is written.
        let mut writer = visitor.try_clone().expect("a second handle");
        let talking =
            std::thread::spawn(move || (0..5_000).all(|_| writer.write_all(format!("{talk}\n").as_bytes()).is_ok()));
        closed(visitor);
        talking.join().expect("no panic");
        serves_a_good_client(&server);
    }
}

#[test]
fn a_bad_visitor_does_not_disturb_the_client_being_served() {
    let mut server = Server::start(&["--once"]);
    let client = server.client(&[]);
    client.stdout.wait_for_count(3);
    refused(&server, b"GET / HTTP/1.1\r\n\r\n");
    client.stdout.wait_for_count(client.stdout.so_far().len() + 10);
    server.program.signal("INT");
    client.end().expect(0);
    server.end().expect(0);
}

/// A visitor that said hello and has received an offer.
fn offered(server: &Server) -> TcpStream {
    let mut visitor = server.connect();
    visitor.write_all(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\"}\n").expect("sent");
    let mut offer = String::new();
    BufReader::new(&visitor).read_line(&mut offer).expect("an offer");
    assert!(offer.contains("a=x-plumb:1"), "{offer}");
    visitor
}

#[test]
fn a_signal_ends_a_server_whose_visitor_never_answers() {
    let mut server = server();
    let visitor = offered(&server);
    server.program.signal("TERM");
    server.end().expect(0);
    assert!(poll(|| visitor.peek(&mut [0]).is_ok_and(|n| n == 0).then_some(())).is_some());
}
