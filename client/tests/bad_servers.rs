//! If a listener is not a Plumb server, the client prints one clear line and exits with code 3. It never hangs.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use testkit::program::{Ended, Program, command};

/// Runs a client against a listener that treats each visitor with this function.
fn run(wait: &str, treat: impl Fn(TcpStream) + Send + 'static) -> Ended {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(treat));
    let mut client = command("client");
    client.args([&address, "--no-graphics", "--wait", wait]);
    Program::start(client).end()
}

/// Sends something and stays connected for as long as the test runs.
fn saying(bytes: Vec<u8>) -> impl Fn(TcpStream) + Send {
    move |mut stream| {
        let _ = stream.write_all(&bytes);
        std::mem::forget(stream);
    }
}

#[test]
fn bytes_that_are_not_signaling_are_quoted() {
    let cases: [(&[u8], &str); 6] = [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP/1.1 400 Bad Request"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0"),
        (b"\xff\xfe\x00\n", "not a signaling message"),
        (b"{\"type\":\"dance\"}\n", "dance"),
        (b"{\"type\":\"offer\",\"sdp\":\"v=0\"}\n", "WebRTC"),
        (b"{\"type\":\"error\",\"reason\":\"closed on Sundays\"}\n", "it refused: closed on Sundays"),
    ];
    for (bytes, words) in cases {
        let ended = run("30s", saying(bytes.to_vec())).expect(3).says(words);
        assert_eq!(ended.stderr.len(), 1, "one line: {:#?}", ended.stderr);
    }
}

#[test]
fn a_hello_that_cannot_be_used_is_refused_at_once_with_the_field() {
    // In MessagePack: {"type": "hello", "protocol": 1, "name": "s", "version": "1", "role": "source", "stream": {"width":
    // 4, "meta": {"place": [1]}}}.
    let hello = b"\x86\xa4type\xa5hello\xa8protocol\x01\xa4name\xa1s\xa7version\xa11\xa4role\xa6source\xa6stream\x82\
                  \xa5width\x04\xa4meta\x81\xa5place\x91\x01";
    let length = u32::try_from(hello.len()).expect("small").to_be_bytes();
    let bytes = [&b"{\"type\":\"link\",\"link\":\"tcp\"}\n"[..], &length, &[0], hello].concat();
    over_tcp(bytes).expect(3).says(
        "its hello cannot be used: malformed message: meta is not a map from texts to true, false, numbers and texts",
    );
}

/// Runs a client that asks for the link tcp, against a server that says this.
fn over_tcp(bytes: Vec<u8>) -> Ended {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address").to_string();
    let treat = saying(bytes);
    thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(treat));
    let mut client = command("client");
    client.args([&address, "--no-graphics", "--link", "tcp"]);
    Program::start(client).end()
}

#[test]
fn a_link_that_was_not_asked_for_is_named() {
    let ended = over_tcp(b"{\"type\":\"link\",\"link\":\"smoke\"}\n".to_vec()).expect(3);
    ended.says("it gives the link \"smoke\", and tcp was asked for");
}

#[test]
fn an_endless_line_is_cut_off() {
    run("30s", saying(vec![b'x'; 1 << 20])).expect(3).says("longer than 65536 bytes");
}

#[test]
fn an_early_end_is_followed_by_other_attempts_and_reported() {
    let ended = run("150ms", drop).expect(3);
    assert!(ended.stderr.len() <= 2, "{:#?}", ended.stderr);
    // Which of the two errors appears depends on whether the hello was already on its way.
    assert!(ended.stderr.iter().any(|line| line.contains("closed") || line.contains("reset")), "{:#?}", ended.stderr);
}

#[test]
fn silence_ends_in_a_clear_line() {
    let ended = run("1s", saying(Vec::new())).expect(3).says("no signaling message for");
    // The client waits ten seconds for a line. A busy machine needs some time more.
    assert!(ended.elapsed < Duration::from_secs(15), "took {:?}", ended.elapsed);
}
