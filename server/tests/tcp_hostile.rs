//! Peers that break the framing over TCP, at either end: their session ends and names the cause, and others are not
//! disturbed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::ends::{Server, client};
#[cfg(target_os = "linux")]
use testkit::processes::Holdings;
use testkit::program::{LIMIT, Program};
use testkit::report::rows;

/// A peer on a bare socket, whose connection is the link.
struct Peer(BufReader<TcpStream>);

impl Peer {
    /// A client that a server has given the link.
    fn client(server: &Server) -> Self {
        let mut peer = Self(BufReader::new(server.connect()));
        peer.write(b"{\"type\":\"hello\",\"plumb\":1,\"role\":\"sink\",\"link\":\"tcp\"}\n");
        assert_eq!(peer.line(), "{\"type\":\"link\",\"link\":\"tcp\"}\n");
        peer
    }

    /// A server that has given a client the link.
    fn server() -> (Self, Program) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address").to_string();
        let client = client(&address, &["--link", "tcp", "--wait", "0s"]);
        let mut peer = Self(BufReader::new(listener.accept().expect("the client").0));
        assert!(peer.line().contains("\"link\":\"tcp\""));
        peer.write(b"{\"type\":\"link\",\"link\":\"tcp\"}\n");
        (peer, client)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line
    }

    /// The other end may have closed the connection.
    fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    fn send(&mut self, lane: u8, message: &Value) {
        let payload = rmp_serde::to_vec_named(message).expect("MessagePack");
        self.write(&message_of(lane, &payload));
    }

    fn introduce(&mut self) {
        self.send(0, &json!({"type": "hello", "protocol": 1, "name": "peer", "version": "1", "role": "sink"}));
    }

    /// Reads until the other end closes the connection.
    fn until_closed(mut self) {
        self.0.get_ref().set_read_timeout(Some(LIMIT)).expect("a limit");
        let mut piece = [0; 65_536];
        loop {
            match self.0.read(&mut piece) {
                Ok(1..) => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("not closed within {LIMIT:?}"),
                Ok(0) | Err(_) => return,
            }
        }
    }
}

fn message_of(lane: u8, payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32).to_be_bytes()[..], &[lane], payload].concat()
}

/// A server's hello.
fn hello() -> Value {
    let stream =
        json!({"width": 64, "height": 48, "pixel": "gray8", "window": 8, "delivery": "reliable", "encoding": "raw"});
    json!({"type": "hello", "protocol": 1, "name": "peer", "version": "1", "role": "source", "stream": stream})
}

#[track_caller]
fn serves_a_good_client(server: &Server) {
    let client = server.client(&["--link", "tcp", "--wait", "0s"]).end().expect(0);
    assert_eq!(rows(&client.stdout).len(), 30);
}

#[test]
fn a_client_that_breaks_the_framing_ends_only_its_own_session_and_the_cause_is_reported() {
    let cases: [(&[u8], bool, &str); 6] = [
        (&[0xff, 0xff, 0xff, 0xff, 2], false, "it sent a message of 4294967295 bytes: at most 65561 are accepted"),
        (&[0, 1, 0, 26, 2], false, "it sent a message of 65562 bytes: at most 65561 are accepted"),
        (&[0, 0, 0, 1, 7, 0], false, "it sent a message on lane 7: there are 0 (control), 1 (frames) and 2 (answers)"),
        (b"GET / HTTP/1.1\r\n\r\n", false, "it sent a message on lane 47"),
        (&[0, 0, 1, 0, 2, 1, 2, 3], true, "it closed the link in the middle of a message"),
        (&[], true, "it closed the link"),
    ];
    let server = Server::start(&["--frames", "30"]);
    let good = server.client(&["--link", "tcp"]);
    server.program.stderr.wait_for("session 1: ");
    for (place, (bytes, ends, cause)) in cases.into_iter().enumerate() {
        let mut peer = Peer::client(&server);
        peer.introduce();
        peer.write(bytes);
        if ends {
            peer.0.get_ref().shutdown(Shutdown::Write).expect("open");
        }
        peer.until_closed();
        let about = format!("session {}: the client is gone: {cause}", place + 2);
        server.program.stderr.wait_for(&about);
        let lines = server.program.stderr.so_far();
        assert_eq!(
            lines
                .iter()
                .filter(|line| line.contains(cause) && line.contains(&format!("session {}:", place + 2)))
                .count(),
            1,
            "{lines:#?}"
        );
        assert!(!lines.iter().any(|line| line.contains("warning")), "{lines:#?}");
    }
    assert_eq!(rows(&good.end().expect(0).stdout).len(), 30);
    serves_a_good_client(&server);
}

#[test]
fn a_client_that_falls_silent_within_a_message_is_dropped() {
    let server = Server::start(&["--frames", "30"]);
    let mut peer = Peer::client(&server);
    peer.write(&[0, 0, 1, 0, 0, 1, 2, 3]);
    peer.until_closed();
    server.program.stderr.wait_for("rejected: no hello within 5 s");
    serves_a_good_client(&server);
}

/// A byte now and then is a sign of life, but the hello must still come in time.
#[test]
fn a_client_that_sends_only_a_byte_now_and_then_is_dropped() {
    let server = Server::start(&["--frames", "30"]);
    let mut peer = Peer::client(&server);
    let mut slow = peer.0.get_ref().try_clone().expect("a stream");
    spawn(move || {
        while slow.write_all(&[0]).is_ok() {
            sleep(Duration::from_millis(300));
        }
    });
    peer.write(&[0, 0, 0xff, 0, 0]);
    peer.until_closed();
    server.program.stderr.wait_for("rejected: no hello within 5 s");
    serves_a_good_client(&server);
}

/// Memory that a client which never reads may cost: a lane of 1 MiB, a window of frames, and what the allocator keeps.
#[cfg(target_os = "linux")]
const COST_BYTES: u64 = 64 << 20;

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_never_reads_costs_bounded_memory_and_disturbs_nobody() {
    let server = Server::start(&["--frames", "200", "--fps", "max", "--deadline", "1s"]);
    server.client(&["--link", "tcp"]).end().expect(0);
    let resident = || Holdings::of(server.program.id()).expect("a process").memory_bytes;
    let before = resident();
    let mut peer = Peer::client(&server);
    peer.introduce();
    server.program.stderr.wait_for("session 2: peer 1");
    // The client does not read the pongs to its pings either.
    let ping = rmp_serde::to_vec_named(&json!({"type": "ping", "id": 1})).expect("MessagePack");
    let pings = message_of(0, &ping).repeat(1000);
    peer.0.get_ref().set_write_timeout(Some(Duration::from_millis(100))).expect("a limit");
    for _ in 0..20 {
        peer.write(&pings);
    }
    let good = server.client(&["--link", "tcp"]).end().expect(0);
    assert_eq!(rows(&good.stdout).len(), 200);
    let after = resident();
    assert!(after < before + COST_BYTES, "{after} bytes resident, {before} before");
    server.program.stderr.wait_for("session 2: the client is gone: ");
}

#[test]
fn thousands_of_small_control_messages_are_answered_and_harm_nobody() {
    let server = Server::start(&["--frames", "30"]);
    let mut peer = Peer::client(&server);
    peer.introduce();
    let ping = rmp_serde::to_vec_named(&json!({"type": "ping", "id": 7})).expect("MessagePack");
    let mut sending = peer.0.get_ref().try_clone().expect("a stream");
    spawn(move || (0..20).try_for_each(|_| sending.write_all(&message_of(0, &ping).repeat(1000))));
    let mut pongs = 0;
    while pongs < 20_000 {
        let mut header = [0; 5];
        peer.0.read_exact(&mut header).expect("a header");
        let mut payload = vec![0; u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize];
        peer.0.read_exact(&mut payload).expect("a payload");
        pongs += usize::from(payload.windows(4).any(|text| text == b"pong"));
    }
    serves_a_good_client(&server);
}

#[test]
fn a_server_that_breaks_the_framing_ends_the_client_with_the_cause() {
    let cases: [(&[u8], bool, &str); 5] = [
        (&[0xff, 0xff, 0xff, 0xff, 1], false, "it sent a message of 4294967295 bytes: at most 201392153 are accepted"),
        (&[0, 0, 0, 1, 3, 0], false, "it sent a message on lane 3"),
        (&[0, 4, 0xb0, 0, 1, 1, 2, 3], true, "it closed the link in the middle of a message"),
        (&[0x01, 0, 0, 0, 0], false, "it sent a message of 16777216 bytes: at most 65561 are accepted"),
        (&[], true, "it closed the link"),
    ];
    for (bytes, ends, cause) in cases {
        for is_introduced in [true, false] {
            let (mut peer, client) = Peer::server();
            if is_introduced {
                peer.send(0, &hello());
            }
            peer.write(bytes);
            if ends {
                peer.0.get_ref().shutdown(Shutdown::Write).expect("open");
            }
            client.end().expect(3).says(cause);
        }
    }
}

#[test]
fn a_server_that_never_says_hello_is_left() {
    let (_peer, client) = Peer::server();
    client.end().expect(3).says("the server is gone: ");
}

#[test]
fn a_frame_before_the_hello_is_ignored_with_a_warning() {
    let (mut peer, client) = Peer::server();
    let early = json!({"type": "frame", "id": 0});
    peer.send(1, &json!([0, 0, 1, early]));
    peer.send(0, &hello());
    peer.send(0, &json!({"type": "bye", "reason": "that was all"}));
    let ended = client.end().expect(3).says("ignoring a message: it is a frame before the hello");
    ended.says("the server said bye before the first frame: that was all");
}

/// Number of lines about the beginnings of sessions, or about their ends, and of the sessions that they are about: one
/// each, and those that they count.
fn accounted(lines: &[String], beginnings: bool) -> (usize, usize) {
    let is_meant = |line: &&String| line.contains("server: session ") && line.contains(" at 127.0.0.1:") == beginnings;
    let lines = lines.iter().filter(is_meant);
    let more = |line: &String| line.split("(and ").nth(1)?.split(' ').next()?.parse::<usize>().ok();
    lines.fold((0, 0), |(said, all), line| (said + 1, all + 1 + more(line).unwrap_or_default()))
}

#[test]
fn a_flood_of_sessions_that_begin_and_end_at_once_is_logged_in_few_lines_that_count_them_all() {
    const SESSIONS: usize = 600;
    let mut server = Server::start(&["--frames", "30"]);
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                for _ in 0..SESSIONS / 10 {
                    let mut peer = Peer::client(&server);
                    peer.introduce();
                    peer.0.get_ref().shutdown(Shutdown::Write).expect("open");
                    peer.until_closed();
                }
            });
        }
    });
    serves_a_good_client(&server);
    server.program.signal("TERM");
    let lines = server.end().expect(0).stderr;
    for beginnings in [true, false] {
        let (said, all) = accounted(&lines, beginnings);
        assert!(all > SESSIONS && said < SESSIONS / 3 * 2, "{said} lines about {all} sessions: {lines:#?}");
    }
}
