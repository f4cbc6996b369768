//! Frames that take long to render: the server answers others meanwhile, and can be stopped.

use testkit::ends::Server;
use testkit::program::{Program, command};

/// Some hundred milliseconds of rendering for each frame, and many times that in a test build.
const SLOW: [&str; 12] = [
    "--size",
    "1920x1080",
    "--radius",
    "300",
    "--rolling-shutter",
    "30",
    "--exposure",
    "0.5",
    "--speed",
    "2000",
    "--fps",
    "5",
];

#[test]
fn a_server_whose_frames_render_slowly_answers_and_stops() {
    let mut server = Server::start(&SLOW);
    server.program.stderr.wait_for("frames are rendered on a thread of their own");
    let client = server.client(&[]);
    server.program.stderr.wait_for("session 1 begins");
    for _ in 0..3 {
        let mut health = command("server");
        health.args(["health", &server.address]);
        Program::start(health).end().expect(0);
    }
    server.program.signal("TERM");
    let ended = server.end();
    assert!(!ended.said().contains("panicked"), "{}", ended.said());
    drop(client.end());
}
