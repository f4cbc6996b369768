//! Paths that carry less than Ethernet's 1,500 bytes, between network namespaces (`bench/path.sh`).
//!
//! Where namespaces are not available, a test says so and passes, unless `CI` is `true`.

use std::process::Command;

use testkit::namespaces;
use testkit::program::{Ended, Program, command};
use testkit::python::Packages;
use testkit::report::{ReportFile, only_session};
use testkit::repository;

/// Runs 30 frames on this path to this client, with these arguments. Returns what happened to the frames.
fn run(path: [&str; 2], client: &Command, arguments: &[&str], options: &[&str]) -> (Ended, serde_json::Value) {
    let report = ReportFile::new();
    let mut script = Command::new(repository::path("bench/path.sh"));
    script.args(path).arg(command("server").get_program());
    script.args(["--no-graphics", "--listen", "SERVER:9200", "--once", "--frames", "30", "--fps", "30"]);
    script.args(["--json", report.name()]).args(options).arg("--");
    script.arg(client.get_program()).args(client.get_args()).args(arguments);
    let ended = Program::start(script).end();
    (ended, only_session(&report.read()).clone())
}

fn all_frames_are_answered(path: [&str; 2], client: &Command, arguments: &[&str], options: &[&str]) {
    let (ended, session) = run(path, client, arguments, options);
    ended.expect(0);
    assert_eq!(session["frames"]["circle"], 30, "{path:?} {options:?}: {:#}", session["frames"]);
}

/// The MTUs of Tailscale (which is also IPv6's minimum) and of WireGuard, and one that applies only in the middle of
/// the path.
const PATHS: [[&str; 2]; 3] = [["end", "1280"], ["end", "1420"], ["middle", "1280"]];

#[test]
fn a_stranger_on_a_narrow_path_gets_all_frames() {
    if !namespaces::available() {
        return;
    }
    let mut client = Command::new(Packages::Aiortc.test_python(env!("CARGO_TARGET_TMPDIR")));
    client.arg(repository::path("examples/aiortc_client.py"));
    for path in PATHS {
        all_frames_are_answered(path, &client, &["SERVER", "9200"], &[]);
    }
}

#[test]
fn our_own_client_on_a_narrow_path_gets_all_frames() {
    if !namespaces::available() {
        return;
    }
    let client = command("client");
    let between = ["1360", "1400", "1464", "1492", "1500"].map(|mtu| ["middle", mtu]);
    for path in PATHS.into_iter().chain(between) {
        all_frames_are_answered(path, &client, &["SERVER:9200", "--no-graphics"], &[]);
    }
    // Packets larger than the path are fragmented, not lost, if the user asks for them.
    all_frames_are_answered(
        PATHS[0],
        &client,
        &["SERVER:9200", "--no-graphics", "--sctp-mtu", "1400"],
        &["--sctp-mtu", "1400"],
    );
}
