//! A pipeline written from the protocol document alone: the example in Python, on aiortc.
//!
//! The virtual environment is created once, in the target folder, from `examples/requirements.txt`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use testkit::ends::Server;
use testkit::peers::{self, AIORTC};
use testkit::program::{Ended, Program};
use testkit::report::{ReportFile, only_session};

/// Accuracy of the example on clean frames, in px. It takes the centroid with whole-pixel weights. The worst rounded
/// centroid of a disc with a radius of 20 px is 0.0013 px off along each axis.
const GOOD_MEAN_PX: f64 = 0.01;

static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| aiortc(AIORTC[AIORTC.len() - 1]));

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// Python with an aiortc of 2024, which waits until its peer begins SCTP.
static OLD_PYTHON: LazyLock<PathBuf> = LazyLock::new(|| aiortc(AIORTC[0]));

fn aiortc(version: &str) -> PathBuf {
    peers::aiortc(Path::new(env!("CARGO_TARGET_TMPDIR")), version).unwrap_or_else(|error| panic!("{error}"))
}

fn python_client(server: &Server) -> Program {
    python_program(&PYTHON, &example("aiortc_client.py"), &[], server)
}

fn python_program(python: &Path, script: &Path, arguments: &[&str], server: &Server) -> Program {
    let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
    let mut command = Command::new(python);
    command.arg(script).args(arguments).args([host, port]);
    Program::start(command)
}

fn whole_job(options: &[&str]) -> (Ended, serde_json::Value) {
    whole_job_of(&PYTHON, options)
}

/// The environment is created before the server waits for its client.
fn whole_job_of(python: &Path, options: &[&str]) -> (Ended, serde_json::Value) {
    let report = ReportFile::new();
    let server =
        Server::start(&[&["--once", "--frames", "60", "--fps", "30", "--json", report.name()], options].concat());
    let client = python_program(python, &example("aiortc_client.py"), &[], &server).end();
    server.end().expect(0);
    (client, only_session(&report.read()).clone())
}

#[test]
fn a_python_pipeline_does_the_whole_job() {
    let (client, session) = whole_job(&[]);
    client.expect(0);
    assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
    assert_eq!(session["client"]["name"], "aiortc-client");
    let mean_px = session["error_px"]["l1"]["mean"].as_f64().expect("a mean");
    assert!(mean_px < GOOD_MEAN_PX, "mean L1 {mean_px} px");
    // The client's times place every stage.
    for stage in ["encode", "to_client", "queue", "detect", "back"] {
        assert!(session["latency_us"]["stages"][stage]["p50"].is_u64(), "{stage}: {:#}", session["latency_us"]);
    }
}

#[test]
fn a_python_pipeline_whose_sctp_waits_for_its_peers_answers_every_frame() {
    let (client, session) = whole_job_of(&OLD_PYTHON, &[]);
    client.expect(0);
    assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
}

/// A lost packet stalls SCTP and its frames for more than a second, and this deadline would lose them. (Without the
/// field, p99 was 1.2 s and frames were lost.)
#[test]
fn a_python_pipeline_with_small_udp_buffers_that_says_so_loses_no_frame_unpaced() {
    LazyLock::force(&PYTHON);
    let report = ReportFile::new();
    let options = ["--once", "--frames", "100", "--fps", "max", "--window", "4", "--deadline", "1s"];
    let server = Server::start(&[&options[..], &["--json", report.name()]].concat());
    python_program(&PYTHON, &peers::file("small_buffer_client.py"), &["65536"], &server).end().expect(0);
    server.end().expect(0);
    let session = only_session(&report.read()).clone();
    assert_eq!(session["frames"]["circle"], 100, "{:#}", session["frames"]);
}

#[test]
fn a_link_that_does_not_open_says_where_it_is_stuck_while_it_waits() {
    LazyLock::force(&PYTHON);
    let mut server = Server::start(&[]);
    let faults = [
        ("client", "both ends are DTLS clients: an offer of a=setup:active is to be answered with a=setup:passive"),
        ("silent", "ICE and DTLS are up, but the peer's SCTP does not answer"),
        (
            "stranger",
            "the two ends reach each other, but DTLS fails: is the fingerprint in the peer's description that of its certificate?",
        ),
    ];
    let peers = faults.map(|(fault, said)| {
        let peer = python_program(&PYTHON, &peers::file("stuck_client.py"), &[fault], &server);
        server.program.stderr.wait_for(&format!("the data channels are not open yet: {said}"));
        peer
    });
    for ((_, said), peer) in faults.iter().zip(peers) {
        server.program.stderr.wait_for(&format!("the data channels did not open within 10 s: {said}"));
        peer.end().expect(3);
    }
    server.program.signal("INT");
    server.end().expect(0);
}

#[test]
fn a_python_pipeline_gets_raw_colour_frames_for_any_encoding_of_the_server() {
    let (client, session) = whole_job(&["--pixel", "bgr8", "--size", "320x240", "--encoding", "lz4"]);
    client.expect(0);
    assert!(session["bytes"]["frames_wire"].as_u64() > session["bytes"]["frames_raw"].as_u64(), "{}", session["bytes"]);
    assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
}

#[test]
fn a_python_pipeline_works_in_live_delivery() {
    let (client, session) = whole_job(&["--delivery", "live", "--size", "320x240"]);
    client.expect(0);
    let frames = &session["frames"];
    let scored = frames["circle"].as_u64().expect("a count");
    // Nothing is lost between two processes that have enough time. On a loaded machine, frames may be late.
    assert!(scored > 0 && frames["invalid"] == 0 && frames["duplicate"] == 0, "{frames:#}");
}

#[test]
fn a_python_pipeline_ends_normally_when_the_server_stops() {
    LazyLock::force(&PYTHON);
    let mut server = Server::start(&[]);
    let client = python_client(&server);
    server.program.stderr.wait_for("aiortc-client");
    server.program.signal("INT");
    server.end().expect(0);
    client.end().expect(0);
}

/// Runs the example's reassembler with pieces that come twice or late.
const LATE_PIECES: &str = r#"
import msgpack
from aiortc_client import REMEMBERED, Reassembler

reassembler = Reassembler(4096, 4)
accept = lambda message, index, count=2: reassembler.accept(msgpack.packb([message, index, count, bytes([index]) * 512]))
for message in range(5000):
    assert accept(message, 0) is None
    assert len(accept(message, 1)) == 1024
    # Repeated pieces of this one and of one long ago; else a window of them would displace what is unfinished.
    assert accept(message, 0) is None and accept(max(message - REMEMBERED + 1, 0), 1) is None
    assert not reassembler.open and len(reassembler.finished) <= REMEMBERED
for message in range(5000, 5010):
    assert accept(message, 0) is None
assert sorted(reassembler.open) == [5006, 5007, 5008, 5009], "the oldest are given up"
assert accept(5000, 1) is None and 5000 not in reassembler.open, "and not begun again"
assert len(accept(5009, 1)) == 1024
"#;

#[test]
fn the_python_pipeline_opens_no_finished_frame_again() {
    let ended = Command::new(&*PYTHON).env("PYTHONPATH", example("")).args(["-c", LATE_PIECES]).output();
    let ended = ended.expect("a Python");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
