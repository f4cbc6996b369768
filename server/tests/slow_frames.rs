//! Frames that take long to render or to encode: the server answers others meanwhile, and can be stopped.

use std::time::Duration;

use testkit::ends::Server;
use testkit::program::{Program, command};

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
