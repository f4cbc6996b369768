//! Admission: the option `--token-file` of both programs, over each protocol and link, and peers without the token.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use shared::admission::{Nonce, Nonces, Token};
use shared::protocol::message::Role;
use tempfile::TempDir;
use testkit::ends::{ListeningClient, Server};
use testkit::program::{Program, command, command_after};
use testkit::report::{ReportFile, only_session};

const TOKEN: &str = "a token of tests";

/// Files with tokens, and without.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a folder"));
        for (name, contents) in
            [("token", TOKEN), ("other", "another of tests"), ("short", "fifteen letters"), ("empty", "")]
        {
            files.write(name, contents);
        }
        files
    }

    fn write(&self, name: &str, contents: &str) {
        let path = self.path(name);
        std::fs::write(&path, contents).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("permissions");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The option with this file; nothing for none.
    fn option(&self, name: Option<&str>) -> Vec<String> {
        let path = name.map(|name| self.path(name).display().to_string());
        path.map_or_else(Vec::new, |path| vec!["--token-file".into(), path])
    }
}

fn with<'a>(options: &[&'a str], more: &'a [String]) -> Vec<&'a str> {
    options.iter().copied().chain(more.iter().map(String::as_str)).collect()
}

#[test]
fn peers_with_the_same_token_have_a_session_over_every_link_whoever_calls() {
    let files = Files::new();
    let token = files.option(Some("token"));
    for link in ["webrtc", "tcp", "grpc"] {
        let report = ReportFile::new();
        let server = Server::start(&with(&["--once", "--frames", "5", "--json", report.name()], &token));
        server.client(&with(&["--link", link], &token)).end().expect(0);
        server.end().expect(0);
        assert_eq!(only_session(&report.read())["frames"]["circle"], 5, "{link}");
        let client = ListeningClient::start(&with(&[], &token));
        client.called(&with(&["--frames", "5", "--link", link], &token)).end().expect(0);
        client.stop().expect(0);
    }
}

#[test]
fn a_run_in_one_process_and_live_delivery_work_with_a_token() {
    let files = Files::new();
    let token = files.option(Some("token"));
    for more in [&["--link", "webrtc"][..], &["--delivery", "live"], &["--link", "tcp"]] {
        let options = [&["--loopback", "--frames", "5", "--no-graphics"], more].concat();
        let mut server = command("server");
        server.args(with(&options, &token));
        Program::start(server).end().expect(0);
    }
}

#[test]
fn a_token_at_one_end_only_or_another_token_is_refused_with_the_option_to_add_or_change() {
    let files = Files::new();
    let (sink, source) =
        ("the client proves none: start the client with --token-file FILE", "the server proves none: start");
    let other = "the proof fails: the two ends have different tokens";
    for (ours, theirs, said) in
        [(Some("token"), None, sink), (None, Some("token"), source), (Some("token"), Some("other"), other)]
    {
        let (ours, theirs) = (files.option(ours), files.option(theirs));
        for link in ["webrtc", "tcp", "grpc"] {
            let server = Server::start(&with(&[], &ours));
            let client = server.client(&with(&["--link", link, "--wait", "10s"], &theirs));
            client.stderr.wait_for(said);
            client.end().expect(3);
            let client = ListeningClient::start(&with(&[], &theirs));
            let calling = client.called(&with(&["--link", link, "--wait", "10s"], &ours));
            calling.stderr.wait_for(said);
            calling.end().expect(3);
        }
    }
}

/// A bare connection that sends these lines.
struct Peer(BufReader<TcpStream>);

impl Peer {
    fn of(server: &Server) -> Self {
        Self(BufReader::new(server.connect()))
    }

    fn say(&mut self, line: &Value) {
        writeln!(self.0.get_mut(), "{line}").expect("sent");
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_default()
    }

    /// Says hello with a nonce, and returns the nonces of both ends.
    fn challenged(&mut self) -> Nonces {
        let sink = Nonce::new().expect("random bytes");
        self.say(&hello(&sink.to_string()));
        let challenge = self.receive();
        assert_eq!(challenge["type"], "challenge", "{challenge}");
        Nonces { source: challenge["nonce"].as_str().expect("a nonce").parse().expect("a nonce"), sink }
    }

    fn prove(&mut self, proof: &impl ToString) -> Value {
        self.say(&serde_json::json!({"type": "proof", "proof": proof.to_string()}));
        self.receive()
    }
}

fn hello(nonce: &str) -> Value {
    serde_json::json!({"type": "hello", "plumb": 1, "role": "sink", "nonce": nonce})
}

#[test]
fn proofs_that_are_replayed_swapped_of_another_session_or_malformed_are_refused() {
    let files = Files::new();
    let server = Server::start(&with(&[], &files.option(Some("token"))));
    let token = Token::of(TOKEN.as_bytes());
    let mut first = Peer::of(&server);
    let earlier = first.challenged();
    let proof = token.prove(Role::Sink, &earlier, None);
    assert_eq!(first.prove(&proof)["type"], "offer");

    let refused = |said: &Value, reason: &str| {
        assert!(said["type"] == "error" && said["reason"].as_str().is_some_and(|text| text.contains(reason)), "{said}");
    };
    let mut replaying = Peer::of(&server);
    replaying.challenged();
    refused(&replaying.prove(&proof), "different tokens");
    let mut swapping = Peer::of(&server);
    let nonces = swapping.challenged();
    refused(&swapping.prove(&token.prove(Role::Source, &nonces, None)), "different tokens");
    let mut short = Peer::of(&server);
    short.challenged();
    refused(&short.prove(&"00"), "64 hexadecimal digits");
    for nonce in ["", "00", &"0".repeat(66)] {
        let mut wrong = Peer::of(&server);
        wrong.say(&hello(nonce));
        refused(&wrong.receive(), "64 hexadecimal digits");
    }
    let mut talking = Peer::of(&server);
    talking.challenged();
    talking.say(&serde_json::json!({"type": "ping"}));
    refused(&talking.receive(), "expected a proof, got \"ping\"");
    let mut reflecting = Peer::of(&server);
    let sink = Nonce::new().expect("random bytes");
    reflecting.say(&hello(&sink.to_string()));
    let challenge = reflecting.receive();
    refused(&reflecting.prove(&challenge["proof"].as_str().expect("a proof")), "different tokens");
}

#[test]
fn an_answer_without_a_proof_over_the_certificates_opens_nothing() {
    let files = Files::new();
    let server = Server::start(&with(&[], &files.option(Some("token"))));
    let mut peer = Peer::of(&server);
    let nonces = peer.challenged();
    let offer = peer.prove(&Token::of(TOKEN.as_bytes()).prove(Role::Sink, &nonces, None));
    // The server can read its own description, so this answer fails only for its missing proof.
    peer.say(&serde_json::json!({"type": "answer", "sdp": offer["sdp"]}));
    let said = peer.receive();
    assert!(said["reason"].as_str().is_some_and(|reason| reason.contains("is not for this link")), "{said}");
}

#[test]
fn a_stranger_gets_no_offer_where_there_is_a_token() {
    let files = Files::new();
    let server = Server::start(&with(&[], &files.option(Some("token"))));
    let said = Peer::of(&server).receive();
    assert_eq!(said["type"], "error");
    assert!(said["reason"].as_str().is_some_and(|reason| reason.contains("the server has a token")), "{said}");
}

#[test]
fn two_thousand_failing_proofs_are_logged_in_a_line_per_second_and_the_session_loses_no_frame() {
    let files = Files::new();
    let token = files.option(Some("token"));
    let report = ReportFile::new();
    let server = Server::start(&with(&["--once", "--frames", "240", "--fps", "60", "--json", report.name()], &token));
    let client = server.client(&token.iter().map(String::as_str).collect::<Vec<_>>());
    client.stderr.wait_for("connected to ");
    for _ in 0..2_000 {
        let Ok(stream) = TcpStream::connect(&server.address) else { break };
        let mut peer = BufReader::new(stream);
        let wrong = "00".repeat(32);
        let sent =
            writeln!(peer.get_mut(), "{}\n{}", hello(&wrong), serde_json::json!({"type": "proof", "proof": wrong}));
        if sent.is_err() {
            break;
        }
    }
    client.end().expect(0);
    let log = server.end().stderr;
    assert_eq!(only_session(&report.read())["frames"]["circle"], 240);
    let lines = log.iter().filter(|line| line.contains("different tokens")).count();
    assert!((1..=20).contains(&lines), "{lines} lines");
}

#[test]
fn a_file_without_a_token_is_refused_before_anything_runs() {
    let files = Files::new();
    for (name, said) in [
        ("missing", "cannot read the token from"),
        ("empty", "holds no token"),
        ("short", "has 15 bytes, at least 16 are needed"),
        (".", "cannot read the token from"),
    ] {
        for program in ["server", "client"] {
            let mut command = command(program);
            command.arg("--no-graphics").args(files.option(Some(name)));
            let log = Program::start(command).end().expect(2).stderr.join("\n");
            assert!(log.contains(said) && !log.contains("fifteen"), "{program}: {log}");
        }
    }
}

#[test]
fn a_token_file_that_others_can_read_gets_a_warning() {
    let files = Files::new();
    std::fs::set_permissions(files.path("token"), PermissionsExt::from_mode(0o644)).expect("permissions");
    let server = Server::start(&with(&[], &files.option(Some("token"))));
    server.program.stderr.wait_for("other users can read the token in");
}

#[test]
fn listening_beyond_this_machine_without_a_token_gives_one_warning() {
    const SAID: &str = "anyone who reaches this port can use it: --token-file FILE";
    let files = Files::new();
    for (name, wanted) in [(None, 1), (Some("token"), 0)] {
        let token = files.option(name);
        let server = Server::start(&with(&["--once", "--frames", "3", "--listen", "0.0.0.0:0"], &token));
        let here = server.address.replace("0.0.0.0", "127.0.0.1");
        testkit::ends::client(&here, &token.iter().map(String::as_str).collect::<Vec<_>>()).end().expect(0);
        assert_eq!(server.end().stderr.join("\n").matches(SAID).count(), wanted);
    }
    let server = Server::start(&["--once", "--frames", "3"]);
    server.client(&[]).end().expect(0);
    assert_eq!(server.end().stderr.join("\n").matches(SAID).count(), 0, "this machine alone");
}

#[test]
fn a_new_token_is_readable_only_by_its_owner_and_never_overwritten() {
    let files = Files::new();
    let path = files.path("made");
    let make = || {
        let mut server = command("server");
        server.arg("token").arg(&path);
        Program::start(server).end()
    };
    make().expect(0);
    let made = std::fs::read_to_string(&path).expect("a token");
    assert_eq!((made.len(), made.trim_end().len()), (65, 64));
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    make().expect(2);
    assert_eq!(std::fs::read_to_string(&path).expect("a token"), made);
}

#[test]
fn no_log_report_or_file_of_a_run_holds_the_token() {
    let files = Files::new();
    let token = files.option(Some("token"));
    let out = files.path("out").display().to_string();
    let options = ["--loopback", "--frames", "3", "--no-graphics", "-vvv", "--out", &out];
    let mut server = command("server");
    server.args(with(&options, &token));
    let ended = Program::start(server).end().expect(0);
    assert!(![ended.stderr, ended.stdout].concat().join("\n").contains(TOKEN));
    for entry in std::fs::read_dir(&out).expect("a folder") {
        let path = entry.expect("a file").path();
        let bytes = std::fs::read(&path).expect("a file");
        assert!(!bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()), "{}", path.display());
    }
}

#[test]
fn a_server_whose_token_or_key_comes_through_a_pipe_says_that_it_waits_and_can_be_stopped() {
    let files = Files::new();
    let pipe = files.path("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let pipe = pipe.to_str().expect("UTF-8");
    let token = files.option(Some("token"));
    for options in [
        vec!["--token-file", pipe],
        with(&["--identity", pipe], &token),
        vec!["--tls-cert", pipe, "--tls-key", pipe],
        vec!["--tls-ca", pipe],
    ] {
        let mut server = command("server");
        server.args(["--no-graphics", "--listen", "127.0.0.1:0"]).args(&options);
        let mut server = Program::start(server);
        server.stderr.wait_for("waiting for somebody to write");
        server.signal("TERM");
        // A stop before the first frame is none that the user has to look into.
        let ended = server.end();
        assert!(!ended.said().contains("panicked"), "{options:?}: {}", ended.said());
        ended.expect(0);
    }
    // Once somebody writes, it goes on.
    let mut server = command("server");
    server.args(["--no-graphics", "--listen", "127.0.0.1:0", "--token-file", pipe]);
    let mut server = Program::start(server);
    server.stderr.wait_for("waiting for somebody to write");
    std::fs::write(pipe, TOKEN).expect("the pipe");
    server.stderr.wait_for("listening on");
    server.signal("TERM");
    server.end().expect(0);
}

#[test]
fn a_full_disk_leaves_no_empty_token_or_key() {
    let files = Files::new();
    let token = files.option(Some("token"));
    let made = files.path("made");
    let path = made.to_str().expect("UTF-8");
    let key = with(&["--no-graphics", "--listen", "127.0.0.1:0", "--identity", path], &token);
    for (options, code) in [(vec!["token", path], 4), (key, 2)] {
        let mut server = command_after("ulimit -f 0", "server");
        server.args(&options);
        Program::start(server).end().expect(code).says("File too large");
        let left: Vec<_> = std::fs::read_dir(files.path(""))
            .expect("the folder")
            .map(|file| file.expect("a file").file_name())
            .collect();
        assert_eq!(left.len(), 4, "{options:?} left {left:?}");
    }
}
