//! What holds over both links that are streams, tcp and grpc: sessions, refusals, ends, a slow network.

#![allow(unsafe_code, reason = "socket options")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::thread::{sleep, spawn};
use std::time::Duration;

use testkit::ends::{Server, client, session, with};
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session};

/// The links that are streams.
const LINKS: &[&str] = if cfg!(feature = "grpc") { &["tcp", "grpc"] } else { &["tcp"] };

#[test]
fn a_session_has_the_errors_of_one_over_webrtc_to_the_last_digit() {
    for pixel in ["gray8", "bgr8"] {
        let run = |link| session(&["--frames", "60", "--pixel", pixel], &["--link", link]);
        let webrtc = run("webrtc");
        for &link in LINKS {
            let session = run(link);
            assert_eq!(session["frames"]["circle"], 60, "{link}: {:#}", session["frames"]);
            assert_eq!(session["error_px"], webrtc["error_px"], "{link}");
            assert_eq!((&session["client"]["link"], &webrtc["client"]["link"]), (&link.into(), &"webrtc".into()));
        }
    }
}

#[test]
fn large_frames_in_colour_are_all_answered() {
    for &link in LINKS {
        let session = session(&["--frames", "20", "--size", "1920x1080", "--pixel", "bgr8"], &["--link", link]);
        assert_eq!(session["frames"]["circle"], 20, "{link}: {:#}", session["frames"]);
        assert_eq!(session["bytes"]["frames_raw"], 20 * 1920 * 1080 * 3, "{link}");
    }
}

#[test]
fn pictures_numbers_of_balls_and_depth_arrive() {
    for &link in LINKS {
        let link = ["--link", link];
        let options = ["--frames", "20", "--task", "image", "--size", "1280x720", "--pixel", "bgr8"];
        let pictures = session(&options, &link);
        assert_eq!((&pictures["frames"]["answered"], &pictures["frames"]["invalid"]), (&20.into(), &0.into()));
        let counts = session(&["--frames", "20", "--task", "count", "--balls", "0..3"], &link);
        assert_eq!((&counts["frames"]["answered"], &counts["frames"]["invalid"]), (&20.into(), &0.into()));
        let depth = session(&["--frames", "10", "--source", "depth"], &link);
        assert_eq!(depth["frames"]["circle"], 10, "{:#}", depth["frames"]);
    }
}

#[test]
fn lz4_gives_the_same_errors_in_fewer_bytes() {
    for &link in LINKS {
        let run = |encoding| session(&["--frames", "30", "--encoding", encoding], &["--link", link]);
        let [raw, lz4] = ["raw", "lz4"].map(run);
        assert_eq!(raw["error_px"], lz4["error_px"], "{link}");
        assert!(
            lz4["bytes"]["frames_wire"].as_u64() < raw["bytes"]["frames_wire"].as_u64(),
            "{link}: {}",
            lz4["bytes"]
        );
    }
}

#[test]
fn a_loopback_run_may_use_a_stream() {
    for &link in LINKS {
        let report = ReportFile::new();
        let server = ["--loopback", "--link", link, "--frames", "10", "--json", report.name()];
        Server::start(&server).end().expect(0);
        assert_eq!(only_session(&report.read())["client"]["link"], link);
    }
}

#[test]
fn a_server_without_the_link_refuses_it_and_says_what_to_ask_for() {
    let of_others = LINKS.iter().flat_map(|link| [("webrtc", *link), (*link, "webrtc")]);
    let of_streams =
        LINKS.iter().flat_map(|has| LINKS.iter().map(move |asked| (*has, *asked))).filter(|(has, asked)| has != asked);
    for (has, asked) in of_others.chain(of_streams) {
        let server = Server::start(&["--link", has, "--frames", "3"]);
        let said = format!(
            "this server has no link \"{asked}\", only {has}: ask for that in the hello (--link at the client)"
        );
        server.client(&["--link", asked]).end().expect(3).says(&said);
        server.client(&["--link", has]).end().expect(0);
    }
}

#[test]
fn live_delivery_over_a_stream_is_refused_before_the_server_listens() {
    for &link in LINKS {
        let options = ["--no-graphics", "--link", link, "--delivery", "live"];
        let refused = Program::start(with(command("server"), &options)).end().expect(2);
        assert!(!refused.stderr.iter().any(|line| line.contains("listening")), "{:#?}", refused.stderr);
        refused.says(&format!("--link {link} does not go with --delivery live"));
    }
}

#[test]
fn a_live_server_refuses_a_client_over_a_stream_and_serves_one_over_webrtc() {
    let server = Server::start(&["--delivery", "live", "--frames", "3"]);
    for &link in LINKS {
        let refused = server.client(&["--link", link]).end().expect(3);
        refused.says(&format!("delivery is live here, and {link} is a stream, which cannot be live"));
    }
    server.client(&[]).end().expect(0);
}

#[test]
fn either_end_may_stop_and_the_other_hears_bye() {
    for &link in LINKS {
        for _ in 0..3 {
            let mut server = Server::start(&["--fps", "max"]);
            let mut client = server.client(&["--link", link]);
            client.stdout.wait_for_count(20);
            client.signal("INT");
            client.end().expect(0);
            server.program.stderr.wait_for("the client left");
            let client = server.client(&["--link", link]);
            client.stdout.wait_for_count(20);
            server.program.signal("INT");
            server.end().expect(0);
            client.end().expect(0).says("the server said bye: the server stops");
        }
    }
}

/// No timeout is needed, because the connection ends.
#[test]
fn a_killed_peer_is_noticed_by_the_end_of_the_connection() {
    for &link in LINKS {
        let server = Server::start(&["--once"]);
        let killed = server.client(&["--link", link]);
        killed.stdout.wait_for_count(10);
        drop(killed);
        let ended = server.end().expect(3);
        assert!(
            ended.stderr.iter().any(|line| line.contains("the client is gone: ") && !line.contains("no sign")),
            "{link}: {:#?}",
            ended.stderr
        );
        let server = Server::start(&[]);
        let client = server.client(&["--link", link]);
        client.stdout.wait_for_count(10);
        drop(server);
        client.end().expect(3).says("the server is gone: ");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_closes_the_connections_of_sessions_that_are_over() {
    use testkit::processes::Holdings;
    use testkit::program::poll;

    for &link in LINKS {
        let server = Server::start(&["--frames", "1"]);
        let descriptors = || Holdings::of(server.program.id()).expect("a process").descriptors;
        server.client(&["--link", link]).end().expect(0);
        server.program.stderr.wait_for("session 1: finished");
        let before = descriptors();
        for _ in 0..8 {
            server.client(&["--link", link]).end().expect(0);
        }
        server.program.stderr.wait_for("session 9: finished");
        let released = poll(|| (descriptors() <= before).then_some(()));
        released.unwrap_or_else(|| panic!("{link}: {} descriptors, {before} before", descriptors()));
    }
}

/// Bytes per second of the slow link: a frame of 307,200 bytes takes over 5 s, longer than the 4 s of silence allowed.
const SLOW_BYTES_PER_S: usize = 60_000;

/// Bytes that a proxy passes on at a time, twenty times per second.
const SLOW_PIECE: usize = SLOW_BYTES_PER_S / 20;

/// Bytes of a block: passing it on takes longer than the 4 s of silence allowed.
const BLOCK: usize = 400_000;

#[test]
fn a_frame_that_arrives_for_longer_than_the_silence_limit_ends_no_session() {
    for &link in LINKS {
        all_frames_arrive(link, "1", Proxy::Pipe);
    }
}

#[test]
fn a_proxy_that_passes_on_one_block_at_a_time_ends_no_session() {
    all_frames_arrive("tcp", "2", Proxy::Blocks);
}

/// Asserts that as many frames as the window has are answered through a slow proxy.
#[track_caller]
fn all_frames_arrive(link: &str, frames: &str, proxy: Proxy) {
    let report = ReportFile::new();
    let options = ["--once", "--frames", frames, "--window", frames, "--deadline", "60s", "--json", report.name()];
    let server = Server::start(&options);
    let address = slow_way_to(&server.address, proxy);
    client(&address, &["--link", link]).end().expect(0);
    server.end().expect(0);
    assert_eq!(only_session(&report.read())["frames"]["circle"].to_string(), frames, "{link}");
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
