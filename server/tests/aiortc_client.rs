//! A pipeline that knows only the protocol document: the example in Python, on aiortc.
//!
//! The virtual environment is made once, in the target folder, from `examples/requirements.txt`.

mod common;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use common::program::{Ended, Program};
use common::{ReportFile, Server, only_session};

/// The example's centroid of whole-pixel weights is good for this on clean frames, in px; the worst rounded centroid of
/// a disc of radius 20 px is 0.0013 px off along each axis.
const GOOD_MEAN_PX: f64 = 0.01;

static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let requirements = example("requirements.txt");
    let wanted = fs::read_to_string(&requirements).expect("the example's requirements");
    // Tests in processes of their own make it together.
    let lock =
        File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("aiortc-venv.lock")).expect("the target folder");
    lock.lock().expect("one of them at a time");
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aiortc-venv");
    let (python, installed) = (venv.join("bin/python"), venv.join("installed.txt"));
    if fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return python;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(requirements));
    fs::write(installed, wanted).expect("a note of what is installed");
    python
});

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

fn run(command: &mut Command) {
    let ended = command.output().unwrap_or_else(|error| {
        panic!("cannot start {command:?}: {error}; python3 with its venv module is needed (.ci/install)")
    });
    assert!(ended.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ended.stderr));
}

fn python_client(server: &Server) -> Program {
    let (host, port) = server.address.rsplit_once(':').expect("HOST:PORT");
    let mut command = Command::new(&*PYTHON);
    command.arg(example("aiortc_client.py")).args([host, port]);
    Program::start(command)
}

fn whole_job(options: &[&str]) -> (Ended, serde_json::Value) {
    // The environment is made before the server waits for its client.
    LazyLock::force(&PYTHON);
    let report = ReportFile::new();
    let server =
        Server::start(&[&["--once", "--frames", "60", "--fps", "30", "--json", report.name()], options].concat());
    let client = python_client(&server).end();
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
    // It leaves out all optional fields: what depends on them is null, the rest is there.
    assert!(session["latency_us"]["p50"].is_u64());
    assert!(session["latency_us"]["stages"]["detect"]["p50"].is_null());
    assert!(session["latency_us"]["stages"]["encode"]["p50"].is_u64());
}

#[test]
fn a_python_pipeline_takes_colour_frames_raw_whatever_encoding_the_server_was_asked_for() {
    let (client, session) = whole_job(&["--pixel", "bgr8", "--size", "320x240", "--encoding", "lz4"]);
    client.expect(0);
    assert!(session["bytes"]["frames_wire"].as_u64() > session["bytes"]["frames_raw"].as_u64(), "{}", session["bytes"]);
    assert_eq!(session["frames"]["circle"], 60, "{:#}", session["frames"]);
}

#[test]
fn a_python_pipeline_takes_live_frames() {
    let (client, session) = whole_job(&["--delivery", "live", "--size", "320x240"]);
    client.expect(0);
    let frames = &session["frames"];
    let scored = frames["circle"].as_u64().expect("a count");
    // Nothing is lost between two processes that have the time; on a loaded machine frames may be late.
    assert!(scored > 0 && frames["invalid"] == 0 && frames["duplicate"] == 0, "{frames:#}");
}

#[test]
fn a_python_pipeline_ends_in_peace_when_the_server_stops() {
    LazyLock::force(&PYTHON);
    let mut server = Server::start(&[]);
    let client = python_client(&server);
    server.program.stderr.wait_for("aiortc-client");
    server.program.signal("INT");
    server.end().expect(0);
    client.end().expect(0);
}
