//! `--link memory`: a whole session within one process, by the same code as over the network.

use std::time::Duration;

use testkit::program::{Ended, Program, command};
use testkit::report::{checked, only_session, rows};

/// A run without sockets. Its report is written to stdout, its rows to stderr.
fn run(options: &[&str]) -> Ended {
    let mut server = command("server");
    server.args(["--loopback", "--link", "memory", "--once", "--no-graphics", "--json", "-"]).args(options);
    Program::start(server).end()
}

#[test]
fn every_frame_is_answered_and_scored() {
    for encoding in ["raw", "lz4", "auto"] {
        let ended = run(&["--frames", "40", "--encoding", encoding]).expect(0).says("listening on memory");
        assert_eq!(rows(&ended.stderr).len(), 40, "{:#?}", ended.stderr);
        // Conservation is checked there.
        let report = checked(&ended.stdout.join("\n"));
        let session = only_session(&report);
        assert_eq!((&session["frames"]["sent"], &session["frames"]["circle"]), (&40.into(), &40.into()), "{session:#}");
        assert_eq!(session["end"]["kind"], "finished");
        assert_eq!(session["client"]["address"], "memory");
    }
}

#[test]
fn the_errors_equal_those_over_the_network() {
    let options = ["--frames", "60", "--fps", "max", "--seed", "7"];
    let in_memory = run(&options).expect(0);
    let mut server = command("server");
    server.args(["--loopback", "--once", "--no-graphics", "--json", "-"]).args(options);
    let over_webrtc = Program::start(server).end().expect(0);
    let [ours, theirs] = [in_memory, over_webrtc].map(|ended| checked(&ended.stdout.join("\n")));
    assert_eq!(only_session(&ours)["error_px"], only_session(&theirs)["error_px"]);
}

#[test]
fn frames_larger_than_the_links_buffers_arrive() {
    let ended = run(&["--frames", "20", "--fps", "max", "--size", "1920x1080", "--pixel", "bgr8", "--deadline", "30s"]);
    let report = checked(&ended.expect(0).stdout.join("\n"));
    assert_eq!(only_session(&report)["frames"]["circle"], 20);
}

#[test]
fn live_delivery_is_allowed_and_every_frame_is_accounted_for() {
    let ended = run(&["--frames", "60", "--delivery", "live"]).expect(0);
    let report = checked(&ended.stdout.join("\n"));
    let session = only_session(&report);
    assert_eq!(session["frames"]["sent"], 60);
    assert_eq!(session["end"]["kind"], "finished");
}

#[test]
fn a_signal_ends_it_in_order() {
    let mut server = command("server");
    server.args(["--loopback", "--link", "memory", "--no-graphics", "--json", "-"]);
    let mut server = Program::start(server);
    server.stderr.wait_for_count(20);
    server.signal("INT");
    let ended = server.end().expect(0);
    // One second is promised. A busy machine may take a little longer.
    assert!(ended.elapsed < Duration::from_secs(5), "took {:?}", ended.elapsed);
    assert_eq!(only_session(&checked(&ended.stdout.join("\n")))["end"]["kind"], "stopped");
}

#[test]
fn without_a_client_in_the_process_it_is_refused() {
    let refused = |options: &[&str]| {
        let mut server = command("server");
        server.args(["--no-graphics"]).args(options);
        let ended = Program::start(server).end().expect(2);
        assert_eq!((ended.stdout.len(), ended.stderr.len()), (0, 1), "{:#?}", ended.stderr);
        ended
    };
    refused(&["--link", "memory"]).says("--link memory is a link within one process: it needs --loopback");
    refused(&["--link", "memory", "--once"]).says("--loopback");
}

#[test]
fn an_unknown_kind_of_link_is_refused_with_the_known_kinds() {
    let mut server = command("server");
    server.args(["--link", "pigeon"]);
    Program::start(server).end().expect(2).says("any, webrtc, tcp, grpc, memory");
}
