//! WebRTC peers that are not Plumb's, as clients of the real server: the rows of the table in docs/protocol.md.
//!
//! They are installed once, in the target folder, in the versions that `bench/peers` names.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::browser;
use testkit::ends::Server;
use testkit::peers::{self, AIORTC, Node};
use testkit::program::Program;
use testkit::report::{ReportFile, only_session};

/// A peer: a row of the table.
#[derive(Clone, Copy, Debug)]
enum Peer {
    /// The example in Python, with this version of aiortc.
    Aiortc(&'static str),
    /// A page that says no hello.
    Chromium,
    /// Likewise.
    Firefox,
    /// The C++ library, in Node.
    Libdatachannel,
    /// TypeScript, in Node. Its answer is changed, because it is the DTLS client whatever the offer says.
    Werift,
}

/// Debian's program.
const FIREFOX: &str = "firefox-esr";

const ALL: [Peer; 8] = [
    Peer::Aiortc(AIORTC[0]),
    Peer::Aiortc(AIORTC[1]),
    Peer::Aiortc(AIORTC[2]),
    Peer::Aiortc(AIORTC[3]),
    Peer::Chromium,
    Peer::Firefox,
    Peer::Libdatachannel,
    Peer::Werift,
];

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Aiortc(_) => "aiortc",
            Self::Chromium => "Chromium",
            Self::Firefox => "Firefox",
            Self::Libdatachannel => "libdatachannel (`node-datachannel`)",
            Self::Werift => "`werift`",
        }
    }

    /// The version that the repository names; of a browser it is whichever is installed.
    fn pinned(self) -> Option<String> {
        match self {
            Self::Aiortc(version) => Some(version.to_owned()),
            Self::Chromium | Self::Firefox => None,
            Self::Libdatachannel => Some(of_package("node-datachannel")),
            Self::Werift => Some(of_package("werift")),
        }
    }

    fn version(self) -> String {
        self.pinned().unwrap_or_else(|| {
            let program = if matches!(self, Self::Firefox) { FIREFOX } else { "chromedriver" };
            let said = Command::new(program).arg("--version").output().expect("a browser");
            // "ChromeDriver 156.0.8078.108 (…)", "Mozilla Firefox 153.8.0esr"
            let said = String::from_utf8_lossy(&said.stdout).into_owned();
            said.split_whitespace()
                .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
                .unwrap_or_default()
                .to_owned()
        })
    }

    /// Its command for the server at this address. Whatever it needs is installed first.
    fn command(self, address: &str) -> Command {
        let (host, port) = address.rsplit_once(':').expect("HOST:PORT");
        let mut command = match self {
            Self::Aiortc(version) => {
                let python = peers::aiortc(target(), version).unwrap_or_else(|error| panic!("{error}"));
                let mut command = Command::new(python);
                command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/aiortc_client.py"));
                command
            }
            Self::Chromium => in_browser("chromium"),
            Self::Firefox => in_browser("firefox"),
            Self::Libdatachannel => in_node("node-datachannel/polyfill"),
            Self::Werift => in_node("werift"),
        };
        command.args([host, port]);
        command
    }

    /// Further arguments, without which the peer opens no link.
    fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Werift => &["passive"],
            _ => &[],
        }
    }
}

fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The client in JavaScript on the WebRTC of an npm package.
fn in_node(module: &str) -> Command {
    let node = Node::new(target()).unwrap_or_else(|error| panic!("{error}"));
    let mut command = node.command(&peers::file("node_client.mjs"));
    command.arg(module);
    command
}

/// The same client in a page.
fn in_browser(name: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(peers::file("browser.py")).arg(name);
    command
}

/// The version of an npm package that is tested.
fn of_package(name: &str) -> String {
    let text = fs::read_to_string(peers::file("package.json")).expect("the packages");
    let packages: Value = serde_json::from_str(&text).expect("JSON");
    packages["dependencies"][name].as_str().unwrap_or_else(|| panic!("no {name} in {packages}")).to_owned()
}

/// The session of a server that ends after these frames, in the report.
fn session(peer: Peer, options: &[&str]) -> Value {
    // Installed before the server waits.
    drop(peer.command("127.0.0.1:0"));
    let report = ReportFile::new();
    let server = Server::start(&[&["--once", "--json", report.name()], options].concat());
    let mut command = peer.command(&server.address);
    command.args(peer.needs());
    Program::start(command).end().expect(0);
    server.end().expect(0);
    only_session(&report.read()).clone()
}

/// In both kinds of delivery. Late frames of a live session are lost, and a loaded machine is late.
fn opens_and_answers(peer: Peer) {
    let reliable = session(peer, &["--frames", "40", "--fps", "20"]);
    assert_eq!(reliable["frames"]["answered"], 40, "{peer:?}: {:#}", reliable["frames"]);
    let live = session(peer, &["--frames", "40", "--fps", "20", "--size", "320x240", "--delivery", "live"]);
    let frames = &live["frames"];
    let answered = frames["answered"].as_u64().expect("a count");
    assert!(answered > 0 && frames["invalid"] == 0 && frames["duplicate"] == 0, "{peer:?}: {frames:#}");
}

#[test]
fn every_aiortc_since_1_9_opens_and_answers_every_frame() {
    for version in AIORTC {
        opens_and_answers(Peer::Aiortc(version));
    }
}

#[test]
fn chromium_as_a_stranger_opens_and_answers_every_frame() {
    if browser::is_there() {
        opens_and_answers(Peer::Chromium);
    }
}

/// If not, the test says so and passes, unless `CI` is `true`.
fn firefox_is_there() -> bool {
    let found = Command::new(FIREFOX).arg("--version").output().is_ok_and(|version| version.status.success());
    assert!(found || std::env::var("CI").as_deref() != Ok("true"), "no {FIREFOX} (Debian's package, see .ci/install)");
    if !found {
        // Written to stderr itself, because the text of print macros is only shown for tests that fail.
        let _ = writeln!(std::io::stderr(), "SKIPPED: no {FIREFOX}");
    }
    found
}

#[test]
fn firefox_as_a_stranger_opens_and_answers_every_frame() {
    if firefox_is_there() {
        opens_and_answers(Peer::Firefox);
    }
}

#[test]
fn the_page_opens_every_time_in_firefox_and_runs_hough_there() {
    if firefox_is_there() {
        let server = Server::start(&["--fps", "20", "--size", "320x240"]);
        let mut page = Command::new("python3");
        page.arg(peers::file("page.py")).args([format!("http://{}/", server.address), "4".to_owned()]);
        let ended = Program::start(page).end().expect(0);
        let opened: Vec<Value> = serde_json::from_str(&ended.stdout.concat()).expect("JSON");
        // "9 frames, 8 answered, 0 dropped, 0.4 ms a frame"
        let is_right = |opening: &Value| {
            let counts = opening["counts"].as_str().unwrap_or_default();
            counts.contains(" 0 dropped")
        };
        assert!(opened.len() == 4 && opened.iter().all(is_right), "{opened:?}");
    }
}

/// Half of them failed while the server offered its loopback address too.
#[test]
#[ignore = "takes a minute: cargo test --workspace --test interop -- --ignored firefox"]
fn of_eight_openings_in_firefox_with_its_own_settings_none_fails() {
    if firefox_is_there() {
        for opening in 1..=8 {
            let session = session(Peer::Firefox, &["--frames", "20", "--fps", "20", "--size", "320x240"]);
            assert_eq!(session["frames"]["answered"], 20, "opening {opening}: {:#}", session["frames"]);
        }
    }
}

#[test]
fn libdatachannel_opens_and_answers_every_frame() {
    opens_and_answers(Peer::Libdatachannel);
}

#[test]
fn werift_that_answers_passive_opens_and_answers_every_frame() {
    opens_and_answers(Peer::Werift);
}

#[test]
fn werift_as_it_is_cannot_open_and_the_server_says_what_to_change() {
    drop(Peer::Werift.command("127.0.0.1:0"));
    let server = Server::start(&["--once"]);
    let _peer = Program::start(Peer::Werift.command(&server.address));
    server.program.stderr.wait_for("an offer of a=setup:active is to be answered with a=setup:passive");
}

/// Name and version of each row of the document's table.
fn documented() -> Vec<[String; 2]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    let text = fs::read_to_string(path).expect("the protocol");
    let table = text.lines().skip_while(|line| !line.starts_with("| peer | version | opens |")).skip(2);
    let rows = table.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().to_owned());
        std::array::from_fn(|_| cells.next().unwrap_or_default())
    })
    .collect()
}

#[test]
fn the_documents_table_has_a_row_for_each_tested_peer_and_no_other() {
    let rows = documented();
    assert_eq!(rows.len(), ALL.len(), "{rows:#?}");
    for (peer, [name, version]) in ALL.into_iter().zip(rows) {
        assert_eq!(name, peer.name());
        assert!(peer.pinned().is_none_or(|pinned| pinned == version), "{name} {version}, tested: {:?}", peer.pinned());
    }
}

/// Prints the figures of the document's table.
#[test]
#[ignore = "a measurement: cargo test --release --workspace --test interop -- --ignored --nocapture"]
fn frames_per_second_without_pacing() {
    for peer in ALL {
        let session = session(peer, &["--frames", "100", "--fps", "max"]);
        let frames = &session["frames"];
        assert_eq!(frames["answered"], 100, "{peer:?}: {frames:#}");
        let rate = session["fps"]["answered"].as_f64().expect("a rate");
        println!("| {} | {} | {rate:.0} |", peer.name(), peer.version());
    }
}
