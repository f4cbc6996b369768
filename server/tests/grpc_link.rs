//! Sessions over the link grpc: the programs in two processes, the example with stock grpcio, refusals, ends, a slow
//! network.

#![allow(unsafe_code, reason = "socket options")]
#![cfg(feature = "grpc")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{sleep, spawn};
use std::time::Duration;

use serde_json::Value;
use testkit::ends::{Server, address, client};
use testkit::program::{Program, command};
use testkit::python;
use testkit::report::{ReportFile, only_session, rows};

const OVER_GRPC: [&str; 2] = ["--link", "grpc"];

/// Runs a session to its end and returns its report.
#[track_caller]
fn session(server: &[&str], client: &[&str]) -> Value {
    let report = ReportFile::new();
    let server = Server::start(&[&["--once", "--fps", "max", "--seed", "7", "--json", report.name()], server].concat());
    server.client(client).end().expect(0).says("the server said bye: finished");
    server.end().expect(0);
    only_session(&report.read()).clone()
}

#[test]
fn a_session_over_grpc_has_the_errors_of_one_over_webrtc_to_the_last_digit() {
    for pixel in ["gray8", "bgr8"] {
        let run = |link| session(&["--frames", "60", "--pixel", pixel], &["--link", link]);
        let [grpc, webrtc] = ["grpc", "webrtc"].map(run);
        assert_eq!(grpc["frames"]["circle"], 60, "{:#}", grpc["frames"]);
        assert_eq!(grpc["error_px"], webrtc["error_px"]);
        assert_eq!((&grpc["client"]["link"], &webrtc["client"]["link"]), (&"grpc".into(), &"webrtc".into()));
    }
}

#[test]
fn large_frames_in_colour_are_all_answered() {
    let session = session(&["--frames", "20", "--size", "1920x1080", "--pixel", "bgr8"], &OVER_GRPC);
    assert_eq!(session["frames"]["circle"], 20, "{:#}", session["frames"]);
    assert_eq!(session["bytes"]["frames_raw"], 20 * 1920 * 1080 * 3);
}

#[test]
fn pictures_numbers_of_balls_and_depth_arrive() {
    let options = ["--frames", "20", "--task", "image", "--size", "1280x720", "--pixel", "bgr8"];
    let pictures = session(&options, &OVER_GRPC);
    assert_eq!((&pictures["frames"]["answered"], &pictures["frames"]["invalid"]), (&20.into(), &0.into()));
    let counts = session(&["--frames", "20", "--task", "count", "--balls", "0..3"], &OVER_GRPC);
    assert_eq!((&counts["frames"]["answered"], &counts["frames"]["invalid"]), (&20.into(), &0.into()));
    let depth = session(&["--frames", "10", "--source", "depth"], &OVER_GRPC);
    assert_eq!(depth["frames"]["circle"], 10, "{:#}", depth["frames"]);
}

#[test]
fn lz4_gives_the_same_errors_in_fewer_bytes() {
    let run = |encoding| session(&["--frames", "30", "--encoding", encoding], &OVER_GRPC);
    let [raw, lz4] = ["raw", "lz4"].map(run);
    assert_eq!(raw["error_px"], lz4["error_px"]);
    assert!(lz4["bytes"]["frames_wire"].as_u64() < raw["bytes"]["frames_wire"].as_u64(), "{}", lz4["bytes"]);
}

#[test]
fn a_loopback_run_may_use_grpc() {
    let report = ReportFile::new();
    let server = ["--loopback", "--link", "grpc", "--frames", "10", "--json", report.name()];
    Server::start(&server).end().expect(0);
    assert_eq!(only_session(&report.read())["client"]["link"], "grpc");
}

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

/// The example, with the classes that grpcio-tools makes of the proto.
fn example() -> (PathBuf, PathBuf) {
    let from_root = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = python::environment(folder, "grpc-venv", &from_root("examples/grpc_requirements.txt"));
    let python = python.unwrap_or_else(|error| panic!("{error}"));
    let work = tempfile::tempdir_in(folder).expect("a folder").keep();
    let script = work.join("grpc_client.py");
    std::fs::copy(from_root("examples/grpc_client.py"), &script).expect("copied");
    let mut make = Command::new(&python);
    make.args(["-m", "grpc_tools.protoc", "-I"]).arg(from_root("shared/proto"));
    let out = |name: &str| format!("--{name}={}", work.display());
    make.args([out("python_out"), out("grpc_python_out")]).arg("plumb.proto");
    Program::start(make).end().expect(0);
    (python, script)
}

#[test]
fn the_example_with_stock_grpcio_finds_every_circle() {
    let (python, script) = example();
    for pixel in ["gray8", "bgr8"] {
        let report = ReportFile::new();
        let server = Server::start(&["--once", "--frames", "60", "--pixel", pixel, "--json", report.name()]);
        let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
        let mut example = Command::new(&python);
        example.arg(&script).args([host, port]);
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
    let mut refused = Command::new(&python);
    refused.arg(&script).args([host, port]);
    Program::start(refused).end().expect(3).says("this server has no link \"grpc\", only tcp");
    std::fs::remove_dir_all(script.parent().expect("its folder")).expect("removed");
}

#[test]
fn a_server_without_the_link_refuses_it_and_says_what_to_ask_for() {
    for (has, asked) in [("webrtc", "grpc"), ("grpc", "webrtc"), ("grpc", "tcp")] {
        let server = Server::start(&["--link", has, "--frames", "3"]);
        let said = format!(
            "this server has no link \"{asked}\", only {has}: ask for that in the hello (--link at the client)"
        );
        server.client(&["--link", asked]).end().expect(3).says(&said);
        server.client(&["--link", has]).end().expect(0);
    }
}

#[test]
fn live_delivery_over_grpc_is_refused() {
    let options = ["--no-graphics", "--link", "grpc", "--delivery", "live"];
    let refused = Program::start(testkit::ends::with(command("server"), &options)).end().expect(2);
    refused.says("--link grpc does not go with --delivery live");
    let server = Server::start(&["--delivery", "live", "--frames", "3"]);
    let refused = server.client(&OVER_GRPC).end().expect(3);
    refused.says("delivery is live here, and grpc is a stream, which cannot be live");
    server.client(&[]).end().expect(0);
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

#[test]
fn either_end_may_stop_and_the_other_hears_bye() {
    for _ in 0..3 {
        let mut server = Server::start(&["--fps", "max"]);
        let mut client = server.client(&OVER_GRPC);
        client.stdout.wait_for_count(20);
        client.signal("INT");
        client.end().expect(0);
        server.program.stderr.wait_for("the client left");
        let client = server.client(&OVER_GRPC);
        client.stdout.wait_for_count(20);
        server.program.signal("INT");
        server.end().expect(0);
        client.end().expect(0).says("the server said bye: the server stops");
    }
}

/// No timeout is needed, because the connection ends.
#[test]
fn a_killed_peer_is_noticed_by_the_end_of_the_connection() {
    let server = Server::start(&["--once"]);
    let killed = server.client(&OVER_GRPC);
    killed.stdout.wait_for_count(10);
    drop(killed);
    let ended = server.end().expect(3);
    assert!(
        ended.stderr.iter().any(|line| line.contains("the client is gone: ") && !line.contains("no sign")),
        "{:#?}",
        ended.stderr
    );
    let server = Server::start(&[]);
    let client = server.client(&OVER_GRPC);
    client.stdout.wait_for_count(10);
    drop(server);
    client.end().expect(3).says("the server is gone: ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_closes_the_connections_of_sessions_that_are_over() {
    let server = Server::start(&["--frames", "1"]);
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", server.program.id())).expect("a process").count();
    server.client(&OVER_GRPC).end().expect(0);
    server.program.stderr.wait_for("session 1: finished");
    let before = descriptors();
    for _ in 0..8 {
        server.client(&OVER_GRPC).end().expect(0);
    }
    server.program.stderr.wait_for("session 9: finished");
    let released = testkit::program::poll(|| (descriptors() <= before).then_some(()));
    released.unwrap_or_else(|| panic!("{} descriptors, {before} before", descriptors()));
}

/// Bytes per second of the slow link: a frame of 307,200 bytes takes over 5 s, longer than the 4 s of silence allowed.
const SLOW_BYTES_PER_S: usize = 60_000;

#[test]
fn a_frame_that_arrives_for_longer_than_the_silence_limit_ends_no_session() {
    let report = ReportFile::new();
    let options = ["--once", "--frames", "1", "--window", "1", "--deadline", "60s", "--json", report.name()];
    let server = Server::start(&options);
    let address = slow_way_to(&server.address);
    client(&address, &OVER_GRPC).end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 1);
}

/// Listens for one client and carries its connection to `server`: the server's bytes pass at [`SLOW_BYTES_PER_S`].
fn slow_way_to(server: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (address, server) = (listener.local_addr().expect("its address").to_string(), server.to_owned());
    spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let mut server = TcpStream::connect(server).expect("the server listens");
        shrink(&server);
        let (mut from, mut to) = (client.try_clone().expect("a stream"), server.try_clone().expect("a stream"));
        spawn(move || std::io::copy(&mut from, &mut to));
        // Twenty pieces per second.
        let mut piece = [0; SLOW_BYTES_PER_S / 20];
        while let Ok(bytes @ 1..) = server.read(&mut piece) {
            if client.write_all(&piece[..bytes]).is_err() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
    });
    address
}

/// Makes the kernel buffer few of the server's bytes, as a network does: the rest stays unacknowledged.
fn shrink(stream: &TcpStream) {
    let bytes: libc::c_int = 4096;
    // SAFETY: the descriptor is open while the stream is borrowed, and the call reads one c_int.
    let status = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_RCVBUF,
            (&raw const bytes).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    assert_eq!(status, 0);
}
