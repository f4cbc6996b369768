//! Sessions over the link tcp: the programs in two processes, the example in Python, refusals, ends, a slow network.

#![allow(unsafe_code, reason = "socket options")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;
use std::thread::{sleep, spawn};
use std::time::Duration;

use serde_json::Value;
use testkit::ends::{Server, client};
use testkit::program::Program;
use testkit::python;
use testkit::report::{ReportFile, only_session};

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
fn a_session_over_tcp_has_the_errors_of_one_over_webrtc_to_the_last_digit() {
    for pixel in ["gray8", "bgr8"] {
        let run = |link| session(&["--frames", "60", "--pixel", pixel], &["--link", link]);
        let [tcp, webrtc] = ["tcp", "webrtc"].map(run);
        assert_eq!(tcp["frames"]["circle"], 60, "{:#}", tcp["frames"]);
        assert_eq!(tcp["error_px"], webrtc["error_px"]);
        assert_eq!((&tcp["client"]["link"], &webrtc["client"]["link"]), (&"tcp".into(), &"webrtc".into()));
    }
}

#[test]
fn large_frames_in_colour_are_all_answered() {
    let session = session(&["--frames", "20", "--size", "1920x1080", "--pixel", "bgr8"], &["--link", "tcp"]);
    assert_eq!(session["frames"]["circle"], 20, "{:#}", session["frames"]);
    assert_eq!(session["bytes"]["frames_raw"], 20 * 1920 * 1080 * 3);
}

#[test]
fn pictures_come_back_over_tcp() {
    let options = ["--frames", "20", "--task", "image", "--size", "1280x720", "--pixel", "bgr8"];
    let session = session(&options, &["--link", "tcp"]);
    assert_eq!((&session["frames"]["answered"], &session["frames"]["invalid"]), (&20.into(), &0.into()), "{session:#}");
}

#[test]
fn lz4_gives_the_same_errors_in_fewer_bytes() {
    let run = |encoding| session(&["--frames", "30", "--encoding", encoding], &["--link", "tcp"]);
    let [raw, lz4] = ["raw", "lz4"].map(run);
    assert_eq!(raw["error_px"], lz4["error_px"]);
    assert!(lz4["bytes"]["frames_wire"].as_u64() < raw["bytes"]["frames_wire"].as_u64(), "{}", lz4["bytes"]);
}

#[test]
fn a_loopback_run_may_use_tcp() {
    let report = ReportFile::new();
    let server = ["--loopback", "--link", "tcp", "--frames", "10", "--json", report.name()];
    Server::start(&server).end().expect(0);
    assert_eq!(only_session(&report.read())["client"]["link"], "tcp");
}

#[test]
fn the_example_in_python_finds_every_circle() {
    let from_root = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let python = python::environment(folder, "aiortc-venv", &from_root("examples/requirements.txt"));
    let python = python.unwrap_or_else(|error| panic!("{error}"));
    for pixel in ["gray8", "bgr8"] {
        let report = ReportFile::new();
        let server = Server::start(&["--once", "--frames", "60", "--pixel", pixel, "--json", report.name()]);
        let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
        let mut example = Command::new(&python);
        example.arg(from_root("examples/tcp_client.py")).args([host, port]);
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
fn a_server_with_one_kind_of_link_refuses_the_other_and_says_what_to_ask_for() {
    for (has, asked) in [("webrtc", "tcp"), ("tcp", "webrtc")] {
        let server = Server::start(&["--link", has, "--frames", "3"]);
        let said = format!(
            "this server has no link \"{asked}\", only {has}: ask for that in the hello (--link at the client)"
        );
        server.client(&["--link", asked]).end().expect(3).says(&said);
        server.client(&["--link", has]).end().expect(0);
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
fn live_delivery_over_tcp_is_refused_before_the_server_listens() {
    let refused = Program::start(testkit::ends::with(
        testkit::program::command("server"),
        &["--no-graphics", "--link", "tcp", "--delivery", "live"],
    ));
    let refused = refused.end().expect(2);
    assert!(!refused.stderr.iter().any(|line| line.contains("listening")), "{:#?}", refused.stderr);
}

#[test]
fn a_live_server_refuses_a_client_over_tcp_and_serves_one_over_webrtc() {
    let server = Server::start(&["--delivery", "live", "--frames", "3"]);
    server
        .client(&["--link", "tcp"])
        .end()
        .expect(3)
        .says("delivery is live here, and tcp is a stream, which cannot be live");
    server.client(&[]).end().expect(0);
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

#[test]
fn either_end_may_stop_and_the_other_hears_bye() {
    for _ in 0..3 {
        let mut server = Server::start(&["--fps", "max"]);
        let mut client = server.client(&["--link", "tcp"]);
        client.stdout.wait_for_count(20);
        client.signal("INT");
        client.end().expect(0);
        server.program.stderr.wait_for("the client left");
        let client = server.client(&["--link", "tcp"]);
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
    let killed = server.client(&["--link", "tcp"]);
    killed.stdout.wait_for_count(10);
    drop(killed);
    let ended = server.end().expect(3);
    assert!(
        ended.stderr.iter().any(|line| line.contains("the client is gone: ") && !line.contains("no sign")),
        "{:#?}",
        ended.stderr
    );
    let server = Server::start(&[]);
    let client = server.client(&["--link", "tcp"]);
    client.stdout.wait_for_count(10);
    drop(server);
    client.end().expect(3).says("the server is gone: ");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_closes_the_connections_of_sessions_that_are_over() {
    let server = Server::start(&["--frames", "1"]);
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", server.program.id())).expect("a process").count();
    server.client(&["--link", "tcp"]).end().expect(0);
    server.program.stderr.wait_for("session 1: finished");
    let before = descriptors();
    for _ in 0..8 {
        server.client(&["--link", "tcp"]).end().expect(0);
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
    let address = slow_way_to(&server.address, Proxy::Pipe);
    client(&address, &["--link", "tcp"]).end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 1);
}

#[test]
fn a_proxy_that_passes_on_one_block_at_a_time_ends_no_session() {
    let report = ReportFile::new();
    let options = ["--once", "--frames", "2", "--window", "2", "--deadline", "60s", "--json", report.name()];
    let server = Server::start(&options);
    let address = slow_way_to(&server.address, Proxy::Blocks);
    client(&address, &["--link", "tcp"]).end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"], 2);
}

/// The network between server and client.
#[derive(Clone, Copy, PartialEq)]
enum Proxy {
    /// The server sees how fast the client receives.
    Pipe,
    /// A proxy that takes in one block, and acknowledges nothing more until it has passed the whole block on.
    Blocks,
}

/// Listens for one client and carries its connection to `server`: the server's bytes pass at [`SLOW_BYTES_PER_S`].
fn slow_way_to(server: &str, proxy: Proxy) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (address, server) = (listener.local_addr().expect("its address").to_string(), server.to_owned());
    spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let mut server = TcpStream::connect(server).expect("the server listens");
        shrink(&server);
        let (mut from, mut to) = (client.try_clone().expect("a stream"), server.try_clone().expect("a stream"));
        spawn(move || std::io::copy(&mut from, &mut to));
        let most = if proxy == Proxy::Pipe { SLOW_PIECE } else { BLOCK };
        while let Some(block) = read_block(&mut server, most) {
            for piece in block.chunks(SLOW_PIECE) {
                if client.write_all(piece).is_err() {
                    return;
                }
                // Small messages, such as those of the beginning, pass at once.
                if block.len() >= SLOW_PIECE {
                    sleep(Duration::from_millis(50));
                }
            }
        }
    });
    address
}

/// Bytes that a proxy passes on at a time, twenty times per second.
const SLOW_PIECE: usize = SLOW_BYTES_PER_S / 20;

/// Bytes of a block: passing it on takes longer than the 4 s of silence allowed.
const BLOCK: usize = 400_000;

/// Reads until `most` bytes are there or no more come for a moment. `None` at the end.
fn read_block(stream: &mut TcpStream, most: usize) -> Option<Vec<u8>> {
    let mut block = Vec::new();
    let mut piece = [0; SLOW_PIECE];
    stream.set_read_timeout(None).expect("no limit");
    while block.len() < most {
        match stream.read(&mut piece) {
            // Bytes that came before the end are passed on first.
            Ok(0) => return (!block.is_empty()).then_some(block),
            Ok(bytes) => block.extend(&piece[..bytes]),
            Err(_) => return Some(block),
        }
        stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a limit");
    }
    Some(block)
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
