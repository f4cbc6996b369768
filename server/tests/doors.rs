//! Each cell of the table "door x TLS x token" in docs/security.md, with the real programs.
//!
//! The tests read the table. A row names a door, and whether the connection is inside TLS. The other cells say what
//! happens with a token at neither end, at both, and at one end only or with two different ones.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::Duration;

use shared::link::Kind;
use shared::tls::{Authority, Tls};
use tempfile::TempDir;
use testkit::certificates::Certificates;
use testkit::ends::{ListeningClient, Server, calling, client};
use testkit::program::Program;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Where the two ends are.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    OneMachine,
    TwoMachines,
}

/// The token files of the server and the client.
type Tokens = (Option<&'static str>, Option<&'static str>);

/// The pairs of tokens of each column.
const COLUMNS: [&[Tokens]; 3] = [
    &[(None, None)],
    &[(Some("token"), Some("token"))],
    &[(Some("token"), None), (None, Some("token")), (Some("token"), Some("other"))],
];

/// A row of the table.
struct Row {
    door: String,
    is_tls: bool,
    cells: Vec<String>,
}

/// The rows of a door: those whose first cell begins with its name.
fn rows(door: &str) -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security.md");
    let document = std::fs::read_to_string(path).expect("docs/security.md");
    let table = document.split("| door | TLS |").nth(1).expect("the table").lines();
    let rows = table.skip(2).take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
        assert_eq!(cells.len(), 5, "{line}");
        Row { door: cells[0].clone(), is_tls: cells[1] == "yes", cells: cells[2..].to_vec() }
    });
    let rows: Vec<_> = rows.filter(|row| row.door.split(", ").next() == Some(door)).collect();
    assert!(!rows.is_empty(), "the table has no door {door}");
    rows
}

/// The certificates and tokens of a test.
struct World {
    certificates: Certificates,
    tokens: TempDir,
    /// An address of this machine that others could reach; `None` if it has none.
    outer: Option<IpAddr>,
}

impl World {
    fn new() -> Self {
        let outer = outer_address();
        let name = outer.map_or_else(|| "localhost".into(), |address| address.to_string());
        let certificates = Certificates::new(&["127.0.0.1", &name]);
        let tokens = tempfile::tempdir().expect("a folder");
        for (name, contents) in [("token", "a token of tests"), ("other", "another of tests")] {
            std::fs::write(tokens.path().join(name), contents).expect("a file");
        }
        Self { certificates, tokens, outer }
    }

    fn address(&self, place: Place) -> Option<IpAddr> {
        match place {
            Place::OneMachine => Some([127, 0, 0, 1].into()),
            Place::TwoMachines => self.outer,
        }
    }

    fn token(&self, name: Option<&str>) -> Vec<String> {
        let path = |name: &str| self.tokens.path().join(name).display().to_string();
        name.map_or_else(Vec::new, |name| vec!["--token-file".into(), path(name)])
    }

    /// The TLS options of the listening end and of the calling end.
    fn tls(&self, is_tls: bool) -> [Vec<String>; 2] {
        if is_tls { [self.certificates.listening("good"), self.certificates.calling()] } else { Default::default() }
    }

    /// Runs a session where the client calls. Returns whether it was served.
    fn client_calls(&self, link: &str, at: IpAddr, is_tls: bool, (ours, theirs): Tokens) -> bool {
        let ([listening, calls], listen) = (self.tls(is_tls), format!("{at}:0"));
        let options = strs(&["--listen", &listen, "--frames", "3"], &[&listening, &self.token(ours)]);
        let server = Server::start(&refs(&options));
        let options = strs(&["--link", link, "--wait", "10s"], &[&calls, &self.token(theirs)]);
        served(client(&server.address, &refs(&options)))
    }

    /// Runs a session where the server calls. Returns whether it was served.
    fn server_calls(&self, link: &str, at: IpAddr, is_tls: bool, (ours, theirs): Tokens) -> bool {
        let ([listening, calls], listen) = (self.tls(is_tls), format!("{at}:0"));
        let options = strs(&["--listen", &listen], &[&listening, &self.token(theirs)]);
        let mut program = testkit::program::command("client");
        program.arg("--no-graphics").args(&options);
        let program = Program::start(program);
        let line = program.stderr.wait_for("listening on ");
        let client = ListeningClient { address: testkit::ends::address(&line).expect("an address").into(), program };
        let options = strs(&["--link", link, "--frames", "3", "--wait", "10s"], &[&calls, &self.token(ours)]);
        served(calling(&client.address, &refs(&options)))
    }

    /// The answer of a server with this token to these bytes.
    fn answer(&self, is_tls: bool, token: Option<&str>, said: &str) -> String {
        let [listening, calls] = self.tls(is_tls);
        let server = Server::start(&refs(&strs(&[], &[&listening, &self.token(token)])));
        let authority = calls.get(1).map(|path| Authority::read(&PathBuf::from(path)).expect("an authority"));
        let tls = Tls { certificate: None, authority };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(&server.address).await.expect("the server listens");
            let mut socket = tls.call(stream, &server.address, Kind::Webrtc).await.expect("TLS");
            socket.write_all(said.as_bytes()).await.expect("sent");
            socket.flush().await.expect("sent");
            let (mut answer, mut bytes) = (String::new(), [0; 4096]);
            while !answer.contains('\n') {
                let read = tokio::time::timeout(Duration::from_secs(20), socket.read(&mut bytes)).await;
                match read.expect("an answer").expect("an answer") {
                    0 => break,
                    read => answer.push_str(&String::from_utf8_lossy(&bytes[..read])),
                }
            }
            answer
        })
    }
}

/// The address that this machine would use to reach another one. Nothing is sent.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect(SocketAddr::from(([192, 0, 2, 1], 9))).ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

fn strs(first: &[&str], more: &[&Vec<String>]) -> Vec<String> {
    first.iter().map(|&option| option.to_owned()).chain(more.iter().flat_map(|more| more.iter().cloned())).collect()
}

fn refs(options: &[String]) -> Vec<&str> {
    options.iter().map(String::as_str).collect()
}

/// Whether the calling end was served. If not, it was refused.
fn served(caller: Program) -> bool {
    let ended = caller.end();
    match ended.code {
        Some(0) => true,
        Some(3) => false,
        other => panic!("exit code {other:?}: {}", ended.stderr.join("\n")),
    }
}

/// Runs the sessions of a link's rows, where the client calls or the server does.
fn sessions(link: &str, server_calls: bool) {
    let world = World::new();
    let mut held = 0;
    for row in rows(link).iter().filter(|row| row.door.contains("server calls") == server_calls) {
        let places: &[Place] = match &row.door {
            door if door.contains("within a machine") => &[Place::OneMachine],
            door if door.contains("between machines") => &[Place::TwoMachines],
            _ => &[Place::OneMachine, Place::TwoMachines],
        };
        for place in places {
            let Some(at) = world.address(*place) else {
                eprintln!("this machine has no address that others could reach: \"{}\" is skipped", row.door);
                continue;
            };
            for (cell, tokens) in row.cells.iter().zip(COLUMNS) {
                for &tokens in tokens {
                    let was_served = match server_calls {
                        false => world.client_calls(link, at, row.is_tls, tokens),
                        true => world.server_calls(link, at, row.is_tls, tokens),
                    };
                    let said = if was_served { "served" } else { "refused" };
                    assert_eq!(said, cell, "{}, TLS: {}, tokens: {tokens:?}, at {at}", row.door, row.is_tls);
                    held += 1;
                }
            }
        }
    }
    assert!(held >= 10, "{held} sessions");
}

#[test]
fn webrtc_with_a_client_that_calls() {
    sessions("webrtc", false);
}

#[test]
fn webrtc_with_a_server_that_calls() {
    sessions("webrtc", true);
}

#[test]
fn tcp_with_a_client_that_calls() {
    sessions("tcp", false);
}

#[test]
fn tcp_with_a_server_that_calls() {
    sessions("tcp", true);
}

#[test]
fn grpc_with_a_client_that_calls() {
    sessions("grpc", false);
}

#[test]
fn grpc_with_a_server_that_calls() {
    sessions("grpc", true);
}

/// Compares the answer to a visitor without a token with the table. The server has a token in every cell but the first.
fn visitors(door: &str, said: &str, is_it: impl Fn(&str) -> &'static str) {
    let world = World::new();
    for row in rows(door) {
        for (cell, token) in row.cells.iter().zip([None, Some("token"), Some("token")]) {
            let answer = world.answer(row.is_tls, token, said);
            assert_eq!(is_it(&answer), cell, "{door}, TLS: {}, token: {token:?}: {answer}", row.is_tls);
        }
    }
}

#[test]
fn strangers_get_the_answers_of_the_table() {
    let is_it = |answer: &str| if answer.starts_with(r#"{"type":"offer""#) { "served" } else { "refused" };
    visitors("stranger", "", is_it);
}

#[test]
fn pings_get_the_answers_of_the_table() {
    let is_it = |answer: &str| if answer.starts_with(r#"{"type":"pong""#) { "served" } else { "refused" };
    visitors("ping", "{\"type\":\"ping\"}\n", is_it);
}

#[test]
fn monitors_get_the_answers_of_the_table() {
    let is_it = |answer: &str| if answer.starts_with("HTTP/1.1 200 OK") { "served" } else { "refused" };
    for path in ["/metrics", "/healthz"] {
        visitors("HTTP", &format!("GET {path} HTTP/1.1\r\nHost: plumb\r\n\r\n"), is_it);
    }
}

#[test]
fn loopback_is_served_or_refused_as_in_the_table() {
    let world = World::new();
    for row in rows("--loopback") {
        for (cell, tokens) in row.cells.iter().zip([None, Some("token"), None]) {
            if cell == "–" {
                continue;
            }
            let mut server = testkit::program::command("server");
            server.args(["--loopback", "--frames", "3", "--no-graphics"]).args(world.token(tokens));
            assert_eq!(if served(Program::start(server)) { "served" } else { "refused" }, cell);
        }
    }
}
