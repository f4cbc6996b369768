//! What only the link grpc has: the example with stock grpcio, servers that call, and how a call becomes a link.
#![cfg(feature = "grpc")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;

use testkit::ends::{Server, address, client, session};
use testkit::program::{Program, command};
use testkit::python::GrpcExample;
use testkit::report::{ReportFile, only_session, rows};

const OVER_GRPC: [&str; 2] = ["--link", "grpc"];

#[test]
fn clients_of_every_link_are_served_at_one_port_at_once() {
    let server = Server::start(&["--frames", "60"]);
    let clients = ["webrtc", "tcp", "grpc", "grpc"].map(|link| server.client(&["--link", link]));
    for client in clients {
        assert_eq!(rows(&client.end().expect(0).stdout).len(), 60);
    }
}

/// Starts a server that calls the peer at this address over grpc.
fn calling(peer: &str, options: &[&str]) -> Program {
    let mut server = command("server");
    server.args(["--dial", peer, "--no-graphics", "--fps", "max", "--seed", "7"]).args(OVER_GRPC).args(options);
    Program::start(server)
}

#[test]
fn a_server_may_call_a_client_over_grpc_and_has_the_same_errors() {
    let listened = session(&["--frames", "60"], &OVER_GRPC);
    let report = ReportFile::new();
    let mut client = command("client");
    client.args(["--listen", "127.0.0.1:0", "--once", "--no-graphics"]);
    let client = Program::start(client);
    let line = client.stderr.wait_for("listening on ");
    let server = calling(address(&line).expect("an address"), &["--frames", "60", "--json", report.name()]);
    server.end().expect(0);
    client.end().expect(0);
    let called = only_session(&report.read()).clone();
    assert_eq!((&called["client"]["link"], &called["error_px"]), (&"grpc".into(), &listened["error_px"]));
}

#[test]
fn a_server_that_calls_another_server_over_grpc_gets_an_error() {
    let server = Server::start(&["--frames", "3"]);
    let called = calling(&server.address, &["--wait", "0s"]).end().expect(3);
    called.says("the peer speaks gRPC, but has no plumb.v1.Sink");
    server.client(&OVER_GRPC).end().expect(0);
}

#[test]
fn a_json_hello_that_asks_for_grpc_is_told_how_to_begin() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\",\"link\":\"grpc\"}\n").expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("begins with a gRPC call of plumb.v1.Source at this port"), "{answer}");
}

#[test]
fn the_example_with_stock_grpcio_finds_every_circle() {
    let GrpcExample { python, script, .. } = &GrpcExample::new(env!("CARGO_TARGET_TMPDIR"));
    for pixel in ["gray8", "bgr8"] {
        let report = ReportFile::new();
        let server = Server::start(&["--once", "--frames", "60", "--pixel", pixel, "--json", report.name()]);
        let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
        let mut example = Command::new(python);
        example.arg(script).args([host, port]);
        let example = Program::start(example).end().expect(0);
        assert_eq!(example.stdout, ["the server said bye: finished"]);
        server.end().expect(0);
        let session = only_session(&report.read()).clone();
        assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
        assert_eq!(session["client"]["name"], "grpc-client");
        // The accuracy of a centroid: see the example over WebRTC.
        assert!(session["error_px"]["l1"]["mean"].as_f64().is_some_and(|mean_px| mean_px < 0.01), "{session:#}");
    }
    // A server without this link refuses with a gRPC status.
    let server = Server::start(&["--link", "tcp"]);
    let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
    let mut refused = Command::new(python);
    refused.arg(script).args([host, port]);
    Program::start(refused).end().expect(3).says("this server has no link \"grpc\", only tcp");
}

#[test]
fn a_server_that_serves_one_client_refuses_the_second_over_grpc() {
    let mut server = Server::start(&["--once"]);
    let first = server.client(&OVER_GRPC);
    first.stdout.wait_for_count(5);
    server
        .client(&["--link", "grpc", "--wait", "0s"])
        .end()
        .expect(3)
        .says("serves one client (--once), which is here");
    server.program.signal("INT");
    first.end().expect(0);
    server.end().expect(0);
}

#[test]
fn a_peer_that_does_not_speak_grpc_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let client = client(&address, &["--link", "grpc", "--wait", "0s"]);
    let (mut web, _) = listener.accept().expect("the client");
    web.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").expect("sent");
    client.end().expect(3).says("gRPC: ");
}
