//! What `--dial` and `--listen` do with wrong peers: nobody, web servers, the wrong end of Plumb, silence and
//! garbage.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use testkit::ends::{ListeningClient, Server, calling, client, free_address};
use testkit::program::{Program, command};

/// The first line of a source that calls.
const HELLO: &str = r#"{"type":"hello","plumb":1,"role":"source","link":"tcp"}"#;

/// Answers the next caller's first line with this, and keeps the connection until the caller closes it.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut caller = BufReader::new(stream);
            let mut line = String::new();
            caller.read_line(&mut line).expect("a line");
            assert!(line.starts_with(r#"{"type":"hello","plumb":1,"role":"source""#), "{line}");
            caller.get_mut().write_all(answer.as_bytes()).expect("sent");
            let _ = caller.read_to_end(&mut Vec::new());
        }
    });
    address
}

/// Sends this line on a bare connection and returns the answer.
fn asked(mut stream: &TcpStream, line: &str) -> String {
    stream.write_all(format!("{line}\n").as_bytes()).expect("sent");
    said(stream)
}

/// A source that has opened its link to this client, over TCP.
fn opened(client: &ListeningClient) -> TcpStream {
    let source = client.connect();
    asked(&source, HELLO);
    (&source).write_all(b"{\"type\":\"link\",\"link\":\"tcp\"}\n").expect("sent");
    source
}

/// The next line of the peer, without its end.
fn said(stream: &TcpStream) -> String {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).expect("a line");
    line.trim_end().to_owned()
}

fn options_refused(program: &str, options: &[&str]) -> String {
    let mut call = command(program);
    call.args(options);
    Program::start(call).end().expect(2).stderr.join("\n")
}

#[test]
fn a_server_calls_an_empty_address_until_its_time_is_over() {
    let address = free_address().to_string();
    let ended = calling(&address, &["--wait", "300ms"]).end().expect(3);
    ended.says(&format!("no client at {address} within 300ms: Connection refused"));
}

#[test]
fn a_web_server_is_recognised_and_named() {
    for answer in ["HTTP/1.1 400 Bad Request\r\n\r\n", "<!DOCTYPE HTML>\n<html>\n"] {
        calling(&answering(answer), &[])
            .end()
            .expect(3)
            .says("that is HTTP, from a web server and not from a Plumb peer");
    }
}

#[test]
fn two_servers_get_an_error_at_both_ends() {
    let listening = Server::start(&[]);
    calling(&listening.address, &[]).end().expect(3).says("it refused: both ends are sources of frames");
    listening.program.stderr.wait_for("both ends are sources of frames");
    // A server that takes a late caller for a stranger.
    let offering = answering("{\"type\":\"offer\",\"sdp\":\"v=0\"}\n");
    calling(&offering, &[]).end().expect(3).says("both ends are sources of frames");
}

#[test]
fn two_clients_get_an_error_at_both_ends() {
    let listening = ListeningClient::start(&[]);
    for link in ["webrtc", "tcp"] {
        client(&listening.address, &["--link", link]).end().expect(3).says("it refused: both ends are clients");
    }
    listening.program.stderr.wait_for("both ends are clients");
    listening.stop().expect(0);
}

#[test]
fn a_peer_that_sends_nothing_or_nonsense_is_not_a_client() {
    calling(&answering(""), &["--wait", "0s"]).end().expect(3).says("it took the call but said nothing for 5 s");
    calling(&answering("salve\n"), &[]).end().expect(3).says("not a signaling message");
    calling(&answering("{\"type\":\"pong\"}\n"), &[])
        .end()
        .expect(3)
        .says("expected the hello of a client, got \"pong\"");
}

#[test]
fn a_client_with_another_protocol_link_or_role_or_without_gray16_cannot_be_used() {
    for (answer, options, said) in [
        (r#"{"type":"hello","plumb":2,"role":"sink"}"#, &[][..], "protocol 2 is not supported here"),
        (r#"{"type":"hello","plumb":1,"role":"source"}"#, &[], "both ends are sources of frames"),
        (r#"{"type":"hello","plumb":1,"role":"sink","link":"tcp"}"#, &[], "no link \"tcp\", only webrtc"),
        (r#"{"type":"hello","plumb":1,"role":"sink","mtu":1}"#, &[], "an mtu of 1 bytes cannot carry frames"),
        (r#"{"type":"hello","plumb":1,"role":"sink"}"#, &["--source", "depth"], "does not name the feature \"gray16\""),
    ] {
        let peer = answering(Box::leak(format!("{answer}\n").into_boxed_str()));
        calling(&peer, options).end().expect(3).says("cannot work with this client").says(said);
    }
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("its address").to_string();
    let mut client = command("client");
    client.args(["--listen", &address, "--no-graphics"]);
    Program::start(client).end().expect(3).says("is taken: another client may be running");
}

#[test]
fn a_client_that_nobody_calls_ends_when_its_time_is_over() {
    let client = ListeningClient::start(&["--wait", "200ms"]);
    client.program.end().expect(3).says("no server called within 200ms (--wait)");
}

#[test]
fn a_call_that_breaks_before_a_session_begins_does_not_prolong_the_wait() {
    for once in [&["--once"][..], &[]] {
        let client = ListeningClient::start(&[once, &["--wait", "4s"]].concat());
        let source = opened(&client);
        client.program.stderr.wait_for("session 1: the server at");
        drop(source);
        client.program.end().expect(3).says("no server called within 4s (--wait)");
    }
}

#[test]
fn a_link_that_breaks_after_the_wait_before_a_session_begins_ends_a_client() {
    let client = ListeningClient::start(&["--once", "--wait", "2s"]);
    let source = opened(&client);
    client.program.stderr.wait_for("session 1: the server at");
    // The wait is over then, and the client gives a source 5 s to say hello on its link.
    thread::sleep(Duration::from_millis(2_500));
    drop(source);
    let ended = client.program.end().expect(3);
    ended.says("session 1: the server is gone").says("no server called within 2s (--wait)");
}

#[test]
fn calls_after_the_wait_do_not_prolong_it() {
    let client = ListeningClient::start(&["--wait", "2s"]);
    let in_time = opened(&client);
    client.program.stderr.wait_for("session 1: the server at");
    thread::sleep(Duration::from_millis(2_500));
    let late = opened(&client);
    client.program.stderr.wait_for("session 2: the server at");
    drop(in_time);
    client.program.end().expect(3).says("no server called within 2s (--wait)");
    drop(late);
}

#[test]
fn a_session_of_a_client_that_listens_may_last_longer_than_the_wait_for_it() {
    let client = ListeningClient::start(&["--once", "--wait", "3s"]);
    client.called(&["--duration", "4s", "--fps", "30"]).end().expect(0);
    client.program.end().expect(0).says("the server said bye: finished");
}

#[test]
fn options_that_exclude_each_other_are_refused_before_anything_runs() {
    for (options, said) in [
        (&["--dial", "192.0.2.7"][..], "the port too: 192.0.2.7:8080"),
        (&["--dial", "192.0.2.7:0"], "with the port at which the client listens"),
        (&["--dial", "127.0.0.1:9", "--listen", "127.0.0.1:0"], "--dial does not go with --listen"),
        (&["--dial", "127.0.0.1:9", "--loopback"], "--dial does not go with --loopback"),
        (&["--dial", "127.0.0.1:9", "--link", "memory"], "--link memory is a link within one process"),
        (&["--dial", "127.0.0.1:9", "--link", "tcp", "--delivery", "live"], "--link tcp does not go with"),
    ] {
        let wrong = options_refused("server", options);
        assert!(wrong.contains(said), "{options:?}: {wrong}");
    }
    for (options, said) in [
        (&["127.0.0.1:9", "--listen", "127.0.0.1:0"][..], "a client calls a server or listens for servers"),
        (&["--listen", "127.0.0.1:0", "--link", "tcp"], "takes the link that the server asks for"),
        (&["--listen", "8080"], "HOST:PORT"),
    ] {
        let wrong = options_refused("client", options);
        assert!(wrong.contains(said), "{options:?}: {wrong}");
    }
}

#[test]
fn the_command_line_decides_between_a_server_and_an_address_to_listen_on() {
    let server = Server::start(&["--frames", "3"]);
    let mut calls = command("client");
    calls.env("PLUMB_CLIENT_LISTEN", "127.0.0.1:0").args([&server.address, "--no-graphics"]);
    Program::start(calls).end().expect(0);
    let mut listens = command("client");
    listens.env("PLUMB_SERVER", &server.address).env("PLUMB_LINK", "tcp");
    listens.args(["--listen", "127.0.0.1:0", "--no-graphics", "--wait", "100ms"]);
    Program::start(listens).end().expect(3).says("listening on");
    let mut both = command("client");
    both.env("PLUMB_SERVER", &server.address).env("PLUMB_CLIENT_LISTEN", "127.0.0.1:0");
    Program::start(both).end().expect(2).says("PLUMB_SERVER: a client calls a server or listens for servers, not both");
}

#[test]
fn a_visitor_with_a_wrong_first_line_is_told_what_is_right_and_a_server_is_served() {
    let client = ListeningClient::start(&[]);
    for (line, wrong) in [
        ("salve", "not a signaling message"),
        ("BREW /pot HTCPCP/1.0\r", "not a signaling message"),
        (r#"{"type":"ping"}"#, "expected the hello of a source, got \\\"ping\\\""),
        (r#"{"type":"hello","plumb":9,"role":"source"}"#, "protocol 9 is not supported here, only 1"),
        (r#"{"type":"hello","plumb":1,"role":"source","link":"smoke"}"#, "no link \\\"smoke\\\", only webrtc and tcp"),
        (r#"{"type":"hello","plumb":1}"#, "role"),
    ] {
        let answer = asked(&client.connect(), line);
        assert!(answer.starts_with(r#"{"type":"error","reason":""#) && answer.contains(wrong), "{line}: {answer}");
    }
    let flood = client.connect();
    // It closes the connection before it has all of this.
    let _ = (&flood).write_all(&vec![b'x'; 1 << 20]);
    client.called(&["--frames", "5"]).end().expect(0);
    client.stop().expect(0);
}

#[test]
fn silent_visitors_are_few_and_keep_nobody_out() {
    let client = ListeningClient::start(&[]);
    // The client keeps sixteen.
    let silent: Vec<_> = (0..20).map(|_| client.connect()).collect();
    client.called(&["--frames", "5"]).end().expect(0);
    let told: Vec<_> = silent.iter().map(said).collect();
    let dismissed = told.iter().filter(|told| told.contains("said nothing, and too many others were waiting")).count();
    assert!(dismissed >= 4, "{told:#?}");
    assert!(told.iter().all(|told| told.ends_with("\"retry\":true}")), "{told:#?}");
    client.stop().expect(0);
}

#[test]
fn visitors_that_begin_grpc_and_fall_silent_are_few_and_keep_nobody_out() {
    let client = ListeningClient::start(&[]);
    let silent: Vec<_> = (0..20).map(|_| client.connect()).collect();
    for mut visitor in &silent {
        visitor.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("sent");
    }
    client.program.stderr.wait_for("said nothing, and too many others were waiting");
    client.called(&["--frames", "5", "--link", "grpc"]).end().expect(0);
    drop(silent);
    client.stop().expect(0);
}

#[test]
fn a_client_of_many_is_full_at_its_limit_and_says_that_places_become_free() {
    let client = ListeningClient::start(&[]);
    let sources: Vec<_> = (0..16).map(|_| client.connect()).collect();
    for source in &sources {
        let answer = asked(source, HELLO);
        assert!(answer.starts_with(r#"{"type":"hello","plumb":1,"role":"sink""#), "{answer}");
        assert!(answer.ends_with(r#""link":"tcp"}"#), "{answer}");
    }
    assert_eq!(
        asked(&client.connect(), HELLO),
        r#"{"type":"error","reason":"this client is full: 16 servers","retry":true}"#
    );
    drop(sources);
    client.called(&["--frames", "5", "--link", "tcp"]).end().expect(0);
    client.stop().expect(0);
}

#[test]
fn a_source_that_stops_halfway_does_not_change_the_exit_code() {
    let client = ListeningClient::start(&[]);
    let source = opened(&client);
    client.program.stderr.wait_for("session 1: the server at");
    drop(source);
    client.program.stderr.wait_for("session 1: the server is gone");
    client.called(&["--frames", "5"]).end().expect(0);
    client.stop().expect(0);
}
