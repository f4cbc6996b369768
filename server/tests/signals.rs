//! Ctrl-C, SIGTERM and SIGHUP end a session in order, within about a second.

use std::time::Duration;

use testkit::ends::{Server, client, free_address};
use testkit::program::Ended;
use testkit::report::{ReportFile, only_session, rows, sessions};

/// Time limit of an end. One second is promised, and another second is for a busy machine, which has to start the shell
/// that sends the signal. The limit is below the 3 s after which a silent peer counts as gone, so an end by silence
/// does not pass.
const SOON: Duration = Duration::from_secs(2);

#[track_caller]
fn soon(ended: &Ended) {
    assert!(ended.elapsed < SOON, "took {:?}", ended.elapsed);
}

#[test]
fn a_signal_ends_the_server_in_order_and_its_client_hears_it() {
    for signal in ["INT", "TERM", "HUP"] {
        let report = ReportFile::new();
        let mut server = Server::start(&["--json", report.name()]);
        let client = server.client(&[]);
        server.program.stdout.wait_for_count(10);
        server.program.signal(signal);
        let server = server.end().expect(0);
        soon(&server);
        client.end().expect(0).says("the server said bye: the server stops");
        assert!(server.stdout.iter().any(|line| line.contains("stopped")), "a summary: {:#?}", server.stdout);
        let report = report.read();
        let session = only_session(&report);
        assert_eq!(session["end"]["kind"], "stopped");
        assert_eq!(session["frames"]["sent"], rows(&server.stdout).len(), "a row for every frame");
    }
}

#[test]
fn a_signal_ends_the_client_in_order_and_its_server_hears_it() {
    for signal in ["INT", "TERM", "HUP"] {
        let report = ReportFile::new();
        let server = Server::start(&["--once", "--json", report.name()]);
        let mut client = server.client(&[]);
        client.stdout.wait_for_count(10);
        client.signal(signal);
        let client = client.end().expect(0);
        soon(&client);
        assert!(client.stdout.iter().any(|line| line.contains("frames received")), "{:#?}", client.stdout);
        server.end().expect(0);
        assert_eq!(only_session(&report.read())["end"]["kind"], "client_left");
    }
}

#[test]
fn a_server_without_client_ends_on_a_signal() {
    for signal in ["INT", "TERM", "HUP"] {
        let report = ReportFile::new();
        let mut server = Server::start(&["--json", report.name()]);
        server.program.signal(signal);
        soon(&server.end().expect(0));
        assert!(sessions(&report.read()).is_empty());
    }
}

#[test]
fn a_client_without_server_ends_on_a_signal() {
    let mut client = client(&free_address().to_string(), &["--wait", "forever"]);
    client.stderr.wait_for("waiting for a server");
    client.signal("INT");
    soon(&client.end().expect(3));
}

#[test]
fn a_loopback_run_ends_on_a_signal() {
    let mut server = Server::start(&["--loopback"]);
    server.program.stdout.wait_for_count(10);
    server.program.signal("INT");
    soon(&server.end().expect(0));
}

#[test]
fn a_stopped_server_waits_at_most_a_second_for_answers() {
    let report = ReportFile::new();
    let options = ["--deadline", "30s", "--fps", "max", "--size", "1280x960", "--json", report.name()];
    let mut server = Server::start(&options);
    let mut client = server.client(&["--workers", "1"]);
    server.program.stdout.wait_for_count(10);
    client.signal("STOP");
    server.program.signal("INT");
    soon(&server.end().expect(0));
    let report = report.read();
    let session = only_session(&report);
    assert_eq!(session["end"]["kind"], "stopped", "and not by the client's silence, after 4 s");
    let frames = &session["frames"];
    assert!(frames["unresolved"].as_u64().is_some_and(|count| count > 0), "{frames}");
}

#[test]
fn a_stopped_server_does_not_delay_its_interrupted_client() {
    let mut server = Server::start(&[]);
    let mut client = server.client(&[]);
    client.stdout.wait_for_count(10);
    server.program.signal("STOP");
    client.signal("INT");
    soon(&client.end().expect(0));
}
