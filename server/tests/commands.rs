//! Commands to the client, as lines on its stdin, end to end: next frame (`--pull`), quit, and quit both.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ChildStdin;
use std::thread::spawn;

use image::GrayImage;
use shared::protocol::encoding::StreamEncoding;
use shared::protocol::message::{Control, control_bytes, decode_control};
use testkit::ends::{Server, free_address};
use testkit::greeting::server_hello;
use testkit::program::{Program, command, poll};
use testkit::report::{ReportFile, only_session, rows, sessions};

/// The links over which another process can connect.
const LINKS: [&str; 2] = ["webrtc", "tcp"];

/// A client without a terminal that reads commands from the pipe.
fn commanded(address: &str, options: &[&str]) -> (Program, ChildStdin) {
    let mut client = command("client");
    client.args([address, "--no-graphics", "--commands"]).args(options);
    Program::start_with_stdin(client)
}

fn say(stdin: &mut ChildStdin, text: impl AsRef<[u8]>) {
    stdin.write_all(text.as_ref()).expect("the client reads");
}

/// Waits until the server has scored this many frames.
#[track_caller]
fn scored(server: &Server, frames: usize) {
    let all = || rows(&server.program.stdout.so_far()).len();
    poll(|| (all() >= frames).then_some(())).unwrap_or_else(|| panic!("{} of {frames} frames scored", all()));
}

#[test]
fn five_times_n_are_five_frames_and_all_are_scored() {
    for link in LINKS {
        let report = ReportFile::new();
        let server = Server::start(&["--once", "--fps", "1000", "--json", report.name()]);
        let (client, mut stdin) = commanded(&server.address, &["--pull", "--link", link]);
        // Two commands in one write, a write for half of a line, and three commands in one write.
        for part in ["n\nn\n", "n", "\nn\nn\n"] {
            say(&mut stdin, part);
        }
        scored(&server, 5);
        say(&mut stdin, "q\n");
        assert_eq!(rows(&client.end().expect(0).stdout).len(), 5);
        server.end().expect(0);
        let report = report.read();
        let session = only_session(&report);
        let frames = &session["frames"];
        let counts = ["sent", "answered", "skipped", "late"].map(|name| frames[name].as_u64().expect("a count"));
        assert_eq!(counts, [5, 5, 0, 0], "{frames}");
        assert_eq!(session["client"]["pull"], true);
        assert_eq!(session["end"]["reason"], "the client stops");
        assert_eq!(session["ignored_messages"], 0);
    }
}

#[test]
fn frames_of_files_wait_until_they_are_asked_for_and_none_is_lost() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    for name in ["a", "b", "c"] {
        GrayImage::new(64, 48).save(folder.path().join(format!("{name}.png"))).expect("written");
    }
    let report = ReportFile::new();
    let source = folder.path().to_str().expect("UTF-8");
    let server = Server::start(&["--once", "--fps", "1000", "--source", source, "--json", report.name()]);
    let (client, mut stdin) = commanded(&server.address, &["--pull"]);
    for frames in 1..=3 {
        say(&mut stdin, "n\n");
        scored(&server, frames);
    }
    // The fourth request finds the end of the source.
    say(&mut stdin, "n\n");
    client.end().expect(0).says("the server said bye: finished");
    server.end().expect(0);
    let report = report.read();
    let session = only_session(&report);
    assert_eq!((&session["frames"]["sent"], &session["frames"]["skipped"]), (&3.into(), &0.into()));
    assert!(session["source"]["late"].is_null(), "there are no ticks: {}", session["source"]);
}

#[test]
fn a_client_that_asks_for_every_frame_may_have_them_as_fast_as_it_writes() {
    let server = Server::start(&["--once", "--frames", "300", "--fps", "1"]);
    let (client, mut stdin) = commanded(&server.address, &["--pull", "--link", "tcp"]);
    // Fails once the client has ended.
    spawn(move || while stdin.write_all(b"n\n").is_ok() {});
    assert_eq!(rows(&client.end().expect(0).stdout).len(), 300);
    server.end().expect(0);
}

#[test]
fn q_ends_the_client_alone_and_the_server_serves_the_next() {
    for link in LINKS {
        let server = Server::start(&["--let-clients-stop"]);
        for _ in 0..2 {
            let (client, mut stdin) = commanded(&server.address, &["--link", link]);
            client.stdout.wait_for_count(3);
            say(&mut stdin, "q\n");
            client.end().expect(0);
        }
        server.program.stderr.wait_for("session 2: the client left: the client stops");
    }
}

#[test]
fn x_ends_both_if_the_server_lets_clients_stop_it() {
    for link in LINKS {
        let report = ReportFile::new();
        let options = ["--once", "--frames", "100000", "--let-clients-stop", "--json", report.name()];
        let server = Server::start(&options);
        let (client, mut stdin) = commanded(&server.address, &["--link", link]);
        // The client's own rows may be ahead of the server's.
        scored(&server, 7);
        say(&mut stdin, "x\n");
        client.end().expect(0).says("the server stops too");
        server.end().expect(0).says("session 1: its client stops the server");
        let report = report.read();
        let session = only_session(&report);
        assert_eq!(
            (&session["end"]["kind"], &report["run"]["config"]["let_clients_stop"]),
            (&"stopped".into(), &true.into())
        );
        assert!(session["frames"]["answered"].as_u64() >= Some(7));
    }
}

#[test]
fn x_ends_the_sessions_of_the_others_too() {
    let report = ReportFile::new();
    let server = Server::start(&["--let-clients-stop", "--json", report.name()]);
    let other = server.client(&[]);
    other.stdout.wait_for_count(3);
    let (client, mut stdin) = commanded(&server.address, &["--pull"]);
    // Before any frame.
    say(&mut stdin, "x\n");
    client.end().expect(0);
    other.end().expect(0).says("the server said bye: the server stops");
    server.end().expect(0);
    assert_eq!(sessions(&report.read()).len(), 2);
}

#[test]
fn x_ends_only_the_client_if_the_server_refuses_and_says_why() {
    for link in LINKS {
        let server = Server::start(&[]);
        let (client, mut stdin) = commanded(&server.address, &["--link", link, "--pull"]);
        say(&mut stdin, "n\nx\n");
        let said = "the server stays: it was started without --let-clients-stop; only this client ends";
        client.end().expect(4).says(said);
        let (next, mut stdin) = commanded(&server.address, &[]);
        next.stdout.wait_for_count(3);
        say(&mut stdin, "q");
        drop(stdin);
        next.end().expect(0);
    }
}

#[test]
fn the_session_continues_after_the_end_of_stdin() {
    let server = Server::start(&["--once", "--frames", "60"]);
    let (client, stdin) = commanded(&server.address, &[]);
    drop(stdin);
    assert_eq!(rows(&client.end().expect(0).stdout).len(), 60);
    server.end().expect(0);
}

#[test]
fn wrong_lines_are_named_and_the_session_goes_on() {
    let server = Server::start(&["--once"]);
    let (client, mut stdin) = commanded(&server.address, &["--pull"]);
    say(&mut stdin, "next\n");
    let said = client.stderr.wait_for("is not a command");
    assert!(said.contains("\"next\" is not a command: write n (next frame), q (quit the client) or x"), "{said}");
    say(&mut stdin, vec![0xff; 3 << 20]);
    say(&mut stdin, "\n\n\r\n\0\n n \r\n");
    scored(&server, 1);
    say(&mut stdin, "q\n");
    let ended = client.end().expect(0);
    assert!(ended.stderr.iter().all(|line| line.chars().count() < 250), "{:#?}", ended.stderr);
    server.end().expect(0);
}

#[test]
fn without_pull_the_command_n_has_no_effect_and_a_message_says_so() {
    let server = Server::start(&["--once", "--frames", "200"]);
    let (client, mut stdin) = commanded(&server.address, &[]);
    say(&mut stdin, "n\n");
    assert_eq!(rows(&client.end().expect(0).says("unless the client is started with --pull").stdout).len(), 200);
    server.end().expect(0);
}

#[test]
fn a_client_that_nobody_can_command_does_not_wait_for_commands() {
    let mut client = command("client");
    client.args(["127.0.0.1:1", "--no-graphics", "--pull"]);
    Program::start(client).end().expect(2).says("add --commands");
}

#[test]
fn a_client_without_a_server_takes_commands_too() {
    for (said, why) in [("q\n", "stopped before there was a session"), ("n\nx\n", "no server to stop at 127.0.0.1:")] {
        let (client, mut stdin) = commanded(&free_address().to_string(), &["--pull", "--wait", "forever"]);
        client.stderr.wait_for("waiting for a server");
        say(&mut stdin, said);
        client.end().expect(3).says(why);
    }
}

/// A server over tcp whose hello names no features. Returns its address, and then the client's last message on control.
fn old_server() -> (String, std::thread::JoinHandle<Option<Control>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let serving = spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut reader = BufReader::new(stream.try_clone().expect("a descriptor"));
        reader.read_line(&mut String::new()).expect("a hello");
        stream.write_all(b"{\"type\":\"link\",\"link\":\"tcp\"}\n").expect("sent");
        let mut hello = server_hello("ack", StreamEncoding::Raw);
        hello.features.clear();
        send(&mut stream, &Control::Hello(hello));
        let mut last = None;
        while let Some(message) = receive(&mut reader) {
            last = decode_control(&message).ok();
        }
        last
    });
    (address, serving)
}

fn send(stream: &mut TcpStream, message: &Control) {
    let bytes = control_bytes(message).expect("encoded");
    let length = u32::try_from(bytes.len()).expect("a small message").to_be_bytes();
    stream.write_all(&[&length[..], &[0], &bytes].concat()).expect("sent");
}

fn receive(reader: &mut impl Read) -> Option<Vec<u8>> {
    let mut header = [0; 5];
    reader.read_exact(&mut header).ok()?;
    let mut payload = vec![0; u32::from_be_bytes(*header.first_chunk().expect("four bytes")) as usize];
    reader.read_exact(&mut payload).ok()?;
    Some(payload)
}

#[test]
fn a_server_without_pull_is_refused_with_the_reason() {
    let (address, serving) = old_server();
    let (client, _stdin) = commanded(&address, &["--link", "tcp", "--pull"]);
    client.end().expect(3).says("it cannot send frames on request: leave out --pull, or use a newer server");
    let Some(Control::Bye(bye)) = serving.join().expect("served") else { panic!("no bye") };
    assert!(bye.reason.contains("leave out --pull"), "{}", bye.reason);
}

#[test]
fn a_client_leaves_a_server_that_it_cannot_stop() {
    let (address, serving) = old_server();
    let (client, mut stdin) = commanded(&address, &["--link", "tcp"]);
    say(&mut stdin, "x\n");
    client.end().expect(4).says("the server stays: its version cannot be stopped by a client");
    assert!(matches!(serving.join().expect("served"), Some(Control::Bye(_))));
}
