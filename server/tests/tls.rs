//! TLS (`--tls-cert`, `--tls-key`, `--tls-ca`) and a server's identity (`--identity`, `--server-id`), with the real
//! programs: what is refused, and the message at each end. `doors.rs` tests the doors inside TLS.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::certificates::Certificates;
use testkit::ends::{ListeningClient, Server, free_address};
use testkit::program::{Program, command};
use testkit::python::{GrpcExample, Packages};
use testkit::report::{ReportFile, only_session};
use testkit::repository;

const HOSTS: &[&str] = &["127.0.0.1", "localhost"];

fn refs<'a>(first: &[&'a str], more: &'a [String]) -> Vec<&'a str> {
    first.iter().copied().chain(more.iter().map(String::as_str)).collect()
}

/// Invalid certificates, and what the caller says about each.
fn not_good() -> (Certificates, [(&'static str, &'static str); 3]) {
    let made = Certificates::new(HOSTS);
    made.expired(HOSTS);
    made.self_signed(HOSTS);
    made.other(&["elsewhere.example"]);
    let said = [
        ("expired", "the peer's certificate has expired"),
        ("selfsigned", "is not signed by one in the file of --tls-ca"),
        ("other", "the peer's certificate is not for 127.0.0.1, but for DnsName(\"elsewhere.example\")"),
    ];
    (made, said)
}

#[test]
fn expired_self_signed_and_misnamed_certificates_are_refused() {
    let (made, all) = not_good();
    for (name, said) in all {
        let server = Server::start(&refs(&[], &made.listening(name)));
        let client = server.client(&refs(&["--link", "tcp"], &made.calling()));
        client.stderr.wait_for(said);
        client.end().expect(3);
        server.program.stderr.wait_for("the peer does not accept this certificate");
    }
    let client = ListeningClient::start(&refs(&[], &made.listening("expired")));
    let server = client.called(&refs(&["--link", "grpc"], &made.calling()));
    server.stderr.wait_for("the peer's certificate has expired");
    server.end().expect(3);
}

#[test]
fn a_self_signed_certificate_is_accepted_if_the_caller_has_it() {
    let (made, _) = not_good();
    let server = Server::start(&refs(&["--frames", "3"], &made.listening("selfsigned")));
    let itself = made.folder().join("selfsigned.pem").display().to_string();
    server.client(&["--link", "tcp", "--tls-ca", &itself]).end().expect(0);
}

#[test]
fn the_certificate_must_be_for_the_name_that_was_called() {
    let made = Certificates::new(&["localhost"]);
    let server = Server::start(&refs(&["--frames", "3"], &made.listening("good")));
    let named = server.address.replace("127.0.0.1", "localhost");
    testkit::ends::client(&named, &refs(&["--link", "tcp"], &made.calling())).end().expect(0);
    let client = server.client(&refs(&["--link", "tcp"], &made.calling()));
    client.stderr.wait_for("is not for 127.0.0.1");
    client.end().expect(3);
}

#[test]
fn tls_without_a_certificate_is_reported_at_both_ends_and_plain_callers_are_served() {
    let made = Certificates::new(HOSTS);
    for link in ["webrtc", "tcp", "grpc"] {
        let server = Server::start(&["--frames", "3"]);
        let client = server.client(&refs(&["--link", link], &made.calling()));
        client.stderr.wait_for("the peer refused TLS (HandshakeFailure): does it have a certificate (--tls-cert)?");
        client.end().expect(3);
        server.program.stderr.wait_for("the caller speaks TLS, but this end has no certificate");
        server.client(&["--link", link]).end().expect(0);
    }
}

#[test]
fn without_a_token_plain_callers_and_tls_callers_are_served() {
    let made = Certificates::new(HOSTS);
    let server = Server::start(&refs(&["--frames", "3"], &made.listening("good")));
    for link in ["webrtc", "tcp", "grpc"] {
        server.client(&["--link", link]).end().expect(0);
        server.client(&refs(&["--link", link], &made.calling())).end().expect(0);
    }
    let mut health = command("server");
    health.args(["health", &server.address]);
    Program::start(health).end().expect(0);
}

#[test]
fn unusable_files_are_refused_at_the_start_with_the_name_of_the_option() {
    let made = Certificates::new(HOSTS);
    made.other(HOSTS);
    let path = |name: &str| made.folder().join(name).display().to_string();
    std::fs::write(path("empty"), "").expect("a file");
    let (good, key, other, empty) = (path("good.pem"), path("good.key"), path("other.key"), path("empty"));
    let missing = path("missing");
    for (options, said) in [
        (
            vec!["--tls-cert", &good, "--tls-key", &other],
            "--tls-key or PLUMB_TLS_KEY: that is not the key of the certificate",
        ),
        (vec!["--tls-cert", &good], "--tls-cert or PLUMB_TLS_CERT: a certificate needs its key"),
        (vec!["--tls-key", &key], "--tls-key or PLUMB_TLS_KEY: a certificate needs its key"),
        (vec!["--tls-cert", &key, "--tls-key", &key], "holds no certificate in PEM form"),
        (vec!["--tls-cert", &good, "--tls-key", &good], "holds no private key in PEM form"),
        (vec!["--tls-cert", &missing, "--tls-key", &key], "No such file"),
        (vec!["--tls-ca", &empty], "--tls-ca or PLUMB_TLS_CA: "),
        (vec!["--tls-ca", "/"], "cannot read /: "),
        (vec!["--tls-ca", &key], "holds no certificate in PEM form"),
    ] {
        for program in ["server", "client"] {
            let mut command = command(program);
            command.arg("--no-graphics").args(&options);
            Program::start(command).end().expect(2).says(said);
        }
    }
}

#[test]
fn a_key_that_others_can_read_causes_a_warning() {
    let made = Certificates::new(HOSTS);
    let key = made.folder().join("good.key");
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).expect("permissions");
    let server = Server::start(&refs(&[], &made.listening("good")));
    server.program.stderr.wait_for("other users can read the key in");
}

#[test]
fn a_client_waits_for_a_server_with_tls() {
    let (made, address) = (Certificates::new(HOSTS), free_address().to_string());
    let client = testkit::ends::client(&address, &refs(&["--link", "tcp", "--wait", "60s"], &made.calling()));
    client.stderr.wait_for("waiting for a server");
    let server = Server::start(&refs(&["--frames", "3", "--listen", &address], &made.listening("good")));
    client.end().expect(0);
    drop(server);
}

/// Files of a token and of identities.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a folder"));
        std::fs::write(files.path("token"), "a token of tests").expect("a file");
        std::fs::set_permissions(files.path("token"), PermissionsExt::from_mode(0o600)).expect("permissions");
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn token(&self) -> Vec<String> {
        vec!["--token-file".into(), self.path("token").display().to_string()]
    }

    /// A server with this identity, and its fingerprint.
    fn server(&self, name: &str) -> (Server, String) {
        let identity = self.path(name).display().to_string();
        let token = self.token();
        let options = with(command("server"), &refs(&["--frames", "3", "--identity", &identity], &token));
        let program = Program::start(options);
        let line = program.stderr.wait_for("clients name this server by --server-id ");
        let id = line.rsplit(' ').next().expect("a fingerprint").to_owned();
        (Server::listening(program), id)
    }
}

fn with(mut server: Command, options: &[&str]) -> Command {
    server.args(["--no-graphics", "--listen", "127.0.0.1:0"]).args(options);
    server
}

#[test]
fn over_every_link_only_the_named_server_is_accepted_and_its_identity_stays() {
    let files = Files::new();
    let token = files.token();
    let (server, id) = files.server("one");
    let (other, other_id) = files.server("two");
    assert_ne!(id, other_id);
    for link in ["webrtc", "tcp", "grpc"] {
        server.client(&refs(&["--link", link, "--server-id", &id], &token)).end().expect(0);
        server.client(&refs(&["--link", link], &token)).end().expect(0);
        let client = other.client(&refs(&["--link", link, "--server-id", &id], &token));
        client.stderr.wait_for(&format!("this is not the server of --server-id: its fingerprint is {other_id}"));
        client.end().expect(3);
    }
    drop(server);
    assert_eq!(files.server("one").1, id, "kept");
    let mode = std::fs::metadata(files.path("one")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let nameless = Server::start(&refs(&[], &token));
    let client = nameless.client(&refs(&["--server-id", &id], &token));
    client.stderr.wait_for("the server shows no identity");
    client.end().expect(3);
}

#[test]
fn a_client_that_listens_accepts_only_the_named_server() {
    let files = Files::new();
    let token = files.token();
    let (_, id) = files.server("one");
    files.server("two");
    for link in ["webrtc", "tcp", "grpc"] {
        let client = ListeningClient::start(&refs(&["--server-id", &id], &token));
        for (name, exit) in [("two", 3), ("one", 0)] {
            let identity = files.path(name).display().to_string();
            let options = ["--link", link, "--frames", "3", "--identity", &identity];
            client.called(&refs(&options, &token)).end().expect(exit);
        }
    }
}

#[test]
fn an_identity_needs_a_token_and_a_file_with_a_key() {
    let files = Files::new();
    let (identity, token) = (files.path("identity").display().to_string(), files.path("token").display().to_string());
    let id = "00".repeat(32);
    for (program, options, said) in [
        ("server", vec!["--identity", &identity], "--identity: a server signs its proof of a token: add --token-file"),
        ("client", vec!["--server-id", &id], "--server-id: a server signs its proof of a token: add --token-file"),
        ("server", vec!["--identity", &token, "--token-file", &token], "holds no server's key"),
        ("server", vec!["--identity", "/nowhere/x", "--token-file", &token], "cannot read or make /nowhere/x"),
        ("client", vec!["--server-id", "abc"], "is not the fingerprint of a server"),
    ] {
        let mut command = command(program);
        command.arg("--no-graphics").args(options);
        let log = Program::start(command).end().expect(2).stderr.join("\n");
        assert!(log.contains(said) && !log.contains("a token of tests"), "{log}");
    }
}

#[test]
fn the_example_on_aiortc_proves_its_token_inside_tls() {
    let (made, files) = (Certificates::new(HOSTS), Files::new());
    let python = Packages::Aiortc.test_python(env!("CARGO_TARGET_TMPDIR"));
    in_python(&made, &files, &python, &repository::path("examples/aiortc_client.py"));
}

#[test]
fn the_example_in_python_over_tcp_proves_its_token_inside_tls() {
    let (made, files) = (Certificates::new(HOSTS), Files::new());
    let python = Packages::Aiortc.test_python(env!("CARGO_TARGET_TMPDIR"));
    in_python(&made, &files, &python, &repository::path("examples/tcp_client.py"));
}

#[test]
fn the_example_with_stock_grpcio_proves_its_token_inside_tls() {
    let (made, files) = (Certificates::new(HOSTS), Files::new());
    let GrpcExample { python, script, .. } = &GrpcExample::new(env!("CARGO_TARGET_TMPDIR"));
    in_python(&made, &files, python, script);
}

/// Runs an example with a token, in the clear and inside TLS, and with wrong tokens and certificates.
fn in_python(made: &Certificates, files: &Files, python: &Path, script: &Path) {
    made.other(&["elsewhere.example"]);
    std::fs::write(files.path("other"), "another of tests").expect("a file");
    let token = files.token();
    let other = vec!["--token-file".to_owned(), files.path("other").display().to_string()];
    let run = |server: &Server, more: &[&Vec<String>]| {
        let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
        let mut example = Command::new(python);
        example.arg(script).args(more.iter().copied().flatten()).args([host, port]);
        Program::start(example).end()
    };
    let start = |more: &[&Vec<String>]| {
        let options: Vec<_> = more.iter().copied().flatten().cloned().collect();
        Server::start(&refs(&["--frames", "10"], &options))
    };
    for (tls, calling) in [(Vec::new(), Vec::new()), (made.listening("good"), made.calling())] {
        let report = ReportFile::new();
        let json = vec!["--once".to_owned(), "--json".to_owned(), report.name().to_owned()];
        let server = start(&[&tls, &token, &json]);
        assert_eq!(run(&server, &[&token, &calling]).expect(0).stdout, ["the server said bye: finished"]);
        server.end().expect(0);
        assert_eq!(only_session(&report.read())["frames"]["circle"], 10);
        let server = start(&[&tls, &token]);
        let refused = run(&server, &[&other, &calling]).expect(3).stderr.join("\n");
        assert!(refused.contains("token"), "{refused}");
        let refused = run(&server, &[&calling]).expect(3).stderr.join("\n");
        assert!(refused.contains("the client proves none"), "{refused}");
        let refused = run(&start(&[&tls]), &[&token, &calling]).expect(3).stderr.join("\n");
        assert!(refused.contains("the server proves none"), "{refused}");
    }
    let refused = run(&start(&[&made.listening("other"), &token]), &[&token, &made.calling()]);
    refused.expect(3);
}
