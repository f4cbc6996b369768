//! Frames that take long to render or to encode: the server answers others meanwhile, and can be stopped.

use std::time::Duration;

use testkit::ends::Server;
use testkit::program::{Program, command};
use testkit::report::{ReportFile, only_session};

/// About a hundred milliseconds of rendering for each frame, and many times that in a test build.
const RENDERED: [&str; 8] = ["--radius", "200", "--rolling-shutter", "30", "--exposure", "0.5", "--speed", "500"];

/// About a second of encoding for each frame, and more in a test build.
const ENCODED: [&str; 4] = ["--noise", "20", "--encoding", "png"];

#[test]
fn a_server_whose_frames_take_long_answers_and_stops() {
    for (size, options) in [("640x480", &RENDERED[..]), ("4096x4096", &ENCODED)] {
        let mut server = Server::start(&[&["--size", size, "--fps", "5"], options].concat());
        let client = server.client(&[]);
        server.program.stderr.wait_for("session 1: a frame takes");
        for _ in 0..3 {
            let mut health = command("server");
            health.args(["health", &server.address]);
            Program::start(health).end().expect(0);
        }
        server.program.signal("TERM");
        let ended = server.end();
        assert!(ended.elapsed < Duration::from_secs(5), "took {:?} with {options:?}", ended.elapsed);
        assert!(!ended.said().contains("panicked"), "{}", ended.said());
        drop(client.end());
    }
}

/// A hundred poses are found out when the first frame is made, which takes longer than several ticks.
#[test]
fn no_tick_passes_while_the_first_frame_is_made() {
    let report = ReportFile::new();
    let poses = ["--size", "640x480", "--focal", "600", "--poses", "100"];
    let stream = ["--once", "--fps", "5", "--frames", "3", "--json", report.name()];
    let server = Server::start(&[poses.as_slice(), &stream].concat());
    server.client(&[]).end().expect(0);
    server.end().expect(0);
    let report = report.read();
    let session = only_session(&report);
    assert_eq!((&session["frames"]["sent"], &session["frames"]["skipped"]), (&3.into(), &0.into()), "{session:#}");
}
